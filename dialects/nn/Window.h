// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Window.h - what the nn operations share -------------------*- C++ -*-===//
//
// Sizes of sliding windows, and the pieces from which decompositions are built.
// Internal to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_NN_WINDOW_H
#define TENON_DIALECTS_NN_WINDOW_H

#include "dialects/nn/Nn.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"

namespace tenon::nn::detail {

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// How many positions a window has along one dimension; dynamic where `size` or `kernel` is.
int64_t countWindows(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t pads);

/// The rank is 3 to 5; strides and dilations are positive, pads not negative; all have one entry
/// per spatial dimension (pads two).
mlir::LogicalResult verifyWindow(mlir::Operation *op, mlir::RankedTensorType input,
                                 llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> dilations,
                                 llvm::ArrayRef<int64_t> pads);

/// The filter's rank is the input's, its kernel is static and not empty, and channels agree with
/// `groups`. `groupedDim` and `channels` are the filter's dimension that holds all groups and what
/// it must be equal to.
mlir::LogicalResult verifyFilter(mlir::Operation *op, mlir::RankedTensorType input,
                                 mlir::RankedTensorType filter, int64_t groups);

/// Each static size of `type` agrees with the one inferred.
mlir::LogicalResult verifyShape(mlir::Operation *op, mlir::RankedTensorType type,
                                llvm::ArrayRef<int64_t> inferred);

/// `shape[d]` where the result's dimension is static, and otherwise `dynamicSize(d)` as a value:
/// what ReifyRankedShapedTypeOpInterface asks for.
llvm::SmallVector<mlir::OpFoldResult>
reifyShape(mlir::OpBuilder &b, mlir::Location loc, mlir::RankedTensorType result,
           llvm::function_ref<mlir::OpFoldResult(int64_t)> dynamicSize);

/// The size of `input` along `dim` put through `size -> expr(size)`.
mlir::OpFoldResult mapSize(mlir::OpBuilder &b, mlir::Location loc, mlir::Value input, int64_t dim,
                           llvm::function_ref<mlir::AffineExpr(mlir::AffineExpr)> expr);

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

/// The type that sums of `element` are accumulated in.
mlir::Type getAccumulatorType(mlir::Type element);

/// `value` extended or truncated to `type`, a float where it is one; integers are signed.
mlir::Value convert(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Type type);

/// A constant of a float or integer type.
mlir::Value createConstant(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type, double value);

/// A tensor of `sizes`, each element `value`.
mlir::Value createFilled(mlir::OpBuilder &b, mlir::Location loc,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Value value);

/// `input` with `begin[i]` and `end[i]` elements `padding` added around dimension `position + i`;
/// itself where all are 0.
mlir::Value padDimensions(mlir::OpBuilder &b, mlir::Location loc, mlir::Value input,
                          int64_t position, llvm::ArrayRef<int64_t> begin,
                          llvm::ArrayRef<int64_t> end, mlir::Value padding);

/// A linalg.generic with one result. The maps of `inputs` come first in `maps`, that of `init` is
/// the last; `body` gets the elements of the inputs and of `init`.
mlir::Value createGeneric(
    mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange inputs, mlir::Value init,
    llvm::ArrayRef<mlir::AffineMap> maps, llvm::ArrayRef<mlir::utils::IteratorType> iterators,
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> body);

/// The sum of products `lhs * rhs` into a tensor of `sizes`, accumulated as getAccumulatorType
/// says, and then converted to `element`. Maps are those of lhs, rhs and the result; dimensions
/// that the result's map lacks are summed.
mlir::Value createContraction(mlir::OpBuilder &b, mlir::Location loc, mlir::Value lhs,
                              mlir::Value rhs, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                              mlir::Type element, llvm::ArrayRef<mlir::AffineMap> maps);

/// `input` with each element converted to `element`; itself where it has that type.
mlir::Value convertElements(mlir::OpBuilder &b, mlir::Location loc, mlir::Value input,
                            mlir::Type element);

/// Dimension `dim` of `input` cut into `[groups, size / groups]`. The size is static.
mlir::Value splitDimension(mlir::OpBuilder &b, mlir::Location loc, mlir::Value input, int64_t dim,
                           int64_t groups);

/// Dimensions `dim` and `dim + 1` of `input` made one.
mlir::Value joinDimensions(mlir::OpBuilder &b, mlir::Location loc, mlir::Value input, int64_t dim);

/// The indexing map of an operand of `type` that is aligned with the last of `rank` loops and
/// broadcast where its size is 1.
mlir::AffineMap getBroadcastMap(mlir::RankedTensorType type, int64_t rank,
                                mlir::MLIRContext *context);

} // namespace tenon::nn::detail

#endif // TENON_DIALECTS_NN_WINDOW_H
