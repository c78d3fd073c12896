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

private:
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
    getOperation().walk([](Operation *op) {
      llvm::TypeSwitch<Operation *>(op)
          .Case<onnx::QLinearMatMulOp, onnx::QLinearConvOp, onnx::DynamicQuantizeLinearOp>(
              [](auto quantized) { Decomposer(quantized).run(quantized); });
    });
  }
};

} // namespace
} // namespace tenon
