// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ScheduleProgram.cpp - dispatches into launches ---------------------===//
//
// One walk over the model's function, which holds only dispatches, reshapes,
// weights, constants, scalars and control flow by now. The order of commands is
// the order of the dispatches: with one device and one queue there is nothing to
// gain from another, and the order that lowering left keeps lifetimes short.
//
//===----------------------------------------------------------------------===//

#include "lib/schedule/Scheduler.h"

#include "lib/fuse/Grouping.h"
#include "lib/schedule/NodeName.h"
#include "lib/schedule/SizeExpression.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_SCHEDULEPROGRAM
#include "lib/schedule/Passes.h.inc"

LogicalResult Scheduler::run() {
  // Every size is resolved in the function; then its scalars are moved over one by one.
  if (failed(prepareSizes()))
    return failure();
  builder.setInsertionPoint(function);
  program = rt::ProgramOp::create(builder, function.getLoc(), function.getSymName(),
                                  border(/*outputs=*/false), border(/*outputs=*/true),
                                  /*arena=*/IntegerAttr());
  builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
  if (failed(addInputs()))
    return failure();
  findOutputs();
  if (failed(schedule(function.front())))
    return failure();
  function.erase();
  return success();
}

/// The signature as attributes.
ArrayAttr Scheduler::border(bool outputs) {
  SmallVector<Attribute> entries;
  ArrayRef<Type> types = outputs ? function.getResultTypes() : function.getArgumentTypes();
  for (auto [i, type] : llvm::enumerate(types)) {
    NamedAttrList entry(outputs ? function.getResultAttrDict(i) : function.getArgAttrDict(i));
    entry.set("type", TypeAttr::get(type));
    entries.push_back(entry.getDictionary(function.getContext()));
  }
  return builder.getArrayAttr(entries);
}

LogicalResult Scheduler::prepareSizes() {
  if (failed(sizes.resolveAll()))
    return failure();
  // What control flow gives has the sizes that plan.sized binds to it.
  auto hasOwnSizes = [&](Value tensor) {
    if (cast<RankedTensorType>(tensor.getType()).hasStaticShape())
      return true;
    if (auto argument = dyn_cast<BlockArgument>(tensor))
      return argument.getOwner() == &function.front();
    return !isControlFlow(*tensor.getDefiningOp());
  };
  llvm::SetVector<Value> tensors;
  function.walk([&](Operation *op) {
    SmallVector<Value> values(op->getOperands());
    llvm::append_range(values, op->getResults());
    for (Value value : values)
      if (isTensor(value) && hasOwnSizes(value))
        tensors.insert(value);
  });
  for (Value tensor : tensors) {
    SmallVector<Value> &dims = sizesOf[tensor];
    auto type = cast<RankedTensorType>(tensor.getType());
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      FailureOr<Value> size = sizes.sizeOf(tensor, dim);
      if (failed(size))
        return failure();
      dims.push_back(*size);
    }
  }
  return success();
}

LogicalResult Scheduler::addInputs() {
  for (BlockArgument argument : function.getArguments()) {
    if (isObject(argument)) {
      buffers[argument] = rt::ObjectInputOp::create(
          builder, argument.getLoc(), builder.getType<rt::ObjectType>(), argument.getArgNumber());
      continue;
    }
    if (!isTensor(argument))
      return function.emitError("input ") << argument.getArgNumber() << " is not a tensor";
    buffers[argument] =
        rt::InputOp::create(builder, argument.getLoc(), bufferType(), argument.getArgNumber());
  }
  return success();
}

