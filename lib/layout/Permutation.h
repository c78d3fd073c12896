// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Permutations of dimensions and the transposes that apply them.
//
// A permutation is written as linalg.transpose has it: dimension i of the result is dimension
// permutation[i] of the source.

#ifndef TENON_LIB_LAYOUT_PERMUTATION_H
#define TENON_LIB_LAYOUT_PERMUTATION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

#include <optional>

namespace tenon::layout {

using Permutation = llvm::SmallVector<int64_t>;

/// From [N, C, spatial...] to [N, spatial..., C].
Permutation getChannelsLastPermutation(int64_t rank);

/// The permutation that has the effect of `first` and then `second`.
Permutation composePermutations(llvm::ArrayRef<int64_t> first, llvm::ArrayRef<int64_t> second);

/// `values` of the dimensions of the source in the order of the result's.
template <typename T>
llvm::SmallVector<T> permute(llvm::ArrayRef<T> values, llvm::ArrayRef<int64_t> permutation) {
  return mlir::applyPermutation(values, permutation);
}

/// The linalg.transpose that defines `value`, or null.
mlir::linalg::TransposeOp getTranspose(mlir::Value value);

/// Whether the permutation only moves dimensions of size 1 of `type`, so that all elements keep
/// their order.
bool keepsElementOrder(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> permutation);

/// A transpose of `value` by `permutation` that exists in the builder's block before the insertion
/// point, or null.
mlir::Value findTranspose(mlir::OpBuilder &builder, mlir::Value value,
                          llvm::ArrayRef<int64_t> permutation);

/// Whether createTranspose of this value costs nothing: it is an empty tensor, a fill, or a splat.
bool isFreeToTranspose(mlir::Value value);

/// `value` with its dimensions permuted: at best itself, the source of a transpose that is undone,
/// an existing transpose, or a splat or fill of the new shape; else a linalg.transpose (of the
/// source of a transpose, if it is one).
mlir::Value createTranspose(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                            llvm::ArrayRef<int64_t> permutation);

/// How the dimensions of the result of a tensor.expand_shape are permuted if those of its source
/// are.
Permutation expandPermutation(llvm::ArrayRef<mlir::ReassociationIndices> groups,
                              llvm::ArrayRef<int64_t> source);

/// The other direction: `fine` permutes dimensions of `shape`, of which each of `groups` is to stay
/// one dimension.
struct Collapsed {
  Permutation permutation;
  /// The groups in the order of the source of `fine`.
  llvm::SmallVector<mlir::ReassociationIndices> groups;
};

/// Nothing if the permutation takes a group apart or changes the order within it; dimensions of
/// size 1 do not matter.
std::optional<Collapsed> collapsePermutation(llvm::ArrayRef<mlir::ReassociationIndices> groups,
                                             llvm::ArrayRef<int64_t> shape,
                                             llvm::ArrayRef<int64_t> fine);

} // namespace tenon::layout

#endif // TENON_LIB_LAYOUT_PERMUTATION_H
