// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How operations work on permuted dimensions.
//
// An operation commutes with transposes if its result can be had as a transpose of the same
// operation on other operands:
//
//     op(a, b) = transpose(op'(a', b'), permutation)      with a = transpose(a', p), b =
//     transpose(b', q)
//
// Two questions are asked. Sinking: an operand is a transpose; which permutation does the result
// get? Hoisting: the result is to be transposed; what does that ask of the operands? The answer to
// either is a Commutation.

#ifndef TENON_LIB_LAYOUT_COMMUTE_H
#define TENON_LIB_LAYOUT_COMMUTE_H

#include "lib/layout/Permutation.h"

namespace tenon::layout {

struct Commutation {
  /// Of the result of op, with respect to that of op'.
  Permutation result;
  /// Of each operand of op with respect to that of op'. Empty: the operand stays as it is, at no
  /// cost.
  llvm::SmallVector<Permutation> operands;
};

/// How `op` commutes if its operand `operand` has been permuted by `permutation`.
std::optional<Commutation> sinkThrough(mlir::OpOperand &operand,
                                       llvm::ArrayRef<int64_t> permutation);

/// How `op` commutes if its (only) result is permuted by `permutation` with respect to that of op'.
std::optional<Commutation> hoistThrough(mlir::Operation *op, llvm::ArrayRef<int64_t> permutation);

/// Creates op' before `op`, on operands transposed as needed, and returns its result.
mlir::Value commute(mlir::OpBuilder &builder, mlir::Operation *op, const Commutation &commutation);

namespace detail {
std::optional<Commutation> sinkThroughGeneric(mlir::OpOperand &operand,
                                              llvm::ArrayRef<int64_t> permutation);
std::optional<Commutation> hoistThroughGeneric(mlir::linalg::GenericOp op,
                                               llvm::ArrayRef<int64_t> permutation);
mlir::Value commuteGeneric(mlir::OpBuilder &builder, mlir::linalg::GenericOp op,
                           const Commutation &commutation);
} // namespace detail

} // namespace tenon::layout

#endif // TENON_LIB_LAYOUT_COMMUTE_H