Value Scheduler::originOf(Value value) {
  while (
      isa_and_nonnull<plan::ReshapeOp, plan::ReinterpretOp, plan::SizedOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

void Scheduler::findOutputs() {
  for (OpOperand &given : function.front().getTerminator()->getOpOperands()) {
    Value value = originOf(given.get());
    if (value.getDefiningOp<plan::DispatchOp>())
      destinations.try_emplace(value, Destination{given.getOperandNumber(), {}});
  }
}

LogicalResult Scheduler::schedule(Block &block) {
  for (Operation &op : block)
    if (failed(schedule(op)))
      return failure();
  return success();
}

LogicalResult Scheduler::schedule(Operation &op) {
  Location location = op.getLoc();
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](plan::DispatchOp dispatch) { return scheduleDispatch(dispatch); })
      .Case([&](plan::ReshapeOp reshape) { return scheduleReshape(reshape); })
      .Case<plan::SizedOp, plan::ReinterpretOp>([&](auto) {
        buffers[op.getResult(0)] = buffers.lookup(op.getOperand(0));
        return success();
      })
      .Case([&](plan::AppendOp append) { return scheduleAppend(append); })
      .Case([&](scf::IfOp branch) { return scheduleIf(branch); })
      .Case([&](scf::WhileOp loop) { return scheduleWhile(loop); })
      .Case([&](func::ReturnOp returnOp) { return scheduleReturn(returnOp); })
      // The operation around them sees to what they hand on.
      .Case<scf::YieldOp, scf::ConditionOp>([](auto) { return success(); })
      .Case([&](plan::GetWeightOp weight) {
        buffers[weight] =
            rt::WeightOp::create(builder, location, bufferType(), weight.getWeightAttr());
        return success();
      })
      .Case([&](plan::DimOp dim) {
        scalars.map(dim, sizeOfSymbol(dim));
        return success();
      })
      .Case([&](tensor::DimOp dim) -> LogicalResult {
        auto argument = dyn_cast<BlockArgument>(dim.getSource());
        if (!argument || argument.getOwner() != &function.front())
          return dim.emitError("asks for the size of a tensor whose sizes nothing binds");
        scalars.map(dim, rt::SizeOp::create(builder, location, builder.getIndexType(),
                                            argument.getArgNumber(), *dim.getConstantIndex())
                             .getResult());
        return success();
      })
      .Case([&](tensor::ExtractOp extract) { return scheduleRead(extract); })
      .Case([&](plan::HostOp call) { return scheduleHost(call); })
      .Case([&](plan::WrapOp wrap) { return scheduleWrap(wrap); })
      .Case([&](plan::UnwrapOp unwrap) { return scheduleUnwrap(unwrap); })
      .Case([&](plan::ObjectDimOp dim) { return scheduleObjectDim(dim); })
      .Case([&](plan::StringsOp strings) {
        buffers[strings] = rt::StringsOp::create(
            builder, location, builder.getType<rt::ObjectType>(), strings.getValue());
        return success();
      })
      .Case([&](plan::AbsentOp absent) {
        buffers[absent] =
            rt::AbsentOp::create(builder, location, builder.getType<rt::ObjectType>());
        return success();
      })
      .Case<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>([&](auto) {
        scalars.map(op.getResult(0), emitAffineOperation(builder, op, mapped(op.getOperands())));
        return success();
      })
      .Default([&](Operation *) -> LogicalResult {
        if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && isTensor(constant)) {
          buffers[constant] = rt::ConstantOp::create(builder, location, bufferType(),
                                                     cast<ElementsAttr>(constant.getValue()));
          return success();
        }
        if (auto select = dyn_cast<arith::SelectOp>(op); select && hasPlace(select))
          return scheduleSelect(select);
        if (isa<arith::ArithDialect>(op.getDialect())) {
          builder.clone(op, scalars);
          return success();
        }
        return op.emitError("is neither a dispatch nor a size; it should be in a kernel by now");
      });
}

Value Scheduler::sizeOfSymbol(plan::DimOp op) {
  for (BlockArgument argument : function.getArguments()) {
    auto dims = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), plan::dimsAttribute);
    for (auto [axis, dim] : llvm::enumerate(dims ? dims.getValue() : ArrayRef<Attribute>()))
      if (dim == op.getDimensionAttr())
        return rt::SizeOp::create(builder, op.getLoc(), builder.getIndexType(),
                                  argument.getArgNumber(), axis);
  }
  llvm_unreachable("plan.dim: some argument of the function has the dimension");
}

