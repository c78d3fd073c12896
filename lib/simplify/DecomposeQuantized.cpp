// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DecomposeQuantized.cpp - quantised operators in terms of others -----===//
//
// A product of quantised tensors is an exact product of integers, scaled:
//
//   QLinearConv(x, w) = QuantizeLinear(ConvInteger(x, w) + bias, at scale sx * sw / sy)
//
// The factor is one number for each output channel, of constants as a rule, and is
// folded like any other. It multiplies before a QuantizeLinear of scale 1 rounds:
// dividing by its inverse instead would round twice.
//
// The same is done to products of dequantised operands (QDQ): their scales move behind
// the product, which is then one of whole numbers. In f32 it is exact up to 2^24, some
// 500 terms of 8 bits, and near to that beyond, whatever the order of the terms: what is
// quantised next is rounded as an integer kernel would have it.
//
//===----------------------------------------------------------------------===//

#include "lib/simplify/Passes.h"

#include "mlir/Dialect/Traits.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_DECOMPOSEQUANTIZED
#include "lib/simplify/Passes.h.inc"

namespace {

/// Writes ONNX operations for one that it takes apart.
class Decomposer {
public:
  explicit Decomposer(Operation *op) : builder(op->getLoc(), op) {}

  void run(onnx::QLinearMatMulOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getY().getType());
    if (!type || !isSingle(op.getYZeroPoint()) || !isRanked(op.getA()) || !isRanked(op.getB()))
      return;
    Value result;
    if (!isa<IntegerType>(getElementTypeOrSelf(op.getA().getType()))) {
      // 8-bit floats: their sums are no integers.
      auto dequantize = [&](Value value, Value scale, Value zeroPoint) {
        Type scaled = cast<RankedTensorType>(value.getType()).clone(builder.getF32Type());
        return make<onnx::DequantizeLinearOp>(
            scaled, {value, toFloat(asScalar(scale)), asScalar(zeroPoint)});
      };
      if (!isSingle(op.getAScale()) || !isSingle(op.getBScale()) || !isSingle(op.getYScale()))
        return;
      Value product =
          make<onnx::MatMulOp>(type.clone(builder.getF32Type()),
                               {dequantize(op.getA(), op.getAScale(), op.getAZeroPoint()),
                                dequantize(op.getB(), op.getBScale(), op.getBZeroPoint())});
      result = make<onnx::QuantizeLinearOp>(
          type, {product, toFloat(asScalar(op.getYScale())), asScalar(op.getYZeroPoint())});
    } else {
      Value sum = make<onnx::MatMulIntegerOp>(
          type.clone(builder.getI32Type()),
          {op.getA(), op.getB(), asScalar(op.getAZeroPoint()), asScalar(op.getBZeroPoint())});
      // A scale for each row of A stands beside the columns.
      Value factor = divide(multiply(asColumn(op.getAScale()), asScalar(op.getBScale())),
                            asColumn(op.getYScale()));
      result = requantize(sum, factor, op.getYZeroPoint(), type);
    }
    replace(op, result);
  }

  void run(onnx::QLinearConvOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getY().getType());
    if (!type || !isSingle(op.getYZeroPoint()) || !isSingle(op.getXScale()) ||
        !isSingle(op.getYScale()))
      return;
    RankedTensorType sumType = type.clone(builder.getI32Type());
    Value sum = make<onnx::ConvIntegerOp>(
        sumType, {op.getX(), op.getW(), asScalar(op.getXZeroPoint()), asScalar(op.getWZeroPoint())},
        op->getAttrs());
    int64_t spatialRank = type.getRank() - 2;
    if (!onnx::isAbsent(op.getB()))
      sum = make<onnx::AddOp>(sumType, {sum, perChannel(op.getB(), spatialRank)});
    Value factor = divide(multiply(asScalar(op.getXScale()), asScalar(op.getWScale())),
                          asScalar(op.getYScale()));
    if (!isSingle(factor))
      factor = perChannel(factor, spatialRank);
    replace(op, requantize(sum, factor, op.getYZeroPoint(), type));
  }

  /// The range of the data, widened to contain zero, is mapped to 0 ... 255.
  void run(onnx::DynamicQuantizeLinearOp op) {
    auto scalar = RankedTensorType::get({}, builder.getF32Type());
    Value none = onnx::NoValueOp::create(builder)->getResult(0);
    NamedAttribute all = builder.getNamedAttr("keepdims", builder.getI64IntegerAttr(0));
    Value zero = number(0), levels = number(255);
    Value largest =
        make<onnx::MaxOp>(scalar, {make<onnx::ReduceMaxOp>(scalar, {op.getX(), none}, all), zero});
    Value least =
        make<onnx::MinOp>(scalar, {make<onnx::ReduceMinOp>(scalar, {op.getX(), none}, all), zero});
    Value range = make<onnx::SubOp>(scalar, {largest, least});
    Value isEmpty = make<onnx::EqualOp>(scalar.clone(builder.getI1Type()), {range, zero});
    Value scale = make<onnx::WhereOp>(
        scalar, {isEmpty, number(1), make<onnx::DivOp>(scalar, {range, levels})});
    // Zero's place: as far from the lower end as zero is from the least number.
    Value place = make<onnx::SubOp>(scalar, {zero, make<onnx::DivOp>(scalar, {least, scale})});
    Value zeroPoint =
        make<onnx::QuantizeLinearOp>(op.getYZeroPoint().getType(), {place, number(1), none});
    Value result = make<onnx::QuantizeLinearOp>(op.getY().getType(), {op.getX(), scale, zeroPoint});
    op->replaceAllUsesWith(ValueRange{result, scale, zeroPoint});
    op.erase();
  }

  //===--- products of dequantised operands -------------------------------===//

  void run(onnx::ConvOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getY().getType());
    if (!type)
      return;
    scaleAfter(op, {op.getX(), op.getW(), op.getB()}, /*channelAxis=*/0, [&](Value factor) {
      return isSingle(factor) ? factor : perChannel(factor, type.getRank() - 2);
    });
  }

  void run(onnx::MatMulOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getB().getType());
    // A factor for each column stands where the columns are; a vector has none.
    if (type && type.getRank() >= 2)
      scaleAfter(op, {op.getA(), op.getB(), Value()}, type.getRank() - 1,
                 [](Value factor) { return factor; });
  }

  void run(onnx::GemmOp op) {
    if (op.getAlpha() == 1 && op.getBeta() == 1)
      scaleAfter(op, {op.getA(), op.getB(), op.getC()}, op.getTransB() ? 0 : 1,
                 [](Value factor) { return factor; });
  }

