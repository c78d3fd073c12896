// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FoldSequences.cpp - sequences and optionals that are known ---------===//
//
// A sequence is known where the operators that make it are: then its elements are
// values of the graph, and what reads it reads those. One walk in order, so that
// what an operator makes is known before what reads it is looked at. A sequence
// that nothing reads any more disappears.
//
// Only what cannot fail is folded: that a position is in the sequence, and that the
// parts of a split add up, is known here or left to the run.
//
//===----------------------------------------------------------------------===//

#include "lib/simplify/ControlFlow.h"
#include "lib/simplify/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_FOLDSEQUENCES
#include "lib/simplify/Passes.h.inc"

namespace {

/// Longer ones are left to the run: a sequence that grows element by element is a list of each
/// length.
constexpr size_t mostElements = 256;

/// The elements of a small constant of integers.
std::optional<SmallVector<int64_t>> getIntegers(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !isa<IntegerType>(elements.getElementType()) ||
      elements.getNumElements() > static_cast<int64_t>(mostElements))
    return std::nullopt;
  return llvm::map_to_vector(elements.getValues<APInt>(),
                             [](const APInt &element) { return element.getSExtValue(); });
}

class SequenceFolder {
public:
  explicit SequenceFolder(MLIRContext *context) : builder(UnknownLoc::get(context), context) {}

  void run(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      builder.setInsertionPoint(&op);
      builder.setLoc(op.getLoc());
      llvm::TypeSwitch<Operation *>(&op)
          .Case<onnx::SequenceConstructOp, onnx::SequenceEmptyOp, onnx::SequenceInsertOp,
                onnx::SequenceEraseOp, onnx::SplitToSequenceOp, onnx::SequenceAtOp,
                onnx::SequenceLengthOp, onnx::ConcatFromSequenceOp, onnx::OptionalGetElementOp,
                onnx::OptionalHasElementOp>([&](auto known) { fold(known); });
      for (Region &region : op.getRegions())
        for (Block &nested : region)
          run(nested);
    }
  }

