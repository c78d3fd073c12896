// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass --propagate-transposes.
//
// The cost of a block is the number of its transposes; one that only moves dimensions of size 1 is
// free.
//
// Sinking past an operation removes the transposes of its operands (and one of its result, if that
// undoes what the result now needs) and adds those that its other operands and its result need. It
// is done if that adds no more than it removes. A sinking pass visits each operation once, in
// program order, so it ends. Equal cost is accepted because a transpose further down meets others.
//
// Hoisting is done only if, further up, each new transpose meets another one that it becomes one
// with, or something that is free to transpose. So it makes the cost less. Both passes are repeated
// while they make the cost less.

#include "lib/layout/Commute.h"
#include "lib/layout/Passes.h"

#include "dialects/nn/Nn.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tenon {
#define GEN_PASS_DEF_PROPAGATETRANSPOSES
#include "lib/layout/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::layout;

static bool isFree(Value source, ArrayRef<int64_t> permutation) {
  return keepsElementOrder(cast<RankedTensorType>(source.getType()), permutation);
}
static bool isFree(linalg::TransposeOp op) { return isFree(op.getInput(), op.getPermutation()); }

/// Erases those producers of `values` that nothing uses, and then what only they used.
static void eraseDead(ValueRange values) {
  // Each operation stands in the list once: erased ones must not be met again.
  llvm::SetVector<Operation *> worklist;
  auto add = [&](ValueRange values) {
    for (Value value : values)
      if (Operation *op = value.getDefiningOp())
        worklist.insert(op);
  };
  add(values);
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    if (!isOpTriviallyDead(op))
      continue;
    SmallVector<Value> operands(op->getOperands());
    op->erase();
    add(operands);
  }
}

static void replaceAndErase(Operation *op, Value replacement) {
  SmallVector<Value> operands(op->getOperands());
  op->getResult(0).replaceAllUsesWith(replacement);
  op->erase();
  eraseDead(operands);
}

//===----------------------------------------------------------------------===//
// Sinking
//===----------------------------------------------------------------------===//

/// How many transposes the block has less if `op` is replaced as `commutation` says.
static int64_t getGain(Operation *op, const Commutation &commutation) {
  OpBuilder builder(op);
  int64_t gain = 0;
  llvm::SmallDenseSet<Value> seen;
  for (auto [operand, permutation] : llvm::zip_equal(op->getOpOperands(), commutation.operands)) {
    Value value = operand.get();
    if (permutation.empty() || !seen.insert(value).second || isFreeToTranspose(value))
      continue;
    if (auto destination = dyn_cast<linalg::GenericOp>(op))
      if (destination.isDpsInit(&operand) && !destination.payloadUsesValueFromOperand(&operand))
        continue;
    if (linalg::TransposeOp transpose = getTranspose(value)) {
      // Undone, or replaced by another one.
      if (transpose.getPermutation() == ArrayRef(permutation) && !isFree(transpose))
        ++gain;
      continue;
    }
    Permutation inverse = invertPermutationVector(permutation);
    if (!isFree(value, inverse) && !findTranspose(builder, value, inverse))
      --gain;
  }
  if (isIdentityPermutation(commutation.result))
    return gain;
  // A transpose of the result, unless all its users undo that; those that do disappear.
  Permutation inverse = invertPermutationVector(commutation.result);
  auto undoes = [&](Operation *user) {
    auto transpose = dyn_cast<linalg::TransposeOp>(user);
    return transpose && transpose.getInput() == op->getResult(0) &&
           transpose.getPermutation() == ArrayRef(inverse);
  };
  if (isFree(op->getResult(0), inverse))
    return gain;
  gain += llvm::any_of(op->getUsers(), undoes);
  gain -= !llvm::all_of(op->getUsers(), undoes);
  return gain;
}

/// Replaces `op` by itself on permuted dimensions, followed by a transpose.
static void applyCommutation(Operation *op, const Commutation &commutation) {
  OpBuilder builder(op);
  Value result = commute(builder, op, commutation);
  replaceAndErase(op, createTranspose(builder, op->getLoc(), result, commutation.result));
}

static void trySink(Operation *op) {
  if (op->getNumResults() != 1 || !isa<RankedTensorType>(op->getResult(0).getType()))
    return;
  std::optional<Commutation> best;
  int64_t bestGain = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    linalg::TransposeOp transpose = getTranspose(operand.get());
    if (!transpose)
      continue;
    std::optional<Commutation> commutation = sinkThrough(operand, transpose.getPermutation());
    if (!commutation)
      continue;
    int64_t gain = getGain(op, *commutation);
    if (gain < bestGain || (best && gain == bestGain))
      continue;
    best = std::move(commutation);
    bestGain = gain;
  }
  if (best)
    applyCommutation(op, *best);
}

/// A transpose of a transpose, or of what is free to transpose, is one or none.
static void simplifyTranspose(linalg::TransposeOp op) {
  Value input = op.getInput();
  if (op.use_empty()) {
    eraseDead(op->getResult(0));
    return;
  }
  OpBuilder builder(op);
  if (getTranspose(input) || isFreeToTranspose(input) ||
      isIdentityPermutation(op.getPermutation()) ||
      findTranspose(builder, input, op.getPermutation()))
    replaceAndErase(op, createTranspose(builder, op.getLoc(), input, op.getPermutation()));
}

/// A size of a transpose is one of its source; so the transpose does not live for its sizes.
static void simplifyDim(tensor::DimOp op) {
  linalg::TransposeOp transpose = getTranspose(op.getSource());
  std::optional<int64_t> dim = op.getConstantIndex();
  if (!transpose || !dim)
    return;
  OpBuilder builder(op);
  Value size = tensor::DimOp::create(builder, op.getLoc(), transpose.getInput(),
                                     transpose.getPermutation()[*dim]);
  replaceAndErase(op, size);
}

