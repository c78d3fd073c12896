// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How linalg.generic works on permuted dimensions: its indexing maps absorb the permutation of any
// operand, and its loops are interchanged so that the result is written in order.
//
// What matters about an operand is which of its dimensions move with which dimension of the result.
// An operand that covers all dimensions of the result is one that transposes are worth moving for;
// one that is broadcast along some is indexed differently and otherwise left alone. Contractions
// are left alone altogether: reading a transposed operand is part of what a kernel for them does.

#include "lib/layout/Commute.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::layout;

namespace {

constexpr int64_t none = -1;

/// How the operands of a linalg.generic relate to its result.
class Relation {
public:
  /// Nothing if the operation is one that does not commute.
  static std::optional<Relation> get(linalg::GenericOp op) {
    if (op.getNumDpsInits() != 1 || op.getNumResults() != 1)
      return std::nullopt;
    Relation relation(op);
    if (!relation.init.isProjectedPermutation())
      return std::nullopt;
    unsigned covering = 0;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<RankedTensorType>(operand.get().getType())) {
        relation.positions.emplace_back();
        continue;
      }
      std::optional<SmallVector<int64_t>> positions = relation.findPositions(operand);
      if (!positions)
        return std::nullopt;
      relation.positions.push_back(*positions);
      covering += op.isDpsInput(&operand) && relation.covers(operand);
    }
    if (op.getNumReductionLoops() != 0 && covering > 1)
      return std::nullopt;
    return relation;
  }

  int64_t getRank() const { return init.getNumResults(); }

  /// For each dimension of the operand, that dimension of the result that it moves with, or none.
  ArrayRef<int64_t> getPositions(OpOperand &operand) const {
    return positions[operand.getOperandNumber()];
  }

  /// Whether the operand has all dimensions of the result (those of size 1 do not count).
  bool covers(OpOperand &operand) const {
    for (int64_t position = 0; position < getRank(); ++position)
      if (resultType.getDimSize(position) != 1 &&
          !llvm::is_contained(getPositions(operand), position))
        return false;
    return true;
  }

  /// The permutation of an operand that makes its dimensions come in the order of the permuted
  /// result's.
  Permutation follow(OpOperand &operand, ArrayRef<int64_t> result) const {
    ArrayRef<int64_t> positions = getPositions(operand);
    // A dimension that moves with none stays behind the one before it.
    SmallVector<std::pair<int64_t, int64_t>> order;
    int64_t key = none;
    for (auto [dim, position] : llvm::enumerate(positions)) {
      if (position != none)
        key = result[position];
      order.emplace_back(key, dim);
    }
    llvm::sort(order);
    Permutation permutation(order.size());
    for (auto [next, entry] : llvm::enumerate(order))
      permutation[entry.second] = next;
    return permutation;
  }

private:
  explicit Relation(linalg::GenericOp op)
      : op(op), init(op.getMatchingIndexingMap(op.getDpsInitOperand(0))),
        resultType(cast<RankedTensorType>(op.getResult(0).getType())) {}

  // A dimension moves with that of the result whose loop its index depends on. Two at once have no
  // place to go.
  std::optional<SmallVector<int64_t>> findPositions(OpOperand &operand) const {
    SmallVector<int64_t> positions;
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
      int64_t found = none;
      for (auto [position, loop] : llvm::enumerate(init.getResults())) {
        if (!expr.isFunctionOfDim(cast<AffineDimExpr>(loop).getPosition()))
          continue;
        if (found != none || llvm::is_contained(positions, static_cast<int64_t>(position)))
          return std::nullopt;
        found = position;
      }
      positions.push_back(found);
    }
    return positions;
  }

  mutable linalg::GenericOp op;
  AffineMap init;
  RankedTensorType resultType;
  SmallVector<SmallVector<int64_t>> positions;
};

} // namespace

// The commutation for a permutation of the result. `carrier`, if any, is permuted by `carried`.
static Commutation relate(linalg::GenericOp op, const Relation &relation, ArrayRef<int64_t> result,
                          OpOperand *carrier, ArrayRef<int64_t> carried) {
  Commutation commutation{Permutation(result), {}};
  for (OpOperand &operand : op->getOpOperands()) {
    Permutation &permutation = commutation.operands.emplace_back();
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    if (&operand == carrier)
      permutation = Permutation(carried);
    else if (linalg::TransposeOp transpose = getTranspose(operand.get());
             transpose && !relation.covers(operand))
      permutation = Permutation(transpose.getPermutation());
    else if (relation.covers(operand) && relation.getRank() != 0)
      permutation = relation.follow(operand, result);
    if (isIdentityPermutation(permutation))
      permutation.clear();
  }
  return commutation;
}

