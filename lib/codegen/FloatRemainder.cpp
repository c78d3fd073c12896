// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FloatRemainder.cpp - the remainder of a division of floats ----------===//
//
// x - y * trunc(x / y), which is exact if computed by long division and wrong in all
// digits if computed by that formula: the quotient may have thousands of bits. Each
// turn of the loop takes off the largest y * 2^k that is not larger than what is left.
//
//   r = |x|, b = |y|
//   while r >= b:
//     t = b * 2^k with t <= r < 2 t      (k from the difference of exponents)
//     r = r - t                          (exact: t is at least half of r)
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Float64Math.h"
#include "lib/codegen/FloatArithmetic.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include <limits>

using namespace mlir;

namespace tenon {

namespace {

using F = FloatArithmetic;
using P = F::Predicate;

/// The remainder of f64 scalars.
Value remainder(OpBuilder &builder, Location loc, Value x, Value y) {
  F f(builder, loc, builder.getF64Type());
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Value dividend = f.abs(x), divisor = f.abs(y);
  Value usable = f.both(f.compare(P::OLT, dividend, infinity), f.compare(P::OGT, divisor, 0.0));
  // Without a usable pair the loop has no turn.
  Value start = f.select(usable, dividend, f.number(0));
  auto loop = scf::WhileOp::create(
      builder, loc, TypeRange{builder.getF64Type()}, ValueRange{start},
      [&](OpBuilder &nested, Location loc, ValueRange values) {
        F f(nested, loc, nested.getF64Type());
        Value more = f.both(f.compare(P::OGE, values[0], divisor), f.compare(P::OGT, divisor, 0.0));
        scf::ConditionOp::create(nested, loc, more, values);
      },
      [&](OpBuilder &nested, Location loc, ValueRange values) {
        F f(nested, loc, nested.getF64Type());
        Value left = values[0];
        // 2^k by the difference of exponents: the quotient is within [2^(k-1), 2^(k+1)). Small
        // numbers are scaled up first, because subnormal ones all have the same exponent field.
        auto exponent = [&](Value value) {
          Value small = f.compare(P::OLT, value, 0x1p-900);
          Value field = f.shiftRight(f.bits(f.select(small, f.mul(value, 0x1p64), value)), 52);
          return f.subInteger(field, f.select(small, f.integer(64), f.integer(0)));
        };
        Value difference = f.subInteger(exponent(left), exponent(divisor));
        // Not beyond what one factor can hold.
        Value limit = f.integer(1000);
        Value k = arith::MinSIOp::create(nested, loc, difference, limit);
        Value factor = f.fromBits(f.shiftLeft(f.addInteger(k, f.integer(1023)), 52));
        Value taken = f.mul(divisor, factor);
        Value half = f.mul(divisor, f.mul(factor, 0.5));
        taken = f.select(f.compare(P::OGT, taken, left), half, taken);
        // Half of the divisor itself is never taken: then k is 0 and the divisor is not larger.
        scf::YieldOp::create(nested, loc, f.sub(left, taken));
      });
  Value result = f.copySign(loop.getResult(0), x);
  Value infiniteDivisor =
      f.both(f.compare(P::OEQ, divisor, infinity), f.compare(P::OLT, dividend, infinity));
  result = f.select(f.select(infiniteDivisor, infiniteDivisor, usable), result,
                    f.number(std::numeric_limits<double>::quiet_NaN()));
  return f.select(infiniteDivisor, x, result);
}

struct ExpandRemainder : OpRewritePattern<arith::RemFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::RemFOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!type.isF32() && !type.isF64())
      return failure();
    Location loc = op.getLoc();
    Value x = op.getLhs(), y = op.getRhs();
    if (type.isF32()) {
      // Exact: every f32 is an f64, and the remainder of two f32 is an f32.
      x = arith::ExtFOp::create(rewriter, loc, rewriter.getF64Type(), x);
      y = arith::ExtFOp::create(rewriter, loc, rewriter.getF64Type(), y);
    }
    Value result = remainder(rewriter, loc, x, y);
    if (type.isF32())
      result = arith::TruncFOp::create(rewriter, loc, type, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void populateRemainderPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandRemainder>(patterns.getContext());
}

} // namespace tenon
