// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DimensionOrigins.h - where a dynamic dimension comes from -*- C++ -*-===//
//
// Most operations hand the dimensions of their operands on. Followed back to the
// tensor that first had a dimension, equal sizes become one value, so that later
// phases see that shapes agree.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_SIMPLIFY_DIMENSIONORIGINS_H
#define TENON_LIB_SIMPLIFY_DIMENSIONORIGINS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace tenon {

/// Remembers what it found, since residual connections reach the same tensors
/// along many ways. Valid while the operations it has seen stand.
class DimensionOrigins {
public:
  /// A dimension of a tensor.
  using Place = std::pair<mlir::Value, int64_t>;

  /// The earliest tensor that has dimension `dim` of `tensor`, as far as
  /// operations of the onnx dialect hand it on.
  Place find(mlir::Value tensor, int64_t dim);

private:
  Place handedOn(mlir::Operation *op, int64_t rank, int64_t dim);
  Place handedOnByBroadcast(mlir::Operation *op, int64_t rank, int64_t dim);

  llvm::DenseMap<Place, Place> found;
};

} // namespace tenon

#endif // TENON_LIB_SIMPLIFY_DIMENSIONORIGINS_H