std::optional<Commutation> layout::detail::sinkThroughGeneric(OpOperand &operand,
                                                              ArrayRef<int64_t> permutation) {
  auto op = cast<linalg::GenericOp>(operand.getOwner());
  std::optional<Relation> relation = Relation::get(op);
  if (!relation || !op.isDpsInput(&operand) || !relation->covers(operand))
    return std::nullopt;
  // The result's dimensions in the order of the unpermuted operand; those of size 1 that the
  // operand lacks stay behind the one before them.
  SmallVector<int64_t> order;
  ArrayRef<int64_t> positions = relation->getPositions(operand);
  for (int64_t dim : invertPermutationVector(permutation))
    if (positions[dim] != none)
      order.push_back(positions[dim]);
  for (int64_t position = 0; position < relation->getRank(); ++position)
    if (!llvm::is_contained(order, position)) {
      auto before = llvm::find(order, position - 1);
      order.insert(before == order.end() ? order.begin() : std::next(before), position);
    }
  return relate(op, *relation, invertPermutationVector(order), &operand, permutation);
}

std::optional<Commutation> layout::detail::hoistThroughGeneric(linalg::GenericOp op,
                                                               ArrayRef<int64_t> permutation) {
  std::optional<Relation> relation = Relation::get(op);
  // The dimensions that a reduction removes could stand anywhere in the operand.
  if (!relation || op.getNumReductionLoops() != 0)
    return std::nullopt;
  return relate(op, *relation, permutation, nullptr, {});
}

// The loops in the order of the permuted result, and then in the order in which the operands use
// the others.
static SmallVector<unsigned> orderLoops(linalg::GenericOp op, ArrayRef<AffineMap> maps) {
  llvm::SetVector<unsigned> loops;
  auto addLoops = [&](AffineMap map) {
    for (AffineExpr expr : map.getResults())
      expr.walk([&](AffineExpr part) {
        if (auto dim = dyn_cast<AffineDimExpr>(part))
          loops.insert(dim.getPosition());
      });
  };
  addLoops(maps.back());
  for (AffineMap map : maps)
    addLoops(map);
  return loops.takeVector();
}

Value layout::detail::commuteGeneric(OpBuilder &builder, linalg::GenericOp op,
                                     const Commutation &commutation) {
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (OpOperand &operand : op->getOpOperands()) {
    ArrayRef<int64_t> permutation = commutation.operands[operand.getOperandNumber()];
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (permutation.empty()) {
      operands.push_back(operand.get());
      maps.push_back(map);
      continue;
    }
    Permutation order = invertPermutationVector(permutation);
    Value value = operand.get();
    // Where the initial value is not read, only its shape matters.
    if (op.isDpsInit(&operand) && !op.payloadUsesValueFromOperand(&operand)) {
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, op.getLoc(), value);
      operands.push_back(tensor::EmptyOp::create(builder, op.getLoc(),
                                                 layout::permute<OpFoldResult>(sizes, order),
                                                 getElementTypeOrSelf(value)));
    } else {
      operands.push_back(createTranspose(builder, op.getLoc(), value, order));
    }
    maps.push_back(AffineMap::get(map.getNumDims(), 0, layout::permute(map.getResults(), order),
                                  builder.getContext()));
  }

  SmallVector<unsigned> loops = orderLoops(op, maps);
  SmallVector<AffineExpr> newLoops(loops.size());
  SmallVector<utils::IteratorType> iterators, oldIterators = op.getIteratorTypesArray();
  for (auto [position, loop] : llvm::enumerate(loops)) {
    newLoops[loop] = builder.getAffineDimExpr(position);
    iterators.push_back(oldIterators[loop]);
  }
  for (AffineMap &map : maps)
    map = map.replaceDimsAndSymbols(newLoops, {}, loops.size(), 0);

  auto created =
      linalg::GenericOp::create(builder, op.getLoc(), operands.back().getType(),
                                ArrayRef(operands).drop_back(), operands.back(), maps, iterators);
  IRMapping mapping;
  op.getRegion().cloneInto(&created.getRegion(), mapping);
  created.walk([&](linalg::IndexOp index) {
    index.setDim(cast<AffineDimExpr>(newLoops[index.getDim()]).getPosition());
  });
  return created.getResult(0);
}