/// A plan.reshape that merges or splits dimensions says so, if that can be known.
static Operation *clarifyReshape(plan::ReshapeOp op) {
  RankedTensorType from = op.getSource().getType(), to = op.getType();
  if (from.getRank() == to.getRank() || from.getNumDynamicDims() > 1 || to.getNumDynamicDims() > 1)
    return op;
  std::optional<SmallVector<ReassociationIndices>> groups =
      getReassociationIndicesForReshape(from, to);
  if (!groups)
    return op;
  OpBuilder builder(op);
  Value result;
  if (to.getRank() < from.getRank())
    result = tensor::CollapseShapeOp::create(builder, op.getLoc(), to, op.getSource(), *groups);
  else
    result = tensor::ExpandShapeOp::create(builder, op.getLoc(), to, op.getSource(), *groups,
                                           getMixedValues(to.getShape(), op.getDims(), builder));
  op.getResult().replaceAllUsesWith(result);
  op.erase();
  return result.getDefiningOp();
}

static void sinkAll(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
      simplifyTranspose(transpose);
    else if (auto dim = dyn_cast<tensor::DimOp>(op))
      simplifyDim(dim);
    else if (auto reshape = dyn_cast<plan::ReshapeOp>(op);
             reshape && getTranspose(reshape.getSource()))
      trySink(clarifyReshape(reshape));
    else
      trySink(&op);
  }
}

//===----------------------------------------------------------------------===//
// Hoisting
//===----------------------------------------------------------------------===//

/// Whether a transpose of `value`, wanted at `builder`, is free, or becomes one with another after
/// hoisting.
static bool meetsTranspose(OpBuilder &builder, Value value, ArrayRef<int64_t> permutation) {
  if (getTranspose(value) || isFreeToTranspose(value) || findTranspose(builder, value, permutation))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != builder.getInsertionBlock() || !value.hasOneUse() ||
      op->getNumResults() != 1)
    return false;
  std::optional<Commutation> commutation = hoistThrough(op, invertPermutationVector(permutation));
  if (!commutation)
    return false;
  OpBuilder above(op);
  bool isAny = false;
  for (auto [operand, operandPermutation] :
       llvm::zip_equal(op->getOperands(), commutation->operands)) {
    if (operandPermutation.empty())
      continue;
    isAny = true;
    if (!meetsTranspose(above, operand, invertPermutationVector(operandPermutation)))
      return false;
  }
  return isAny;
}

/// Hoists one transpose past one operation, the last one in the block for which it pays off.
static bool hoistOne(Block &block) {
  for (Operation &op : llvm::reverse(block)) {
    auto transpose = dyn_cast<linalg::TransposeOp>(op);
    if (!transpose || isFree(transpose))
      continue;
    Value source = transpose.getInput();
    Operation *producer = source.getDefiningOp();
    if (!producer || isa<linalg::TransposeOp>(producer) || isFreeToTranspose(source))
      continue;
    OpBuilder builder(transpose);
    if (!meetsTranspose(builder, source, transpose.getPermutation()))
      continue;
    std::optional<Commutation> commutation =
        hoistThrough(producer, invertPermutationVector(transpose.getPermutation()));
    applyCommutation(producer, *commutation);
    simplifyTranspose(transpose);
    return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

static int64_t countTransposes(Block &block) {
  return llvm::count_if(block.getOps<linalg::TransposeOp>(),
                        [](linalg::TransposeOp op) { return !isFree(op); });
}

/// A transpose that only moves dimensions of size 1 as a reshape that drops them and one that adds
/// them.
static void replaceByReshape(linalg::TransposeOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto from = cast<RankedTensorType>(op.getInput().getType()),
       to = cast<RankedTensorType>(op.getResult()[0].getType());
  auto groupUnits = [](RankedTensorType type, SmallVectorImpl<int64_t> &kept) {
    SmallVector<ReassociationIndices> groups;
    ReassociationIndices leading;
    for (auto [dim, size] : llvm::enumerate(type.getShape())) {
      if (size == 1) {
        (groups.empty() ? leading : groups.back()).push_back(dim);
        continue;
      }
      kept.push_back(size);
      groups.push_back(leading);
      leading.clear();
      groups.back().push_back(dim);
    }
    return groups;
  };
  SmallVector<int64_t> kept, keptAgain;
  SmallVector<ReassociationIndices> dropped = groupUnits(from, kept),
                                    added = groupUnits(to, keptAgain);
  SmallVector<OpFoldResult> sizes = layout::permute<OpFoldResult>(
      tensor::getMixedSizes(builder, loc, op.getInput()), op.getPermutation());
  Value result =
      tensor::CollapseShapeOp::create(builder, loc, from.clone(kept), op.getInput(), dropped);
  result = tensor::ExpandShapeOp::create(builder, loc, to, result, added, sizes);
  replaceAndErase(op, result);
}

namespace {
struct PropagateTransposes : tenon::impl::PropagateTransposesBase<PropagateTransposes> {
  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation()->walk([&](Block *block) {
      if (!block->getOps<linalg::TransposeOp>().empty())
        blocks.push_back(block);
    });
    for (Block *block : blocks) {
      int64_t count = countTransposes(*block), before;
      do {
        before = count;
        sinkAll(*block);
        while (hoistOne(*block)) {
        }
        count = countTransposes(*block);
      } while (count < before);
      for (auto op : llvm::make_early_inc_range(block->getOps<linalg::TransposeOp>()))
        if (isFree(op))
          replaceByReshape(op);
      remaining += count;
    }
  }
};
} // namespace
