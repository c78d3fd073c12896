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

/// Upstream's own whole operations: linalg.softmax and those to come.
struct DecomposeAggregated : OpInterfaceRewritePattern<linalg::AggregatedOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::AggregatedOpInterface op, PatternRewriter &rewriter) const override {
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values))
      return failure();
    rewriter.replaceOp(op, *values);
    return success();
  }
};

struct DecomposeNnPass : tenon::impl::DecomposeNnBase<DecomposeNnPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<DecomposeAggregated>(&getContext());
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
