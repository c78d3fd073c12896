// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A Loop is an `scf.while` over (iteration, condition, carried tensors, collected tensors, sizes):
// its first region only compares, all work is in the second. A Scan is the same without a
// condition. Sizes are asked for by `tensor.dim` at the end of a body, and resolved when what
// computes the tensor has been lowered.

#include "lib/lower/ControlFlow.h"

#include "lib/lower/HostFunctions.h"

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// An operator of one result.
template <typename Op>
Value createOnnx(OpBuilder &builder, Location loc, Type type, ArrayRef<Value> operands,
                 ArrayRef<NamedAttribute> attributes = {}) {
  return Op::create(builder, loc, ArrayRef(type), operands, attributes)->getResult(0);
}

/// `value` as a value of `type`, which may know more or less of it.
Value convertTo(OpBuilder &builder, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  bool isOptional = isa<onnx::OptionalType>(type),
       wasOptional = isa<onnx::OptionalType>(value.getType());
  if (isOptional && !wasOptional)
    return createOnnx<onnx::OptionalOp>(builder, loc, type, value);
  if (!isOptional && wasOptional)
    return createOnnx<onnx::OptionalGetElementOp>(builder, loc, type, value);
  if (!isObject(type) && !isObject(value.getType()))
    return castTo(builder, loc, value, type);
  return createOnnx<onnx::IdentityOp>(builder, loc, type, value);
}

/// How many sizes are handed on beside a value of this type.
int64_t countSizes(Type type) {
  return isObject(type) ? 0 : cast<RankedTensorType>(type).getNumDynamicDims();
}

/// The types that one branch or iteration hands on, then one index for each dynamic dimension of
/// their tensors.
SmallVector<Type> withSizes(OpBuilder &builder, ArrayRef<Type> types) {
  SmallVector<Type> all(types);
  for (Type type : types)
    all.append(countSizes(type), builder.getIndexType());
  return all;
}

/// `values` as `types`, then their dynamic sizes.
SmallVector<Value> withSizes(OpBuilder &builder, Location loc, ValueRange values,
                             ArrayRef<Type> types) {
  SmallVector<Value> all;
  for (auto [value, type] : llvm::zip_equal(values, types))
    all.push_back(convertTo(builder, loc, value, type));
  for (unsigned i = 0; i < types.size(); ++i) {
    if (countSizes(types[i]) == 0)
      continue;
    // A value that had no rank has one here.
    Value value = isObject(values[i].getType()) ? all[i] : values[i];
    auto type = cast<RankedTensorType>(types[i]);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        all.push_back(IndexBuilder(builder, loc).value(getDim(builder, loc, value, dim)));
  }
  return all;
}

/// The values at the front of `all`, tensors bound to the sizes after them.
SmallVector<Value> bindSizes(OpBuilder &builder, Location loc, ValueRange all,
                             ArrayRef<Type> types) {
  SmallVector<Value> values;
  ValueRange sizes = all.drop_front(types.size());
  for (auto [value, type] : llvm::zip_equal(all.take_front(types.size()), types)) {
    int64_t dynamic = countSizes(type);
    values.push_back(
        dynamic == 0 ? value
                     : plan::SizedOp::create(builder, loc, type, value, sizes.take_front(dynamic))
                           .getResult());
    sizes = sizes.drop_front(dynamic);
  }
  return values;
}

/// Moves the operations of a subgraph to the end of `block`, its inputs being `arguments`; gives
/// what it returns.
SmallVector<Value> moveBody(Block &body, Block *block, ValueRange arguments) {
  Operation *terminator = body.getTerminator();
  for (auto [from, to] : llvm::zip_equal(body.getArguments(), arguments))
    from.replaceAllUsesWith(to);
  block->getOperations().splice(block->end(), body.getOperations());
  SmallVector<Value> returned(terminator->getOperands());
  terminator->erase();
  return returned;
}

/// `value` in place of a result, whose type may know more or less.
void replaceResult(OpBuilder &builder, Value result, Value value) {
  result.replaceAllUsesWith(convertTo(builder, result.getLoc(), value, result.getType()));
}

