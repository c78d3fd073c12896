// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalisations. Those over the trailing dimensions of some view of their input are nn.normalize;
// batch normalisation is, at inference, a factor and a term per channel; the rest are sums and
// elementwise computations.
//
// Statistics are computed in f32 where elements are narrower (`stash_type` may ask for less; more
// precise is allowed).

#include "lib/lower/Patterns.h"
#include "lib/lower/Spatial.h"

#include "dialects/nn/Nn.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

static Value toFloat(ImplicitLocOpBuilder &builder, Value element, Type type) {
  return convertScalar(builder, element, type, false, false);
}

/// nn.normalize with a result of the given type.
static Value createNormalize(OpBuilder &builder, Location loc, nn::NormalizeKind kind, Value input,
                             Value scale, Value bias, int64_t axis, float epsilon,
                             Type resultType) {
  return nn::NormalizeOp::create(builder, loc, resultType, kind, input, scale, bias, axis,
                                 APFloat(epsilon));
}

/// [C] as [C, 1, ...], aligned with the trailing dimensions of [N, C, ...] of rank `rank`.
static Value alignChannels(OpBuilder &builder, Location loc, Value perChannel, int64_t rank) {
  return addUnitDims(builder, loc, perChannel, llvm::to_vector(llvm::seq<int64_t>(1, rank - 1)));
}

/// The mean of `term` over `axes`, which stay with size 1.
static Value createMean(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> axes,
                        function_ref<Value(ImplicitLocOpBuilder &, Value)> term) {
  Value sum = createSum(builder, loc, input, axes, term);
  IndexBuilder index(builder, loc);
  OpFoldResult count = index.constant(1);
  for (int64_t axis : axes)
    count = index.multiply(count, getDim(builder, loc, input, axis));
  Type type = getElementType(sum);
  Value divisor;
  if (std::optional<int64_t> known = getConstantIntValue(count)) {
    divisor = createScalar(builder, loc, type, *known);
  } else {
    Value integer =
        arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index.value(count));
    divisor = arith::SIToFPOp::create(builder, loc, type, integer);
  }
  return createElementwise(builder, loc, sum, cast<RankedTensorType>(sum.getType()),
                           [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
                             return arith::DivFOp::create(builder, elements[0], divisor);
                           });
}

/// `input - mean`, in the type of the mean.
static Value subtractMean(OpBuilder &builder, Location loc, Value input, Value mean) {
  Type type = getElementType(mean);
  return createElementwise(
      builder, loc, {input, mean}, cast<RankedTensorType>(input.getType()).clone(type),
      [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
        return arith::SubFOp::create(builder, toFloat(builder, elements[0], type), elements[1]);
      });
}

static Value square(ImplicitLocOpBuilder &builder, Value element) {
  return arith::MulFOp::create(builder, element, element,
                               arith::FastMathFlags::reassoc | arith::FastMathFlags::contract);
}
static Value itself(ImplicitLocOpBuilder &, Value element) { return element; }

/// 1 / sqrt(variance + epsilon)
static Value inverseDeviation(ImplicitLocOpBuilder &builder, Value variance, double epsilon) {
  Type type = variance.getType();
  Value sum = arith::AddFOp::create(builder, variance,
                                    createScalar(builder, builder.getLoc(), type, epsilon));
  Value one = createScalar(builder, builder.getLoc(), type, 1);
  return arith::DivFOp::create(builder, one, math::SqrtOp::create(builder, sum));
}

