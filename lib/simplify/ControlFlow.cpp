// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ControlFlow.cpp ----------------------------------------------------===//

#include "lib/simplify/ControlFlow.h"

#include "dialects/plan/Plan.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

Type joinTypes(Type a, Type b) {
  if (a == b)
    return a;
  auto first = dyn_cast<TensorType>(a), second = dyn_cast<TensorType>(b);
  if (first && second) {
    if (first.getElementType() != second.getElementType())
      return {};
    if (!first.hasRank() || !second.hasRank() || first.getRank() != second.getRank())
      return UnrankedTensorType::get(first.getElementType());
    SmallVector<int64_t> shape;
    for (auto [x, y] : llvm::zip_equal(first.getShape(), second.getShape()))
      shape.push_back(x == y ? x : ShapedType::kDynamic);
    return RankedTensorType::get(shape, first.getElementType());
  }
  if (auto x = dyn_cast<onnx::SequenceType>(a), y = dyn_cast<onnx::SequenceType>(b); x && y) {
    Type element = joinTypes(x.getElementType(), y.getElementType());
    return element ? onnx::SequenceType::get(a.getContext(), element) : Type();
  }
  if (auto x = dyn_cast<onnx::OptionalType>(a), y = dyn_cast<onnx::OptionalType>(b); x && y) {
    Type element = joinTypes(x.getElementType(), y.getElementType());
    return element ? onnx::OptionalType::get(a.getContext(), element) : Type();
  }
  return {};
}

namespace {

/// `found` where it says more than `current`, which it must not contradict.
Type refine(Type current, Type found) {
  auto known = dyn_cast<TensorType>(current), news = dyn_cast<TensorType>(found);
  if (!known || !news || known.getElementType() != news.getElementType() || !news.hasRank())
    return joinTypes(current, found) == current ? found : current;
  if (!known.hasRank())
    return found;
  if (known.getRank() != news.getRank())
    return current;
  SmallVector<int64_t> shape(known.getShape());
  for (auto [size, other] : llvm::zip_equal(shape, news.getShape()))
    size = ShapedType::isDynamic(size) ? other : size;
  return RankedTensorType::get(shape, known.getElementType());
}

/// The type without its dimension `axis`, which counts from the back where it is negative.
Type dropDimension(Type type, int64_t axis) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  axis += axis < 0 ? tensor.getRank() : 0;
  if (axis < 0 || axis >= tensor.getRank())
    return UnrankedTensorType::get(tensor.getElementType());
  SmallVector<int64_t> shape(tensor.getShape());
  shape.erase(shape.begin() + axis);
  return RankedTensorType::get(shape, tensor.getElementType());
}

/// The type with a new dimension that becomes dimension `axis`.
Type addDimension(Type type, int64_t axis, int64_t size) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  axis += axis < 0 ? tensor.getRank() + 1 : 0;
  if (axis < 0 || axis > tensor.getRank())
    return UnrankedTensorType::get(tensor.getElementType());
  SmallVector<int64_t> shape(tensor.getShape());
  shape.insert(shape.begin() + axis, size);
  return RankedTensorType::get(shape, tensor.getElementType());
}

/// The types in a body, to be put back before it is inferred again.
class BodyTypes {
public:
  explicit BodyTypes(Region &region) : region(region) {
    visit([&](Value value) { types.push_back(value.getType()); });
  }
  void restore() {
    auto next = types.begin();
    visit([&](Value value) { value.setType(*next++); });
  }

private:
  void visit(llvm::function_ref<void(Value)> action) {
    region.walk<WalkOrder::PreOrder>([&](Operation *op) {
      llvm::for_each(op->getResults(), action);
      for (Region &nested : op->getRegions())
        for (Value argument : nested.getArguments())
          action(argument);
    });
  }

  Region &region;
  SmallVector<Type> types;
};

/// Finds the types of the values that `body` carries: argument `firstArgument` + i is yielded as
/// operand `firstYield` + i and starts as `initial[i]`.
void inferCarried(Region &body, ValueRange initial, unsigned firstArgument, unsigned firstYield,
                  llvm::function_ref<void(Block &)> inferBlock) {
  Block &block = body.front();
  Operation *yield = block.getTerminator();
  BodyTypes types(body);
  SmallVector<Type> carried(initial.getTypes());
  for (bool changed = true; changed;) {
    changed = false;
    types.restore();
    for (auto [i, type] : llvm::enumerate(carried))
      block.getArgument(firstArgument + i).setType(type);
    inferBlock(block);
    for (auto [i, type] : llvm::enumerate(carried)) {
      Type joined = joinTypes(type, yield->getOperand(firstYield + i).getType());
      changed |= joined && joined != type;
      type = joined ? joined : type;
    }
  }
}

void inferIf(onnx::IfOp op, llvm::function_ref<void(Block &)> inferBlock) {
  Block &otherwise = op.getElseBranch().front(), &then = op.getThenBranch().front();
  inferBlock(then);
  inferBlock(otherwise);
  for (auto [result, a, b] : llvm::zip_equal(op.getResults(), then.getTerminator()->getOperands(),
                                             otherwise.getTerminator()->getOperands()))
    if (Type joined = joinTypes(a.getType(), b.getType()))
      result.setType(refine(result.getType(), joined));
}

