// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EmitArtifact.cpp ---------------------------------------------------===//
//
// Index values become registers, buffers become slots, commands become
// instructions. Branches and loops become jumps; what they hand on are registers
// that are written where control leaves.
//
//===----------------------------------------------------------------------===//

#include "lib/schedule/EmitArtifact.h"

#include "dialects/plan/Plan.h"
#include "dialects/rt/Rt.h"
#include "lib/artifact/Format.h"
#include "lib/pack/PackWeight.h"
#include "lib/schedule/ArtifactTypes.h"
#include "lib/schedule/ConstantTensor.h"
#include "lib/schedule/CountFlops.h"
#include "lib/schedule/NodeName.h"
#include "lib/schedule/ScalarEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

namespace {

artifact::Hash128 hashOf(ArrayRef<char> bytes) {
  return artifact::hashBytes(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

class Emitter : ScalarEmitter {
public:
  Emitter(ModuleOp module, const TargetImage &image, const llvm::StringMap<uint64_t> &entries,
          const WeightTable &weights, artifact::Writer &writer)
      : module(module), image(image), entries(entries), weights(weights), writer(writer),
        symbols(module) {}

  LogicalResult run(uint32_t section) {
    auto programs = module.getOps<rt::ProgramOp>();
    if (!llvm::hasSingleElement(programs))
      return module.emitError("has not exactly one rt.program");
    program.devices.push_back({"cpu"});
    if (section != artifact::none)
      program.modules.push_back({0, section, image.triple, image.cpu, image.features});
    rt::ProgramOp op = *programs.begin();
    addDimensions();
    if (failed(addSignature(op.getInputs(), writer.module().inputs)) ||
        failed(addSignature(op.getOutputs(), writer.module().outputs)))
      return failure();
    if (failed(emit(op.getBody().front())))
      return failure();
    uniteExchanged();
    if (op.getArena())
      program.arenaSizes.push_back(*op.getArena());
    writer.module().programs.push_back(std::move(program));
    return success();
  }

private:
  void addDimensions() {
    for (auto dimension : module.getOps<plan::DimensionOp>()) {
      dimensions[dimension.getSymName()] = writer.module().dimensions.size();
      artifact::Dimension entry{dimension.getSymName().str(),
                                static_cast<int64_t>(dimension.getMin())};
      if (dimension.getMax())
        entry.max = *dimension.getMax();
      entry.multiple = dimension.getMultiple();
      writer.module().dimensions.push_back(std::move(entry));
    }
  }

  LogicalResult addSignature(ArrayAttr tensors, std::vector<artifact::Value> &into) {
    for (auto tensor : tensors.getAsRange<DictionaryAttr>()) {
      artifact::Value value;
      value.name = tensor.getAs<StringAttr>(plan::nameAttribute).str();
      describeType(tensor.getAs<TypeAttr>(plan::elementAttribute).getValue(), value);
      auto dims = tensor.getAs<ArrayAttr>(plan::dimsAttribute);
      value.ranked = dims != nullptr;
      // A tensor's type may know more of its sizes than the signature it was imported with.
      auto type = dyn_cast<RankedTensorType>(tensor.getAs<TypeAttr>("type").getValue());
      for (auto [axis, dim] : llvm::enumerate(dims ? dims.getValue() : ArrayRef<Attribute>())) {
        if (type && !type.isDynamicDim(axis))
          value.axes.push_back(artifact::Axis::fixed(type.getDimSize(axis)));
        else if (auto size = dyn_cast<IntegerAttr>(dim))
          value.axes.push_back(artifact::Axis::fixed(size.getInt()));
        else if (auto symbol = dyn_cast<FlatSymbolRefAttr>(dim))
          value.axes.push_back(artifact::Axis::dimension(dimensions.lookup(symbol.getValue())));
        else
          value.axes.push_back(artifact::Axis::unnamed());
      }
      if (auto input = tensor.getAs<IntegerAttr>(plan::inPlaceAttribute))
        value.inPlaceInput = input.getInt();
      into.push_back(std::move(value));
    }
    return success();
  }

  //===--- slots ----------------------------------------------------------===//

  uint32_t addSlot(Value buffer, artifact::SlotStorage storage) {
    program.slots.push_back({storage, 0});
    slotDepths.push_back(openLoops.size());
    return slots[buffer] = program.slots.size() - 1;
  }

  SmallVector<uint32_t> slotsOf(ValueRange buffers) {
    return llvm::map_to_vector(buffers, [&](Value buffer) { return slots.lookup(buffer); });
  }

  /// Notes that the next instruction of the body uses a slot, so that temporaries live that long.
  void use(uint32_t slot) {
    while (auto *view = std::get_if<artifact::ViewSlot>(&program.slots[slot].storage))
      slot = view->base;
    if (auto *temporary = std::get_if<artifact::TemporarySlot>(&program.slots[slot].storage)) {
      uint32_t position = program.body.size();
      if (used.insert(slot).second)
        temporary->first = position;
      temporary->last = position;
      // The loops since its declaration may come back to it.
      if (openLoops.size() > slotDepths[slot])
        openLoops[slotDepths[slot]].slots.insert(slot);
    }
  }

  /// Temporaries that change places live as long as each other. Since both live through the loop
  /// around the exchange, the union of their lives cuts no loop either.
  void uniteExchanged() {
    for (bool changed = true; changed;) {
      changed = false;
      for (auto [first, second] : exchanged) {
        auto *a = std::get_if<artifact::TemporarySlot>(&program.slots[first].storage);
        auto *b = std::get_if<artifact::TemporarySlot>(&program.slots[second].storage);
        if (!a || !b || (a->first == b->first && a->last == b->last))
          continue;
        a->first = b->first = std::min(a->first, b->first);
        a->last = b->last = std::max(a->last, b->last);
        changed = true;
      }
    }
  }

  LogicalResult emitWeight(rt::WeightOp op) {
    auto weight = symbols.lookup<plan::WeightOp>(op.getWeight());
    if (!weight)
      return op.emitError() << op.getWeightAttr() << " is not a plan.weight";
    uint32_t &index = weightIndex.try_emplace(op.getWeight(), artifact::none).first->second;
    if (index == artifact::none) {
      StringRef sourceName = weight.getSource() ? *weight.getSource() : weight.getSymName();
      std::optional<ArrayRef<char>> bytes = weights.find(sourceName);
      if (!bytes)
        return op.emitError() << "the bytes of weight " << sourceName << " are missing";
      artifact::Weight entry;
      entry.name = weight.getSymName().str();
      entry.source = hashOf(*bytes);
      if (weight.getPacking()) {
        auto logical = cast<RankedTensorType>(symbols.lookup<plan::WeightOp>(sourceName).getType());
        llvm::raw_string_ostream(entry.recipe) << *weight.getPacking();
        auto packed = std::make_shared<PackedWeight>(*bytes, logical, *weight.getPacking());
        index = writer.addWeight(std::move(entry), packed->size(),
                                 [packed](uint64_t offset, std::span<std::byte> into) {
                                   packed->read(offset, into);
                                   return Status();
                                 });
      } else {
        index = writer.addWeight(std::move(entry),
                                 std::as_bytes(std::span(bytes->data(), bytes->size())));
      }
    }
    addSlot(op, artifact::WeightSlot{index});
    return success();
  }

  LogicalResult emitConstant(rt::ConstantOp op) {
    auto value = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!value)
      return op.emitError("is not a dense constant");
    // One element per 8 bits at least, truth values as bytes: as buffers hold them.
    int64_t width = llvm::divideCeil(value.getElementType().getIntOrFloatBitWidth(), 8);
    std::vector<std::byte> bytes(value.getNumElements() * width);
    auto store = [&](auto range) {
      std::byte *next = bytes.data();
      for (const APInt &element : range) {
        std::memcpy(next, element.getRawData(), width);
        next += width;
      }
    };
    if (isa<FloatType>(value.getElementType()))
      store(llvm::map_range(value.getValues<APFloat>(),
                            [](const APFloat &f) { return f.bitcastToAPInt(); }));
    else
      store(value.getValues<APInt>());
    addSlot(op, writer.addConstant(bytes));
    return success();
  }

  LogicalResult emitTemporary(rt::TemporaryOp op) {
    artifact::TemporarySlot slot;
    APInt bytes;
    uint32_t reg = registers.lookup(op.getBytes());
    if (matchPattern(op.getBytes(), m_ConstantInt(&bytes))) {
      slot.size = bytes.getZExtValue();
    } else if (isLate(reg)) {
      uint32_t index = addSlot(op, artifact::AllocatedSlot());
      append(artifact::Allocate{index, reg}, /*late=*/true);
      return success();
    } else {
      slot.sizeRegister = reg;
    }
    if (op.getOffset())
      slot.offset = *op.getOffset();
    addSlot(op, slot);
    return success();
  }

  LogicalResult emitOutput(rt::OutputOp op) {
    if (!op.getDims().empty()) {
      // The runtime is told every axis of a shape with dynamic ones.
      auto entry =
          cast<DictionaryAttr>(op->getParentOfType<rt::ProgramOp>().getOutputs()[op.getPosition()]);
      auto type = cast<RankedTensorType>(entry.getAs<TypeAttr>("type").getValue());
      artifact::SetShape shape{static_cast<uint32_t>(op.getPosition()), {}};
      bool late = false;
      auto next = op.getDims().begin();
      for (int64_t size : type.getShape()) {
        shape.sizes.push_back(ShapedType::isDynamic(size) ? registers.lookup(*next++)
                                                          : constant(size));
        late |= isLate(shape.sizes.back());
      }
      append(std::move(shape), late);
    }
    addSlot(op, artifact::OutputSlot{static_cast<uint32_t>(op.getPosition())});
    return success();
  }

  //===--- commands -------------------------------------------------------===//

  LogicalResult emitLaunch(rt::LaunchOp op) {
    auto [entry, isNew] = kernelIndex.try_emplace(op.getKernel(), program.kernels.size());
    if (isNew) {
      auto code = entries.find(op.getKernel());
      if (code == entries.end())
        return op.emitError() << "there is no code for " << op.getKernelAttr();
      artifact::Kernel kernel;
      kernel.name = op.getKernel().str();
      kernel.entry = code->second;
      kernel.bufferCount = op.getReads().size() + op.getWrites().size();
      kernel.sizeCount = op.getSizes().size();
      if (auto definition = symbols.lookup<plan::KernelOp>(op.getKernel()))
        kernel.flops = countFlops(definition);
      program.kernels.push_back(std::move(kernel));
    }
    std::vector<std::string> &nodes = program.kernels[entry->second].nodes;
    for (StringRef node : collectNodeNames(op.getLoc()))
      if (!llvm::is_contained(nodes, node))
        nodes.push_back(node.str());

    artifact::Launch launch;
    launch.kernel = entry->second;
    for (uint32_t slot :
         llvm::concat<const uint32_t>(slotsOf(op.getReads()), slotsOf(op.getWrites()))) {
      use(slot);
      launch.buffers.push_back(slot);
    }
    llvm::append_range(launch.sizes, registersOf(op.getSizes()));
    launch.groups = registers.lookup(op.getGroups());
    append(std::move(launch), /*late=*/true);
    return success();
  }

  void emitCopy(rt::CopyOp copy) {
    uint32_t target = slots.lookup(copy.getTarget()), source = slots.lookup(copy.getSource());
    use(target);
    use(source);
    append(artifact::Copy{target, source, registers.lookup(copy.getBytes())}, /*late=*/true);
  }

  void emitSwap(rt::SwapOp swap) {
    uint32_t first = slots.lookup(swap.getFirst()), second = slots.lookup(swap.getSecond());
    if (isa<rt::BufferType>(swap.getFirst().getType())) {
      use(first);
      use(second);
    }
    exchanged.push_back({first, second});
    append(artifact::Swap{first, second}, /*late=*/true);
  }

  //===--- objects --------------------------------------------------------===//

  uint32_t addConstant(artifact::ConstantTensor constant) {
    writer.module().constants.push_back(std::move(constant));
    return writer.module().constants.size() - 1;
  }

  LogicalResult emitHostCall(rt::HostCallOp op) {
    artifact::HostCall call;
    call.function = op.getFunction().str();
    call.version = op.getVersion();
    call.node = findNodeName(op.getLoc()).str();
    for (NamedAttribute attribute :
         op.getParameters().value_or(DictionaryAttr::get(op.getContext()))) {
      std::optional<artifact::ConstantTensor> constant = makeConstantTensor(attribute.getValue());
      if (!constant)
        return op.emitError("has an attribute ")
               << attribute.getName() << " that the artifact cannot hold";
      call.attributes.push_back({attribute.getName().str(), addConstant(std::move(*constant))});
    }
    for (Value read : op.getReads())
      call.inputs.push_back(read.getDefiningOp<rt::AbsentOp>() ? artifact::none
                                                               : slots.lookup(read));
    // A value that nobody reads need not be made.
    for (Value write : op.getWrites())
      call.outputs.push_back(write.hasOneUse() ? artifact::none : slots.lookup(write));
    call.moved.assign(op.getMoves().begin(), op.getMoves().end());
    append(std::move(call), /*late=*/true);
    return success();
  }

  void emitWrap(rt::WrapOp op) {
    artifact::Wrap wrap{slots.lookup(op.getTarget()),
                        slots.lookup(op.getSource()),
                        artifactElementType(op.getElement()),
                        {}};
    use(wrap.source);
    llvm::append_range(wrap.sizes, registersOf(op.getSizes()));
    append(std::move(wrap), /*late=*/true);
  }

  void emitUnwrap(rt::UnwrapOp op) {
    uint32_t object = slots.lookup(op.getSource());
    artifact::Unwrap unwrap{
        object, artifactElementType(op.getElement()), {}, findNodeName(op.getLoc()).str()};
    llvm::append_range(unwrap.sizes, newLateRegisters(op.getSizes()));
    append(std::move(unwrap), /*late=*/true);
    if (!op.getBuffer().use_empty())
      addSlot(op.getBuffer(), artifact::ContentSlot{object});
  }

  //===--- control flow ---------------------------------------------------===//

  LogicalResult emitIf(scf::IfOp op) {
    SmallVector<uint32_t> results = newLateRegisters(op.getResults());
    auto fill = [&](Block *block) -> LogicalResult {
      ++nesting;
      LogicalResult filled = emit(*block);
      --nesting;
      if (succeeded(filled))
        move(results, registersOf(block->getTerminator()->getOperands()));
      return filled;
    };
    uint32_t branch = here();
    append(artifact::Branch{registers.lookup(op.getCondition()), 0}, /*late=*/true);
    if (failed(fill(op.thenBlock())))
      return failure();
    uint32_t jump = here();
    if (op.elseBlock())
      append(artifact::Jump{0}, /*late=*/true);
    std::get<artifact::Branch>(program.body[branch].operation).otherwise = here();
    if (!op.elseBlock())
      return success();
    if (failed(fill(op.elseBlock())))
      return failure();
    std::get<artifact::Jump>(program.body[jump].operation).target = here();
    return success();
  }

  LogicalResult emitWhile(scf::WhileOp op) {
    SmallVector<uint32_t> inits = registersOf(op.getInits());
    SmallVector<uint32_t> carried = newLateRegisters(op.getBeforeArguments());
    move(carried, inits);
    uint32_t loop = here();
    append(artifact::Loop{0}, /*late=*/true);
    openLoops.emplace_back();
    ++nesting;
    if (failed(emit(*op.getBeforeBody())))
      return failure();
    SmallVector<uint32_t> given = registersOf(op.getConditionOp().getArgs());
    for (auto [reg, argument, result] :
         llvm::zip_equal(given, op.getAfterArguments(), op.getResults()))
      registers[argument] = registers[result] = reg;
    uint32_t branch = here();
    append(artifact::Branch{registers.lookup(op.getConditionOp().getCondition()), 0},
           /*late=*/true);
    if (failed(emit(*op.getAfterBody())))
      return failure();
    move(carried, registersOf(op.getYieldOp()->getOperands()));
    --nesting;
    uint32_t repeat = here();
    append(artifact::Repeat{loop}, /*late=*/true);
    std::get<artifact::Loop>(program.body[loop].operation).end = repeat;
    std::get<artifact::Branch>(program.body[branch].operation).otherwise = here();
    for (uint32_t slot : openLoops.back().slots) {
      auto &temporary = std::get<artifact::TemporarySlot>(program.slots[slot].storage);
      temporary.first = std::min(temporary.first, loop);
      temporary.last = repeat;
    }
    openLoops.pop_back();
    return success();
  }

  LogicalResult emit(Block &block) {
    for (Operation &op : block)
      if (failed(emit(op)))
        return failure();
    return success();
  }

  LogicalResult emit(Operation &op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
        .Case([&](rt::InputOp input) {
          addSlot(input, artifact::InputSlot{static_cast<uint32_t>(input.getPosition())});
          return success();
        })
        .Case([&](rt::OutputOp output) { return emitOutput(output); })
        .Case([&](rt::WeightOp weight) { return emitWeight(weight); })
        .Case([&](rt::ConstantOp constantOp) { return emitConstant(constantOp); })
        .Case([&](rt::TemporaryOp temporary) { return emitTemporary(temporary); })
        .Case([&](rt::ViewOp view) {
          addSlot(view, artifact::ViewSlot{slots.lookup(view.getSource()), 0,
                                           registers.lookup(view.getOffset())});
          return success();
        })
        .Case([&](rt::SizeOp size) {
          uint32_t result = registers[size.getResult()] = newRegister(/*late=*/false);
          append(artifact::ReadDimension{result, static_cast<uint32_t>(size.getInput()),
                                         static_cast<uint32_t>(size.getAxis())},
                 /*late=*/false);
          return success();
        })
        .Case([&](rt::ReadOp read) {
          using artifact::ElementType;
          ElementType element = read.getWidth() == 8   ? ElementType::Int64
                                : read.getWidth() == 4 ? ElementType::Int32
                                : read.getWidth() == 2 ? ElementType::Int16
                                                       : ElementType::Int8;
          uint32_t slot = slots.lookup(read.getBuffer());
          use(slot);
          uint32_t result = registers[read.getResult()] = newRegister(/*late=*/true);
          append(artifact::LoadElement{result, slot, registers.lookup(read.getPosition()), element},
                 /*late=*/true);
          return success();
        })
        .Case([&](rt::CheckOp check) {
          artifact::Check made{
              registers.lookup(check.getCondition()), check.getMessage().str(), {}};
          llvm::append_range(made.values, registersOf(check.getValues()));
          bool late = nesting > 0 || isLate(made.condition) ||
                      llvm::any_of(made.values, [&](uint32_t value) { return isLate(value); });
          append(std::move(made), late);
          return success();
        })
        .Case([&](rt::DynamicOp dynamic) {
          addSlot(dynamic, artifact::AllocatedSlot());
          return success();
        })
        .Case([&](rt::AllocateOp allocate) {
          append(artifact::Allocate{slots.lookup(allocate.getBuffer()),
                                    registers.lookup(allocate.getBytes()), allocate.getKeep()},
                 /*late=*/true);
          return success();
        })
        .Case([&](rt::SwapOp swap) {
          emitSwap(swap);
          return success();
        })
        .Case([&](rt::ObjectInputOp input) {
          addSlot(input, artifact::InputSlot{static_cast<uint32_t>(input.getPosition())});
          return success();
        })
        .Case([&](rt::ObjectOutputOp output) {
          addSlot(output, artifact::OutputSlot{static_cast<uint32_t>(output.getPosition())});
          return success();
        })
        .Case([&](rt::ObjectOp object) {
          addSlot(object, artifact::ObjectSlot());
          return success();
        })
        .Case([&](rt::StringsOp strings) {
          addSlot(strings, artifact::ObjectConstantSlot{
                               addConstant(*makeConstantTensor(strings.getValue()))});
          return success();
        })
        .Case([&](rt::AbsentOp) { return success(); })
        .Case([&](rt::ShareOp share) {
          append(artifact::Share{slots.lookup(share.getTarget()), slots.lookup(share.getSource()),
                                 share.getMove()},
                 /*late=*/true);
          return success();
        })
        .Case([&](rt::WrapOp wrap) {
          emitWrap(wrap);
          return success();
        })
        .Case([&](rt::UnwrapOp unwrap) {
          emitUnwrap(unwrap);
          return success();
        })
        .Case([&](rt::HostCallOp call) { return emitHostCall(call); })
        .Case([&](scf::IfOp branch) { return emitIf(branch); })
        .Case([&](scf::WhileOp loop) { return emitWhile(loop); })
        // What they hand on is moved by the operation around them.
        .Case<scf::YieldOp, scf::ConditionOp>([](auto) { return success(); })
        .Case([&](rt::CopyOp copy) {
          emitCopy(copy);
          return success();
        })
        .Case([&](rt::LaunchOp launch) { return emitLaunch(launch); })
        .Default([&](Operation *other) -> LogicalResult {
          if (isa<arith::ArithDialect>(other->getDialect()))
            return emitScalar(*other);
          return other->emitError("cannot be part of the runtime's program");
        });
  }

  ModuleOp module;
  const TargetImage &image;
  const llvm::StringMap<uint64_t> &entries;
  const WeightTable &weights;
  artifact::Writer &writer;
  SymbolTable symbols;
  llvm::DenseMap<Value, uint32_t> slots;
  llvm::StringMap<uint32_t> dimensions, kernelIndex, weightIndex;
  llvm::SmallDenseSet<uint32_t> used;
  /// Loops around the next instruction, with the temporaries declared outside that they use.
  struct OpenLoop {
    llvm::SmallDenseSet<uint32_t> slots;
  };
  SmallVector<OpenLoop> openLoops;
  SmallVector<unsigned> slotDepths; ///< loops that were open when a slot was declared
  SmallVector<std::pair<uint32_t, uint32_t>> exchanged;
};

} // namespace

LogicalResult emitArtifact(ModuleOp module, const TargetImage &image,
                           const llvm::StringMap<uint64_t> &entries, const WeightTable &weights,
                           artifact::Writer &writer) {
  // A model may consist of copies alone; then there is nothing to load.
  uint32_t section = artifact::none;
  if (!entries.empty()) {
    auto bytes = std::as_bytes(std::span(image.bytes.data(), image.bytes.size()));
    section = writer.addKernelImage({bytes.begin(), bytes.end()});
  }
  return Emitter(module, image, entries, weights, writer).run(section);
}

} // namespace tenon