SmallVector<Value> Scheduler::mapped(ValueRange values) {
  return llvm::map_to_vector(values, [&](Value value) { return scalars.lookup(value); });
}

Value Scheduler::index(Location location, int64_t value) {
  return arith::ConstantIndexOp::create(builder, location, value);
}

LogicalResult Scheduler::scheduleDispatch(plan::DispatchOp dispatch) {
  Location location = dispatch.getLoc();
  auto kernel = symbols.lookup<plan::KernelOp>(dispatch.getKernel());
  if (!kernel.getCount())
    return dispatch.emitError("calls a kernel without generated code");
  SmallVector<Value> reads, writes, launchSizes;
  for (Value input : dispatch.getInputs()) {
    reads.push_back(buffers.lookup(input));
    llvm::append_range(launchSizes, mapped(sizesOf[input]));
  }
  for (Value output : dispatch.getOutputs()) {
    buffers[output] = allocate(output);
    writes.push_back(buffers[output]);
    llvm::append_range(launchSizes, mapped(sizesOf[output]));
  }
  llvm::append_range(launchSizes, mapped(dispatch.getIndices()));
  AffineExpr count = simplifyAffineExpr(kernel.getCount()->getResult(0), 0, launchSizes.size());
  Value groups = emitSize(builder, location, count, {}, launchSizes);
  rt::LaunchOp::create(builder, location, dispatch.getKernel(), reads, writes, launchSizes, groups);
  return success();
}

Value Scheduler::temporary(Location location, Value bytes) {
  return rt::TemporaryOp::create(builder, location, bufferType(), bytes, /*offset=*/IntegerAttr());
}

Value Scheduler::allocate(Value tensor) {
  Location location = tensor.getLoc();
  auto destination = destinations.find(tensor);
  if (destination == destinations.end())
    return temporary(location, bytesOf(tensor));
  if (std::optional<unsigned> output = destination->second.output) {
    Value given = function.front().getTerminator()->getOperand(*output);
    // The shapes in which it is given may follow from what is computed only later; then it is
    // copied. That it fits them is checked before the dispatch writes.
    SmallVector<plan::ReshapeOp> views;
    bool known = true;
    for (Value view = given; view != tensor; view = view.getDefiningOp()->getOperand(0)) {
      known &= llvm::all_of(sizesOf[view], [&](Value size) { return scalars.contains(size); });
      if (auto reshape = view.getDefiningOp<plan::ReshapeOp>())
        views.push_back(reshape);
    }
    if (!known) {
      destinations.erase(destination);
      return temporary(location, bytesOf(tensor));
    }
    for (plan::ReshapeOp view : views)
      checkReshape(view);
    return rt::OutputOp::create(builder, location, bufferType(), *output, mapped(sizesOf[given]));
  }
  Value buffer = destination->second.buffer;
  if (buffer.getDefiningOp<rt::DynamicOp>())
    rt::AllocateOp::create(builder, location, buffer, bytesOf(tensor), /*keep=*/false);
  return buffer;
}

/// The product of a tensor's static sizes.
static int64_t staticElementsOf(Value tensor) {
  int64_t product = 1;
  for (int64_t size : cast<RankedTensorType>(tensor.getType()).getShape())
    product *= ShapedType::isDynamic(size) ? 1 : size;
  return product;
}

Value Scheduler::elementsOf(Value tensor) {
  Value count = index(tensor.getLoc(), staticElementsOf(tensor));
  for (Value size : mapped(sizesOf[tensor]))
    count = builder.createOrFold<arith::MulIOp>(tensor.getLoc(), count, size);
  return count;
}