void inferLoop(onnx::LoopOp op, llvm::function_ref<void(Block &)> inferBlock) {
  Block &body = op.getBody().front();
  // The number of the iteration and the condition are scalars.
  for (unsigned i : {0u, 1u})
    if (auto type = dyn_cast<UnrankedTensorType>(body.getArgument(i).getType()))
      body.getArgument(i).setType(RankedTensorType::get({}, type.getElementType()));
  ValueRange initial = op.getVInitial();
  inferCarried(op.getBody(), initial, /*firstArgument=*/2, /*firstYield=*/1, inferBlock);
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    Type type = i < initial.size() ? body.getArgument(2 + i).getType()
                                   : addDimension(body.getTerminator()->getOperand(1 + i).getType(),
                                                  0, ShapedType::kDynamic);
    result.setType(refine(result.getType(), type));
  }
}

void inferScan(onnx::ScanOp op, llvm::function_ref<void(Block &)> inferBlock) {
  Block &body = op.getBody().front();
  unsigned states = op->getNumOperands() - op.getNumScanInputs();
  std::optional<ArrayRef<int64_t>> axes = op.getScanInputAxes(),
                                   outputAxes = op.getScanOutputAxes();
  int64_t length = ShapedType::kDynamic;
  for (auto [i, input] : llvm::enumerate(op->getOperands().drop_front(states))) {
    int64_t axis = axes && i < axes->size() ? (*axes)[i] : 0;
    body.getArgument(states + i)
        .setType(
            refine(body.getArgument(states + i).getType(), dropDimension(input.getType(), axis)));
    auto type = dyn_cast<RankedTensorType>(input.getType());
    axis += type && axis < 0 ? type.getRank() : 0;
    if (type && axis >= 0 && axis < type.getRank() && !type.isDynamicDim(axis))
      length = type.getDimSize(axis);
  }
  inferCarried(op.getBody(), op->getOperands().take_front(states), 0, 0, inferBlock);
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    Type type = body.getTerminator()->getOperand(i).getType();
    if (i < states) {
      type = body.getArgument(i).getType();
    } else {
      size_t output = i - states;
      type = addDimension(
          type, outputAxes && output < outputAxes->size() ? (*outputAxes)[output] : 0, length);
    }
    result.setType(refine(result.getType(), type));
  }
}

} // namespace

void inferControlFlow(Operation &op, llvm::function_ref<void(Block &)> inferBlock) {
  llvm::TypeSwitch<Operation *>(&op)
      .Case([&](onnx::IfOp branch) { inferIf(branch, inferBlock); })
      .Case([&](onnx::LoopOp loop) { inferLoop(loop, inferBlock); })
      .Case([&](onnx::ScanOp scan) { inferScan(scan, inferBlock); });
}

Block::iterator takeBranch(onnx::IfOp op, bool condition) {
  Block &taken = (condition ? op.getThenBranch() : op.getElseBranch()).front();
  Operation *terminator = taken.getTerminator();
  // Both types tell of one value now. (Arguments have the types of a signature, which stay.)
  for (auto [result, value] : llvm::zip_equal(op->getResults(), terminator->getOperands()))
    if (!isa<BlockArgument>(value))
      value.setType(refine(value.getType(), result.getType()));
  op->replaceAllUsesWith(terminator->getOperands());
  terminator->erase();
  Block::iterator after = std::next(op->getIterator());
  Block::iterator first = taken.empty() ? after : taken.begin();
  op->getBlock()->getOperations().splice(after, taken.getOperations());
  op->erase();
  return first;
}

void eraseDead(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (isOpTriviallyDead(&op)) {
      op.erase();
      continue;
    }
    for (Region &region : op.getRegions())
      for (Block &nested : region)
        eraseDead(nested);
  }
}

void updateResultTypes(func::FuncOp function) {
  Operation *terminator = function.front().getTerminator();
  FunctionType type = function.getFunctionType();
  if (!isa<func::ReturnOp>(terminator) || terminator->getOperandTypes() == type.getResults())
    return;
  Builder builder(function.getContext());
  function.setFunctionType(
      builder.getFunctionType(type.getInputs(), terminator->getOperandTypes()));
  for (auto [i, result] : llvm::enumerate(terminator->getOperandTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(result);
    if (!tensor || !function.getResultAttr(i, plan::nameAttribute) ||
        function.getResultAttr(i, plan::dimsAttribute))
      continue;
    SmallVector<Attribute> dims;
    for (int64_t size : tensor.getShape())
      dims.push_back(ShapedType::isDynamic(size) ? Attribute(builder.getUnitAttr())
                                                 : builder.getI64IntegerAttr(size));
    function.setResultAttr(i, plan::dimsAttribute, builder.getArrayAttr(dims));
  }
}

} // namespace tenon
