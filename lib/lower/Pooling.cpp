// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MaxPool, AveragePool, LpPool and the global pools that are sums of powers.
//
// `ceil_mode` becomes padding at the end. For an average that counts its padding this extra part
// does not count, so the padding proper is then written out (as zeros of the input) and only the
// extra part is left to the pool.

#include "lib/lower/Patterns.h"
#include "lib/lower/Spatial.h"

#include "dialects/nn/Nn.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

/// Drops the last window of each spatial dimension where it would start in the padding at the end,
/// which `ceil_mode` over a size that is known at run time only may have added.
static Value dropWindowsInPadding(OpBuilder &builder, Location loc, Value result, Value input,
                                  const Window &window) {
  if (!window.isExtended())
    return result;
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> sizes = getDims(builder, loc, result);
  bool mayDrop = false;
  for (int64_t dim = 0, spatialRank = window.kernel.size(); dim < spatialRank; ++dim) {
    if (!cast<RankedTensorType>(input.getType()).isDynamicDim(dim + 2))
      continue;
    // Without padding at the end, the last window reaches back to the input.
    if (window.pads[dim + spatialRank] == 0 && window.getExtent(dim) >= window.strides[dim])
      continue;
    mayDrop = true;
    OpFoldResult end =
        index.add(getDim(builder, loc, input, dim + 2), index.constant(window.pads[dim]));
    sizes[dim + 2] =
        index.minimum(sizes[dim + 2], index.divideUp(end, index.constant(window.strides[dim])));
  }
  if (!mayDrop)
    return result;
  SmallVector<OpFoldResult> zeros(sizes.size(), index.constant(0)),
      ones(sizes.size(), index.constant(1));
  return tensor::ExtractSliceOp::create(builder, loc, result, zeros, sizes, ones);
}

namespace {

struct MaxPoolLowering : OpConversionPattern<onnx::MaxPoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::MaxPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getX();
    FailureOr<Window> window =
        resolveWindow(rewriter, op, input,
                      {op.getAutoPad(), SmallVector<int64_t>(op.getKernelShape()), op.getStrides(),
                       op.getDilations(), op.getPads(), op.getCeilMode() != 0});
    if (failed(window))
      return failure();
    Location loc = op.getLoc();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    // nn.pool compares integers as signed ones.
    bool isWidened = isUnsigned(op.getX().getType());
    if (isWidened)
      input = convertTo(rewriter, loc, input, rewriter.getIntegerType(16));
    if (!window->dynamicPads.empty())
      input = padSpatially(rewriter, loc, input, window->dynamicPads,
                           createLowest(rewriter, loc, getElementType(input)));
    Value result = nn::PoolOp::create(rewriter, loc, nn::PoolKind::Max, nn::Layout::ChannelsFirst,
                                      input, window->kernel, window->strides, window->dilations,
                                      window->getExtendedPads());
    result = dropWindowsInPadding(rewriter, loc, result, adaptor.getX(), *window);
    if (isWidened)
      result = convertTo(rewriter, loc, result, resultType.getElementType());
    SmallVector<Value> results{castTo(rewriter, loc, result, resultType)};
    if (onnx::isAbsent(op.getIndices())) {
      results.push_back(onnx::NoValueOp::create(rewriter, loc));
    } else {
      Value indices = createMaximumIndices(
          rewriter, loc, adaptor.getX(), *window, getDims(rewriter, loc, results[0]),
          op.getStorageOrder() != 0, isUnsigned(op.getX().getType()));
      results.push_back(castTo(rewriter, loc, indices,
                               getTypeConverter()->convertType(op.getIndices().getType())));
    }
    rewriter.replaceOp(op, results);
    return success();
  }

private:
  static Value convertTo(OpBuilder &builder, Location loc, Value input, Type element) {
    return createElementwise(
        builder, loc, input, cast<RankedTensorType>(input.getType()).clone(element),
        [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
          return convertScalar(builder, elements[0], element, /*fromUnsigned=*/true,
                               /*toUnsigned=*/true);
        });
  }
  static Value createLowest(OpBuilder &builder, Location loc, Type type) {
    if (isa<FloatType>(type))
      return createScalar(builder, loc, type, -std::numeric_limits<double>::infinity());
    APInt lowest = APInt::getSignedMinValue(type.getIntOrFloatBitWidth());
    return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, lowest));
  }
};