static int64_t bytesOfElement(Type element) {
  return element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

Value Scheduler::bytesOf(Value tensor) {
  Location location = tensor.getLoc();
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  Value elements = elementsOf(tensor);
  // A packed type, at the model's border. A truth value is a byte.
  if (element.isIntOrFloat() && !element.isInteger(1) && element.getIntOrFloatBitWidth() < 8) {
    Value bits = builder.createOrFold<arith::MulIOp>(
        location, elements, index(location, element.getIntOrFloatBitWidth()));
    return builder.createOrFold<arith::CeilDivSIOp>(location, bits, index(location, 8));
  }
  return builder.createOrFold<arith::MulIOp>(location, elements,
                                             index(location, bytesOfElement(element)));
}

LogicalResult Scheduler::scheduleReshape(plan::ReshapeOp reshape) {
  buffers[reshape] = buffers.lookup(reshape.getSource());
  checkReshape(reshape);
  return success();
}

void Scheduler::checkReshape(plan::ReshapeOp reshape) {
  if (!checked.insert(reshape).second)
    return;
  SmallVector<Value> from = sizesOf.lookup(reshape.getSource());
  SmallVector<Value> to = sizesOf.lookup(reshape.getResult());
  if (staticElementsOf(reshape.getSource()) == staticElementsOf(reshape.getResult()) &&
      from.size() == to.size() && std::is_permutation(from.begin(), from.end(), to.begin()))
    return;
  Value source = elementsOf(reshape.getSource()), result = elementsOf(reshape.getResult());
  Value same =
      arith::CmpIOp::create(builder, reshape.getLoc(), arith::CmpIPredicate::eq, source, result);
  check(reshape.getLoc(), same, "a tensor of {0} elements cannot have a shape of {1}",
        {source, result});
}

void Scheduler::check(Location location, Value condition, const Twine &message, ValueRange values) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (StringRef node = findNodeName(location); !node.empty())
    stream << "node '" << node << "': ";
  stream << message;
  rt::CheckOp::create(builder, location, condition, text, values);
}

LogicalResult Scheduler::scheduleReturn(func::ReturnOp returnOp) {
  for (OpOperand &given : returnOp->getOpOperands()) {
    auto destination = destinations.find(originOf(given.get()));
    if (destination != destinations.end() && destination->second.output == given.getOperandNumber())
      continue;
    if (isObject(given.get())) {
      handOn(given, rt::ObjectOutputOp::create(builder, returnOp.getLoc(),
                                               builder.getType<rt::ObjectType>(),
                                               given.getOperandNumber()));
      continue;
    }
    Value output = rt::OutputOp::create(builder, returnOp.getLoc(), bufferType(),
                                        given.getOperandNumber(), mapped(sizesOf[given.get()]));
    rt::CopyOp::create(builder, returnOp.getLoc(), buffers.lookup(given.get()), output,
                       bytesOf(given.get()));
  }
  return success();
}

LogicalResult Scheduler::scheduleRead(tensor::ExtractOp extract) {
  Location location = extract.getLoc();
  auto type = cast<RankedTensorType>(extract.getTensor().getType());
  if (!type.getElementType().isIntOrIndex())
    return extract.emitError("a size that depends on data is an integer, not ")
           << type.getElementType();
  Value position = index(location, 0);
  auto dynamic = mapped(sizesOf[extract.getTensor()]);
  auto next = dynamic.begin();
  for (auto [size, at] : llvm::zip_equal(type.getShape(), extract.getIndices())) {
    Value extent = ShapedType::isDynamic(size) ? *next++ : index(location, size);
    position = builder.createOrFold<arith::MulIOp>(location, position, extent);
    position = builder.createOrFold<arith::AddIOp>(location, position, scalars.lookup(at));
  }
  Value read = rt::ReadOp::create(builder, location, builder.getIndexType(),
                                  buffers.lookup(extract.getTensor()), position,
                                  bytesOfElement(type.getElementType()));
  if (!extract.getType().isIndex())
    read = arith::IndexCastOp::create(builder, location, extract.getType(), read);
  scalars.map(extract, read);
  return success();
}

namespace {

struct ScheduleProgram : impl::ScheduleProgramBase<ScheduleProgram> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (failed(Scheduler(function, symbols).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace tenon
