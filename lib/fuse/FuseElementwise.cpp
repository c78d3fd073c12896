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

/// Cheaper to compute again than to store and load: moves, casts, comparisons and one arithmetic
/// operation.
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

/// Whether `op` only moves elements to other places, each once.
bool isPermutation(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() != 0 ||
      !llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isPermutation(); }))
    return false;
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  return yield.getOperand(0) == op.getBlock()->getArgument(0);
}

/// Chains beyond this many operations are cut: the time to fuse and to compile one grows with its
/// square, and by then what memory costs is little beside what the arithmetic does.
constexpr size_t mostOperations = 128;

bool controlFusion(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  // Into a loop it would be computed again in each iteration, into a branch its operands would
  // follow it.
  if (!producer || !consumer || producer.getNumReductionLoops() != 0 ||
      producer->getBlock() != consumer->getBlock())
    return false;
  if (producer.getBlock()->getOperations().size() + consumer.getBlock()->getOperations().size() >
      mostOperations)
    return false;
  // Reading elements from where they were costs a contraction nothing: it reads them once into its
  // panels.
  if (readsRepeatedly(consumer))
    return isPermutation(producer);
  // A producer that is read along a broadcast would be computed once per copy.
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  bool broadcast = map.getNumResults() < consumer.getNumLoops();
  if (producer->hasOneUse())
    return !broadcast || isCheap(producer);
  return isCheap(producer) && producer.getNumDpsInputs() <= 1;
}

/// A transpose of a contraction's result is a contraction that writes in that order.
struct WriteTransposed : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp transpose,
                                PatternRewriter &rewriter) const override {
    if (!isPermutation(transpose))
      return failure();
    auto contraction = transpose.getInputs()[0].getDefiningOp<linalg::GenericOp>();
    if (!contraction || contraction->getBlock() != transpose->getBlock() ||
        !contraction->hasOneUse() || !readsRepeatedly(contraction) ||
        contraction->getNumResults() != 1)
      return failure();
    auto fill = contraction.getOutputs()[0].getDefiningOp<linalg::FillOp>();
    if (!fill)
      return failure();
    // Position in the contraction's result of each dimension of the transposed one.
    AffineMap read = transpose.getMatchingIndexingMap(transpose.getDpsInputOperand(0));
    AffineMap written = transpose.getMatchingIndexingMap(transpose.getDpsInitOperand(0));
    AffineMap moved = read.compose(inversePermutation(written));
    AffineMap order = inversePermutation(moved);
    Value init = linalg::FillOp::create(rewriter, transpose.getLoc(), fill.getInputs(),
                                        transpose.getOutputs())
                     .getResult(0);
    rewriter.setInsertionPointAfter(transpose);
    auto result = cast<linalg::GenericOp>(rewriter.clone(*contraction));
    SmallVector<AffineMap> maps = result.getIndexingMapsArray();
    maps.back() = order.compose(maps.back());
    result.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    result.getOutputsMutable().assign(init);
    result->getResult(0).setType(cast<RankedTensorType>(init.getType()));
    rewriter.replaceOp(transpose, result->getResults());
    return success();
  }
};

/// An operation that took in another is for the nodes of both: upstream gives it the consumer's
/// location alone, and inserts it before the consumer, which still reads the producer then.
class LocationKeeper : public RewriterBase::Listener {
public:
  void notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) override {
    if (!isa<linalg::GenericOp>(op))
      return;
    auto consumer = dyn_cast_if_present<linalg::GenericOp>(op->getNextNode());
    if (!consumer || consumer.getLoc() != op->getLoc())
      return;
    SmallVector<Location> locations{op->getLoc()};
    for (Value operand : consumer->getOperands())
      if (auto producer = operand.getDefiningOp<linalg::GenericOp>();
          producer && !llvm::is_contained(op->getOperands(), operand))
        locations.push_back(producer.getLoc());
    op->setLoc(FusedLoc::get(op->getContext(), locations));
  }
};

/// Where the body does not read an operand that is filled, only its sizes matter: no one has to
/// fill it. (A fill's value has become a constant of the body.)
struct DropUnreadFill : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    bool changed = false;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto fill = operand->get().getDefiningOp<linalg::FillOp>();
      if (!fill || !op.getMatchingBlockArgument(operand).use_empty())
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand->set(fill.getOutputs().front()); });
      changed = true;
    }
    return success(changed);
  }
};

struct FuseElementwise : impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    // Transposes become generic, so that they compose with what reads or makes them.
    IRRewriter rewriter(context);
    SmallVector<linalg::TransposeOp> transposes;
    getOperation().walk([&](linalg::TransposeOp op) { transposes.push_back(op); });
    for (linalg::TransposeOp op : transposes) {
      rewriter.setInsertionPoint(op);
      if (failed(linalg::generalizeNamedOp(rewriter, op)))
        return signalPassFailure();
    }
    RewritePatternSet patterns(context);
    patterns.add<WriteTransposed, DropUnreadFill>(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, controlFusion);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    // Not those of tensor.empty: they put a cast around one whose size turns out to be constant,
    // where upstream's fusion puts a new one that is cast again, without end.
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    LocationKeeper keeper;
    config.setListener(&keeper);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
} // namespace tenon
