// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise arithmetic, comparisons, logic and functions of mathematics.
//
// Maxima, minima and comparisons follow numpy in what they do with NaN. Integer division never
// traps.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

//===----------------------------------------------------------------------===//
// Scalar
//===----------------------------------------------------------------------===//

Value Scalar::constant(double value, Value like) {
  return createScalar(builder, builder.getLoc(), like.getType(), value);
}
Value Scalar::add(Value a, Value b) {
  return isFloat(a) ? builder.createOrFold<arith::AddFOp>(a, b)
                    : builder.createOrFold<arith::AddIOp>(a, b);
}
Value Scalar::subtract(Value a, Value b) {
  return isFloat(a) ? builder.createOrFold<arith::SubFOp>(a, b)
                    : builder.createOrFold<arith::SubIOp>(a, b);
}
Value Scalar::multiply(Value a, Value b) {
  return isFloat(a) ? builder.createOrFold<arith::MulFOp>(a, b)
                    : builder.createOrFold<arith::MulIOp>(a, b);
}

Value Scalar::divide(Value a, Value b) {
  if (isFloat(a))
    return builder.createOrFold<arith::DivFOp>(a, b);
  // Dividing by 1 instead of 0 does not trap; neither does dividing by 1 instead of -1, and then
  // negating.
  Value one = constant(1, b);
  Value isZero = builder.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, b, constant(0, b));
  Value divisor = builder.createOrFold<arith::SelectOp>(isZero, one, b);
  if (isUnsigned)
    return builder.createOrFold<arith::DivUIOp>(a, divisor);
  Value isMinusOne =
      builder.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, b, constant(-1, b));
  divisor = builder.createOrFold<arith::SelectOp>(isMinusOne, one, divisor);
  Value quotient = builder.createOrFold<arith::DivSIOp>(a, divisor);
  return builder.createOrFold<arith::SelectOp>(isMinusOne, negate(a), quotient);
}

Value Scalar::negate(Value a) {
  return isFloat(a) ? builder.createOrFold<arith::NegFOp>(a) : subtract(constant(0, a), a);
}
Value Scalar::absolute(Value a) {
  if (isFloat(a))
    return builder.createOrFold<math::AbsFOp>(a);
  return isUnsigned ? a : builder.createOrFold<math::AbsIOp>(a);
}

Value Scalar::minimum(Value a, Value b) {
  if (isFloat(a))
    return arith::MinimumFOp::create(builder, a, b, arith::FastMathFlags::nsz);
  return isUnsigned ? builder.createOrFold<arith::MinUIOp>(a, b)
                    : builder.createOrFold<arith::MinSIOp>(a, b);
}
Value Scalar::maximum(Value a, Value b) {
  if (isFloat(a))
    return arith::MaximumFOp::create(builder, a, b, arith::FastMathFlags::nsz);
  return isUnsigned ? builder.createOrFold<arith::MaxUIOp>(a, b)
                    : builder.createOrFold<arith::MaxSIOp>(a, b);
}

Value Scalar::less(Value a, Value b) {
  if (isFloat(a))
    return arith::CmpFOp::create(builder, arith::CmpFPredicate::OLT, a, b);
  return arith::CmpIOp::create(
      builder, isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, a, b);
}
Value Scalar::equal(Value a, Value b) {
  if (isFloat(a))
    return arith::CmpFOp::create(builder, arith::CmpFPredicate::OEQ, a, b);
  return arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, a, b);
}
Value Scalar::select(Value condition, Value yes, Value no) {
  return builder.createOrFold<arith::SelectOp>(condition, yes, no);
}
Value Scalar::affine(Value a, double factor, double term) {
  return add(multiply(a, constant(factor, a)), constant(term, a));
}
Value Scalar::exp(Value a) { return math::ExpOp::create(builder, a); }
Value Scalar::tanh(Value a) { return math::TanhOp::create(builder, a); }
Value Scalar::sigmoid(Value a) {
  Value one = constant(1, a);
  return divide(one, add(one, exp(negate(a))));
}
Value Scalar::softplus(Value a) {
  Value small = math::Log1pOp::create(builder, exp(negate(absolute(a))));
  return add(maximum(a, constant(0, a)), small);
}

//===----------------------------------------------------------------------===//
// Payloads of their own
//===----------------------------------------------------------------------===//

