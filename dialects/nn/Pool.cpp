// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pool.cpp - nn.pool -------------------------------------------------===//
//
// The decomposition pads with the reduction's neutral element. An average that does
// not count the padding divides by a product of one count per spatial dimension:
// counts are constants where shapes are static, and otherwise short vectors that
// are computed first.
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon::nn;
using namespace tenon::nn::detail;

SmallVector<int64_t> PoolOp::inferResultShape(Layout layout, RankedTensorType input,
                                              ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides,
                                              ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads) {
  SmallVector<int64_t> shape(input.getShape());
  for (size_t dim = 0; dim < kernel.size(); ++dim) {
    int64_t position = dim + (layout == Layout::ChannelsLast ? 1 : 2);
    shape[position] = countWindows(shape[position], kernel[dim], strides[dim], dilations[dim],
                                   pads[dim] + pads[dim + kernel.size()]);
  }
  return shape;
}

void PoolOp::build(OpBuilder &builder, OperationState &state, PoolKind kind, Layout layout,
                   Value input, ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides,
                   ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads, bool countIncludePad) {
  auto inputType = cast<RankedTensorType>(input.getType());
  auto type =
      inputType.clone(inferResultShape(layout, inputType, kernel, strides, dilations, pads));
  build(builder, state, type, kind, layout, input, kernel, strides, dilations, pads,
        countIncludePad);
}

LogicalResult PoolOp::verify() {
  RankedTensorType input = getInput().getType();
  if (failed(verifyWindow(*this, input, getStrides(), getDilations(), getPads())))
    return failure();
  if (static_cast<int64_t>(getKernel().size()) != getSpatialRank() ||
      llvm::any_of(getKernel(), [](int64_t size) { return size < 1; }))
    return emitOpError("needs a kernel of ") << getSpatialRank() << " sizes of at least 1";
  if (getType().getElementType() != input.getElementType())
    return emitOpError("keeps the element type, but goes from ") << input << " to " << getType();
  if (getKind() == PoolKind::Average && !isa<FloatType>(input.getElementType()))
    return emitOpError("takes averages of floats only, found ") << input;
  if (getKind() == PoolKind::Max && getCountIncludePad())
    return emitOpError("has count_include_pad, which only an average has a use for");
  return verifyShape(
      *this, getType(),
      inferResultShape(getLayout(), input, getKernel(), getStrides(), getDilations(), getPads()));
}

LogicalResult PoolOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyShape(b, getLoc(), getType(), [&](int64_t position) {
    if (position == 0 || position == getChannelPosition())
      return tensor::getMixedSize(b, getLoc(), getInput(), position);
    int64_t dim = position - getSpatialPosition(0);
    return mapSize(b, getLoc(), getInput(), position, [&](AffineExpr size) {
      int64_t extent = getDilations()[dim] * (getKernel()[dim] - 1) + 1;
      return (size + getPadsBegin()[dim] + getPadsEnd()[dim] - extent).floorDiv(getStrides()[dim]) +
             1;
    });
  }));
  return success();
}

// How many positions of each window along `dim` lie within the input, as a vector of floats. Where
// all windows have the same, null, and `common` is multiplied with it.
static Value countPositions(OpBuilder &b, PoolOp op, int64_t dim, OpFoldResult resultSize,
                            Type element, double &common) {
  Location loc = op.getLoc();
  int64_t begin = op.getPadsBegin()[dim], end = op.getPadsEnd()[dim], kernel = op.getKernel()[dim];
  int64_t stride = op.getStrides()[dim], dilation = op.getDilations()[dim],
          position = op.getSpatialPosition(dim);
  if (op.getCountIncludePad() || (begin == 0 && end == 0)) {
    common *= kernel;
    return {};
  }

  // Window `i` has position `k` at i * stride - begin + k * dilation, which is within [0, size) for
  // `k` from ceil((begin - i * stride) / dilation) to ceil((size + begin - i * stride) / dilation).
  int64_t size = op.getInput().getType().getDimSize(position),
          windows = op.getType().getDimSize(position);
  if (!ShapedType::isDynamicShape({size, windows})) {
    SmallVector<double> counts;
    for (int64_t i = 0; i < windows; ++i) {
      int64_t start = begin - i * stride;
      int64_t first = std::max<int64_t>(0, llvm::divideCeilSigned(start, dilation));
      counts.push_back(std::min<int64_t>(kernel, llvm::divideCeilSigned(size + start, dilation)) -
                       first);
    }
    if (llvm::all_equal(counts) && !counts.empty()) {
      common *= counts.front();
      return {};
    }
    SmallVector<Attribute> attributes;
    for (double count : counts)
      attributes.push_back(b.getFloatAttr(element, count));
    auto type = RankedTensorType::get(windows, element);
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, attributes));
  }

  Value inputSize = tensor::DimOp::create(b, loc, op.getInput(), position);
  Value empty = tensor::EmptyOp::create(b, loc, resultSize, element);
  return createGeneric(b, loc, {}, empty, b.getDimIdentityMap(), utils::IteratorType::parallel,
                       [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                         auto constant = [&](int64_t value) {
                           return arith::ConstantIndexOp::create(b, loc, value).getResult();
                         };
                         Value index = linalg::IndexOp::create(b, loc, 0);
                         Value offset = arith::MulIOp::create(b, loc, index, constant(stride));
                         Value start = arith::SubIOp::create(b, loc, constant(begin), offset);
                         Value stop = arith::AddIOp::create(b, loc, start, inputSize);
                         if (dilation != 1) {
                           start = arith::CeilDivSIOp::create(b, loc, start, constant(dilation));
                           stop = arith::CeilDivSIOp::create(b, loc, stop, constant(dilation));
                         }
                         Value first = arith::MaxSIOp::create(b, loc, start, constant(0));
                         Value last = arith::MinSIOp::create(b, loc, stop, constant(kernel));
                         Value count = arith::IndexCastOp::create(
                             b, loc, b.getI64Type(), arith::SubIOp::create(b, loc, last, first));
                         return arith::SIToFPOp::create(b, loc, element, count);
                       });
}