/// Why a value cannot be handed on by control flow, or nothing.
std::optional<StringRef> whyNot(Type type) {
  if (!isObject(type) && !isa<RankedTensorType>(type))
    return "the type of a value that it carries or gives is not known";
  return std::nullopt;
}

/// Whether a value of type `from` may be a `to`, as far as their types tell.
bool isCompatible(Type from, Type to) {
  // What is there may be an optional, and what an optional holds be taken out of it.
  if (auto optional = dyn_cast<onnx::OptionalType>(from))
    from = optional.getElementType();
  if (auto optional = dyn_cast<onnx::OptionalType>(to))
    to = optional.getElementType();
  if (isa<TensorType>(from) && isa<TensorType>(to))
    return tensor::CastOp::areCastCompatible(from, to);
  return from.getTypeID() == to.getTypeID();
}

constexpr StringLiteral incompatible =
    "a value that it carries or gives has sizes that contradict each other";

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

std::optional<StringRef> structureIf(onnx::IfOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  SmallVector<Type> types(op.getResultTypes());
  for (Type type : types)
    if (std::optional<StringRef> reason = whyNot(type))
      return reason;
  for (Region *region : {&op.getThenBranch(), &op.getElseBranch()})
    for (auto [value, type] :
         llvm::zip_equal(region->front().getTerminator()->getOperands(), types)) {
      if (std::optional<StringRef> reason = whyNot(value.getType()))
        return reason;
      if (!isCompatible(value.getType(), type))
        return incompatible;
    }

  Value condition = readScalar(builder, loc, op.getCond());
  auto branch = scf::IfOp::create(builder, loc, withSizes(builder, types), condition,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  auto fill = [&](Region &from, Block *into) {
    SmallVector<Value> returned = moveBody(from.front(), into, {});
    auto inside = OpBuilder::atBlockEnd(into);
    scf::YieldOp::create(inside, loc, withSizes(inside, loc, returned, types));
  };
  fill(op.getThenBranch(), branch.thenBlock());
  fill(op.getElseBranch(), branch.elseBlock());
  for (auto [result, value] :
       llvm::zip_equal(op.getResults(), bindSizes(builder, loc, branch.getResults(), types)))
    replaceResult(builder, result, value);
  op.erase();
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// What Loop and Scan have in common.
struct LoopForm {
  Operation *op;
  Block *body;
  SmallVector<Value> initial; ///< of what is carried
  Value limit;                ///< iterations at most; null: no limit
  Value condition;            ///< i1 before the first iteration; null: always true
  /// The arguments of the body in an iteration, from its number, condition and carried tensors.
  llvm::function_ref<SmallVector<Value>(OpBuilder &, Value, Value, ArrayRef<Value>)> arguments;
  bool givesCondition; ///< whether the first value that the body returns is a condition
};

/// What holds the rows that are collected: a tensor with a leading dimension of unknown size, or a
/// sequence of the rows, to be joined after the loop.
Type collectedType(Type row) {
  if (isObject(row))
    return onnx::SequenceType::get(row.getContext(), row);
  auto tensor = cast<RankedTensorType>(row);
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  llvm::append_range(shape, tensor.getShape());
  return RankedTensorType::get(shape, tensor.getElementType());
}

class LoopBuilder {
public:
  explicit LoopBuilder(const LoopForm &form)
      : form(form), builder(form.op), loc(form.op->getLoc()) {}

  /// The last values of what is carried, then what was collected; or why not.
  std::variant<SmallVector<Value>, StringRef> build() {
    if (std::optional<StringRef> reason = collectTypes())
      return *reason;
    SmallVector<Value> inits{arith::ConstantIndexOp::create(builder, loc, 0), condition()};
    llvm::append_range(inits, initialValues());
    auto loop = scf::WhileOp::create(
        builder, loc, TypeRange(ValueRange(inits)), inits,
        [&](OpBuilder &nested, Location, ValueRange state) { fillCondition(nested, state); },
        [&](OpBuilder &nested, Location, ValueRange state) { fillBody(nested, state); });
    SmallVector<Value> results = bindSizes(builder, loc, loop.getResults().drop_front(2), types);
    for (size_t i = form.initial.size(); i < results.size(); ++i)
      if (isa<onnx::SequenceType>(types[i]))
        results[i] = createOnnx<onnx::ConcatFromSequenceOp>(
            builder, loc, form.op->getResult(i).getType(), results[i],
            {builder.getNamedAttr("axis", builder.getI64IntegerAttr(0)),
             builder.getNamedAttr("new_axis", builder.getI64IntegerAttr(1))});
    return results;
  }

private:
  std::optional<StringRef> collectTypes() {
    ValueRange yields = form.body->getTerminator()->getOperands();
    yields = yields.drop_front(form.givesCondition);
    unsigned first = form.body->getNumArguments() - form.initial.size();
    for (auto [i, yield] : llvm::enumerate(yields)) {
      if (std::optional<StringRef> reason = whyNot(yield.getType()))
        return reason;
      Type type = yield.getType();
      if (i >= form.initial.size()) {
        types.push_back(collectedType(type));
        continue;
      }
      // The type that every iteration agrees with was found by inference; it is the argument's.
      Type argument = form.body->getArgument(carriedArgument(i, first)).getType();
      Type start = form.initial[i].getType();
      for (Type other : {argument, start})
        if (std::optional<StringRef> reason = whyNot(other))
          return reason;
      if (!isCompatible(type, argument) || !isCompatible(start, argument))
        return incompatible;
      types.push_back(argument);
    }
    return std::nullopt;
  }

  /// Carried tensors are the last arguments of a Loop's body and the first of a Scan's.
  unsigned carriedArgument(unsigned i, unsigned first) const {
    return form.givesCondition ? first + i : i;
  }

  Value condition() {
    return form.condition ? form.condition
                          : arith::ConstantIntOp::create(builder, loc, 1, 1).getResult();
  }

  SmallVector<Value> initialValues() {
    SmallVector<Value> values(form.initial);
    for (Type all : ArrayRef(types).drop_front(form.initial.size())) {
      if (isa<onnx::SequenceType>(all)) {
        values.push_back(createOnnx<onnx::SequenceEmptyOp>(builder, loc, all, {}));
        continue;
      }
      auto type = cast<RankedTensorType>(all);
      // Nothing yet, of rows whose dynamic dimensions the first iteration tells.
      SmallVector<int64_t> shape(type.getShape());
      for (int64_t &size : shape)
        size = ShapedType::isDynamic(size) ? 0 : size;
      auto nothing = DenseElementsAttr::get(RankedTensorType::get(shape, type.getElementType()),
                                            ArrayRef<Attribute>());
      Value constant = onnx::ConstantOp::create(builder, loc, nothing)->getResult(0);
      values.push_back(castTo(builder, loc, constant, type));
    }
    return withSizes(builder, loc, values, types);
  }

  void fillCondition(OpBuilder &nested, ValueRange state) {
    Value more = state[1];
    if (form.limit) {
      Value left =
          arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::slt, state[0], form.limit);
      more = arith::AndIOp::create(nested, loc, left, more);
    }
    scf::ConditionOp::create(nested, loc, more, state);
  }

  void fillBody(OpBuilder &nested, ValueRange state) {
    SmallVector<Value> values = bindSizes(nested, loc, state.drop_front(2), types);
    ArrayRef<Value> carried = ArrayRef(values).take_front(form.initial.size());
    SmallVector<Value> arguments = form.arguments(nested, state[0], state[1], carried);
    Block *block = nested.getInsertionBlock();
    SmallVector<Value> returned = moveBody(*form.body, block, arguments);
    nested.setInsertionPointToEnd(block);

    Value one = arith::ConstantIndexOp::create(nested, loc, 1);
    SmallVector<Value> next{arith::AddIOp::create(nested, loc, state[0], one), state[1]};
    if (form.givesCondition) {
      next[1] = readScalar(nested, loc, returned.front());
      returned.erase(returned.begin());
    }
    for (size_t i = form.initial.size(); i < returned.size(); ++i)
      returned[i] =
          isa<onnx::SequenceType>(types[i])
              ? createOnnx<onnx::SequenceInsertOp>(
                    nested, loc, types[i],
                    {values[i], returned[i], onnx::NoValueOp::create(nested, loc)})
              : plan::AppendOp::create(nested, loc, types[i], returned[i], values[i]).getResult();
    llvm::append_range(next, withSizes(nested, loc, returned, types));
    scf::YieldOp::create(nested, loc, next);
  }

  const LoopForm &form;
  OpBuilder builder;
  Location loc;
  SmallVector<Type> types; ///< of what is carried, then of what is collected
};

/// A tensor of one element, of a type with one element.
Value createSingle(OpBuilder &builder, Location loc, Value element, Type type) {
  auto tensor = dyn_cast_if_present<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || tensor.getNumElements() != 1)
    tensor = RankedTensorType::get({}, element.getType());
  return tensor::FromElementsOp::create(builder, loc, tensor, element);
}