/// Integers to powers: exact, modulo 2^n. Negative exponents give what rounding towards zero gives.
static Value integerPower(Scalar &scalar, Value base, Value exponent) {
  exponent = convertScalar(scalar.builder, exponent, base.getType(), false, false);
  return math::IPowIOp::create(scalar.builder, base, exponent);
}

static Value power(Scalar &scalar, ValueRange elements) {
  Value base = elements[0], exponent = elements[1];
  ImplicitLocOpBuilder &builder = scalar.builder;
  Type type = base.getType();
  bool isExponentUnsigned = isUnsigned(scalar.op->getOperand(1).getType());
  if (!scalar.isFloat(base)) {
    if (!scalar.isFloat(exponent))
      return integerPower(scalar, base, exponent);
    // Exact where the exponent is whole: a power that is almost an integer would be cut off below
    // it.
    Type wide = builder.getF64Type();
    exponent = convertScalar(builder, exponent, wide, false, false);
    Value whole = convertScalar(builder, exponent, builder.getI64Type(), false, false);
    Value isWhole = scalar.equal(exponent, convertScalar(builder, whole, wide, false, false));
    Value result =
        math::PowFOp::create(builder, convertScalar(builder, base, wide, false, false), exponent);
    return scalar.select(isWhole, integerPower(scalar, base, whole),
                         convertScalar(builder, result, type, false, false));
  }
  // The exponents that exporters write, as what they mean.
  std::optional<double> known;
  if (FloatAttr number; matchPattern(exponent, m_Constant(&number)))
    known = number.getValueAsDouble();
  if (APInt number; matchPattern(exponent, m_ConstantInt(&number)))
    known = isExponentUnsigned ? static_cast<double>(number.getZExtValue())
                               : static_cast<double>(number.getSExtValue());
  if (known == 1.0)
    return base;
  if (known == 2.0)
    return scalar.multiply(base, base);
  if (known == 3.0)
    return scalar.multiply(scalar.multiply(base, base), base);
  if (known == 0.5)
    return math::SqrtOp::create(builder, base);
  if (known == -0.5)
    return math::RsqrtOp::create(builder, base);
  if (known == -1.0)
    return scalar.divide(scalar.constant(1, base), base);
  return math::PowFOp::create(builder, base,
                              convertScalar(builder, exponent, type, isExponentUnsigned, false));
}

static Value modulo(Scalar &scalar, ValueRange elements) {
  Value a = elements[0], b = elements[1];
  ImplicitLocOpBuilder &builder = scalar.builder;
  bool truncates = cast<onnx::ModOp>(scalar.op).getFmod() != 0;
  Value zero = scalar.constant(0, a);
  if (scalar.isFloat(a)) {
    Value remainder = arith::RemFOp::create(builder, a, b);
    if (truncates)
      return remainder;
    // The remainder has the sign of the dividend; where the divisor has the other one, it is a
    // divisor too small.
    Value isOther =
        arith::XOrIOp::create(builder, scalar.less(remainder, zero), scalar.less(b, zero));
    Value isZero = scalar.equal(remainder, zero);
    Value signedZero = math::CopySignOp::create(builder, zero, b);
    Value moved = scalar.select(isOther, scalar.add(remainder, b), remainder);
    return scalar.select(isZero, signedZero, moved);
  }
  // a - (a / b) * b never traps, since divide does not; modulo zero gives zero.
  Value remainder = scalar.subtract(a, scalar.multiply(scalar.divide(a, b), b));
  remainder = scalar.select(scalar.equal(b, zero), zero, remainder);
  if (truncates || scalar.isUnsigned)
    return remainder;
  Value isOther =
      arith::XOrIOp::create(builder, scalar.less(remainder, zero), scalar.less(b, zero));
  Value isZero = scalar.equal(remainder, zero);
  Value moved = scalar.select(isOther, scalar.add(remainder, b), remainder);
  return scalar.select(isZero, zero, moved);
}