private:
  //===--- what makes sequences -------------------------------------------===//

  void fold(onnx::SequenceConstructOp op) { remember(op, llvm::to_vector(op->getOperands())); }
  void fold(onnx::SequenceEmptyOp op) { remember(op, {}); }

  void fold(onnx::SequenceInsertOp op) {
    auto found = elements.find(op.getInputSequence());
    if (found == elements.end())
      return;
    SmallVector<Value> all = found->second;
    std::optional<size_t> position = onnx::isAbsent(op.getPosition())
                                         ? all.size()
                                         : getPosition(op.getPosition(), all.size(), 1);
    if (!position)
      return;
    all.insert(all.begin() + *position, op.getTensor());
    remember(op, std::move(all));
  }

  void fold(onnx::SequenceEraseOp op) {
    auto found = elements.find(op.getInputSequence());
    if (found == elements.end() || found->second.empty())
      return;
    SmallVector<Value> all = found->second;
    std::optional<size_t> position = onnx::isAbsent(op.getPosition())
                                         ? all.size() - 1
                                         : getPosition(op.getPosition(), all.size());
    if (!position)
      return;
    all.erase(all.begin() + *position);
    remember(op, std::move(all));
  }

  /// The parts are slices, which nobody computes unless they are read.
  void fold(onnx::SplitToSequenceOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
    int64_t axis = op.getAxis();
    if (!type || axis < -type.getRank() || axis >= type.getRank())
      return;
    axis += axis < 0 ? type.getRank() : 0;
    int64_t size = type.getDimSize(axis);
    if (ShapedType::isDynamic(size) || size > static_cast<int64_t>(mostElements))
      return;
    std::optional<SmallVector<int64_t>> parts = getParts(op, size);
    if (!parts)
      return;
    bool dropsAxis = onnx::isAbsent(op.getSplit()) && op.getKeepdims() == 0;
    SmallVector<Value> all;
    int64_t start = 0;
    for (int64_t part : *parts) {
      all.push_back(slice(op.getInput(), type, axis, start, part, dropsAxis));
      start += part;
    }
    remember(op, std::move(all));
  }

  std::optional<SmallVector<int64_t>> getParts(onnx::SplitToSequenceOp op, int64_t size) {
    if (onnx::isAbsent(op.getSplit()))
      return SmallVector<int64_t>(size, 1);
    std::optional<SmallVector<int64_t>> split = getIntegers(op.getSplit());
    auto type = dyn_cast<RankedTensorType>(op.getSplit().getType());
    if (!split || !type)
      return std::nullopt;
    if (type.getRank() == 0) {
      int64_t part = split->front();
      if (part <= 0)
        return std::nullopt;
      SmallVector<int64_t> parts(size / part, part);
      if (size % part != 0)
        parts.push_back(size % part);
      return parts;
    }
    bool isWhole = llvm::all_of(*split, [](int64_t part) { return part >= 0; }) &&
                   std::accumulate(split->begin(), split->end(), int64_t(0)) == size;
    return isWhole ? split : std::nullopt;
  }

  //===--- what reads them ------------------------------------------------===//

  void fold(onnx::SequenceAtOp op) {
    auto found = elements.find(op.getInputSequence());
    if (found == elements.end())
      return;
    if (std::optional<size_t> at = getPosition(op.getPosition(), found->second.size()))
      replace(op, found->second[*at]);
  }

  void fold(onnx::SequenceLengthOp op) {
    auto found = elements.find(op.getInputSequence());
    if (found == elements.end())
      return;
    auto type = RankedTensorType::get({}, builder.getI64Type());
    auto length = static_cast<int64_t>(found->second.size());
    replace(op, constant(DenseElementsAttr::get(type, length)));
  }

  void fold(onnx::ConcatFromSequenceOp op) {
    auto found = elements.find(op.getInputSequence());
    if (found == elements.end() || found->second.empty())
      return;
    SmallVector<Value> all = found->second;
    auto first = dyn_cast<RankedTensorType>(all.front().getType());
    if (!first)
      return;
    bool isNew = op.getNewAxis() != 0;
    int64_t rank = first.getRank() + isNew, axis = op.getAxis();
    for (Value element : all)
      if (auto type = dyn_cast<RankedTensorType>(element.getType());
          !type || type.getRank() != first.getRank())
        return;
    if (axis < -rank || axis >= rank)
      return;
    axis += axis < 0 ? rank : 0;
    for (Value &element : all)
      if (isNew)
        element = unsqueeze(element, axis);
    replace(op,
            onnx::ConcatOp::create(builder, TypeRange(op.getConcatResult().getType()), all,
                                   builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis)))
                ->getResult(0));
  }

  //===--- optionals ------------------------------------------------------===//

  /// What an optional holds, if that is known; a value that is no optional is one that is there.
  static Value getContent(Value value) {
    if (onnx::isAbsent(value))
      return {};
    if (auto made = value.getDefiningOp<onnx::OptionalOp>())
      return onnx::isAbsent(made.getInput()) ? Value() : made.getInput();
    return isa<onnx::OptionalType, onnx::UnknownType>(value.getType()) ? Value() : value;
  }

  void fold(onnx::OptionalGetElementOp op) {
    if (Value content = getContent(op.getInput()))
      replace(op, content);
  }

  void fold(onnx::OptionalHasElementOp op) {
    bool isAbsent = onnx::isAbsent(op.getInput());
    if (!isAbsent && !getContent(op.getInput()))
      return;
    auto type = RankedTensorType::get({}, builder.getI1Type());
    replace(op, constant(DenseElementsAttr::get(type, !isAbsent)));
  }

  //===--- making values --------------------------------------------------===//

  void remember(Operation *op, SmallVector<Value> values) {
    if (values.size() <= mostElements)
      elements[op->getResult(0)] = std::move(values);
  }

  /// A constant position in a sequence, from the end where it is negative; it may be up to `beyond`
  /// the last one.
  static std::optional<size_t> getPosition(Value position, size_t size, size_t beyond = 0) {
    std::optional<SmallVector<int64_t>> known = getIntegers(position);
    if (!known || known->size() != 1)
      return std::nullopt;
    auto count = static_cast<int64_t>(size);
    int64_t at = known->front() < 0 ? known->front() + count : known->front();
    if (at < 0 || at >= count + static_cast<int64_t>(beyond))
      return std::nullopt;
    return static_cast<size_t>(at);
  }

  /// `value` in the place of a result, if its type tells no less.
  void replace(Operation *op, Value value) {
    Type type = op->getResult(0).getType();
    if (joinTypes(value.getType(), type) != type)
      return;
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }

  Value constant(DenseElementsAttr value) {
    return onnx::ConstantOp::create(builder, value)->getResult(0);
  }

  Value integers(ArrayRef<int64_t> values) {
    auto type = RankedTensorType::get(static_cast<int64_t>(values.size()), builder.getI64Type());
    return constant(DenseElementsAttr::get(type, values));
  }

  Value slice(Value input, RankedTensorType type, int64_t axis, int64_t start, int64_t size,
              bool dropsAxis) {
    SmallVector<int64_t> shape(type.getShape());
    shape[axis] = size;
    Value none = onnx::NoValueOp::create(builder)->getResult(0);
    Value part =
        onnx::SliceOp::create(
            builder, TypeRange(RankedTensorType::get(shape, type.getElementType())),
            ValueRange{input, integers(start), integers(start + size), integers(axis), none})
            ->getResult(0);
    if (!dropsAxis)
      return part;
    shape.erase(shape.begin() + axis);
    return onnx::SqueezeOp::create(builder,
                                   TypeRange(RankedTensorType::get(shape, type.getElementType())),
                                   ValueRange{part, integers(axis)})
        ->getResult(0);
  }

  Value unsqueeze(Value value, int64_t axis) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape.insert(shape.begin() + axis, 1);
    return onnx::UnsqueezeOp::create(builder,
                                     TypeRange(RankedTensorType::get(shape, type.getElementType())),
                                     ValueRange{value, integers(axis)})
        ->getResult(0);
  }

  ImplicitLocOpBuilder builder;
  llvm::DenseMap<Value, SmallVector<Value>> elements;
};

struct FoldSequences : impl::FoldSequencesBase<FoldSequences> {
  void runOnOperation() override {
    if (!getOperation().getBody().hasOneBlock())
      return;
    SequenceFolder(&getContext()).run(getOperation().front());
    eraseDead(getOperation().front());
    updateResultTypes(getOperation());
  }
};

} // namespace
} // namespace tenon
