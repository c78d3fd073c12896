// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Grouping.cpp -------------------------------------------------------===//
//
// One walk in program order. An operation joins the group of the latest of its
// producers that can take it, else it founds a group. Joining the latest keeps
// the other operands available; that nothing goes round through an operation
// outside the group is checked by a search backwards, bounded by the group's
// first operation.
//
//===----------------------------------------------------------------------===//

#include "lib/fuse/Grouping.h"

#include "dialects/nn/Nn.h"
#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tenon {

bool isRematerialized(Operation &op) {
  if (isa<tensor::EmptyOp, linalg::FillOp>(op))
    return true;
  if (auto elements = dyn_cast<tensor::FromElementsOp>(op))
    return elements.getType().getNumElements() == 1;
  DenseElementsAttr constant;
  return matchPattern(&op, m_Constant(&constant)) && constant.isSplat();
}

bool isFloatArithmetic(Operation &op) {
  if (op.getNumResults() != 1 || op.getNumRegions() != 0 || op.hasTrait<OpTrait::ConstantLike>())
    return false;
  Type result = op.getResult(0).getType();
  if (isa<tensor::ExtractOp>(op))
    return isa<FloatType>(result);
  return isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) && !isa<ShapedType>(result) &&
         (isa<FloatType>(result) || llvm::any_of(op.getOperandTypes(), llvm::IsaPred<FloatType>));
}

bool isControlFlow(Operation &op) {
  return isa<scf::IfOp, scf::WhileOp>(op) ||
         (isa<arith::SelectOp>(op) && !isa<TensorType>(op.getOperand(0).getType()));
}

bool isKernelWork(Operation &op) {
  if (isRematerialized(op) || op.hasTrait<OpTrait::IsTerminator>())
    return false;
  if (isa<plan::DispatchOp, plan::ReshapeOp, plan::ReinterpretOp, plan::GetWeightOp,
          plan::TransferOp, plan::SizedOp, plan::AppendOp, plan::UnwrapOp>(op) ||
      op.hasTrait<OpTrait::ConstantLike>() || isControlFlow(op))
    return false;
  return llvm::any_of(op.getResultTypes(), llvm::IsaPred<TensorType>);
}

namespace {

/// Leading results of `map` that are the dimensions 0, 1, 2, ... in order.
int64_t identityPrefix(AffineMap map) {
  int64_t prefix = 0;
  for (AffineExpr result : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(result);
    if (!dim || static_cast<int64_t>(dim.getPosition()) != prefix)
      break;
    ++prefix;
  }
  return prefix;
}

bool isElementwise(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getNumLoops() == generic.getNumParallelLoops() &&
         llvm::all_of(generic.getDpsInitsMutable(), [&](OpOperand &init) {
           return generic.getMatchingIndexingMap(&init).isIdentity();
         });
}

/// Leading dimensions over which `op` works row by row: all of an elementwise
/// operation's; those before the reduced ones, where the reduced ones trail.
/// 0 where it does not work that way.
int64_t rowDims(Operation *op) {
  if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op)) {
    int64_t rank = softmax.getInputOperandRank();
    return static_cast<int64_t>(softmax.getDimension()) == rank - 1 ? rank - 1 : 0;
  }
  if (auto normalize = dyn_cast<nn::NormalizeOp>(op))
    return normalize.getAxis();
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return 0;
  if (isElementwise(op))
    return generic.getNumLoops();
  // A reduction of rows reads one operand along all of its loops; a contraction's
  // operands each lack some.
  auto iterators = generic.getIteratorTypesArray();
  int64_t parallel = llvm::find(iterators, utils::IteratorType::reduction) - iterators.begin();
  if (parallel == 0 || parallel != static_cast<int64_t>(generic.getNumParallelLoops()))
    return 0;
  for (OpOperand *input : generic.getDpsInputOperands()) {
    AffineMap map = generic.getMatchingIndexingMap(input);
    if (!map.isIdentity() && identityPrefix(map) != static_cast<int64_t>(map.getNumResults()))
      return 0;
  }
  for (OpOperand &init : generic.getDpsInitsMutable())
    if (identityPrefix(generic.getMatchingIndexingMap(&init)) < parallel)
      return 0;
  return parallel;
}

/// Leading dimensions that `use` reads in step with the loops of its owner.
int64_t sharedPrefix(OpOperand &use) {
  Operation *op = use.getOwner();
  int64_t rank = cast<RankedTensorType>(use.get().getType()).getRank();
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return identityPrefix(generic.getMatchingIndexingMap(&use));
  // Softmax and normalisation read their first operand row by row.
  return use.getOperandNumber() == 0 ? rank : 0;
}

class Grouper {
public:
  Grouper(Block &block, bool separate) : block(block), separate(separate) {}