static Value shift(Scalar &scalar, ValueRange elements) {
  Value value = elements[0], amount = elements[1];
  ImplicitLocOpBuilder &builder = scalar.builder;
  unsigned width = value.getType().getIntOrFloatBitWidth();
  // Seen as unsigned, a negative amount is too large as well. A shift by too much is a shift by one
  // less than the width for a sign to fill, else zero.
  Value isTooLarge = arith::CmpIOp::create(builder, arith::CmpIPredicate::uge, amount,
                                           scalar.constant(width, amount));
  Value inside = scalar.select(isTooLarge, scalar.constant(width - 1, amount), amount);
  if (cast<onnx::BitShiftOp>(scalar.op).getDirection() == "RIGHT" && !scalar.isUnsigned)
    return arith::ShRSIOp::create(builder, value, inside);
  Value shifted = cast<onnx::BitShiftOp>(scalar.op).getDirection() == "RIGHT"
                      ? arith::ShRUIOp::create(builder, value, inside).getResult()
                      : arith::ShLIOp::create(builder, value, inside).getResult();
  return scalar.select(isTooLarge, scalar.constant(0, value), shifted);
}

static Value sign(Scalar &scalar, ValueRange elements) {
  Value x = elements[0], zero = scalar.constant(0, x);
  Value isPositive = scalar.less(zero, x), isNegative = scalar.less(x, zero);
  // Neither is zero (as it is), or NaN.
  if (scalar.isUnsigned)
    return scalar.select(isPositive, scalar.constant(1, x), zero);
  return scalar.select(isPositive, scalar.constant(1, x),
                       scalar.select(isNegative, scalar.constant(-1, x), x));
}

static Value isInfinite(Scalar &scalar, ValueRange elements) {
  auto op = cast<onnx::IsInfOp>(scalar.op);
  Value x = elements[0], infinity = scalar.constant(INFINITY, x);
  if (op.getDetectPositive() && op.getDetectNegative())
    return scalar.equal(scalar.absolute(x), infinity);
  if (op.getDetectPositive())
    return scalar.equal(x, infinity);
  if (op.getDetectNegative())
    return scalar.equal(x, scalar.constant(-INFINITY, x));
  return createIntegerScalar(scalar.builder, scalar.builder.getLoc(), scalar.builder.getI1Type(),
                             0);
}

/// Greater than either bound is a selection of the bound, so NaN passes, in one machine instruction
/// each.
static Value clip(Scalar &scalar, ValueRange elements) {
  Value x = elements[0];
  if (Value low = elements[1])
    x = scalar.select(scalar.less(x, low), low, x);
  if (Value high = elements[2])
    x = scalar.select(scalar.less(high, x), high, x);
  return x;
}