namespace {

struct BatchNormalizationLowering : OpConversionPattern<onnx::BatchNormalizationOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::BatchNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getTrainingMode() != 0)
      return refuse(rewriter, op,
                    "training_mode is not supported by lowering; export the model for inference");
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    if (resultType.getRank() < 2)
      return refuse(rewriter, op, "needs an input of rank 2 at least");
    Location loc = op.getLoc();
    Value mean = adaptor.getInputMean(), variance = adaptor.getInputVar();
    Value scale = adaptor.getScale(), bias = adaptor.getB();
    Type type = getAccumulatorType(getElementType(variance));
    auto perChannel =
        RankedTensorType::get(cast<RankedTensorType>(variance.getType()).getShape(), type);

    // y = x * factor + term. Both are constants once folded, and a convolution may take them into
    // its filter and bias.
    Value factor = createElementwise(
        rewriter, loc, {scale, variance}, perChannel,
        [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
          Value inverse =
              inverseDeviation(builder, toFloat(builder, elements[1], type), op.getEpsilon());
          return arith::MulFOp::create(builder, toFloat(builder, elements[0], type), inverse);
        });
    Value term = createElementwise(
        rewriter, loc, {bias, mean, factor}, perChannel,
        [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
          Value shift =
              arith::MulFOp::create(builder, toFloat(builder, elements[1], type), elements[2]);
          return arith::SubFOp::create(builder, toFloat(builder, elements[0], type), shift);
        });
    Value result = createChannelwise(
        rewriter, loc, adaptor.getX(), {factor, term}, resultType,
        [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
          auto contract = arith::FastMathFlags::contract;
          Value product = arith::MulFOp::create(builder, toFloat(builder, elements[0], type),
                                                elements[1], contract);
          Value sum = arith::AddFOp::create(builder, product, elements[2], contract);
          return toFloat(builder, sum, resultType.getElementType());
        });
    SmallVector<Value> results{result};
    for (Value running : op->getResults().drop_front()) {
      if (!onnx::isAbsent(running))
        return refuse(rewriter, op, "has outputs of training, but training_mode is 0");
      results.push_back(onnx::NoValueOp::create(rewriter, loc));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct InstanceNormalizationLowering : OpConversionPattern<onnx::InstanceNormalizationOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::InstanceNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    int64_t rank = resultType.getRank();
    if (rank < 3)
      return refuse(rewriter, op, "needs an input of rank 3 at least");
    Location loc = op.getLoc();
    Value scale = alignChannels(rewriter, loc, adaptor.getScale(), rank);
    Value bias = alignChannels(rewriter, loc, adaptor.getB(), rank);
    rewriter.replaceOp(op, createNormalize(rewriter, loc, nn::NormalizeKind::Layer,
                                           adaptor.getInput(), scale, bias,
                                           /*axis=*/2, op.getEpsilon(), resultType));
    return success();
  }
};

/// [N, C, ...] is seen as [N, groups, C / groups, ...].
struct GroupNormalizationLowering : OpConversionPattern<onnx::GroupNormalizationOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::GroupNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    int64_t rank = resultType.getRank(), groups = op.getNumGroups();
    Value input = adaptor.getX();
    if (rank < 2)
      return refuse(rewriter, op, "needs an input of rank 2 at least");
    int64_t channels = cast<RankedTensorType>(input.getType()).getDimSize(1);
    if (ShapedType::isDynamic(channels))
      return refuse(rewriter, op,
                    "a number of channels known at run time only is not supported by lowering");
    if (groups < 1 || channels % groups != 0)
      return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
        diagnostic << channels << " channels cannot be divided into " << groups << " groups";
      });
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input), grouped = sizes;
    OpFoldResult groupCount = rewriter.getIndexAttr(groups),
                 groupSize = rewriter.getIndexAttr(channels / groups);
    grouped[1] = groupSize;
    grouped.insert(grouped.begin() + 1, groupCount);
    SmallVector<OpFoldResult> aligned(rank, rewriter.getIndexAttr(1));
    aligned[0] = groupCount;
    aligned[1] = groupSize;
    Value result = createReshape(rewriter, loc, input, grouped);
    result = createNormalize(rewriter, loc, nn::NormalizeKind::Layer, result,
                             createReshape(rewriter, loc, adaptor.getScale(), aligned),
                             createReshape(rewriter, loc, adaptor.getBias(), aligned), /*axis=*/2,
                             op.getEpsilon(), result.getType());
    result = createReshape(rewriter, loc, result, sizes);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }
};