std::optional<StringRef> structureLoop(onnx::LoopOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Block &body = op.getBody().front();
  Type numberType = body.getArgument(0).getType(), conditionType = body.getArgument(1).getType();
  LoopForm form{op, &body, llvm::to_vector(op.getVInitial()), {}, {}, {}, true};
  auto arguments = [&](OpBuilder &nested, Value number, Value condition, ArrayRef<Value> carried) {
    Value integer = arith::IndexCastOp::create(nested, loc, nested.getI64Type(), number);
    SmallVector<Value> all{createSingle(nested, loc, integer, numberType),
                           createSingle(nested, loc, condition, conditionType)};
    llvm::append_range(all, carried);
    return all;
  };
  form.arguments = arguments;
  for (Type type : body.getTerminator()->getOperandTypes())
    if (std::optional<StringRef> reason = whyNot(type))
      return reason;
  if (!onnx::isAbsent(op.getM()))
    form.limit = IndexBuilder(builder, loc).value(getScalarIndex(builder, loc, op.getM()));
  if (!onnx::isAbsent(op.getCond()))
    form.condition = readScalar(builder, loc, op.getCond());
  auto built = LoopBuilder(form).build();
  if (auto *reason = std::get_if<StringRef>(&built))
    return *reason;
  for (auto [result, value] : llvm::zip_equal(op.getResults(), std::get<0>(built)))
    replaceResult(builder, result, value);
  op.erase();
  return std::nullopt;
}

