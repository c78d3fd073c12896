// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/artifact/Decoder.h"

#include "lib/artifact/tenon_generated.h"

namespace tenon::artifact {

namespace {

Hash128 decode(const fb::Hash128 *hash) {
  return hash ? Hash128{hash->low(), hash->high()} : Hash128{};
}

/// Reads a verified flatbuffer. FlatBuffers lets many references share one object, so a small
/// buffer could unfold into gigabytes; `budget_` counts what is copied against what a buffer
/// without sharing of that size can hold. Our writer shares nothing.
class Decoder {
public:
  explicit Decoder(size_t budget) : budget_(budget) {}

  bool module(const fb::Module &from, Module &to);
  bool exhausted() const { return exhausted_; }

private:
  bool charge(size_t amount) {
    exhausted_ |= amount > budget_;
    budget_ -= exhausted_ ? 0 : amount;
    return !exhausted_;
  }

  /// FlatBuffers' verifier aligns a vector's length, but not elements larger than it.
  template <typename T>
  bool aligned(const flatbuffers::Vector<T> &vector) {
    return reinterpret_cast<uintptr_t>(vector.Data()) % sizeof(uint64_t) == 0 || vector.size() == 0;
  }

  bool text(const flatbuffers::String *from, std::string &to) {
    if (!from)
      return true;
    if (!charge(from->size() + sizeof(uint32_t)))
      return false;
    to.assign(from->c_str(), from->size());
    return true;
  }

  template <typename T>
  bool numbers(const flatbuffers::Vector<T> *from, std::vector<T> &to) {
    if (!from)
      return true;
    if (!charge(from->size() * sizeof(T)) || (sizeof(T) == sizeof(uint64_t) && !aligned(*from)))
      return false;
    to.assign(from->begin(), from->end());
    return true;
  }

  template <typename From, typename To, typename Each>
  bool tables(const flatbuffers::Vector<From> *from, std::vector<To> &to, Each each) {
    if (!from)
      return true;
    // A table has at least its offset in the vector and its own offset to a vtable.
    if (!charge(from->size() * 8))
      return false;
    to.resize(from->size());
    for (flatbuffers::uoffset_t i = 0; i < from->size(); ++i)
      if (!each(*from->Get(i), to[i]))
        return false;
    return true;
  }

  bool texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> *from,
             std::vector<std::string> &to) {
    if (!from)
      return true;
    // Offsets; a short string takes hardly more.
    if (!charge(from->size() * sizeof(uint32_t)))
      return false;
    to.resize(from->size());
    for (flatbuffers::uoffset_t i = 0; i < from->size(); ++i)
      if (!text(from->Get(i), to[i]))
        return false;
    return true;
  }

  bool value(const fb::Value &from, Value &to);
  bool storage(const fb::Slot &from, SlotStorage &to);
  bool operation(const fb::Instruction &from, Operation &to);
  bool instruction(const fb::Instruction &from, Instruction &to) {
    to.queue = from.queue();
    to.event = from.event();
    return operation(from, to.operation);
  }
  bool program(const fb::Program &from, Program &to);