struct LayerNormalizationLowering : OpConversionPattern<onnx::LayerNormalizationOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::LayerNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), resultType.getRank());
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    Location loc = op.getLoc();
    Value input = adaptor.getX(), bias = onnx::isAbsent(adaptor.getB()) ? Value() : adaptor.getB();
    SmallVector<Value> results{createNormalize(rewriter, loc, nn::NormalizeKind::Layer, input,
                                               adaptor.getScale(), bias, *axis, op.getEpsilon(),
                                               resultType)};
    // The statistics are outputs that only training reads: computed once more when somebody does.
    Value mean, deviation;
    if (!onnx::isAbsent(op.getMean()) || !onnx::isAbsent(op.getInvStdDev())) {
      SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(*axis, resultType.getRank()));
      mean = createMean(rewriter, loc, input, axes, itself);
      Value variance =
          createMean(rewriter, loc, subtractMean(rewriter, loc, input, mean), axes, square);
      deviation =
          createElementwise(rewriter, loc, variance, cast<RankedTensorType>(variance.getType()),
                            [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                              return inverseDeviation(builder, elements[0], op.getEpsilon());
                            });
    }
    for (auto [result, statistic] : {std::pair<Value, Value>(op.getMean(), mean),
                                     std::pair<Value, Value>(op.getInvStdDev(), deviation)}) {
      if (onnx::isAbsent(result)) {
        results.push_back(onnx::NoValueOp::create(rewriter, loc));
        continue;
      }
      auto type = getTypeConverter()->convertType<RankedTensorType>(result.getType());
      results.push_back(castTo(
          rewriter, loc, convertElements(rewriter, loc, statistic, type.getElementType()), type));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct RMSNormalizationLowering : OpConversionPattern<onnx::RMSNormalizationOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::RMSNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), resultType.getRank());
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    rewriter.replaceOp(op, createNormalize(rewriter, op.getLoc(), nn::NormalizeKind::Rms,
                                           adaptor.getX(), adaptor.getScale(), Value(), *axis,
                                           op.getEpsilon(), resultType));
    return success();
  }
};

/// x / (bias + alpha / size * sum of squares of the `size` channels around)^beta
struct LRNLowering : OpConversionPattern<onnx::LRNOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::LRNOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getX();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    int64_t rank = resultType.getRank(), size = op.getSize();
    if (rank < 2 || size < 1)
      return refuse(rewriter, op, "needs an input of rank 2 at least and a positive size");
    Location loc = op.getLoc();
    Type type = getAccumulatorType(resultType.getElementType());
    Value squares = createElementwise(rewriter, loc, input, resultType.clone(type),
                                      [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                                        return square(builder, toFloat(builder, elements[0], type));
                                      });
    SmallVector<OpFoldResult> low(rank, rewriter.getIndexAttr(0)), high = low;
    low[1] = rewriter.getIndexAttr((size - 1) / 2);
    high[1] = rewriter.getIndexAttr(size / 2);
    Value zero = createScalar(rewriter, loc, type, 0);
    Value padded = tensor::PadOp::create(rewriter, loc, Type(), squares, low, high, zero);

    SmallVector<AffineExpr> read;
    for (int64_t dim = 0; dim < rank; ++dim)
      read.push_back(rewriter.getAffineDimExpr(dim));
    AffineExpr window = rewriter.getAffineDimExpr(rank);
    read[1] = read[1] + window;
    AffineMap maps[] = {
        AffineMap::get(rank + 1, 0, read, rewriter.getContext()),
        AffineMap::get(rank + 1, 0, window),
        AffineMap::getMultiDimIdentityMap(rank + 1, rewriter.getContext()).getMajorSubMap(rank)};
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    // Nobody reads this tensor: it gives the window its size.
    Value shape = createEmpty(rewriter, loc, {OpFoldResult(rewriter.getIndexAttr(size))}, type);
    Value init = createFilled(rewriter, loc, getDims(rewriter, loc, squares),
                              rewriter.getFloatAttr(type, 0));
    Value sums =
        linalg::GenericOp::create(
            rewriter, loc, init.getType(), ValueRange{padded, shape}, init, maps, iterators,
            [](OpBuilder &builder, Location loc, ValueRange elements) {
              Value sum = arith::AddFOp::create(builder, loc, elements[2], elements[0],
                                                arith::FastMathFlags::reassoc);
              linalg::YieldOp::create(builder, loc, sum);
            })
            .getResult(0);
    rewriter.replaceOp(
        op, createElementwise(rewriter, loc, {input, sums}, resultType,
                              [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                                auto constant = [&](double value) {
                                  return createScalar(builder, loc, type, value);
                                };
                                Value scaled = arith::MulFOp::create(
                                    builder, elements[1], constant(op.getAlpha() / size));
                                Value base =
                                    arith::AddFOp::create(builder, scaled, constant(op.getBias()));
                                Value divisor = createFractionalPower(builder, base, op.getBeta());
                                Value x = toFloat(builder, elements[0], type);
                                Value result = arith::DivFOp::create(builder, x, divisor);
                                return toFloat(builder, result, resultType.getElementType());
                              }));
    return success();
  }