template <typename Function>
static Value fold(ValueRange elements, Function function) {
  Value result = elements.front();
  for (Value element : elements.drop_front())
    result = function(result, element);
  return result;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

void lower::populateArithmeticPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  auto add = [&](StringRef operation, ElementPayload payload) {
    addElementwise(converter, patterns, operation, payload);
  };
  using V = ValueRange;

  add(onnx::AddOp::getOperationName(), [](Scalar &s, V x) { return s.add(x[0], x[1]); });
  add(onnx::SubOp::getOperationName(), [](Scalar &s, V x) { return s.subtract(x[0], x[1]); });
  add(onnx::MulOp::getOperationName(), [](Scalar &s, V x) { return s.multiply(x[0], x[1]); });
  add(onnx::DivOp::getOperationName(), [](Scalar &s, V x) { return s.divide(x[0], x[1]); });
  add(onnx::PowOp::getOperationName(), power);
  add(onnx::ModOp::getOperationName(), modulo);
  add(onnx::NegOp::getOperationName(), [](Scalar &s, V x) { return s.negate(x[0]); });
  add(onnx::AbsOp::getOperationName(), [](Scalar &s, V x) { return s.absolute(x[0]); });
  add(onnx::SignOp::getOperationName(), sign);
  add(onnx::ReciprocalOp::getOperationName(),
      [](Scalar &s, V x) { return s.divide(s.constant(1, x[0]), x[0]); });
  add(onnx::ClipOp::getOperationName(), clip);

  add(onnx::SumOp::getOperationName(),
      [](Scalar &s, V x) { return fold(x, [&](Value a, Value b) { return s.add(a, b); }); });
  add(onnx::MaxOp::getOperationName(),
      [](Scalar &s, V x) { return fold(x, [&](Value a, Value b) { return s.maximum(a, b); }); });
  add(onnx::MinOp::getOperationName(),
      [](Scalar &s, V x) { return fold(x, [&](Value a, Value b) { return s.minimum(a, b); }); });
  add(onnx::MeanOp::getOperationName(), [](Scalar &s, V x) {
    Value sum = fold(x, [&](Value a, Value b) { return s.add(a, b); });
    return s.divide(sum, s.constant(static_cast<double>(x.size()), sum));
  });

  add(onnx::EqualOp::getOperationName(), [](Scalar &s, V x) { return s.equal(x[0], x[1]); });
  add(onnx::LessOp::getOperationName(), [](Scalar &s, V x) { return s.less(x[0], x[1]); });
  add(onnx::GreaterOp::getOperationName(), [](Scalar &s, V x) { return s.less(x[1], x[0]); });
  add(onnx::LessOrEqualOp::getOperationName(), [](Scalar &s, V x) -> Value {
    if (s.isFloat(x[0]))
      return arith::CmpFOp::create(s.builder, arith::CmpFPredicate::OLE, x[0], x[1]);
    return arith::CmpIOp::create(
        s.builder, s.isUnsigned ? arith::CmpIPredicate::ule : arith::CmpIPredicate::sle, x[0],
        x[1]);
  });
  add(onnx::GreaterOrEqualOp::getOperationName(), [](Scalar &s, V x) -> Value {
    if (s.isFloat(x[0]))
      return arith::CmpFOp::create(s.builder, arith::CmpFPredicate::OGE, x[0], x[1]);
    return arith::CmpIOp::create(
        s.builder, s.isUnsigned ? arith::CmpIPredicate::uge : arith::CmpIPredicate::sge, x[0],
        x[1]);
  });
  add(onnx::IsNaNOp::getOperationName(), [](Scalar &s, V x) -> Value {
    return arith::CmpFOp::create(s.builder, arith::CmpFPredicate::UNO, x[0], x[0]);
  });
  add(onnx::IsInfOp::getOperationName(), isInfinite);
  add(onnx::WhereOp::getOperationName(), [](Scalar &s, V x) { return s.select(x[0], x[1], x[2]); });

  ElementPayload conjunction = [](Scalar &s, V x) -> Value {
    return arith::AndIOp::create(s.builder, x[0], x[1]);
  };
  ElementPayload disjunction = [](Scalar &s, V x) -> Value {
    return arith::OrIOp::create(s.builder, x[0], x[1]);
  };
  ElementPayload difference = [](Scalar &s, V x) -> Value {
    return arith::XOrIOp::create(s.builder, x[0], x[1]);
  };
  ElementPayload complement = [](Scalar &s, V x) -> Value {
    Value ones = createIntegerScalar(s.builder, s.builder.getLoc(), x[0].getType(), -1);
    return arith::XOrIOp::create(s.builder, x[0], ones);
  };
  add(onnx::AndOp::getOperationName(), conjunction);
  add(onnx::OrOp::getOperationName(), disjunction);
  add(onnx::XorOp::getOperationName(), difference);
  add(onnx::NotOp::getOperationName(), complement);
  add(onnx::BitwiseAndOp::getOperationName(), conjunction);
  add(onnx::BitwiseOrOp::getOperationName(), disjunction);
  add(onnx::BitwiseXorOp::getOperationName(), difference);
  add(onnx::BitwiseNotOp::getOperationName(), complement);
  add(onnx::BitShiftOp::getOperationName(), shift);

#define TENON_MATH(OnnxOp, MathOp)                                                                 \
  add(onnx::OnnxOp::getOperationName(),                                                            \
      [](Scalar &s, V x) -> Value { return math::MathOp::create(s.builder, x[0]); })
  TENON_MATH(AcosOp, AcosOp);
  TENON_MATH(AcoshOp, AcoshOp);
  TENON_MATH(AsinOp, AsinOp);
  TENON_MATH(AsinhOp, AsinhOp);
  TENON_MATH(AtanOp, AtanOp);
  TENON_MATH(AtanhOp, AtanhOp);
  TENON_MATH(CeilOp, CeilOp);
  TENON_MATH(CosOp, CosOp);
  TENON_MATH(CoshOp, CoshOp);
  TENON_MATH(ErfOp, ErfOp);
  TENON_MATH(ExpOp, ExpOp);
  TENON_MATH(FloorOp, FloorOp);
  TENON_MATH(LogOp, LogOp);
  TENON_MATH(RoundOp, RoundEvenOp);
  TENON_MATH(SinOp, SinOp);
  TENON_MATH(SinhOp, SinhOp);
  TENON_MATH(SqrtOp, SqrtOp);
  TENON_MATH(TanOp, TanOp);
  TENON_MATH(TanhOp, TanhOp);
#undef TENON_MATH
}
