// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DecomposeNn.cpp - whole operations into linalg ----------------------===//
//
// By the time this runs, a generator has had its chance at whole operations; what
// is left goes the generic way. The decompositions themselves belong to the
// operations: they are the AggregatedOpInterface, ours and upstream's.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Passes.h"

#include "dialects/nn/Nn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_DECOMPOSENN
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

/// Every operation that knows its decomposition: ours by their patterns, upstream's by this.
struct DecomposeAggregated : OpInterfaceRewritePattern<linalg::AggregatedOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::AggregatedOpInterface op,
                                PatternRewriter &rewriter) const override {
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values))
      return failure();
    rewriter.replaceOp(op, *values);
    return success();
  }
};

/// linalg.softmax, because upstream's decomposition of it takes the maximum that ignores NaN, which
/// LLVM does not vectorise as a reduction, and keeps the exponentials of a f16 row in f16.
///
///   m = max x, e = exp (x - m), y = e * (1 / sum e), all but x and y in f32 (f64 where x is)
class DecomposeSoftmax : public OpRewritePattern<linalg::SoftmaxOp> {
public:
  explicit DecomposeSoftmax(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(linalg::SoftmaxOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getInputOperandType());
    auto element = type ? dyn_cast<FloatType>(type.getElementType()) : FloatType();
    if (!element || op.getNumResults() != 1)
      return failure();
    Location loc = op.getLoc();
    FloatType wide = element.getWidth() < 32 ? cast<FloatType>(rewriter.getF32Type()) : element;
    int64_t rank = type.getRank(), dimension = op.getDimension();
    AffineMap all = rewriter.getMultiDimIdentityMap(rank), row = all.dropResult(dimension);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, op.getInput()),
                              rowSizes = sizes;
    rowSizes.erase(rowSizes.begin() + dimension);
    SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel),
        reduction = parallel;
    reduction[dimension] = utils::IteratorType::reduction;

    auto widen = [&](OpBuilder &builder, Value value) -> Value {
      return value.getType() == wide ? value
                                     : arith::ExtFOp::create(builder, loc, wide, value).getResult();
    };
    auto fold = [&](Value input, double identity,
                    function_ref<Value(OpBuilder &, Value, Value)> combine) -> Value {
      Value start = arith::ConstantOp::create(rewriter, loc, rewriter.getFloatAttr(wide, identity));
      Value init =
          linalg::FillOp::create(rewriter, loc, start,
                                 tensor::EmptyOp::create(rewriter, loc, rowSizes, wide).getResult())
              .getResult(0);
      return linalg::GenericOp::create(
                 rewriter, loc, init.getType(), input, init, ArrayRef{all, row}, reduction,
                 [&](OpBuilder &builder, Location loc, ValueRange values) {
                   linalg::YieldOp::create(builder, loc,
                                           combine(builder, widen(builder, values[0]), values[1]));
                 })
          .getResult(0);
    };
    auto map = [&](Value input, Value rows, Value init,
                   function_ref<Value(OpBuilder &, Value, Value)> combine) -> Value {
      return linalg::GenericOp::create(
                 rewriter, loc, init.getType(), ValueRange{input, rows}, init,
                 ArrayRef{all, row, all}, parallel,
                 [&](OpBuilder &builder, Location loc, ValueRange values) {
                   linalg::YieldOp::create(builder, loc,
                                           combine(builder, widen(builder, values[0]), values[1]));
                 })
          .getResult(0);
    };

    Value maximum = fold(op.getInput(), -std::numeric_limits<double>::infinity(),
                         [&](OpBuilder &builder, Value value, Value accumulator) -> Value {
                           return arith::MaximumFOp::create(builder, loc, value, accumulator,
                                                            arith::FastMathFlags::nsz);
                         });
    Value exponential =
        map(op.getInput(), maximum, tensor::EmptyOp::create(rewriter, loc, sizes, wide),
            [&](OpBuilder &builder, Value value, Value maximum) -> Value {
              Value shifted = arith::SubFOp::create(builder, loc, value, maximum);
              return math::ExpOp::create(builder, loc, shifted);
            });
    Value sum =
        fold(exponential, 0.0, [&](OpBuilder &builder, Value value, Value accumulator) -> Value {
          return arith::AddFOp::create(builder, loc, value, accumulator);
        });
    Value result = map(
        exponential, sum, op.getOutput(), [&](OpBuilder &builder, Value value, Value sum) -> Value {
          Value one = arith::ConstantOp::create(builder, loc, rewriter.getFloatAttr(wide, 1.0));
          Value quotient = arith::MulFOp::create(builder, loc, value,
                                                 arith::DivFOp::create(builder, loc, one, sum));
          return wide == element
                     ? quotient
                     : arith::TruncFOp::create(builder, loc, element, quotient).getResult();
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct DecomposeNnPass : tenon::impl::DecomposeNnBase<DecomposeNnPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<DecomposeAggregated, DecomposeSoftmax>(&getContext());
    tenon::nn::populateDecomposeNnPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    WalkResult left = getOperation()->walk([](Operation *op) {
      if (!isa_and_nonnull<tenon::nn::NnDialect>(op->getDialect()))
        return WalkResult::advance();
      op->emitOpError("has no decomposition for these operands");
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
