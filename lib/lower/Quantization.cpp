// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// QuantizeLinear and DequantizeLinear: per tensor, per axis, and in blocks.
//
// Blocks are a dimension of their own where the sizes allow it, so that scales are broadcast along
// it without a copy. Limits are applied before the zero point is added, in the float's own numbers:
// then everything is exact, and NaN becomes the lower limit.

#include "lib/lower/ElementTypes.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// What both operators have: a tensor, and scales and zero points that are each for a part of it.
class Granularity {
public:
  /// Fails, with the reason told, where shapes and attributes do not fit.
  static FailureOr<Granularity> create(ConversionPatternRewriter &rewriter, Operation *op,
                                       Value input, Value scale, int64_t axis, int64_t blockSize) {
    Granularity result;
    auto scaleType = cast<RankedTensorType>(scale.getType());
    int64_t rank = getRank(input);
    if (scaleType.hasStaticShape() && scaleType.getNumElements() == 1)
      return result;
    FailureOr<int64_t> position = normalizeAxis(axis, rank);
    if (failed(position))
      return refuse(rewriter, op,
                    "axis " + Twine(axis) + " is not one of the input's " + Twine(rank) +
                        " dimensions");
    result.axis = *position;
    if (blockSize < 0)
      return refuse(rewriter, op, "expected a positive block_size, found " + Twine(blockSize));
    if (blockSize == 0 && scaleType.getRank() != 1)
      return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
        diagnostic << "scales of type " << scaleType
                   << " need a block_size, or have one dimension for the axis";
      });
    if (blockSize != 0 && scaleType.getRank() != rank)
      return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
        diagnostic << "scales of blocks have as many dimensions as the input, " << rank
                   << ", not those of " << scaleType;
      });
    result.blockSize = blockSize;
    result.kind = blockSize == 0 ? Kind::PerAxis : Kind::Blocked;
    return result;
  }

  /// Computes `function` of each element of `input`, its scale and its zero point (unless absent).
  Value apply(OpBuilder &builder, Location loc, Value input, Value scale, Value zeroPoint,
              RankedTensorType resultType, ElementFunction function) const {
    SmallVector<Value> parameters = {scale};
    if (!onnx::isAbsent(zeroPoint))
      parameters.push_back(zeroPoint);
    SmallVector<OpFoldResult> sizes = getDims(builder, loc, input);
    SmallVector<OpFoldResult> blocks = splitBlocks(builder, sizes);
    for (Value &parameter : parameters)
      parameter = shapeParameter(builder, loc, parameter, sizes, !blocks.empty());
    if (blocks.empty()) {
      parameters.insert(parameters.begin(), input);
      return createElementwise(builder, loc, parameters, resultType, function);
    }
    parameters.insert(parameters.begin(), createReshape(builder, loc, input, blocks));
    auto type = RankedTensorType::get(getShape(blocks), resultType.getElementType());
    Value result = createElementwise(builder, loc, parameters, type, function);
    return castTo(builder, loc, createReshape(builder, loc, result, sizes), resultType);
  }

private:
  enum class Kind { PerTensor, PerAxis, Blocked };

  /// The input's sizes with the blocks as a dimension of their own, if they are whole; else
  /// nothing.
  SmallVector<OpFoldResult> splitBlocks(OpBuilder &builder, ArrayRef<OpFoldResult> sizes) const {
    if (kind != Kind::Blocked)
      return {};
    std::optional<int64_t> size = getConstantIntValue(sizes[axis]);
    if (!size || *size % blockSize != 0)
      return {};
    SmallVector<OpFoldResult> result(sizes);
    result[axis] = builder.getIndexAttr(*size / blockSize);
    result.insert(result.begin() + axis + 1, builder.getIndexAttr(blockSize));
    return result;
  }

  /// A scale or zero point such that it is broadcast to the input, whose blocks may be split.
  Value shapeParameter(OpBuilder &builder, Location loc, Value parameter,
                       ArrayRef<OpFoldResult> sizes, bool isSplit) const {
    if (kind == Kind::PerTensor)
      return createReshape(builder, loc, parameter, {});
    int64_t rank = sizes.size();
    if (kind == Kind::PerAxis)
      return addUnitDims(builder, loc, parameter,
                         llvm::to_vector(llvm::seq<int64_t>(1, rank - axis)));
    Value withUnit = addUnitDims(builder, loc, parameter, {axis + 1});
    if (isSplit)
      return withUnit;
    // Repeated as often as a block is long; the last block may be shorter.
    SmallVector<OpFoldResult> repeated = getDims(builder, loc, withUnit), merged(sizes);
    repeated[axis + 1] = builder.getIndexAttr(blockSize);
    IndexBuilder index(builder, loc);
    merged[axis] = index.multiply(repeated[axis], repeated[axis + 1]);
    Value result = broadcastTo(builder, loc, withUnit, repeated);
    result = createReshape(builder, loc, result, merged);
    SmallVector<OpFoldResult> zeros(rank, index.constant(0)), ones(rank, index.constant(1));
    return tensor::ExtractSliceOp::create(builder, loc, result, zeros, sizes, ones);
  }

  Kind kind = Kind::PerTensor;
  int64_t axis = 0, blockSize = 0;
};

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// `value`, an f32 or f64, rounded to the precision of `type`, if that is less.
Value roundTo(ImplicitLocOpBuilder &builder, Value value, Type type) {
  if (!type.isF16() && !type.isBF16())
    return value;
  Value narrow = arith::TruncFOp::create(builder, type, value);
  return arith::ExtFOp::create(builder, value.getType(), narrow);
}