/// The entry of a list with one for each scan input or output, which may be absent.
int64_t entryOr(std::optional<ArrayRef<int64_t>> list, size_t position, int64_t otherwise) {
  return list && position < list->size() ? (*list)[position] : otherwise;
}

/// What a Scan collected, in the order and along the axis that it asks for.
Value arrangeCollected(OpBuilder &builder, Location loc, Value value, int64_t axis, bool reversed) {
  auto type = cast<RankedTensorType>(value.getType());
  if (reversed) {
    auto vector = [&](int64_t element) -> Value {
      auto elements =
          DenseElementsAttr::get(RankedTensorType::get({1}, builder.getI64Type()), element);
      return onnx::ConstantOp::create(builder, loc, elements)->getResult(0);
    };
    Value last = vector(-1), beforeFirst = vector(std::numeric_limits<int64_t>::min());
    value = createOnnx<onnx::SliceOp>(builder, loc, type,
                                      {value, last, beforeFirst, vector(0), vector(-1)});
  }
  if (axis == 0)
    return value;
  // Dimension 0 becomes dimension `axis`.
  SmallVector<int64_t> permutation, shape;
  for (int64_t dim = 1; dim < type.getRank(); ++dim)
    permutation.push_back(dim);
  permutation.insert(permutation.begin() + axis, 0);
  for (int64_t dim : permutation)
    shape.push_back(type.getDimSize(dim));
  return createOnnx<onnx::TransposeOp>(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value,
      builder.getNamedAttr("perm", builder.getDenseI64ArrayAttr(permutation)));
}

