// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/artifact/Serializer.h"

#include "lib/artifact/tenon_generated.h"

namespace tenon::artifact {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

fb::Hash128 encode(const Hash128 &hash) { return {hash.low, hash.high}; }

fb::Section encode(const Section &section) {
  return {section.offset, section.size, encode(section.hash),
          static_cast<fb::SectionKind>(section.kind), section.external};
}

class Serializer {
public:
  std::vector<std::byte> run(const Module &module) {
    builder_.Finish(encodeModule(module), fb::ModuleIdentifier());
    std::span<const uint8_t> bytes(builder_.GetBufferPointer(), builder_.GetSize());
    std::span<const std::byte> raw = std::as_bytes(bytes);
    return {raw.begin(), raw.end()};
  }

private:
  Offset<flatbuffers::String> text(const std::string &value) {
    return builder_.CreateString(value);
  }

  template <typename From, typename Encode>
  auto tables(const std::vector<From> &from, Encode encode) {
    std::vector<decltype(encode(from[0]))> offsets;
    offsets.reserve(from.size());
    for (const From &each : from)
      offsets.push_back(encode(each));
    return builder_.CreateVector(offsets);
  }

  Offset<fb::Value> encodeValue(const Value &value);
  Offset<fb::Slot> encodeSlot(const Slot &slot);
  Offset<fb::Instruction> encodeInstruction(const Instruction &instruction);
  Offset<fb::Program> encodeProgram(const Program &program);
  Offset<fb::Module> encodeModule(const Module &module);

