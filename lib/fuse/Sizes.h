// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sizes.h - sizes of tensors as scalars ---------------------*- C++ -*-===//
//
// A dispatch must say how large its results are before it runs, so every dynamic
// size is expressed by scalars that no kernel has to compute: the model's named
// dimensions, dimensions of its arguments, and arithmetic on them.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FUSE_SIZES_H
#define TENON_LIB_FUSE_SIZES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace tenon {

class SizeResolver {
public:
  explicit SizeResolver(mlir::func::FuncOp function) : function(function) {}

  /// The size of dimension `dim` of `tensor`, computed right after the tensor's
  /// definition from values before it. Fails where an operation cannot tell.
  mlir::FailureOr<mlir::Value> sizeOf(mlir::Value tensor, int64_t dim);

  /// `to` has taken the place of `from`, which is about to be erased: what is known of it is now
  /// known of `to`.
  void replaced(mlir::Value from, mlir::Value to);

  /// Replaces every tensor.dim of the function. Fails at the first that cannot be told.
  mlir::LogicalResult resolveAll();

private:
  mlir::FailureOr<mlir::Value> sizeOfArgument(mlir::BlockArgument argument, int64_t dim);
  mlir::FailureOr<mlir::Value> sizeOfResult(mlir::OpResult result, int64_t dim);

  mlir::func::FuncOp function;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> known;
};

} // namespace tenon

#endif // TENON_LIB_FUSE_SIZES_H
