// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ApproximateMath.cpp - elementary functions without a library --------===//
//
// An image of kernels calls nothing, so every function is arithmetic here. That also
// makes results the same on every machine of a chip, and lets loops vectorise.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Float64Math.h"
#include "lib/codegen/NarrowFloats.h"
#include "lib/codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_APPROXIMATEMATH
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

/// Operations that every processor of ours has instructions for.
bool isNative(StringRef name) {
  return llvm::StringSwitch<bool>(name)
      .Cases({"math.absf", "math.absi", "math.sqrt", "math.copysign", "math.fma", "math.floor",
              "math.ceil", "math.trunc", "math.roundeven", "math.ctlz", "math.cttz", "math.ctpop",
              "math.isnan", "math.isinf", "math.isfinite", "math.isnormal", "math.clampf"},
             true)
      .Default(false);
}

bool isNarrow(Type type) {
  auto scalar = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return scalar && scalar.getWidth() < 32;
}

/// Arithmetic on floats of 16 bits or fewer happens in f32, rounded back after each operation.
struct ComputeNarrowInF32 : RewritePattern {
  ComputeNarrowInF32(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) ||
        isa<arith::ConstantOp, arith::ExtFOp, arith::TruncFOp, arith::BitcastOp, arith::SelectOp>(
            op))
      return failure();
    if (llvm::none_of(op->getOperandTypes(), isNarrow) &&
        llvm::none_of(op->getResultTypes(), isNarrow))
      return failure();
    auto widen = [&](Type type) -> Type {
      if (!isNarrow(type))
        return type;
      if (auto vector = dyn_cast<VectorType>(type))
        return vector.clone(rewriter.getF32Type());
      return rewriter.getF32Type();
    };
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(
          isNarrow(operand.getType())
              ? arith::ExtFOp::create(rewriter, op->getLoc(), widen(operand.getType()), operand)
                    .getResult()
              : operand);
    OperationState state(op->getLoc(), op->getName().getIdentifier(), operands,
                         llvm::map_to_vector(op->getResultTypes(), widen), op->getAttrs());
    Operation *wide = rewriter.create(state);
    SmallVector<Value> results;
    for (auto [from, to] : llvm::zip_equal(wide->getResults(), op->getResultTypes()))
      results.push_back(isNarrow(to)
                            ? arith::TruncFOp::create(rewriter, op->getLoc(), to, from).getResult()
                            : Value(from));
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// A product and a sum, for processors that would call a function for a fused one.
struct SplitFma : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FmaOp op, PatternRewriter &rewriter) const override {
    Value product = arith::MulFOp::create(rewriter, op.getLoc(), op.getA(), op.getB());
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op.getC());
    return success();
  }
};

/// Half away from zero, which is no rounding mode of processors: truncate, and add one where half
/// or more was cut off.
struct ExpandRound : OpRewritePattern<math::RoundOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::RoundOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value x = op.getOperand();
    auto number = [&](double value) -> Value {
      TypedAttr scalar = rewriter.getFloatAttr(getElementTypeOrSelf(x.getType()), value);
      if (auto vector = dyn_cast<VectorType>(x.getType()))
        scalar = DenseElementsAttr::get(vector, Attribute(scalar));
      return arith::ConstantOp::create(rewriter, loc, scalar);
    };
    Value whole = math::TruncOp::create(rewriter, loc, x);
    Value rest = math::AbsFOp::create(rewriter, loc,
                                      arith::SubFOp::create(rewriter, loc, x, whole).getResult());
    Value up = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OGE, rest, number(0.5));
    Value one = math::CopySignOp::create(rewriter, loc, number(1), x);
    Value next = arith::AddFOp::create(rewriter, loc, whole, one);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, up, next, whole);
    return success();
  }
};

struct ApproximateMathPass : tenon::impl::ApproximateMathBase<ApproximateMathPass> {
  using ApproximateMathBase::ApproximateMathBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    auto wanted = [](StringRef name) { return !isNative(name); };

    RewritePatternSet patterns(context);
    patterns.add<ComputeNarrowInF32, ExpandRound>(context);
    tenon::populateRemainderPatterns(patterns);
    tenon::populateIntegerPowerPatterns(patterns);
    tenon::populateFloat64MathPatterns(patterns);
    tenon::populateFloat32MathPatterns(patterns);
    populateMathPolynomialApproximationPatterns(patterns, wanted);
    math::populateExpansionPatterns(patterns, {"sinh", "cosh", "asinh", "acosh", "atanh", "tan",
                                               "fpowi", "powf", "exp2", "rsqrt", "clampf"});
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();

    RewritePatternSet conversions(context);
    tenon::populateNarrowFloatPatterns(conversions, nativeF16);
    if (!nativeBf16)
      arith::populateExpandBFloat16Patterns(conversions);
    if (!fma)
      conversions.add<SplitFma>(context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(conversions))))
      return signalPassFailure();

    WalkResult left = getOperation()->walk([](Operation *op) {
      if (!isa<math::MathDialect>(op->getDialect()) || isNative(op->getName().getStringRef()))
        return WalkResult::advance();
      op->emitOpError("has no expansion for these types");
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