  std::vector<std::unique_ptr<KernelGroup>> run() {
    int64_t position = 0;
    for (Operation &op : block) {
      positions[&op] = position++;
      if (!isKernelWork(op))
        continue;
      if (!separate && joinProducer(&op))
        continue;
      auto group = std::make_unique<KernelGroup>();
      group->operations.push_back(&op);
      group->sharedDims = rowDims(&op);
      group->rowWise = group->sharedDims > 0;
      groupOf[&op] = group.get();
      groups.push_back(std::move(group));
    }
    for (size_t i = 0; i < groups.size(); ++i)
      splitAtResults(*groups[i]);
    return std::move(groups);
  }

private:
  /// A kernel gives what its last operation gives: one tile of one shape is then all that a group
  /// of threads writes. Where another member's value is used outside, the group ends with that
  /// member.
  void splitAtResults(KernelGroup &group) {
    for (size_t i = 0; i + 1 < group.operations.size(); ++i) {
      Operation *op = group.operations[i];
      if (llvm::all_of(op->getUsers(),
                       [&](Operation *user) { return groupOf.lookup(user) == &group; }))
        continue;
      auto rest = std::make_unique<KernelGroup>();
      rest->operations.assign(group.operations.begin() + i + 1, group.operations.end());
      group.operations.truncate(i + 1);
      for (Operation *member : rest->operations)
        groupOf[member] = rest.get();
      groups.push_back(std::move(rest));
      // What the rest reads of the first part is now used outside of it.
      return splitAtResults(group);
    }
  }

  bool joinProducer(Operation *op) {
    // Latest producer first.
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : op->getOpOperands())
      if (Operation *producer = use.get().getDefiningOp(); producer && groupOf.contains(producer))
        uses.push_back(&use);
    llvm::sort(uses, [&](OpOperand *a, OpOperand *b) {
      int64_t left = positions[a->get().getDefiningOp()],
              right = positions[b->get().getDefiningOp()];
      return left != right ? left > right : a->getOperandNumber() < b->getOperandNumber();
    });
    for (OpOperand *use : uses) {
      KernelGroup &group = *groupOf[use->get().getDefiningOp()];
      int64_t shared = canJoin(*use, group);
      if (shared == 0 || !staysConvex(op, group))
        continue;
      group.operations.push_back(op);
      group.sharedDims = shared;
      groupOf[op] = &group;
      return true;
    }
    return false;
  }

  /// The leading dimensions that `group` shares once the owner of `use` has joined it; 0: it
  /// cannot.
  int64_t canJoin(OpOperand &use, KernelGroup &group) {
    Operation *op = use.getOwner();
    Value value = use.get();
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    if (!group.rowWise) {
      // Moved data is what the tile of an elementwise operation would have to be gathered from,
      // piece by piece.
      if (isa<tensor::TensorDialect>(group.operations.front()->getDialect()))
        return 0;
      // An epilogue: elementwise over the whole result, which nothing else reads.
      if (!isElementwise(op) ||
          !llvm::all_of(value.getUsers(), [&](Operation *user) { return user == op; }))
        return 0;
      auto generic = cast<linalg::GenericOp>(op);
      if (generic->getNumResults() != 1 || static_cast<int64_t>(generic.getNumLoops()) != rank)
        return 0;
      for (OpOperand &operand : op->getOpOperands())
        if (operand.get() == value && !generic.getMatchingIndexingMap(&operand).isIdentity())
          return 0;
      return std::max<int64_t>(rank, 1);
    }
    // What is made of positions alone cannot become part of a reduction: nothing else has the
    // reduced dimension. Its rows would have to be kept whole, which takes memory without a bound
    // where their length is not known.
    auto made = value.getDefiningOp<linalg::GenericOp>();
    if (made && made.getNumDpsInputs() == 0 && !isElementwise(op) &&
        !cast<RankedTensorType>(value.getType()).hasStaticShape())
      return 0;
    // Dimensions may be lost to a reduction that joins, not to a broadcast: that would compute rows
    // again.
    int64_t shared = std::min(group.sharedDims, rowDims(op));
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *producer = operand.get().getDefiningOp();
      if (producer && groupOf.lookup(producer) == &group && sharedPrefix(operand) < shared)
        return 0;
    }
    return shared;
  }

  /// Whether no operand of `op` that lies outside of `group` depends on it. Groups run as a whole:
  /// what one member waits for, all its group waits for.
  bool staysConvex(Operation *op, KernelGroup &group) {
    int64_t first = positions[group.operations.front()];
    SetVector<Operation *> pending;
    pending.insert(op);
    for (size_t i = 0; i < pending.size(); ++i) {
      // What is used in the regions of an operation is needed before it runs, too.
      llvm::SetVector<Value> needed(pending[i]->operand_begin(), pending[i]->operand_end());
      getUsedValuesDefinedAbove(pending[i]->getRegions(), needed);
      for (Value operand : needed) {
        Operation *producer = operand.getDefiningOp();
        if (!producer || producer->getBlock() != &block || positions.lookup(producer) < first)
          continue;
        KernelGroup *other = groupOf.lookup(producer);
        if (other == &group) {
          if (i != 0)
            return false;
          continue;
        }
        pending.insert(producer);
        if (other)
          pending.insert(other->operations.begin(), other->operations.end());
      }
    }
    return true;
  }

  Block &block;
  bool separate;
  llvm::DenseMap<Operation *, int64_t> positions;
  llvm::DenseMap<Operation *, KernelGroup *> groupOf;
  std::vector<std::unique_ptr<KernelGroup>> groups;
};

} // namespace

std::vector<std::unique_ptr<KernelGroup>> groupOperations(Block &block, bool separate) {
  return Grouper(block, separate).run();
}

} // namespace tenon