private:
  /// The DequantizeLinear that gives `value`, if it is one of integers of at most 8 bits to f32
  /// with one scale, or one for each element of `channelAxis` (unless negative).
  static onnx::DequantizeLinearOp getDequantize(Value value, int64_t channelAxis) {
    auto op = value.getDefiningOp<onnx::DequantizeLinearOp>();
    if (!op || op.getBlockSize() != 0 || !isRanked(op.getX()) || !isRanked(op.getXScale()))
      return {};
    auto from = cast<RankedTensorType>(op.getX().getType()),
         scale = cast<RankedTensorType>(op.getXScale().getType());
    auto integer = dyn_cast<IntegerType>(from.getElementType());
    if (!integer || integer.getWidth() > 8 || !scale.getElementType().isF32() ||
        !getElementTypeOrSelf(value.getType()).isF32())
      return {};
    int64_t axis = op.getAxis() < 0 ? op.getAxis() + from.getRank() : op.getAxis();
    bool perChannel = scale.hasStaticShape() && scale.getRank() == 1 && axis == channelAxis;
    return isSingle(op.getXScale()) || perChannel ? op : onnx::DequantizeLinearOp();
  }

  /// The whole numbers that are dequantised.
  Value withoutScale(onnx::DequantizeLinearOp op) {
    Value scale = asScalar(op.getXScale());
    Value ones = constant(DenseElementsAttr::get(cast<RankedTensorType>(scale.getType()), 1.0f));
    Value zeroPoint = isSingle(op.getXScale()) ? asScalar(op.getXZeroPoint()) : op.getXZeroPoint();
    return make<onnx::DequantizeLinearOp>(op.getType(), {op.getX(), ones, zeroPoint},
                                          op->getAttrs());
  }

  /// `value` with those of its elements whole that are so but for a rounding.
  Value snap(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    Value whole = make<onnx::RoundOp>(type, {value});
    Value distance = make<onnx::AbsOp>(type, {make<onnx::SubOp>(type, {value, whole})});
    Value rounding = make<onnx::MulOp>(type, {make<onnx::AbsOp>(type, {value}), number(0x1p-22f)});
    Value isNear = make<onnx::LessOrEqualOp>(type.clone(builder.getI1Type()), {distance, rounding});
    return make<onnx::WhereOp>(type, {isNear, whole, value});
  }

  /// Operands are the two factors and what is added, which may be absent or none. `place` gives the
  /// shape of a factor that is broadcast to the result.
  void scaleAfter(Operation *op, ArrayRef<Value> operands, int64_t channelAxis,
                  llvm::function_ref<Value(Value)> place) {
    onnx::DequantizeLinearOp left = getDequantize(operands[0], -1),
                             right = getDequantize(operands[1], channelAxis);
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!left || !right || !type)
      return;
    Value factor = multiply(asScalar(left.getXScale()), asScalar(right.getXScale()));
    SmallVector<Value> whole = {withoutScale(left), withoutScale(right)};
    if (Value bias = operands[2]) {
      auto biasType = dyn_cast<RankedTensorType>(bias.getType());
      if (!onnx::isAbsent(bias)) {
        if (!biasType || biasType.getRank() != 1)
          return;
        bias = snap(make<onnx::DivOp>(biasType, {bias, factor}));
      }
      whole.push_back(bias);
    }
    Operation *product = builder.clone(*op);
    product->setOperands(whole);
    Value result = product->getResult(0);
    auto quantize = op->hasOneUse() ? dyn_cast<onnx::QuantizeLinearOp>(*op->user_begin())
                                    : onnx::QuantizeLinearOp();
    bool isQuantized = quantize && isSingle(quantize.getYScale()) &&
                       isSingle(quantize.getYZeroPoint()) && quantize.getPrecision() == 0 &&
                       quantize.getX() == op->getResult(0) &&
                       isa<IntegerType>(getElementTypeOrSelf(quantize.getY().getType())) &&
                       getElementTypeOrSelf(quantize.getYScale().getType()).isF32();
    if (isQuantized)
      factor = divide(factor, asScalar(quantize.getYScale()));
    result = make<onnx::MulOp>(type, {result, place(factor)});
    if (!isQuantized)
      return replace(op, result);
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
    builder.setInsertionPoint(quantize);
    quantize.getYScaleMutable().assign(number(1));
    quantize.getYZeroPointMutable().assign(asScalar(quantize.getYZeroPoint()));
  }

  //===--- parts ----------------------------------------------------------===//

  static bool isRanked(Value value) { return isa<RankedTensorType>(value.getType()); }

  /// Whether a parameter is one for the whole tensor.
  static bool isSingle(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return onnx::isAbsent(value) || (type && type.hasStaticShape() && type.getNumElements() == 1);
  }

  /// A single element without dimensions; anything else as it is.
  Value asScalar(Value value) {
    if (onnx::isAbsent(value) || !isSingle(value) ||
        cast<RankedTensorType>(value.getType()).getRank() == 0)
      return value;
    return reshape(value, {});
  }

  /// As many elements as the first dimension, before `trailing` dimensions of size 1.
  Value perChannel(Value value, int64_t trailing) {
    SmallVector<int64_t> shape(trailing + 1, 1);
    shape[0] = -1;
    return reshape(value, shape);
  }

  Value asColumn(Value scale) {
    if (isSingle(scale))
      return asScalar(scale);
    auto type = dyn_cast<RankedTensorType>(scale.getType());
    return type && type.getRank() == 1 ? perChannel(scale, 1) : scale;
  }

  Value reshape(Value value, ArrayRef<int64_t> shape) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> sizes(shape);
    for (int64_t &size : sizes)
      if (size < 0)
        size = type.getRank() == 1 ? type.getDimSize(0) : ShapedType::kDynamic;
    auto shapeType =
        RankedTensorType::get({static_cast<int64_t>(shape.size())}, builder.getI64Type());
    Value target = constant(DenseElementsAttr::get(shapeType, shape));
    return make<onnx::ReshapeOp>(type.clone(sizes), {value, target});
  }

  /// One element-wise operation on scales, of which one may be a scalar.
  template <typename Op>
  Value combine(Value a, Value b) {
    auto typeA = cast<RankedTensorType>(a.getType()), typeB = cast<RankedTensorType>(b.getType());
    if (typeA.getRank() != 0 && typeB.getRank() != 0) {
      SmallVector<int64_t> shape;
      if (!OpTrait::util::getBroadcastedShape(typeA.getShape(), typeB.getShape(), shape))
        return a;
      return make<Op>(typeA.clone(shape), {a, b});
    }
    return make<Op>(typeA.getRank() != 0 ? typeA : typeB, {a, b});
  }
  Value multiply(Value a, Value b) { return combine<onnx::MulOp>(a, b); }
  Value divide(Value a, Value b) { return combine<onnx::DivOp>(a, b); }

  /// Round(sum * factor) + zero point, within the limits of the type.
  Value requantize(Value sum, Value factor, Value zeroPoint, RankedTensorType type) {
    RankedTensorType real = type.clone(builder.getF32Type());
    Value scaled = make<onnx::MulOp>(real, {toFloat(sum), toFloat(factor)});
    return make<onnx::QuantizeLinearOp>(type, {scaled, number(1), asScalar(zeroPoint)});
  }

  Value toFloat(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getElementType().isF32())
      return value;
    auto kind = static_cast<int64_t>(onnx::ElementKind::Float);
    return make<onnx::CastOp>(type.clone(builder.getF32Type()), {value},
                              builder.getNamedAttr("to", builder.getI64IntegerAttr(kind)));
  }

  Value constant(DenseElementsAttr value) {
    return onnx::ConstantOp::create(builder, value)->getResult(0);
  }

  Value number(float value) {
    return constant(DenseElementsAttr::get(RankedTensorType::get({}, builder.getF32Type()), value));
  }

  template <typename Op>
  Value make(Type type, ValueRange operands, ArrayRef<NamedAttribute> attributes = {}) {
    return Op::create(builder, TypeRange(type), operands, attributes)->getResult(0);
  }

  static void replace(Operation *op, Value result) {
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  ImplicitLocOpBuilder builder;
};

struct DecomposeQuantized : impl::DecomposeQuantizedBase<DecomposeQuantized> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops)
      llvm::TypeSwitch<Operation *>(op)
          .Case<onnx::QLinearMatMulOp, onnx::QLinearConvOp, onnx::DynamicQuantizeLinearOp,
                onnx::ConvOp, onnx::MatMulOp, onnx::GemmOp>(
              [](auto quantized) { Decomposer(quantized).run(quantized); });
  }
};

} // namespace
} // namespace tenon
