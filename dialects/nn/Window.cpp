// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Window.cpp - what the nn operations share --------------------------===//

#include "dialects/nn/Window.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon::nn;
using namespace tenon::nn::detail;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

int64_t tenon::nn::detail::countWindows(int64_t size, int64_t kernel, int64_t stride,
                                        int64_t dilation, int64_t pads) {
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(kernel))
    return ShapedType::kDynamic;
  int64_t last = size + pads - (dilation * (kernel - 1) + 1);
  return last < 0 ? 0 : last / stride + 1;
}

LogicalResult tenon::nn::detail::verifyWindow(Operation *op, RankedTensorType input,
                                              ArrayRef<int64_t> strides,
                                              ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads) {
  int64_t rank = input.getRank() - 2;
  if (rank < 1 || rank > 3)
    return op->emitOpError("has 1 to 3 spatial dimensions, but its input is ") << input;
  auto verifyArray = [&](StringRef name, ArrayRef<int64_t> values, int64_t count,
                         int64_t least) -> LogicalResult {
    if (static_cast<int64_t>(values.size()) != count)
      return op->emitOpError("needs ") << count << " " << name << " for " << rank
                                       << " spatial dimensions, found " << values.size();
    for (int64_t value : values)
      if (value < least)
        return op->emitOpError("needs ") << name << " of at least " << least << ", found " << value;
    return success();
  };
  return success(succeeded(verifyArray("strides", strides, rank, 1)) &&
                 succeeded(verifyArray("dilations", dilations, rank, 1)) &&
                 succeeded(verifyArray("pads", pads, 2 * rank, 0)));
}

LogicalResult tenon::nn::detail::verifyFilter(Operation *op, RankedTensorType input,
                                              RankedTensorType filter, int64_t groups) {
  if (filter.getRank() != input.getRank())
    return op->emitOpError("needs a filter of rank ") << input.getRank() << ", found " << filter;
  for (int64_t size : filter.getShape().drop_front(2))
    if (ShapedType::isDynamic(size) || size < 1)
      return op->emitOpError("needs a static kernel that is not empty, found ") << filter;
  if (groups < 1)
    return op->emitOpError("needs at least one group, found ") << groups;
  return success();
}

LogicalResult tenon::nn::detail::verifyShape(Operation *op, RankedTensorType type,
                                             ArrayRef<int64_t> inferred) {
  if (failed(verifyCompatibleShape(type.getShape(), inferred)))
    return op->emitOpError("has result ") << type << ", but its operands make it "
                                          << RankedTensorType::get(inferred, type.getElementType());
  return success();
}

SmallVector<OpFoldResult>
tenon::nn::detail::reifyShape(OpBuilder &b, Location loc, RankedTensorType result,
                              function_ref<OpFoldResult(int64_t)> dynamicSize) {
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, size] : llvm::enumerate(result.getShape())) {
    if (!ShapedType::isDynamic(size))
      sizes.push_back(b.getIndexAttr(size));
    else
      sizes.push_back(getValueOrCreateConstantIndexOp(b, loc, dynamicSize(dim)));
  }
  return sizes;
}

