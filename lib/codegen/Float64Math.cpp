// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Float64Math.cpp - elementary functions of f64 -----------------------===//
//
// Each function is the classical reduction to a small interval and a series there, cut
// where its next term is below half a unit in the last place; the result is good to a
// few units. No tables and no branches, so that loops vectorise.
//
// Sums that cancel in their first digits (x - n * ln 2) are written as chains of fused
// multiply-adds on split constants. On chips without them the products are exact, because the
// leading parts of the split constants end in zeros.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Float64Math.h"

#include "lib/codegen/FloatArithmetic.h"

#include "mlir/IR/PatternMatch.h"
#include <cmath>
#include <limits>
#include <numbers>

using namespace mlir;

namespace tenon {

namespace {

using F = FloatArithmetic;
using P = F::Predicate;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
// ln 2 and pi / 2 in parts; the leading ones have 20 or more trailing zero bits.
constexpr double ln2High = 0x1.62e42fee00000p-1, ln2Low = 0x1.a39ef35793c76p-33;
constexpr double halfPi1 = 0x1.921fb54400000p+0, halfPi2 = 0x1.0b4611a600000p-34,
                 halfPi3 = 0x1.3198a2e037073p-69;
constexpr double halfPiLow = 6.123233995736766036e-17;

/// The integer nearest to x (of magnitude below 2^51) as a float; `integer` becomes its low bits.
Value nearest(F &f, Value x, Value &integer) {
  constexpr double shift = 0x1.8p52;
  Value shifted = f.add(x, shift);
  integer = f.subInteger(f.bits(shifted), f.bits(f.number(shift)));
  return f.sub(shifted, f.number(shift));
}

/// 1/0! + x/1! + ... for the exponential; `first` terms left out.
SmallVector<double> reciprocalFactorials(unsigned first, unsigned last) {
  SmallVector<double> result;
  double factorial = 1;
  for (unsigned n = 1; n <= last; ++n) {
    if (n - 1 >= first)
      result.push_back(1 / factorial);
    factorial *= n;
  }
  result.push_back(1 / factorial);
  return result;
}

Value exp(F &f, Value x) {
  // Outside, the result is 0 or infinity all the same.
  Value clamped = f.max(f.min(x, 710), -746);
  Value n;
  Value rounded = nearest(f, f.mul(clamped, std::numbers::log2e), n);
  Value r = f.fma(rounded, f.number(-ln2Low), f.fma(rounded, f.number(-ln2High), clamped));
  Value series = f.polynomial(r, reciprocalFactorials(0, 13));
  // 2^n in two factors, because n may be beyond the range of exponents by itself.
  Value half = f.shiftRight(n, 1), rest = f.subInteger(n, half);
  auto power = [&](Value exponent) {
    return f.fromBits(f.shiftLeft(f.addInteger(exponent, f.integer(1023)), 52));
  };
  Value result = f.mul(f.mul(series, power(half)), power(rest));
  return f.select(f.compare(P::UNO, x, x), x, result);
}

Value expm1(F &f, Value x) {
  Value small = f.mul(x, f.polynomial(x, reciprocalFactorials(1, 15)));
  Value large = f.add(exp(f, x), -1);
  return f.select(f.compare(P::OLT, f.abs(x), 0.35), small, large);
}

Value log(F &f, Value x) {
  constexpr double smallestNormal = std::numeric_limits<double>::min();
  Value tiny = f.compare(P::OLT, x, smallestNormal);
  Value scaled = f.select(tiny, f.mul(x, 0x1p54), x);
  // x = 2^e * m with m in [sqrt(1/2), sqrt(2)).
  Value offset = f.integer(0x3fe6a09e667f3bcd);
  Value shifted = f.subInteger(f.bits(scaled), offset);
  Value e = f.shiftRight(shifted, 52);
  Value m = f.fromBits(f.subInteger(f.bits(scaled), f.shiftLeft(e, 52)));
  // The exponent as a float without a conversion instruction: it is small.
  Value exponent =
      f.sub(f.fromBits(f.addInteger(e, f.bits(f.number(0x1.8p52)))), f.number(0x1.8p52));
  exponent = f.sub(exponent, f.select(tiny, f.number(54), f.number(0)));
  // log m = 2 atanh(s) with s = (m - 1) / (m + 1).
  Value g = f.add(m, -1), s = f.div(g, f.add(m, 1)), z = f.mul(s, s);
  SmallVector<double> atanh;
  for (unsigned k = 1; k <= 11; ++k)
    atanh.push_back(2.0 / (2 * k + 1));
  // 2s = g - s*g, exactly where it matters: the first term has no rounding error of s in it.
  Value tail = f.mul(s, f.sub(f.mul(z, f.polynomial(z, atanh)), g));
  Value low = f.fma(exponent, f.number(ln2Low), tail);
  Value result = f.add(f.mul(exponent, ln2High), f.add(g, low));
  result = f.select(f.compare(P::OEQ, x, infinity), x, result);
  result = f.select(f.compare(P::OEQ, x, 0.0), f.number(-infinity), result);
  return f.select(f.compare(P::UGE, x, 0.0), f.select(f.compare(P::UNO, x, x), x, result),
                  f.number(notANumber));
}

Value log1p(F &f, Value x) {
  // What rounding 1 + x has lost is put back to first order.
  Value u = f.add(x, 1);
  Value lost = f.sub(x, f.add(u, -1));
  Value result = f.add(log(f, u), f.div(lost, u));
  Value exact = f.compare(P::OEQ, u, 1.0);
  Value special = f.compare(P::UEQ, f.abs(x), infinity);
  return f.select(exact, x,
                  f.select(special, log(f, x),
                           f.select(f.compare(P::OEQ, x, -1.0), f.number(-infinity), result)));
}

/// sin and cos of x + quarter turns; exact reduction up to about 2^20 turns.
Value sine(F &f, Value x, int64_t quarters) {
  Value n;
  Value rounded = nearest(f, f.mul(x, 2 / std::numbers::pi), n);
  Value r = f.fma(rounded, f.number(-halfPi3),
                  f.fma(rounded, f.number(-halfPi2), f.fma(rounded, f.number(-halfPi1), x)));
  Value quadrant = f.addInteger(n, f.integer(quarters));
  SmallVector<double> sines, cosines;
  double factorial = 1;
  for (int k = 1; k <= 19; ++k) {
    double sign = (k / 2) % 2 ? -1 : 1;
    (k % 2 ? sines : cosines).push_back(sign / (factorial *= k));
  }
  cosines.insert(cosines.begin(), 1.0);
  Value square = f.mul(r, r);
  Value sinR = f.mul(r, f.polynomial(square, sines));
  Value cosR = f.polynomial(square, cosines);
  Value odd = f.isEqualInteger(f.andInteger(quadrant, 1), 1);
  Value negative = f.isEqualInteger(f.andInteger(quadrant, 2), 2);
  Value magnitude = f.select(odd, cosR, sinR);
  Value result = f.select(negative, f.neg(magnitude), magnitude);
  return f.select(f.compare(P::UEQ, f.abs(x), infinity), f.number(notANumber), result);
}

/// Arcus tangent of a value in [0, 1].
Value atanUnit(F &f, Value x) {
  Value large = f.compare(P::OGT, x, 0.41421356237309503);
  Value t = f.select(large, f.div(f.add(x, -1), f.add(x, 1)), x);
  SmallVector<double> series;
  for (int k = 0; k <= 22; ++k)
    series.push_back((k % 2 ? -1.0 : 1.0) / (2 * k + 1));
  Value base = f.mul(t, f.polynomial(f.mul(t, t), series));
  return f.add(f.select(large, f.number(std::numbers::pi / 4), f.number(0)),
               f.add(base, f.select(large, f.number(halfPiLow / 2), f.number(0))));
}

Value atan2(F &f, Value y, Value x) {
  Value ay = f.abs(y), ax = f.abs(x);
  Value steep = f.compare(P::OGT, ay, ax);
  Value quotient = f.div(f.select(steep, ax, ay), f.select(steep, ay, ax));
  Value bothZero = f.compare(P::OEQ, f.select(steep, ay, ax), 0.0);
  Value bothInfinite = f.both(f.compare(P::OEQ, ay, infinity), f.compare(P::OEQ, ax, infinity));
  quotient = f.select(bothZero, f.number(0), f.select(bothInfinite, f.number(1), quotient));
  Value angle = atanUnit(f, quotient);
  angle = f.select(steep, f.add(f.sub(f.number(std::numbers::pi / 2), angle), halfPiLow), angle);
  // The sign bit of x counts even where x is a zero.
  Value left = f.compare(P::OLT, f.copySign(f.number(1), x), 0.0);
  angle = f.select(left, f.add(f.sub(f.number(std::numbers::pi), angle), 2 * halfPiLow), angle);
  Value unordered = f.compare(P::UNO, x, y);
  return f.select(unordered, f.add(x, y), f.copySign(angle, y));
}

Value tanh(F &f, Value x) {
  Value a = f.min(f.abs(x), 22);
  Value t = expm1(f, f.mul(a, 2.0));
  Value result = f.copySign(f.div(t, f.add(t, 2)), x);
  return f.select(f.compare(P::UNO, x, x), x, result);
}

/// The larger half of e^|x|, which overflows only where cosh does.
Value halfExp(F &f, Value x) { return exp(f, f.sub(f.abs(x), f.number(std::numbers::ln2))); }

Value sinh(F &f, Value x) {
  Value a = f.abs(x), t = expm1(f, f.min(a, 40));
  Value small = f.mul(f.add(t, f.div(t, f.add(t, 1))), 0.5);
  return f.copySign(f.select(f.compare(P::OLT, a, 40.0), small, halfExp(f, x)), x);
}

Value cosh(F &f, Value x) {
  Value half = halfExp(f, x);
  return f.add(half, f.div(f.number(0.25), half));
}

Value asinh(F &f, Value x) {
  Value a = f.abs(x), square = f.mul(a, a);
  Value small = log1p(f, f.add(a, f.div(square, f.add(f.sqrt(f.add(square, 1)), 1))));
  Value large = f.add(log(f, a), std::numbers::ln2);
  return f.copySign(f.select(f.compare(P::OLT, a, 0x1p30), small, large), x);
}

Value acosh(F &f, Value x) {
  Value t = f.add(x, -1);
  Value small = log1p(f, f.add(t, f.sqrt(f.mul(t, f.add(t, 2)))));
  Value large = f.add(log(f, x), std::numbers::ln2);
  return f.select(f.compare(P::OGT, x, 0x1p30), large, small);
}

Value atanh(F &f, Value x) {
  Value a = f.abs(x);
  return f.copySign(f.mul(log1p(f, f.div(f.mul(a, 2.0), f.sub(f.number(1), a))), 0.5), x);
}

/// e^(x*x) * erfc(x) * (1 + 2x) for x >= 0 by its expansion in Chebyshev polynomials of
/// t = (x - 3.75) / (x + 3.75). Computed with 60 digits from the definition.
Value scaledErfc(F &f, Value x) {
  static constexpr double coefficients[] = {
      1.1775789345674017541,      -0.0045900545806464773309,  -0.084249133366517915584,
      0.059209939998191890498,    -0.026658668435305752277,   0.0090749976707052650939,
      -0.0024131635404176081909,  0.00049077583652580863229,  -0.000069169733025012063671,
      4.1390279860730101675e-6,   7.7403830661984906686e-7,   -2.1886401049234395661e-7,
      1.0764999465670910377e-8,   4.5219598112182868979e-9,   -7.7544002088313511068e-10,
      -6.3180883408866844974e-11, 2.8687950109306698955e-11,  1.94558685457773451e-13,
      -9.6546967484334390708e-13, 3.2525481481487386808e-14,  3.3478119482868047223e-14,
      -1.8645628804193147678e-15, -1.2507950530688613771e-15, 7.4182352566248745773e-17,
      5.0681489047974358938e-17};
  Value t = f.div(f.add(x, -3.75), f.add(x, 3.75)), twice = f.add(t, t);
  Value next = f.number(0), after = f.number(0);
  for (double coefficient : llvm::reverse(ArrayRef(coefficients).drop_front())) {
    Value current = f.add(f.fma(twice, next, f.neg(after)), coefficient);
    after = next;
    next = current;
  }
  return f.add(f.fma(t, next, f.neg(after)), coefficients[0]);
}

/// erfc(|x|), good for |x| of 1/2 and more.
Value erfcOfMagnitude(F &f, Value x) {
  Value a = f.min(f.abs(x), 28);
  Value square = f.mul(a, a);
  // exp of the rounded square, corrected by what rounding lost.
  Value lost = f.fma(a, a, f.neg(square));
  Value gauss = exp(f, f.neg(square));
  gauss = f.sub(gauss, f.mul(gauss, lost));
  return f.div(f.mul(gauss, scaledErfc(f, a)), f.add(f.add(a, a), 1));
}

/// The Taylor series of erf, for |x| below 1.
Value erfNearZero(F &f, Value x) {
  SmallVector<double> series;
  double factorial = 1;
  for (int k = 0; k <= 19; ++k) {
    factorial *= k ? k : 1;
    series.push_back((k % 2 ? -2.0 : 2.0) * std::numbers::inv_sqrtpi / (factorial * (2 * k + 1)));
  }
  return f.mul(x, f.polynomial(f.mul(x, x), series));
}

Value erf(F &f, Value x) {
  Value large = f.copySign(f.sub(f.number(1), erfcOfMagnitude(f, x)), x);
  Value result = f.select(f.compare(P::OLT, f.abs(x), 1.0), erfNearZero(f, x), large);
  return f.select(f.compare(P::UNO, x, x), x, result);
}

Value erfc(F &f, Value x) {
  Value tail = erfcOfMagnitude(f, x);
  Value large = f.select(f.compare(P::OLT, x, 0.0), f.sub(f.number(2), tail), tail);
  Value result =
      f.select(f.compare(P::OLT, f.abs(x), 0.5), f.sub(f.number(1), erfNearZero(f, x)), large);
  return f.select(f.compare(P::UNO, x, x), x, result);
}

Value pow(F &f, Value x, Value y) {
  Value magnitude = exp(f, f.mul(y, log(f, f.abs(x))));
  // |x| = 1 or y = 0: 1, even to an infinite or undefined power.
  Value one = f.compare(P::OEQ, f.abs(x), 1.0);
  magnitude = f.select(f.both(one, f.compare(P::OEQ, f.abs(y), infinity)), f.number(1), magnitude);
  Value whole = f.compare(P::OEQ, f.floor(y), y);
  Value half = f.mul(y, 0.5);
  Value odd = f.both(whole, f.compare(P::ONE, f.floor(half), half));
  Value negative = f.compare(P::OLT, f.copySign(f.number(1), x), 0.0);
  Value result = f.select(f.both(odd, negative), f.neg(magnitude), magnitude);
  // A negative number has no real power that is not whole, infinities aside.
  Value finite = f.both(f.compare(P::OLT, x, 0.0), f.compare(P::OGT, x, -infinity));
  result = f.select(f.both(finite, f.compare(P::UNE, f.floor(y), y)), f.number(notANumber), result);
  result = f.select(f.compare(P::UNO, x, y), f.add(x, y), result);
  return f.select(f.compare(P::OEQ, x, 1.0), f.number(1),
                  f.select(f.compare(P::OEQ, y, 0.0), f.number(1), result));
}

Value cbrt(F &f, Value x) {
  Value root = exp(f, f.mul(log(f, f.abs(x)), 1.0 / 3));
  // One step of Newton's method; not where it would divide 0 or infinity by itself.
  Value square = f.mul(root, root);
  Value better = f.sub(root, f.div(f.sub(f.mul(square, root), f.abs(x)), f.mul(square, 3.0)));
  Value edge = f.compare(P::UEQ, f.mul(x, 0.0), 0.0);
  Value usable = f.both(edge, f.compare(P::ONE, x, 0.0));
  return f.copySign(f.select(usable, better, root), x);
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// The formula of each operation.
Value formula(F &f, Operation *op) {
  Value x = op->getOperand(0);
  if (isa<math::ExpOp>(op))
    return exp(f, x);
  if (isa<math::Exp2Op>(op))
    return exp(f, f.mul(x, std::numbers::ln2));
  if (isa<math::ExpM1Op>(op))
    return expm1(f, x);
  if (isa<math::LogOp>(op))
    return log(f, x);
  if (isa<math::Log1pOp>(op))
    return log1p(f, x);
  if (isa<math::Log2Op>(op))
    return f.mul(log(f, x), std::numbers::log2e);
  if (isa<math::Log10Op>(op))
    return f.mul(log(f, x), std::numbers::log10e);
  if (isa<math::SinOp>(op))
    return sine(f, x, 0);
  if (isa<math::CosOp>(op))
    return sine(f, x, 1);
  if (isa<math::TanOp>(op))
    return f.div(sine(f, x, 0), sine(f, x, 1));
  if (isa<math::AtanOp>(op))
    return atan2(f, x, f.number(1));
  if (isa<math::Atan2Op>(op))
    return atan2(f, x, op->getOperand(1));
  // Both are angles of the point (cos, sin) on the unit circle.
  if (isa<math::AsinOp>(op))
    return atan2(f, x, f.sqrt(f.mul(f.sub(f.number(1), x), f.add(x, 1))));
  if (isa<math::AcosOp>(op))
    return atan2(f, f.sqrt(f.mul(f.sub(f.number(1), x), f.add(x, 1))), x);
  if (isa<math::SinhOp>(op))
    return sinh(f, x);
  if (isa<math::CoshOp>(op))
    return cosh(f, x);
  if (isa<math::TanhOp>(op))
    return tanh(f, x);
  if (isa<math::AsinhOp>(op))
    return asinh(f, x);
  if (isa<math::AcoshOp>(op))
    return acosh(f, x);
  if (isa<math::AtanhOp>(op))
    return atanh(f, x);
  if (isa<math::ErfOp>(op))
    return erf(f, x);
  if (isa<math::ErfcOp>(op))
    return erfc(f, x);
  if (isa<math::PowFOp>(op))
    return pow(f, x, op->getOperand(1));
  if (isa<math::CbrtOp>(op))
    return cbrt(f, x);
  return {};
}

struct ExpandFloat64 : RewritePattern {
  explicit ExpandFloat64(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/4, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<math::MathDialect>(op->getDialect()) || op->getNumResults() != 1 ||
        !getElementTypeOrSelf(op->getResult(0).getType()).isF64())
      return failure();
    F f(rewriter, op->getLoc(), op->getResult(0).getType());
    Value result = formula(f, op);
    if (!result)
      return failure();
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// Functions of f32 that upstream's f32 formulas lose digits of: sine and cosine of tens already
/// lose three.
struct ComputeInFloat64 : RewritePattern {
  explicit ComputeInFloat64(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/3, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<math::PowFOp, math::SinhOp, math::CoshOp, math::AsinhOp, math::AcoshOp, math::AtanhOp,
             math::TanOp, math::Log10Op, math::Exp2Op, math::CbrtOp, math::ErfcOp, math::AsinOp,
             math::AcosOp, math::Atan2Op, math::SinOp, math::CosOp>(op) ||
        !getElementTypeOrSelf(op->getResult(0).getType()).isF32())
      return failure();
    Type narrow = op->getResult(0).getType(), wide = rewriter.getF64Type();
    if (auto vector = dyn_cast<VectorType>(narrow))
      wide = vector.clone(wide);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(arith::ExtFOp::create(rewriter, op->getLoc(), wide, operand));
    OperationState state(op->getLoc(), op->getName().getIdentifier(), operands, {wide}, {});
    Operation *computed = rewriter.create(state);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, narrow, computed->getResult(0));
    return success();
  }
};

} // namespace

void populateFloat64MathPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandFloat64>(patterns.getContext());
}

void populateFloat32MathPatterns(RewritePatternSet &patterns) {
  patterns.add<ComputeInFloat64>(patterns.getContext());
}

} // namespace tenon