/// A float as the nearest integer that is within the limits of `to` after `zeroPoint` is added.
Value quantizeToInteger(ImplicitLocOpBuilder &builder, Value value, Value zeroPoint, Type to) {
  Type wide = value.getType();
  unsigned width = to.getIntOrFloatBitWidth();
  bool isSigned = !isUnsigned(to);
  auto limit = [&](const APInt &bound) -> Value {
    Value number = createScalar(builder, builder.getLoc(), wide, bound.signedRoundToDouble());
    return zeroPoint ? arith::SubFOp::create(builder, number, zeroPoint).getResult() : number;
  };
  APInt lowest = isSigned ? APInt::getSignedMinValue(width).sext(64) : APInt(64, 0),
        largest = (isSigned ? APInt::getSignedMaxValue(width) : APInt::getMaxValue(width)).zext(64);
  value = math::RoundEvenOp::create(builder, value);
  value = arith::MaxNumFOp::create(builder, value, limit(lowest));
  value = arith::MinNumFOp::create(builder, value, limit(largest));
  if (zeroPoint)
    value = arith::AddFOp::create(builder, value, zeroPoint);
  Value integer = arith::FPToSIOp::create(builder, builder.getI32Type(), value);
  Type storage = getStorageType(to);
  return storage.isInteger(32) ? integer
                               : arith::TruncIOp::create(builder, storage, integer).getResult();
}

struct QuantizeLinearLowering : OpConversionPattern<onnx::QuantizeLinearOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::QuantizeLinearOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<Granularity> granularity = Granularity::create(
        rewriter, op, adaptor.getX(), adaptor.getYScale(), op.getAxis(), op.getBlockSize());
    if (failed(granularity))
      return failure();
    Type from = getElementTypeOrSelf(op.getX().getType()),
         scaleType = getElementTypeOrSelf(op.getYScale().getType()),
         to = getElementTypeOrSelf(op.getY().getType()), precision = scaleType;
    if (op.getPrecision() != 0)
      precision = onnx::getElementType(rewriter.getContext(),
                                       static_cast<onnx::ElementKind>(op.getPrecision()));
    if (!precision)
      return refuse(rewriter, op,
                    "precision " + Twine(op.getPrecision()) + " is not an element type");
    // Integers of 32 bits are exact in f64 only.
    Type wide = isa<FloatType>(precision) && !precision.isF64() ? Type(rewriter.getF32Type())
                                                                : rewriter.getF64Type();
    auto quantize = [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
      Value value = roundTo(builder, elementToFloat(builder, elements[0], from, wide), precision);
      Value scale =
          roundTo(builder, elementToFloat(builder, elements[1], scaleType, wide), precision);
      Value quotient = roundTo(builder, arith::DivFOp::create(builder, value, scale), precision);
      Value zeroPoint =
          elements.size() == 3 ? elementToFloat(builder, elements[2], to, wide) : Value();
      if (isa<IntegerType>(to))
        return quantizeToInteger(builder, quotient, zeroPoint, to);
      // The zero point of an 8-bit float is zero by definition.
      if (zeroPoint && isPacked(to))
        quotient = arith::AddFOp::create(builder, quotient, zeroPoint);
      return castElement(builder, quotient, wide, to, CastMode{op.getSaturate() != 0});
    };
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    rewriter.replaceOp(op, granularity->apply(rewriter, op.getLoc(), adaptor.getX(),
                                              adaptor.getYScale(), adaptor.getYZeroPoint(),
                                              resultType, quantize));
    return success();
  }
};

struct DequantizeLinearLowering : OpConversionPattern<onnx::DequantizeLinearOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::DequantizeLinearOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<Granularity> granularity = Granularity::create(
        rewriter, op, adaptor.getX(), adaptor.getXScale(), op.getAxis(), op.getBlockSize());
    if (failed(granularity))
      return failure();
    Type from = getElementTypeOrSelf(op.getX().getType()),
         scaleType = getElementTypeOrSelf(op.getXScale().getType()),
         to = getElementTypeOrSelf(op.getY().getType());
    Type single = rewriter.getF32Type(), word = rewriter.getI32Type();
    auto dequantize = [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
      auto widen = [&](Value element) {
        return isa<IntegerType>(from)
                   ? convertScalar(builder, element, word, isUnsigned(from), false)
                   : elementToFloat(builder, element, from, single);
      };
      Value value = widen(elements[0]);
      if (elements.size() == 3)
        value = isa<IntegerType>(from)
                    ? arith::SubIOp::create(builder, value, widen(elements[2])).getResult()
                    : arith::SubFOp::create(builder, value, widen(elements[2])).getResult();
      value = convertScalar(builder, value, single, false, false);
      Value scale = elementToFloat(builder, elements[1], scaleType, single);
      value = arith::MulFOp::create(builder, value, scale);
      return castElement(builder, value, single, to);
    };
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    rewriter.replaceOp(op, granularity->apply(rewriter, op.getLoc(), adaptor.getX(),
                                              adaptor.getXScale(), adaptor.getXZeroPoint(),
                                              resultType, dequantize));
    return success();
  }
};

} // namespace

void lower::populateQuantizationPatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  patterns.add<QuantizeLinearLowering, DequantizeLinearLowering>(converter, patterns.getContext());
}