struct AveragePoolLowering : OpConversionPattern<onnx::AveragePoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::AveragePoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getX();
    FailureOr<Window> window =
        resolveWindow(rewriter, op, input,
                      {op.getAutoPad(), SmallVector<int64_t>(op.getKernelShape()), op.getStrides(),
                       op.getDilations(), op.getPads(), op.getCeilMode() != 0});
    if (failed(window))
      return failure();
    bool countsPads = op.getCountIncludePad() != 0;
    if (!countsPads && !window->dynamicPads.empty())
      return refuse(rewriter, op,
                    "auto_pad SAME with a stride, over a size that is known at run time only, "
                    "is not supported by lowering for an average without padding");
    Location loc = op.getLoc();
    SmallVector<int64_t> pads = window->getExtendedPads();
    if (countsPads && (window->isExtended() || !window->dynamicPads.empty())) {
      SmallVector<OpFoldResult> written = window->dynamicPads;
      if (written.empty())
        written = getAsIndexOpFoldResult(rewriter.getContext(), window->pads);
      input = padSpatially(rewriter, loc, input, written,
                           createScalar(rewriter, loc, getElementType(input), 0));
      pads.assign(window->kernel.size(), 0);
      llvm::append_range(pads, window->extension);
      countsPads = false;
    }
    Value result = nn::PoolOp::create(
        rewriter, loc, nn::PoolKind::Average, nn::Layout::ChannelsFirst, input, window->kernel,
        window->strides, window->dilations, pads, countsPads && window->hasPads());
    result = dropWindowsInPadding(rewriter, loc, result, adaptor.getX(), *window);
    rewriter.replaceOp(
        op, castTo(rewriter, loc, result, getTypeConverter()->convertType(op.getY().getType())));
    return success();
  }
};

/// The p-norm of each window: the average of the powers, times how many there are, and the root of
/// that.
struct LpPoolLowering : OpConversionPattern<onnx::LpPoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::LpPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getX();
    FailureOr<Window> window =
        resolveWindow(rewriter, op, input,
                      {op.getAutoPad(), SmallVector<int64_t>(op.getKernelShape()), op.getStrides(),
                       op.getDilations(), op.getPads(), op.getCeilMode() != 0});
    if (failed(window))
      return failure();
    if (op.getP() < 1)
      return refuse(rewriter, op, "p is not positive");
    Location loc = op.getLoc();
    Type accumulator = getAccumulatorType(getElementType(input));
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    Value powers = createElementwise(
        rewriter, loc, input, cast<RankedTensorType>(input.getType()).clone(accumulator),
        [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
          return createPower(
              builder, convertScalar(builder, elements[0], accumulator, false, false), op.getP());
        });
    if (!window->dynamicPads.empty())
      powers = padSpatially(rewriter, loc, powers, window->dynamicPads,
                            createScalar(rewriter, loc, accumulator, 0));
    Value average =
        nn::PoolOp::create(rewriter, loc, nn::PoolKind::Average, nn::Layout::ChannelsFirst, powers,
                           window->kernel, window->strides, window->dilations,
                           window->getExtendedPads(), window->hasPads() || window->isExtended());
    average = dropWindowsInPadding(rewriter, loc, average, input, *window);
    int64_t count = ShapedType::getNumElements(window->kernel);
    rewriter.replaceOp(
        op, createElementwise(rewriter, loc, average, resultType,
                              [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                                Value size = createScalar(builder, loc, accumulator, count);
                                Value sum = arith::MulFOp::create(builder, elements[0], size);
                                return convertScalar(builder, createRoot(builder, sum, op.getP()),
                                                     resultType.getElementType(), false, false);
                              }));
    return success();
  }
};

struct GlobalLpPoolLowering : OpConversionPattern<onnx::GlobalLpPoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::GlobalLpPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (getRank(adaptor.getX()) < 2 || op.getP() < 1)
      return refuse(rewriter, op, "needs an input of rank 2 at least and a positive p");
    Location loc = op.getLoc();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, resultType.getRank()));
    Value sum = createSum(rewriter, loc, adaptor.getX(), axes,
                          [&](ImplicitLocOpBuilder &builder, Value element) {
                            return createPower(builder, element, op.getP());
                          });
    rewriter.replaceOp(
        op, createElementwise(rewriter, loc, sum, resultType,
                              [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                                return convertScalar(builder,
                                                     createRoot(builder, elements[0], op.getP()),
                                                     resultType.getElementType(), false, false);
                              }));
    return success();
  }
};

} // namespace

void lower::populatePoolingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<AveragePoolLowering, GlobalLpPoolLowering, LpPoolLowering, MaxPoolLowering>(
      converter, patterns.getContext());
}