  FlatBufferBuilder builder_;
};

Offset<fb::Value> Serializer::encodeValue(const Value &value) {
  std::vector<fb::Axis> axes;
  for (const Axis &axis : value.axes)
    axes.emplace_back(axis.value, static_cast<fb::AxisKind>(axis.kind));
  std::vector<uint8_t> containers;
  for (Container container : value.containers)
    containers.push_back(static_cast<uint8_t>(container));
  auto name = text(value.name);
  auto axesOffset = builder_.CreateVectorOfStructs(axes);
  auto containersOffset =
      builder_.CreateVectorScalarCast<uint8_t>(containers.data(), containers.size());
  fb::ValueBuilder to(builder_);
  to.add_name(name);
  to.add_element(static_cast<uint8_t>(value.element));
  to.add_axes(axesOffset);
  to.add_containers(containersOffset.o);
  to.add_key(static_cast<uint8_t>(value.key));
  to.add_in_place_input(value.inPlaceInput);
  to.add_ranked(value.ranked);
  return to.Finish();
}

Offset<fb::Slot> Serializer::encodeSlot(const Slot &slot) {
  auto make = [&](fb::SlotStorage type, auto offset) {
    return fb::CreateSlot(builder_, type, offset.Union(), slot.device);
  };
  return std::visit(
      Overloaded{
          [&](const InputSlot &s) {
            return make(fb::SlotStorage::InputSlot, fb::CreateInputSlot(builder_, s.input));
          },
          [&](const OutputSlot &s) {
            return make(fb::SlotStorage::OutputSlot, fb::CreateOutputSlot(builder_, s.output));
          },
          [&](const WeightSlot &s) {
            return make(fb::SlotStorage::WeightSlot, fb::CreateWeightSlot(builder_, s.weight));
          },
          [&](const ConstantSlot &s) {
            return make(fb::SlotStorage::ConstantSlot,
                        fb::CreateConstantSlot(builder_, s.offset, s.size));
          },
          [&](const TemporarySlot &s) {
            return make(fb::SlotStorage::TemporarySlot,
                        fb::CreateTemporarySlot(builder_, s.size, s.sizeRegister, s.offset, s.first,
                                                s.last));
          },
          [&](const AllocatedSlot &) {
            return make(fb::SlotStorage::AllocatedSlot, fb::CreateAllocatedSlot(builder_));
          },
          [&](const ViewSlot &s) {
            return make(fb::SlotStorage::ViewSlot,
                        fb::CreateViewSlot(builder_, s.base, s.offset, s.offsetRegister));
          },
          [&](const ObjectSlot &) {
            return make(fb::SlotStorage::ObjectSlot, fb::CreateObjectSlot(builder_));
          },
          [&](const ObjectConstantSlot &s) {
            return make(fb::SlotStorage::ObjectConstantSlot,
                        fb::CreateObjectConstantSlot(builder_, s.constant));
          },
          [&](const ContentSlot &s) {
            return make(fb::SlotStorage::ContentSlot, fb::CreateContentSlot(builder_, s.object));
          }},
      slot.storage);
}

Offset<fb::Instruction> Serializer::encodeInstruction(const Instruction &instruction) {
  auto make = [&](fb::Operation type, auto offset) {
    return fb::CreateInstruction(builder_, type, offset.Union(), instruction.queue,
                                 instruction.event);
  };
  using fb::Operation;
  return std::visit(
      Overloaded{
          [&](const Constant &op) {
            return make(Operation::Constant, fb::CreateConstant(builder_, op.result, op.value));
          },
          [&](const ReadDimension &op) {
            return make(Operation::ReadDimension,
                        fb::CreateReadDimension(builder_, op.result, op.input, op.axis));
          },
          [&](const Arithmetic &op) {
            return make(Operation::Arithmetic,
                        fb::CreateArithmetic(builder_, static_cast<fb::ArithmeticKind>(op.kind),
                                             op.result, op.lhs, op.rhs, op.condition));
          },
          [&](const LoadElement &op) {
            return make(Operation::LoadElement,
                        fb::CreateLoadElement(builder_, op.result, op.slot, op.index,
                                              static_cast<uint8_t>(op.element)));
          },
          [&](const StoreElement &op) {
            return make(Operation::StoreElement,
                        fb::CreateStoreElement(builder_, op.slot, op.index, op.value,
                                               static_cast<uint8_t>(op.element)));
          },
          [&](const Launch &op) {
            return make(Operation::Launch, fb::CreateLaunchDirect(builder_, op.kernel, &op.buffers,
                                                                  &op.sizes, op.groups));
          },
          [&](const Copy &op) {
            return make(Operation::Copy,
                        fb::CreateCopy(builder_, op.destination, op.source, op.bytes));
          },
          [&](const Fill &op) {
            return make(Operation::Fill, fb::CreateFill(builder_, op.destination, op.bytes,
                                                        op.pattern, op.patternSize));
          },
          [&](const Allocate &op) {
            return make(Operation::Allocate,
                        fb::CreateAllocate(builder_, op.slot, op.bytes, op.keep));
          },
          [&](const SetShape &op) {
            return make(Operation::SetShape,
                        fb::CreateSetShapeDirect(builder_, op.output, &op.sizes));
          },
          [&](const Check &op) {
            auto message = text(op.message);
            auto values = builder_.CreateVector(op.values);
            return make(Operation::Check, fb::CreateCheck(builder_, op.condition, message, values));
          },
          [&](const Branch &op) {
            return make(Operation::Branch, fb::CreateBranch(builder_, op.condition, op.otherwise));
          },
          [&](const Jump &op) {
            return make(Operation::Jump, fb::CreateJump(builder_, op.target));
          },
          [&](const Loop &op) { return make(Operation::Loop, fb::CreateLoop(builder_, op.end)); },
          [&](const Repeat &op) {
            return make(Operation::Repeat, fb::CreateRepeat(builder_, op.loop));
          },
          [&](const HostCall &op) {
            auto function = text(op.function);
            auto node = text(op.node);
            auto attributes = tables(op.attributes, [&](const HostCall::Attribute &attribute) {
              return fb::CreateHostAttribute(builder_, text(attribute.name), attribute.constant);
            });
            auto inputs = builder_.CreateVector(op.inputs);
            auto outputs = builder_.CreateVector(op.outputs);
            auto moved = builder_.CreateVector(op.moved);
            return make(Operation::HostCall,
                        fb::CreateHostCall(builder_, function, op.version, attributes, inputs,
                                           outputs, moved, node));
          },
          [&](const Wrap &op) {
            return make(Operation::Wrap,
                        fb::CreateWrapDirect(builder_, op.destination, op.source,
                                             static_cast<uint8_t>(op.element), &op.sizes));
          },
          [&](const Unwrap &op) {
            return make(Operation::Unwrap, fb::CreateUnwrapDirect(builder_, op.object,
                                                                  static_cast<uint8_t>(op.element),
                                                                  &op.sizes, op.node.c_str()));
          },
          [&](const Share &op) {
            return make(Operation::Share,
                        fb::CreateShare(builder_, op.destination, op.source, op.move));
          },
          [&](const Wait &op) { return make(Operation::Wait, fb::CreateWait(builder_, op.event)); },
          [&](const Swap &op) {
            return make(Operation::Swap, fb::CreateSwap(builder_, op.first, op.second));
          }},
      instruction.operation);
}

Offset<fb::Program> Serializer::encodeProgram(const Program &program) {
  auto devices = tables(program.devices, [&](const Device &device) {
    return fb::CreateDevice(builder_, text(device.family));
  });
  auto modules = tables(program.modules, [&](const KernelModule &module) {
    auto triple = text(module.triple);
    auto cpu = text(module.cpu);
    auto features = text(module.features);
    return fb::CreateKernelModule(builder_, module.device, module.section, triple, cpu, features);
  });
  auto kernels = tables(program.kernels, [&](const Kernel &kernel) {
    auto name = text(kernel.name);
    auto nodes = builder_.CreateVectorOfStrings(kernel.nodes);
    return fb::CreateKernel(builder_, name, kernel.module, kernel.entry, kernel.bufferCount,
                            kernel.sizeCount, nodes, kernel.flops);
  });
  auto slots = tables(program.slots, [&](const Slot &slot) { return encodeSlot(slot); });
  auto encode = [&](const Instruction &instruction) { return encodeInstruction(instruction); };
  auto prologue = tables(program.prologue, encode);
  auto body = tables(program.body, encode);
  auto arenaSizes = builder_.CreateVector(program.arenaSizes);
  return fb::CreateProgram(builder_, devices, modules, kernels, slots, program.registerCount,
                           program.eventCount, prologue, body, arenaSizes);
}

Offset<fb::Module> Serializer::encodeModule(const Module &module) {
  auto producer = text(module.provenance.producer);
  auto options = text(module.provenance.options);
  auto modelName = text(module.provenance.modelName);
  fb::Hash128 modelHash = encode(module.provenance.modelHash);
  auto provenance = fb::CreateProvenance(builder_, producer, options, &modelHash, modelName);
  auto dimensions = tables(module.dimensions, [&](const Dimension &dimension) {
    return fb::CreateDimension(builder_, text(dimension.name), dimension.min, dimension.max,
                               dimension.multiple);
  });
  auto encodeOne = [&](const Value &value) { return encodeValue(value); };
  auto inputs = tables(module.inputs, encodeOne);
  auto outputs = tables(module.outputs, encodeOne);
  std::vector<fb::Section> sectionStructs;
  for (const Section &section : module.sections)
    sectionStructs.push_back(encode(section));
  auto sections = builder_.CreateVectorOfStructs(sectionStructs);
  auto weights = tables(module.weights, [&](const Weight &weight) {
    auto name = text(weight.name);
    auto recipe = text(weight.recipe);
    fb::Hash128 source = encode(weight.source);
    return fb::CreateWeight(builder_, name, weight.offset, weight.size, &source, recipe);
  });
  std::vector<fb::Hash128> hashStructs;
  for (const Hash128 &hash : module.weightChunkHashes)
    hashStructs.push_back(encode(hash));
  auto hashes = builder_.CreateVectorOfStructs(hashStructs);
  auto weightFile = text(module.weightFile);
  auto programs =
      tables(module.programs, [&](const Program &program) { return encodeProgram(program); });
  auto constants = tables(module.constants, [&](const ConstantTensor &constant) {
    auto axes = builder_.CreateVector(constant.axes);
    auto data = builder_.CreateVector(constant.data);
    auto strings =
        tables(constant.strings, [&](const std::string &string) { return text(string); });
    return fb::CreateConstantTensor(builder_, static_cast<uint8_t>(constant.element), axes, data,
                                    strings);
  });
  return fb::CreateModule(builder_, provenance, dimensions, inputs, outputs, sections, weights,
                          hashes, weightFile, programs, constants);
}

} // namespace

std::vector<std::byte> serializeModule(const Module &module) { return Serializer().run(module); }

void patchModule(std::span<std::byte> buffer, const Module &module) {
  fb::Module *root = fb::GetMutableModule(buffer.data());
  for (flatbuffers::uoffset_t i = 0; i < module.sections.size(); ++i)
    *root->mutable_sections()->GetMutableObject(i) = encode(module.sections[i]);
  for (flatbuffers::uoffset_t i = 0; i < module.weightChunkHashes.size(); ++i)
    *root->mutable_weight_chunk_hashes()->GetMutableObject(i) = encode(module.weightChunkHashes[i]);
}

} // namespace tenon::artifact