// `sums` divided by how many elements were summed.
static Value divideByCounts(OpBuilder &b, PoolOp op, Value sums, ArrayRef<OpFoldResult> sizes) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(sums.getType());
  Type accumulator = type.getElementType(), element = op.getType().getElementType();
  double common = 1;
  SmallVector<Value> inputs{sums};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(type.getRank())};
  for (int64_t dim = 0; dim < op.getSpatialRank(); ++dim) {
    int64_t position = op.getSpatialPosition(dim);
    if (Value counts = countPositions(b, op, dim, sizes[position], accumulator, common)) {
      inputs.push_back(counts);
      maps.push_back(AffineMap::get(type.getRank(), 0, b.getAffineDimExpr(position)));
    }
  }
  maps.push_back(maps.front());
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(b, loc, sizes, element);
  return createGeneric(b, loc, inputs, empty, maps, iterators,
                       [&](OpBuilder &b, Location loc, ValueRange elements) {
                         Value divisor = createConstant(b, loc, accumulator, common);
                         for (Value count : elements.drop_front().drop_back())
                           divisor = arith::MulFOp::create(b, loc, divisor, count);
                         Value quotient = arith::DivFOp::create(b, loc, elements[0], divisor);
                         return convert(b, loc, quotient, element);
                       });
}

FailureOr<SmallVector<Value>> PoolOp::decomposeOperation(OpBuilder &b) {
  Location loc = getLoc();
  int64_t rank = getType().getRank(), spatialRank = getSpatialRank();
  Type element = getType().getElementType();
  bool max = getKind() == PoolKind::Max;
  Type accumulator = max ? element : getAccumulatorType(element);

  auto neutral = [&](Type type) -> Value {
    if (!max)
      return createConstant(b, loc, type, 0);
    if (auto integer = dyn_cast<IntegerType>(type))
      return arith::ConstantOp::create(
          b, loc, b.getIntegerAttr(type, APInt::getSignedMinValue(integer.getWidth())));
    const llvm::fltSemantics &semantics = cast<FloatType>(type).getFloatSemantics();
    APFloat lowest = APFloat::semanticsHasInf(semantics)
                         ? APFloat::getInf(semantics, /*Negative=*/true)
                         : APFloat::getLargest(semantics, /*Negative=*/true);
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, lowest));
  };
  Value input = padDimensions(b, loc, getInput(), getSpatialPosition(0), getPadsBegin(),
                              getPadsEnd(), neutral(element));

  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes)))
    return failure();
  // The loops are the result's dimensions and then the window's. A tensor that nobody reads gives
  // the window its size.
  SmallVector<AffineExpr> read, window;
  for (int64_t position = 0; position < rank; ++position)
    read.push_back(b.getAffineDimExpr(position));
  for (int64_t dim = 0; dim < spatialRank; ++dim) {
    AffineExpr &expr = read[getSpatialPosition(dim)];
    window.push_back(b.getAffineDimExpr(rank + dim));
    expr = expr * getStrides()[dim] + window.back() * getDilations()[dim];
  }
  SmallVector<AffineMap> maps;
  for (ArrayRef<AffineExpr> exprs : {read, window})
    maps.push_back(AffineMap::get(rank + spatialRank, 0, exprs, b.getContext()));
  maps.push_back(
      AffineMap::getMultiDimIdentityMap(rank + spatialRank, b.getContext()).getMajorSubMap(rank));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.append(spatialRank, utils::IteratorType::reduction);

  Value shape = tensor::EmptyOp::create(b, loc, getKernel(), element);
  Value init = createFilled(b, loc, shapes[0], neutral(accumulator));
  Value result = createGeneric(b, loc, {input, shape}, init, maps, iterators,
                               [&](OpBuilder &b, Location loc, ValueRange elements) -> Value {
                                 Value value = convert(b, loc, elements[0], accumulator);
                                 if (isa<IntegerType>(accumulator))
                                   return arith::MaxSIOp::create(b, loc, elements[2], value);
                                 if (max)
                                   return arith::MaximumFOp::create(b, loc, elements[2], value);
                                 return arith::AddFOp::create(b, loc, elements[2], value,
                                                              arith::FastMathFlags::reassoc);
                               });
  if (!max)
    result = divideByCounts(b, *this, result, shapes[0]);
  return SmallVector<Value>{result};
}
