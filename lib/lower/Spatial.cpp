// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows as ONNX describes them, and computations per channel.
//
// `auto_pad` depends on the size of the input only where there is a stride: without one, SAME pads
// by the kernel's extent minus one whatever the size. So dynamic sizes rarely lead to padding
// computed at run time.

#include "lib/lower/Spatial.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

SmallVector<int64_t> Window::getExtendedPads() const {
  SmallVector<int64_t> extended(pads);
  for (auto [dim, size] : llvm::enumerate(extension))
    extended[kernel.size() + dim] += size;
  return extended;
}

// What SAME_UPPER and SAME_LOWER pad one dimension by.
static std::pair<OpFoldResult, OpFoldResult>
getSamePads(IndexBuilder &index, OpFoldResult size, int64_t stride, int64_t extent, bool isUpper) {
  OpFoldResult zero = index.constant(0), total;
  if (stride == 1) {
    total = index.constant(extent - 1);
  } else {
    OpFoldResult windows = index.divideUp(size, index.constant(stride));
    OpFoldResult reach =
        index.multiply(index.subtract(windows, index.constant(1)), index.constant(stride));
    total = index.maximum(index.subtract(index.add(reach, index.constant(extent)), size), zero);
  }
  OpFoldResult less = index.divide(total, index.constant(2)), more = index.subtract(total, less);
  return isUpper ? std::pair(less, more) : std::pair(more, less);
}

FailureOr<Window> lower::resolveWindow(ConversionPatternRewriter &rewriter, Operation *op,
                                       Value input, const WindowAttributes &attributes) {
  auto type = cast<RankedTensorType>(input.getType());
  int64_t spatialRank = type.getRank() - 2;
  auto fail = [&](const Twine &reason) -> FailureOr<Window> {
    return refuse(rewriter, op, [&](Diagnostic &diagnostic) { diagnostic << reason.str(); });
  };
  if (spatialRank < 1 || spatialRank > 3)
    return fail("an input with " + Twine(std::max<int64_t>(spatialRank, 0)) +
                " spatial dimensions is not supported yet, 1 to 3 are");

  Window window;
  auto fill = [&](std::optional<ArrayRef<int64_t>> values, int64_t count, int64_t preset) {
    return values ? SmallVector<int64_t>(*values) : SmallVector<int64_t>(count, preset);
  };
  window.kernel = attributes.kernel;
  window.strides = fill(attributes.strides, spatialRank, 1);
  window.dilations = fill(attributes.dilations, spatialRank, 1);
  window.pads = fill(attributes.pads, 2 * spatialRank, 0);
  window.extension.assign(spatialRank, 0);
  for (auto [name, values, count, least] :
       {std::tuple("kernel_shape", ArrayRef(window.kernel), spatialRank, 1),
        std::tuple("strides", ArrayRef(window.strides), spatialRank, 1),
        std::tuple("dilations", ArrayRef(window.dilations), spatialRank, 1),
        std::tuple("pads", ArrayRef(window.pads), 2 * spatialRank, 0)}) {
    if (static_cast<int64_t>(values.size()) != count)
      return fail(Twine(name) + " has " + Twine(values.size()) + " elements, but the input needs " +
                  Twine(count));
    for (int64_t value : values)
      if (value < least)
        return fail(Twine(name) + " has the element " + Twine(value) + ", expected at least " +
                    Twine(least));
  }

  StringRef autoPad = attributes.autoPad;
  if (autoPad == "VALID") {
    window.pads.assign(2 * spatialRank, 0);
  } else if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER") {
    IndexBuilder index(rewriter, op->getLoc());
    SmallVector<OpFoldResult> pads(2 * spatialRank);
    for (int64_t dim = 0; dim < spatialRank; ++dim)
      std::tie(pads[dim], pads[dim + spatialRank]) =
          getSamePads(index, getDim(rewriter, op->getLoc(), input, dim + 2), window.strides[dim],
                      window.getExtent(dim), autoPad == "SAME_UPPER");
    if (std::optional<SmallVector<int64_t>> known = getConstantIntValues(pads)) {
      window.pads = *known;
    } else {
      window.pads.assign(2 * spatialRank, 0);
      window.dynamicPads = pads;
    }
  } else if (autoPad != "NOTSET") {
    return fail("auto_pad is '" + autoPad + "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  } else if (attributes.ceilMode) {
    // Rounding the number of windows up is rounding it down for an input that is stride - 1 longer;
    // where the size is known, exactly by what the last window needs.
    for (int64_t dim = 0; dim < spatialRank; ++dim) {
      int64_t stride = window.strides[dim], size = type.getDimSize(dim + 2);
      window.extension[dim] = stride - 1;
      if (ShapedType::isDynamic(size))
        continue;
      int64_t begin = window.pads[dim], length = size + begin + window.pads[dim + spatialRank];
      int64_t windows = llvm::divideCeilSigned(length - window.getExtent(dim), stride) + 1;
      // A window that would start in the padding at the end does not exist.
      if ((windows - 1) * stride >= size + begin)
        --windows;
      window.extension[dim] =
          std::max<int64_t>((windows - 1) * stride + window.getExtent(dim) - length, 0);
    }
  }
  // The standard's formula makes such an output empty, its library's shape inference does not.
  for (int64_t dim = 0; dim < spatialRank; ++dim) {
    int64_t size = type.getDimSize(dim + 2);
    if (ShapedType::isDynamic(size) || window.dynamicPads.size())
      continue;
    int64_t length =
        size + window.pads[dim] + window.pads[dim + spatialRank] + window.extension[dim];
    int64_t excess = window.getExtent(dim) - length;
    if (excess > 0 && excess < window.strides[dim])
      return fail("a window of " + Twine(window.getExtent(dim)) +
                  " elements does not fit in spatial dimension " + Twine(dim) + ", which has " +
                  Twine(length) + " with its padding; the input is too small for this model");
  }
  return window;
}