  size_t budget_;
  bool exhausted_ = false;
};

bool Decoder::value(const fb::Value &from, Value &to) {
  to.element = static_cast<ElementType>(from.element());
  to.key = static_cast<ElementType>(from.key());
  to.inPlaceInput = from.in_place_input();
  to.ranked = from.ranked();
  if (!text(from.name(), to.name) || !charge(from.axes()->size() * sizeof(fb::Axis)) ||
      !aligned(*from.axes()))
    return false;
  for (const fb::Axis *axis : *from.axes())
    to.axes.push_back({static_cast<Axis::Kind>(axis->kind()), axis->value()});
  if (from.containers()) {
    if (!charge(from.containers()->size()))
      return false;
    for (auto container : *from.containers())
      to.containers.push_back(static_cast<Container>(container));
  }
  return true;
}

bool Decoder::storage(const fb::Slot &from, SlotStorage &to) {
  switch (from.storage_type()) {
  case fb::SlotStorage::InputSlot:
    to = InputSlot{from.storage_as_InputSlot()->input()};
    return true;
  case fb::SlotStorage::OutputSlot:
    to = OutputSlot{from.storage_as_OutputSlot()->output()};
    return true;
  case fb::SlotStorage::WeightSlot:
    to = WeightSlot{from.storage_as_WeightSlot()->weight()};
    return true;
  case fb::SlotStorage::ConstantSlot: {
    const fb::ConstantSlot *constant = from.storage_as_ConstantSlot();
    to = ConstantSlot{constant->offset(), constant->size()};
    return true;
  }
  case fb::SlotStorage::TemporarySlot: {
    const fb::TemporarySlot *temporary = from.storage_as_TemporarySlot();
    to = TemporarySlot{temporary->size(), temporary->size_register(), temporary->offset(),
                       temporary->first(), temporary->last()};
    return true;
  }
  case fb::SlotStorage::AllocatedSlot:
    to = AllocatedSlot{};
    return true;
  case fb::SlotStorage::ViewSlot: {
    const fb::ViewSlot *view = from.storage_as_ViewSlot();
    to = ViewSlot{view->base(), view->offset(), view->offset_register()};
    return true;
  }
  case fb::SlotStorage::ObjectSlot:
    to = ObjectSlot{};
    return true;
  case fb::SlotStorage::ObjectConstantSlot:
    to = ObjectConstantSlot{from.storage_as_ObjectConstantSlot()->constant()};
    return true;
  case fb::SlotStorage::ContentSlot:
    to = ContentSlot{from.storage_as_ContentSlot()->object()};
    return true;
  case fb::SlotStorage::NONE:
    break;
  }
  return false;
}

bool Decoder::operation(const fb::Instruction &from, Operation &to) {
  switch (from.operation_type()) {
  case fb::Operation::Constant: {
    const fb::Constant *op = from.operation_as_Constant();
    to = Constant{op->result(), op->value()};
    return true;
  }
  case fb::Operation::ReadDimension: {
    const fb::ReadDimension *op = from.operation_as_ReadDimension();
    to = ReadDimension{op->result(), op->input(), op->axis()};
    return true;
  }
  case fb::Operation::Arithmetic: {
    const fb::Arithmetic *op = from.operation_as_Arithmetic();
    to = Arithmetic{static_cast<ArithmeticKind>(op->kind()), op->result(), op->lhs(), op->rhs(),
                    op->condition()};
    return true;
  }
  case fb::Operation::LoadElement: {
    const fb::LoadElement *op = from.operation_as_LoadElement();
    to =
        LoadElement{op->result(), op->slot(), op->index(), static_cast<ElementType>(op->element())};
    return true;
  }
  case fb::Operation::StoreElement: {
    const fb::StoreElement *op = from.operation_as_StoreElement();
    to =
        StoreElement{op->slot(), op->index(), op->value(), static_cast<ElementType>(op->element())};
    return true;
  }
  case fb::Operation::Launch: {
    const fb::Launch *op = from.operation_as_Launch();
    Launch &launch = to.emplace<Launch>();
    launch.kernel = op->kernel();
    launch.groups = op->groups();
    return numbers(op->buffers(), launch.buffers) && numbers(op->sizes(), launch.sizes);
  }
  case fb::Operation::Copy: {
    const fb::Copy *op = from.operation_as_Copy();
    to = Copy{op->destination(), op->source(), op->bytes()};
    return true;
  }
  case fb::Operation::Fill: {
    const fb::Fill *op = from.operation_as_Fill();
    to = Fill{op->destination(), op->bytes(), op->pattern(), op->pattern_size()};
    return true;
  }
  case fb::Operation::Allocate: {
    const fb::Allocate *op = from.operation_as_Allocate();
    to = Allocate{op->slot(), op->bytes(), op->keep()};
    return true;
  }
  case fb::Operation::SetShape: {
    const fb::SetShape *op = from.operation_as_SetShape();
    SetShape &shape = to.emplace<SetShape>();
    shape.output = op->output();
    return numbers(op->sizes(), shape.sizes);
  }
  case fb::Operation::Check: {
    const fb::Check *op = from.operation_as_Check();
    Check &check = to.emplace<Check>();
    check.condition = op->condition();
    return text(op->message(), check.message) && numbers(op->values(), check.values);
  }
  case fb::Operation::Branch: {
    const fb::Branch *op = from.operation_as_Branch();
    to = Branch{op->condition(), op->otherwise()};
    return true;
  }
  case fb::Operation::Jump:
    to = Jump{from.operation_as_Jump()->target()};
    return true;
  case fb::Operation::Loop:
    to = Loop{from.operation_as_Loop()->end()};
    return true;
  case fb::Operation::Repeat:
    to = Repeat{from.operation_as_Repeat()->loop()};
    return true;
  case fb::Operation::HostCall: {
    const fb::HostCall *op = from.operation_as_HostCall();
    HostCall &call = to.emplace<HostCall>();
    call.version = op->version();
    return text(op->function(), call.function) && text(op->node(), call.node) &&
           tables(op->attributes(), call.attributes,
                  [&](const fb::HostAttribute &from, HostCall::Attribute &to) {
                    to.constant = from.constant();
                    return text(from.name(), to.name);
                  }) &&
           numbers(op->inputs(), call.inputs) && numbers(op->outputs(), call.outputs) &&
           numbers(op->moved(), call.moved);
  }
  case fb::Operation::Wrap: {
    const fb::Wrap *op = from.operation_as_Wrap();
    Wrap &wrap = to.emplace<Wrap>();
    wrap.destination = op->destination();
    wrap.source = op->source();
    wrap.element = static_cast<ElementType>(op->element());
    return numbers(op->sizes(), wrap.sizes);
  }
  case fb::Operation::Unwrap: {
    const fb::Unwrap *op = from.operation_as_Unwrap();
    Unwrap &unwrap = to.emplace<Unwrap>();
    unwrap.object = op->object();
    unwrap.element = static_cast<ElementType>(op->element());
    return text(op->node(), unwrap.node) && numbers(op->sizes(), unwrap.sizes);
  }
  case fb::Operation::Share: {
    const fb::Share *op = from.operation_as_Share();
    to = Share{op->destination(), op->source(), op->move()};
    return true;
  }
  case fb::Operation::Wait:
    to = Wait{from.operation_as_Wait()->event()};
    return true;
  case fb::Operation::Swap: {
    const fb::Swap *op = from.operation_as_Swap();
    to = Swap{op->first(), op->second()};
    return true;
  }
  case fb::Operation::NONE:
    break;
  }
  return false;
}

bool Decoder::program(const fb::Program &from, Program &to) {
  to.registerCount = from.register_count();
  to.eventCount = from.event_count();
  auto decodeInstruction = [&](const fb::Instruction &from, Instruction &to) {
    return instruction(from, to);
  };
  return tables(
             from.devices(), to.devices,
             [&](const fb::Device &from, Device &to) { return text(from.family(), to.family); }) &&
         tables(from.modules(), to.modules,
                [&](const fb::KernelModule &from, KernelModule &to) {
                  to.device = from.device();
                  to.section = from.section();
                  return text(from.triple(), to.triple) && text(from.cpu(), to.cpu) &&
                         text(from.features(), to.features);
                }) &&
         tables(from.kernels(), to.kernels,
                [&](const fb::Kernel &from, Kernel &to) {
                  to.module = from.kernel_module();
                  to.entry = from.entry();
                  to.bufferCount = from.buffer_count();
                  to.sizeCount = from.size_count();
                  to.flops = from.flops();
                  return text(from.name(), to.name) && texts(from.nodes(), to.nodes);
                }) &&
         tables(from.slots(), to.slots,
                [&](const fb::Slot &from, Slot &to) {
                  to.device = from.device();
                  return storage(from, to.storage);
                }) &&
         tables(from.prologue(), to.prologue, decodeInstruction) &&
         tables(from.body(), to.body, decodeInstruction) &&
         numbers(from.arena_sizes(), to.arenaSizes);
}

bool Decoder::module(const fb::Module &from, Module &to) {
  const fb::Provenance &provenance = *from.provenance();
  to.provenance.modelHash = decode(provenance.model_hash());
  auto decodeValue = [&](const fb::Value &from, Value &to) { return value(from, to); };
  if (!text(provenance.producer(), to.provenance.producer) ||
      !text(provenance.options(), to.provenance.options) ||
      !text(provenance.model_name(), to.provenance.modelName) ||
      !text(from.weight_file(), to.weightFile) ||
      !tables(from.dimensions(), to.dimensions,
              [&](const fb::Dimension &from, Dimension &to) {
                to.min = from.min();
                to.max = from.max();
                to.multiple = from.multiple();
                return text(from.name(), to.name);
              }) ||
      !tables(from.inputs(), to.inputs, decodeValue) ||
      !tables(from.outputs(), to.outputs, decodeValue) ||
      !tables(from.weights(), to.weights,
              [&](const fb::Weight &from, Weight &to) {
                to.offset = from.offset();
                to.size = from.size();
                to.source = decode(from.source());
                return text(from.name(), to.name) && text(from.recipe(), to.recipe);
              }) ||
      !tables(from.constants(), to.constants,
              [&](const fb::ConstantTensor &from, ConstantTensor &to) {
                to.element = static_cast<ElementType>(from.element());
                return numbers(from.axes(), to.axes) && numbers(from.data(), to.data) &&
                       texts(from.strings(), to.strings);
              }) ||
      !tables(from.programs(), to.programs,
              [&](const fb::Program &from, Program &to) { return program(from, to); }))
    return false;
  if (from.sections()) {
    if (!charge(from.sections()->size() * sizeof(fb::Section)) || !aligned(*from.sections()))
      return false;
    for (const fb::Section *section : *from.sections())
      to.sections.push_back({static_cast<SectionKind>(section->kind()), section->external(),
                             section->offset(), section->size(), decode(&section->hash())});
  }
  if (from.weight_chunk_hashes()) {
    if (!charge(from.weight_chunk_hashes()->size() * sizeof(fb::Hash128)) ||
        !aligned(*from.weight_chunk_hashes()))
      return false;
    for (const fb::Hash128 *hash : *from.weight_chunk_hashes())
      to.weightChunkHashes.push_back(decode(hash));
  }
  return true;
}

} // namespace

Status decodeModule(std::span<const std::byte> bytes, Module &module) {
  // Root, program, instruction, operation: four levels. Each table takes at least eight bytes.
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(),
                                 /*_max_depth=*/8,
                                 /*_max_tables=*/static_cast<flatbuffers::uoffset_t>(bytes.size()));
  if (!fb::VerifyModuleBuffer(verifier))
    return {StatusCode::InvalidArtifact, "the module's structure is damaged"};
  Decoder decoder(bytes.size());
  if (decoder.module(*fb::GetModule(bytes.data()), module))
    return {};
  return {StatusCode::InvalidArtifact,
          decoder.exhausted()
              ? "the module's structure refers to the same parts again and again"
              : "the module has a part of an unknown kind or in an impossible place"};
}

} // namespace tenon::artifact
