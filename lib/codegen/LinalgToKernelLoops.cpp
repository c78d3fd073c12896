// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LinalgToKernelLoops.cpp - loops that LLVM vectorises ----------------===//
//
// LLVM's loop vectoriser looks at innermost loops only and wants them to walk memory
// by one, or to reduce into a scalar. Both are decided here: the order of the loops,
// and that the accumulators of trailing reduction loops are loop-carried values, not
// memory.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_LINALGTOKERNELLOOPS
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

//===----------------------------------------------------------------------===//
// The order of loops
//===----------------------------------------------------------------------===//

/// How badly operands are walked when `loop` is innermost. 0 is perfect.
int64_t innermostCost(linalg::LinalgOp op, unsigned loop) {
  int64_t cost = op.getIteratorTypesArray()[loop] == utils::IteratorType::reduction ? 1 : 0;
  // A loop of a few iterations is not worth vectorising.
  int64_t range = op.getStaticLoopRanges()[loop];
  if (!ShapedType::isDynamic(range) && range < 8)
    cost += 8 - std::max<int64_t>(range, 0);
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isFunctionOfDim(loop))
      continue;
    bool contiguous = map.getResults().back() == getAffineDimExpr(loop, op.getContext());
    for (AffineExpr outer : map.getResults().drop_back())
      contiguous &= !outer.isFunctionOfDim(loop);
    if (!contiguous)
      cost += op.isDpsInit(&operand) ? 16 : 8;
  }
  return cost;
}

