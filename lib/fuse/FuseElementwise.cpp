// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FuseElementwise.cpp - chains of elementwise operations -------------===//
//
// Upstream's elementwise fusion under our control function: nothing that costs
// is computed twice, and contractions are never given a producer, because their
// micro-kernels read each operand many times.
//
//===----------------------------------------------------------------------===//

#include "lib/fuse/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "lib/fuse/Passes.h.inc"

namespace {

/// Cheaper to compute again than to store and load: moves, casts, comparisons and one arithmetic operation.
bool isCheap(linalg::GenericOp op) {
  int64_t arithmetic = 0;
  for (Operation &nested : op.getBlock()->without_terminator()) {
    if (isa<math::MathDialect>(nested.getDialect()) || isa<arith::DivFOp>(nested))
      return false;
    if (!nested.hasTrait<OpTrait::ConstantLike>() && !isa<arith::ExtFOp, arith::TruncFOp>(nested))
      ++arithmetic;
  }
  return arithmetic <= 1;
}

/// Whether `op` reads some operand more than once per element, as contractions and windows do.
bool readsRepeatedly(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0)
    return false;
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    return !map.isProjectedPermutation() || map.getNumResults() != op.getNumLoops();
  });
}

bool controlFusion(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || producer.getNumReductionLoops() != 0)
    return false;
  if (readsRepeatedly(consumer))
    return false;
  // A producer that is read along a broadcast would be computed once per copy.
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  bool broadcast = map.getNumResults() < consumer.getNumLoops();
  if (producer->hasOneUse())
    return !broadcast || isCheap(producer);
  return isCheap(producer) && producer.getNumDpsInputs() <= 1;
}

struct FuseElementwise : impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, controlFusion);
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, [](OpOperand *operand) {
      auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
      auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
      return (!consumer || consumer.getNumReductionLoops() == 0) &&
             (!producer || producer.getNumReductionLoops() == 0);
    });
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
} // namespace tenon