std::optional<StringRef> structureScan(onnx::ScanOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Block &body = op.getBody().front();
  unsigned states = op->getNumOperands() - op.getNumScanInputs();
  ValueRange inputs = ValueRange(op->getOperands()).drop_front(states);
  for (Type type : llvm::concat<const Type>(
           op->getOperandTypes(), body.getTerminator()->getOperandTypes(), body.getArgumentTypes()))
    if (std::optional<StringRef> reason = whyNot(type))
      return reason;
  for (Value input : inputs)
    if (isObject(input.getType()))
      return "a value that it scans is not a tensor of numbers with a known number of dimensions";
  SmallVector<int64_t> axes, outputAxes;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    FailureOr<int64_t> axis = normalizeAxis(entryOr(op.getScanInputAxes(), i, 0), getRank(input));
    if (failed(axis))
      return "an axis of scan_input_axes is not one of the input's";
    axes.push_back(*axis);
  }
  for (size_t i = states; i < op->getNumResults(); ++i) {
    Value given = body.getTerminator()->getOperand(i);
    if (isObject(given.getType()))
      return "a value that it collects is not a tensor of numbers with a known number of "
             "dimensions";
    FailureOr<int64_t> axis =
        normalizeAxis(entryOr(op.getScanOutputAxes(), i - states, 0), getRank(given) + 1);
    if (failed(axis))
      return "an axis of scan_output_axes is not one of the output's";
    outputAxes.push_back(*axis);
  }

  LoopForm form{op, &body, llvm::to_vector(op->getOperands().take_front(states)), {}, {},
                {}, false};
  form.limit = IndexBuilder(builder, loc).value(getDim(builder, loc, inputs.front(), axes.front()));
  auto arguments = [&](OpBuilder &nested, Value number, Value, ArrayRef<Value> carried) {
    SmallVector<Value> all(carried);
    for (auto [i, input] : llvm::enumerate(inputs)) {
      Value position = number;
      if (entryOr(op.getScanInputDirections(), i, 0) == 1) {
        Value one = arith::ConstantIndexOp::create(nested, loc, 1);
        position = arith::SubIOp::create(
            nested, loc, arith::SubIOp::create(nested, loc, form.limit, one), number);
      }
      position = arith::IndexCastOp::create(nested, loc, nested.getI64Type(), position);
      Value index = createSingle(nested, loc, position, {});
      SmallVector<int64_t> shape(cast<RankedTensorType>(input.getType()).getShape());
      shape.erase(shape.begin() + axes[i]);
      Value row = createOnnx<onnx::GatherOp>(
          nested, loc, RankedTensorType::get(shape, getElementType(input)), {input, index},
          nested.getNamedAttr("axis", nested.getI64IntegerAttr(axes[i])));
      all.push_back(castTo(nested, loc, row, body.getArgument(states + i).getType()));
    }
    return all;
  };
  form.arguments = arguments;
  auto built = LoopBuilder(form).build();
  if (auto *reason = std::get_if<StringRef>(&built))
    return *reason;
  for (auto [i, value] : llvm::enumerate(std::get<0>(built))) {
    if (i >= states)
      value = arrangeCollected(builder, loc, value, outputAxes[i - states],
                               entryOr(op.getScanOutputDirections(), i - states, 0) == 1);
    replaceResult(builder, op->getResult(i), value);
  }
  op.erase();
  return std::nullopt;
}

} // namespace

void lower::structureControlFlow(ModuleOp module,
                                 llvm::function_ref<void(Operation *op, StringRef reason)> refuse) {
  // Inner ones first: what is left inside of one is moved with its operators.
  SmallVector<Operation *> found;
  module.walk([&](Operation *op) {
    if (isa<onnx::IfOp, onnx::LoopOp, onnx::ScanOp>(op))
      found.push_back(op);
  });
  for (Operation *op : found) {
    std::optional<StringRef> reason;
    if (auto branch = dyn_cast<onnx::IfOp>(op))
      reason = structureIf(branch);
    else if (auto loop = dyn_cast<onnx::LoopOp>(op))
      reason = structureLoop(loop);
    else
      reason = structureScan(cast<onnx::ScanOp>(op));
    if (reason)
      refuse(op, *reason);
  }
}