/// Parallel loops, then reductions, then the loop that is best innermost.
SmallVector<unsigned> chooseOrder(linalg::LinalgOp op) {
  unsigned best = 0, loops = op.getNumLoops();
  for (unsigned loop = 1; loop < loops; ++loop)
    if (innermostCost(op, loop) <= innermostCost(op, best))
      best = loop;
  SmallVector<unsigned> order;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (utils::IteratorType kind : {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (unsigned loop = 0; loop < loops; ++loop)
      if (loop != best && kinds[loop] == kind)
        order.push_back(loop);
  order.push_back(best);
  return order;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// Emits one operation as a nest of loops.
class LoopNest {
public:
  LoopNest(RewriterBase &rewriter, linalg::LinalgOp op, ArrayRef<unsigned> order)
      : rewriter(rewriter), op(op), loc(op.getLoc()), order(order), indices(op.getNumLoops()) {
    SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
    carried = order.size();
    while (carried > 0 && kinds[order[carried - 1]] == utils::IteratorType::reduction)
      --carried;
  }

  void emit() {
    ranges = op.createLoopRanges(rewriter, loc);
    emitLoop(0, {});
  }

private:
  /// Loops `order[depth..]`. Returns what the accumulators are afterwards, if they are carried.
  SmallVector<Value> emitLoop(unsigned depth, SmallVector<Value> accumulators) {
    bool startsCarrying = depth == carried && carried < order.size();
    if (startsCarrying)
      accumulators = loadInits();
    if (depth == order.size()) {
      if (carried == order.size()) {
        storeInits(emitBody(loadInits()));
        return {};
      }
      return emitBody(accumulators);
    }
    unsigned dim = order[depth];
    Value low = getValueOrCreateConstantIndexOp(rewriter, loc, ranges[dim].offset);
    Value high = getValueOrCreateConstantIndexOp(rewriter, loc, ranges[dim].size);
    Value step = getValueOrCreateConstantIndexOp(rewriter, loc, ranges[dim].stride);
    auto loop = scf::ForOp::create(rewriter, loc, low, high, step, accumulators);
    SmallVector<Value> results;
    {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(loop.getBody());
      indices[dim] = loop.getInductionVar();
      SmallVector<Value> inner =
          emitLoop(depth + 1, llvm::to_vector_of<Value>(loop.getRegionIterArgs()));
      if (!accumulators.empty()) {
        rewriter.setInsertionPointToEnd(loop.getBody());
        scf::YieldOp::create(rewriter, loc, inner);
      }
    }
    results = llvm::to_vector_of<Value>(loop.getResults());
    if (startsCarrying) {
      storeInits(results);
      return {};
    }
    return results;
  }

  SmallVector<Value> coordinates(OpOperand &operand) {
    SmallVector<Value> result;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    // Inits of carried loops do not depend on them, and those have no index yet.
    SmallVector<OpFoldResult> known;
    for (Value index : indices)
      known.push_back(index ? OpFoldResult(index) : OpFoldResult(rewriter.getIndexAttr(0)));
    for (AffineExpr expression : map.getResults())
      result.push_back(getValueOrCreateConstantIndexOp(
          rewriter, loc,
          affine::makeComposedFoldedAffineApply(
              rewriter, loc, AffineMap::get(map.getNumDims(), 0, expression), known)));
    return result;
  }

  SmallVector<Value> loadInits() {
    SmallVector<Value> values;
    for (OpOperand &init : op.getDpsInitsMutable()) {
      Value unused;
      if (op.payloadUsesValueFromOperand(&init))
        values.push_back(memref::LoadOp::create(rewriter, loc, init.get(), coordinates(init)));
      else
        values.push_back(unused);
    }
    // A carried accumulator needs a value even where the body ignores it.
    if (carried < order.size())
      for (auto [value, init] : llvm::zip_equal(values, op.getDpsInitsMutable()))
        if (!value)
          value = memref::LoadOp::create(rewriter, loc, init.get(), coordinates(init));
    return values;
  }

  void storeInits(ArrayRef<Value> values) {
    for (auto [value, init] : llvm::zip_equal(values, op.getDpsInitsMutable()))
      memref::StoreOp::create(rewriter, loc, value, init.get(), coordinates(init));
  }

  /// The body once; returns what it yields.
  SmallVector<Value> emitBody(ArrayRef<Value> accumulators) {
    IRMapping mapping;
    Block *body = op.getBlock();
    for (OpOperand *input : op.getDpsInputOperands()) {
      Value value = input->get();
      if (isa<MemRefType>(value.getType()))
        value = memref::LoadOp::create(rewriter, loc, value, coordinates(*input));
      mapping.map(op.getMatchingBlockArgument(input), value);
    }
    for (auto [value, init] : llvm::zip_equal(accumulators, op.getDpsInitsMutable()))
      if (value)
        mapping.map(op.getMatchingBlockArgument(&init), value);
    for (Operation &nested : body->without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(nested)) {
        mapping.map(index.getResult(), indices[index.getDim()]);
        continue;
      }
      rewriter.clone(nested, mapping)->walk([&](linalg::IndexOp index) {
        rewriter.replaceAllUsesWith(index.getResult(), indices[index.getDim()]);
      });
    }
    SmallVector<Value> results;
    for (Value value : body->getTerminator()->getOperands())
      results.push_back(mapping.lookupOrDefault(value));
    return results;
  }

  RewriterBase &rewriter;
  linalg::LinalgOp op;
  Location loc;
  ArrayRef<unsigned> order;
  /// Position in `order` from which on all loops are reductions.
  unsigned carried;
  SmallVector<Range> ranges;
  SmallVector<Value> indices;
};

/// Lets the sums and products that a reduction accumulates be computed in any order.
void allowReassociation(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0)
    return;
  for (OpOperand &init : op.getDpsInitsMutable())
    for (Operation *user : op.getMatchingBlockArgument(&init).getUsers()) {
      auto accumulate = dyn_cast<arith::ArithFastMathInterface>(user);
      if (!accumulate || !isa<arith::AddFOp, arith::MulFOp>(user))
        continue;
      arith::FastMathFlags flags = accumulate.getFastMathFlagsAttr().getValue() |
                                   arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;
      user->setAttr(accumulate.getFastMathAttrName(),
                    arith::FastMathFlagsAttr::get(op.getContext(), flags));
    }
}

struct LinalgToKernelLoopsPass : tenon::impl::LinalgToKernelLoopsBase<LinalgToKernelLoopsPass> {
  using LinalgToKernelLoopsBase::LinalgToKernelLoopsBase;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> operations;
    getOperation().walk([&](linalg::LinalgOp op) { operations.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : operations) {
      if (!op.hasPureBufferSemantics()) {
        op->emitOpError("is not on memory");
        return signalPassFailure();
      }
      if (reassociate)
        allowReassociation(op);
      SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(0, op.getNumLoops()));
      if (interchange && !order.empty())
        order = chooseOrder(op);
      rewriter.setInsertionPoint(op);
      LoopNest(rewriter, op, order).emit();
      rewriter.eraseOp(op);
    }
  }
};

} // namespace
