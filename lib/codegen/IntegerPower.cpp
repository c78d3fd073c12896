// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IntegerPower.cpp - powers of integers -------------------------------===//
//
// By squaring: as many turns as the exponent has bits. A negative exponent stands for
// a reciprocal, which only 1 and -1 have among the integers; everything else gives 0.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Float64Math.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace tenon {

namespace {

struct ExpandIntegerPower : OpRewritePattern<math::IPowIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::IPowIOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<IntegerType>(op.getType());
    if (!type)
      return failure();
    Location loc = op.getLoc();
    Value base = op.getLhs(), exponent = op.getRhs();
    auto number = [&](OpBuilder &builder, int64_t value) -> Value {
      return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, value));
    };
    using P = arith::CmpIPredicate;
    auto compare = [&](OpBuilder &builder, P predicate, Value a, int64_t b) -> Value {
      return arith::CmpIOp::create(builder, loc, predicate, a, number(builder, b));
    };
    // (power so far, base^(2^i), the exponent's bits from i on); no turn for a negative exponent.
    auto loop = scf::WhileOp::create(
        rewriter, loc, TypeRange{type, type, type}, ValueRange{number(rewriter, 1), base, exponent},
        [&](OpBuilder &builder, Location loc, ValueRange values) {
          scf::ConditionOp::create(builder, loc, compare(builder, P::sgt, values[2], 0), values);
        },
        [&](OpBuilder &builder, Location loc, ValueRange values) {
          Value odd = arith::TruncIOp::create(builder, loc, builder.getI1Type(), values[2]);
          Value factor = arith::SelectOp::create(builder, loc, odd, values[1], number(builder, 1));
          Value power = arith::MulIOp::create(builder, loc, values[0], factor);
          Value square = arith::MulIOp::create(builder, loc, values[1], values[1]);
          Value rest = arith::ShRUIOp::create(builder, loc, values[2], number(builder, 1));
          scf::YieldOp::create(builder, loc, ValueRange{power, square, rest});
        });
    Value isOdd = arith::TruncIOp::create(rewriter, loc, rewriter.getI1Type(), exponent);
    Value signs = arith::SelectOp::create(rewriter, loc, isOdd, base, number(rewriter, 1));
    Value unit = arith::OrIOp::create(rewriter, loc, compare(rewriter, P::eq, base, 1),
                                      compare(rewriter, P::eq, base, -1));
    Value reciprocal = arith::SelectOp::create(rewriter, loc, unit, signs, number(rewriter, 0));
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, compare(rewriter, P::slt, exponent, 0),
                                                 reciprocal, loop.getResult(0));
    return success();
  }
};

} // namespace

void populateIntegerPowerPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandIntegerPower>(patterns.getContext());
}

} // namespace tenon