OpFoldResult tenon::nn::detail::mapSize(OpBuilder &b, Location loc, Value input, int64_t dim,
                                        function_ref<AffineExpr(AffineExpr)> expr) {
  AffineMap map = AffineMap::get(0, 1, expr(b.getAffineSymbolExpr(0)));
  return affine::makeComposedFoldedAffineApply(b, loc, map,
                                               {tensor::getMixedSize(b, loc, input, dim)});
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

Type tenon::nn::detail::getAccumulatorType(Type element) {
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(element.getContext());
  return element;
}

Value tenon::nn::detail::convert(OpBuilder &b, Location loc, Value value, Type type) {
  return convertScalarToDtype(b, loc, value, type, /*isUnsignedCast=*/false);
}

Value tenon::nn::detail::createConstant(OpBuilder &b, Location loc, Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value tenon::nn::detail::createFilled(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes,
                                      Value value) {
  Value empty = tensor::EmptyOp::create(b, loc, sizes, value.getType());
  return linalg::FillOp::create(b, loc, value, empty).getResult(0);
}

Value tenon::nn::detail::padDimensions(OpBuilder &b, Location loc, Value input, int64_t position,
                                       ArrayRef<int64_t> begin, ArrayRef<int64_t> end,
                                       Value padding) {
  auto isZero = [](int64_t value) { return value == 0; };
  if (llvm::all_of(begin, isZero) && llvm::all_of(end, isZero))
    return input;
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<OpFoldResult> low(type.getRank(), b.getIndexAttr(0)), high = low;
  SmallVector<int64_t> shape(type.getShape());
  for (auto [i, before, after] : llvm::enumerate(begin, end)) {
    low[position + i] = b.getIndexAttr(before);
    high[position + i] = b.getIndexAttr(after);
    if (!type.isDynamicDim(position + i))
      shape[position + i] += before + after;
  }
  return tensor::PadOp::create(b, loc, type.clone(shape), input, low, high, padding);
}

Value tenon::nn::detail::createGeneric(
    OpBuilder &b, Location loc, ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
    ArrayRef<utils::IteratorType> iterators,
    function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  return linalg::GenericOp::create(b, loc, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &b, Location loc, ValueRange elements) {
                                     linalg::YieldOp::create(b, loc, body(b, loc, elements));
                                   })
      .getResult(0);
}

Value tenon::nn::detail::createContraction(OpBuilder &b, Location loc, Value lhs, Value rhs,
                                           ArrayRef<OpFoldResult> sizes, Type element,
                                           ArrayRef<AffineMap> maps) {
  Type accumulator = getAccumulatorType(element);
  AffineMap resultMap = maps.back();
  SmallVector<utils::IteratorType> iterators;
  for (unsigned dim : llvm::seq(resultMap.getNumDims()))
    iterators.push_back(resultMap.isFunctionOfDim(dim) ? utils::IteratorType::parallel
                                                       : utils::IteratorType::reduction);
  Value zero = createFilled(b, loc, sizes, createConstant(b, loc, accumulator, 0));
  Value sum =
      createGeneric(b, loc, {lhs, rhs}, zero, maps, iterators,
                    [&](OpBuilder &b, Location loc, ValueRange elements) -> Value {
                      Value left = convert(b, loc, elements[0], accumulator);
                      Value right = convert(b, loc, elements[1], accumulator);
                      if (isa<IntegerType>(accumulator))
                        return arith::AddIOp::create(b, loc, elements[2],
                                                     arith::MulIOp::create(b, loc, left, right));
                      auto flags = arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;
                      Value product = arith::MulFOp::create(b, loc, left, right, flags);
                      return arith::AddFOp::create(b, loc, elements[2], product, flags);
                    });
  return convertElements(b, loc, sum, element);
}

Value tenon::nn::detail::convertElements(OpBuilder &b, Location loc, Value input, Type element) {
  auto type = cast<RankedTensorType>(input.getType());
  if (type.getElementType() == element)
    return input;
  Value empty = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, input), element);
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  return createGeneric(b, loc, input, empty, {identity, identity}, iterators,
                       [&](OpBuilder &b, Location loc, ValueRange elements) {
                         return convert(b, loc, elements[0], element);
                       });
}

// Reassociation of `rank` dimensions of which `dim` and `dim + 1` belong together.
static SmallVector<ReassociationIndices> pairDimensions(int64_t rank, int64_t dim) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < rank; ++i) {
    groups.push_back({i});
    if (i == dim)
      groups.back().push_back(++i);
  }
  return groups;
}

Value tenon::nn::detail::splitDimension(OpBuilder &b, Location loc, Value input, int64_t dim,
                                        int64_t groups) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] /= groups;
  shape.insert(shape.begin() + dim, groups);
  return tensor::ExpandShapeOp::create(b, loc, type.clone(shape), input,
                                       pairDimensions(shape.size(), dim));
}

Value tenon::nn::detail::joinDimensions(OpBuilder &b, Location loc, Value input, int64_t dim) {
  return tensor::CollapseShapeOp::create(
      b, loc, input, pairDimensions(cast<RankedTensorType>(input.getType()).getRank(), dim));
}

AffineMap tenon::nn::detail::getBroadcastMap(RankedTensorType type, int64_t rank,
                                             MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  int64_t offset = rank - type.getRank();
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    exprs.push_back(size == 1 ? getAffineConstantExpr(0, context)
                              : getAffineDimExpr(offset + dim, context));
  return AffineMap::get(rank, 0, exprs, context);
}