Value lower::padSpatially(OpBuilder &builder, Location loc, Value input,
                          ArrayRef<OpFoldResult> pads, Value padding) {
  int64_t spatialRank = pads.size() / 2;
  SmallVector<OpFoldResult> low(spatialRank + 2, builder.getIndexAttr(0)), high = low;
  llvm::copy(pads.take_front(spatialRank), low.begin() + 2);
  llvm::copy(pads.drop_front(spatialRank), high.begin() + 2);
  return tensor::PadOp::create(builder, loc, /*resultType=*/Type(), input, low, high, padding);
}

Value lower::createChannelwise(OpBuilder &builder, Location loc, Value input, ValueRange perChannel,
                               RankedTensorType resultType, ElementFunction function) {
  int64_t rank = resultType.getRank();
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<Value> inputs{input};
  SmallVector<AffineMap> maps{identity};
  // A splat is a constant of the body.
  SmallVector<DenseElementsAttr> splats;
  for (Value operand : perChannel) {
    DenseElementsAttr constant = getConstant(operand);
    splats.push_back(constant && constant.isSplat() ? constant : DenseElementsAttr());
    if (splats.back())
      continue;
    inputs.push_back(operand);
    maps.push_back(AffineMap::get(rank, 0, builder.getAffineDimExpr(1)));
  }
  maps.push_back(identity);
  Value empty =
      createEmpty(builder, loc, refineSizes(builder, getDims(builder, loc, input), resultType),
                  resultType.getElementType());
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value result = linalg::GenericOp::create(
                     builder, loc, empty.getType(), inputs, empty, maps, iterators,
                     [&](OpBuilder &body, Location loc, ValueRange elements) {
                       ImplicitLocOpBuilder builder(loc, body);
                       SmallVector<Value> values{elements.front()};
                       unsigned next = 1;
                       for (DenseElementsAttr splat : splats)
                         values.push_back(
                             splat ? arith::ConstantOp::create(
                                         builder, cast<TypedAttr>(splat.getSplatValue<Attribute>()))
                                   : elements[next++]);
                       linalg::YieldOp::create(builder, function(builder, values));
                     })
                     .getResult(0);
  return castTo(builder, loc, result, resultType);
}

Value lower::createSum(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> axes,
                       function_ref<Value(ImplicitLocOpBuilder &builder, Value element)> term) {
  int64_t rank = getRank(input);
  Type element = getElementType(input), accumulator = getAccumulatorType(element);
  SmallVector<OpFoldResult> sizes = getDims(builder, loc, input), kept;
  SmallVector<AffineExpr> exprs;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t dim = 0; dim < rank; ++dim) {
    bool isSummed = llvm::is_contained(axes, dim);
    iterators.push_back(isSummed ? utils::IteratorType::reduction : utils::IteratorType::parallel);
    if (isSummed)
      continue;
    kept.push_back(sizes[dim]);
    exprs.push_back(builder.getAffineDimExpr(dim));
  }
  AffineMap maps[] = {builder.getMultiDimIdentityMap(rank),
                      AffineMap::get(rank, 0, exprs, builder.getContext())};
  Value zero = createFilled(builder, loc, kept, builder.getFloatAttr(accumulator, 0));
  Value sum = linalg::GenericOp::create(
                  builder, loc, zero.getType(), input, zero, maps, iterators,
                  [&](OpBuilder &body, Location loc, ValueRange elements) {
                    ImplicitLocOpBuilder builder(loc, body);
                    Value value = term(
                        builder, convertScalar(builder, elements[0], accumulator, false, false));
                    Value sum = arith::AddFOp::create(builder, elements[1], value,
                                                      arith::FastMathFlags::reassoc |
                                                          arith::FastMathFlags::contract);
                    linalg::YieldOp::create(builder, sum);
                  })
                  .getResult(0);
  return addUnitDims(builder, loc, sum, axes);
}

Value lower::createPower(ImplicitLocOpBuilder &builder, Value x, int64_t exponent) {
  if (exponent == 2)
    return arith::MulFOp::create(builder, x, x);
  x = math::AbsFOp::create(builder, x);
  if (exponent == 1)
    return x;
  return math::PowFOp::create(builder, x,
                              createScalar(builder, builder.getLoc(), x.getType(), exponent));
}

Value lower::createRoot(ImplicitLocOpBuilder &builder, Value x, int64_t exponent) {
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return math::SqrtOp::create(builder, x);
  return math::PowFOp::create(builder, x,
                              createScalar(builder, builder.getLoc(), x.getType(), 1.0 / exponent));
}