private:
  // Square roots are one instruction; a power is a call.
  static Value createFractionalPower(ImplicitLocOpBuilder &builder, Value base, float exponent) {
    if (exponent == 1.0f)
      return base;
    if (exponent == 0.5f)
      return math::SqrtOp::create(builder, base);
    if (exponent == 0.75f) {
      Value root = math::SqrtOp::create(builder, base);
      return arith::MulFOp::create(builder, root, math::SqrtOp::create(builder, root));
    }
    return math::PowFOp::create(builder, base,
                                createScalar(builder, builder.getLoc(), base.getType(), exponent));
  }
};

struct LpNormalizationLowering : OpConversionPattern<onnx::LpNormalizationOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::LpNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), resultType.getRank());
    if (failed(axis) || op.getP() < 1)
      return refuse(rewriter, op, "needs an axis in range and a positive p");
    Location loc = op.getLoc();
    Value sum = createSum(rewriter, loc, adaptor.getInput(), *axis,
                          [&](ImplicitLocOpBuilder &builder, Value element) {
                            return createPower(builder, element, op.getP());
                          });
    Type type = getElementType(sum);
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, loc, {adaptor.getInput(), sum}, resultType,
                [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
                  // A row of zeros stays what it is.
                  Value zero = createScalar(builder, loc, type, 0);
                  Value norm = createRoot(builder, elements[1], op.getP());
                  Value isZero =
                      arith::CmpFOp::create(builder, arith::CmpFPredicate::OEQ, norm, zero);
                  Value quotient =
                      arith::DivFOp::create(builder, toFloat(builder, elements[0], type), norm);
                  Value result = arith::SelectOp::create(builder, isZero, zero, quotient);
                  return toFloat(builder, result, resultType.getElementType());
                }));
    return success();
  }
};

/// (x - mean) / (standard deviation + 1e-9), as the standard has it.
struct MeanVarianceNormalizationLowering : OpConversionPattern<onnx::MeanVarianceNormalizationOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::MeanVarianceNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    SmallVector<int64_t> axes;
    for (int64_t axis : op.getAxes()) {
      FailureOr<int64_t> normalized = normalizeAxis(axis, resultType.getRank());
      if (failed(normalized) || llvm::is_contained(axes, *normalized))
        return refuse(rewriter, op, "axes are out of range or repeated");
      axes.push_back(*normalized);
    }
    llvm::sort(axes);
    Location loc = op.getLoc();
    Value mean = createMean(rewriter, loc, adaptor.getX(), axes, itself);
    Value centred = subtractMean(rewriter, loc, adaptor.getX(), mean);
    Value variance = createMean(rewriter, loc, centred, axes, square);
    rewriter.replaceOp(
        op,
        createElementwise(rewriter, loc, {centred, variance}, resultType,
                          [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                            Value tiny = createScalar(builder, loc, elements[1].getType(), 1e-9);
                            Value deviation = math::SqrtOp::create(builder, elements[1]);
                            Value divisor = arith::AddFOp::create(builder, deviation, tiny);
                            Value quotient = arith::DivFOp::create(builder, elements[0], divisor);
                            return toFloat(builder, quotient, resultType.getElementType());
                          }));
    return success();
  }
};

} // namespace

void lower::populateNormalizationPatterns(const TypeConverter &converter,
                                          RewritePatternSet &patterns) {
  patterns
      .add<BatchNormalizationLowering, GroupNormalizationLowering, InstanceNormalizationLowering,
           LayerNormalizationLowering, LRNLowering, LpNormalizationLowering,
           MeanVarianceNormalizationLowering, RMSNormalizationLowering>(converter,
                                                                        patterns.getContext());
}
