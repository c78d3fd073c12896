// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of one program: its tables, its instruction lists, its control flow, and the lives of
// its temporaries. Placement.cpp has those of their places.

#include "lib/artifact/Verifier.h"

#include "lib/artifact/Format.h"

#include <algorithm>
#include <map>

namespace tenon::artifact {

namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

Status invalid(std::string message) { return {StatusCode::InvalidArtifact, std::move(message)}; }

std::string number(uint64_t value) { return std::to_string(value); }
std::string number(uint32_t value) { return std::to_string(value); }

bool isInteger(ElementType type) {
  switch (type) {
  case ElementType::Bool:
  case ElementType::UInt8:
  case ElementType::Int8:
  case ElementType::UInt16:
  case ElementType::Int16:
  case ElementType::UInt32:
  case ElementType::Int32:
  case ElementType::UInt64:
  case ElementType::Int64:
    return true;
  default:
    return false;
  }
}

class ProgramVerifier {
public:
  ProgramVerifier(const Module &module, const Program &program)
      : module_(module), program_(program) {}

  Status run();

private:
  Status tables();
  Status slots();
  Status slot(uint32_t index);
  Status instruction(const Instruction &instruction, bool inPrologue, uint32_t index);
  Status controlFlow();
  Status lives();

  Status reg(uint32_t index) const {
    if (index >= program_.registerCount)
      return invalid("register " + number(index) + " of " + number(program_.registerCount));
    return {};
  }
  Status regs(const std::vector<uint32_t> &indices) const {
    for (uint32_t index : indices)
      TENON_RETURN_IF_ERROR(reg(index));
    return {};
  }
  /// Notes that the body's instruction `at` uses slot `index`.
  Status use(uint32_t index, uint32_t at);
  Status write(uint32_t index, uint32_t at);
  /// That slot `index` is an object, and not a read-only one where it is `written`.
  Status object(uint32_t index, bool written) const;
  /// Like `object`, for a list in which some may be none.
  Status objects(const std::vector<uint32_t> &indices, bool written) const;
  Status hostCall(const HostCall &call) const;
  Status swap(const Slot &first, const Slot &second) const;

  const Module &module_;
  const Program &program_;
  std::vector<uint32_t> roots_;      ///< per slot: the end of its chain of views
  std::vector<uint32_t> viewDepths_; ///< per slot
  std::vector<int64_t> staticSizes_; ///< per slot: its bytes, -1 when not known here
  std::vector<bool> isObject_;       ///< per slot
  std::vector<bool> setInPrologue_;  ///< per register
  std::vector<bool> shaped_;         ///< per output
  std::vector<std::pair<uint32_t, uint32_t>> loops_; ///< of the body: Loop and Repeat, inner first
};

Status ProgramVerifier::tables() {
  if (program_.devices.empty() || program_.devices.size() > maxDevices)
    return invalid("there must be between 1 and " + number(maxDevices) + " devices");
  if (program_.registerCount > maxRegisters)
    return invalid("there are " + number(program_.registerCount) + " registers, at most " +
                   number(maxRegisters) + " are possible");
  if (program_.eventCount > maxEvents)
    return invalid("there are too many events");
  for (const KernelModule &module : program_.modules)
    if (module.device >= program_.devices.size() || module.section >= module_.sections.size() ||
        module_.sections[module.section].kind != SectionKind::Kernels)
      return invalid("a kernel module names a device or a section that does not exist");
  for (const Kernel &kernel : program_.kernels)
    if (kernel.module >= program_.modules.size())
      return invalid("kernel '" + kernel.name + "' is of a module that does not exist");
  return {};
}

Status ProgramVerifier::slot(uint32_t index) {
  const Slot &slot = program_.slots[index];
  if (slot.device >= program_.devices.size())
    return invalid("is on a device that does not exist");
  int64_t size = -1;
  roots_[index] = index;
  Status status = std::visit(
      Overloaded{[&](const InputSlot &input) -> Status {
                   if (input.input >= module_.inputs.size())
                     return invalid("is an input that does not exist");
                   isObject_[index] = module_.inputs[input.input].isObject();
                   return staticBytes(module_.inputs[input.input], size);
                 },
                 [&](const OutputSlot &output) -> Status {
                   if (output.output >= module_.outputs.size())
                     return invalid("is an output that does not exist");
                   isObject_[index] = module_.outputs[output.output].isObject();
                   return staticBytes(module_.outputs[output.output], size);
                 },
                 [&](const WeightSlot &weight) -> Status {
                   if (weight.weight >= module_.weights.size())
                     return invalid("is a weight that does not exist");
                   size = static_cast<int64_t>(module_.weights[weight.weight].size);
                   return {};
                 },
                 [&](const ConstantSlot &constant) -> Status {
                   uint64_t limit = 0;
                   for (const Section &section : module_.sections)
                     if (section.kind == SectionKind::Constants)
                       limit = section.size;
                   if (constant.offset % dataAlignment != 0 ||
                       !rangeFits(constant.offset, constant.size, limit))
                     return invalid("does not lie in the constants section");
                   size = static_cast<int64_t>(constant.size);
                   return {};
                 },
                 [&](const TemporarySlot &temporary) -> Status {
                   if (temporary.first > temporary.last || temporary.last >= program_.body.size())
                     return invalid("has an impossible interval");
                   if (temporary.sizeRegister != none) {
                     TENON_RETURN_IF_ERROR(reg(temporary.sizeRegister));
                     if (!setInPrologue_[temporary.sizeRegister])
                       return invalid("has a size that the prologue does not compute");
                   } else if (temporary.size < 0) {
                     return invalid("has a negative size");
                   } else {
                     size = temporary.size;
                   }
                   return {};
                 },
                 [&](const AllocatedSlot &) -> Status { return {}; },
                 [&](const ViewSlot &view) -> Status {
                   if (view.base >= index)
                     return invalid("is a view of a slot that does not come before it");
                   if (isObject_[view.base])
                     return invalid("is a view of an object");
                   if (program_.slots[view.base].device != slot.device)
                     return invalid("is a view of a slot on another device");
                   roots_[index] = roots_[view.base];
                   viewDepths_[index] = viewDepths_[view.base] + 1;
                   if (viewDepths_[index] > maxViewDepth)
                     return invalid("is a view of a view of a view, too many times");
                   if (view.offsetRegister != none)
                     return reg(view.offsetRegister);
                   if (view.offset < 0)
                     return invalid("is a view with a negative offset");
                   if (int64_t base = staticSizes_[view.base]; base >= 0) {
                     if (view.offset > base)
                       return invalid("is a view beyond the end of slot " + number(view.base));
                     size = base - view.offset;
                   }
                   return {};
                 },
                 [&](const ObjectSlot &) -> Status {
                   isObject_[index] = true;
                   return {};
                 },
                 [&](const ObjectConstantSlot &constant) -> Status {
                   isObject_[index] = true;
                   if (constant.constant >= module_.constants.size())
                     return invalid("is a constant that does not exist");
                   return {};
                 },
                 [&](const ContentSlot &content) -> Status {
                   if (content.object >= index || !isObject_[content.object])
                     return invalid("is the content of a slot that is no object before it");
                   return {};
                 }},
      slot.storage);
  staticSizes_[index] = size;
  return status;
}

Status ProgramVerifier::slots() {
  roots_.resize(program_.slots.size());
  viewDepths_.resize(program_.slots.size());
  staticSizes_.resize(program_.slots.size());
  isObject_.resize(program_.slots.size());
  for (uint32_t i = 0; i < program_.slots.size(); ++i)
    TENON_RETURN_IF_ERROR(slot(i).withContext("slot " + number(i)));
  return {};
}

Status ProgramVerifier::use(uint32_t index, uint32_t at) {
  if (index >= program_.slots.size())
    return invalid("slot " + number(index) + " of " + number(program_.slots.size()));
  if (isObject_[index])
    return invalid("slot " + number(index) + " is an object, not memory");
  const auto *temporary = std::get_if<TemporarySlot>(&program_.slots[roots_[index]].storage);
  if (temporary && (at < temporary->first || at > temporary->last))
    return invalid("slot " + number(roots_[index]) + " is used outside its interval [" +
                   number(temporary->first) + ", " + number(temporary->last) + "]");
  return {};
}

Status ProgramVerifier::write(uint32_t index, uint32_t at) {
  TENON_RETURN_IF_ERROR(use(index, at));
  const SlotStorage &root = program_.slots[roots_[index]].storage;
  if (std::holds_alternative<InputSlot>(root) || std::holds_alternative<WeightSlot>(root) ||
      std::holds_alternative<ConstantSlot>(root) || std::holds_alternative<ContentSlot>(root))
    return invalid("slot " + number(index) + " is read only");
  return {};
}

Status ProgramVerifier::object(uint32_t index, bool written) const {
  if (index >= program_.slots.size())
    return invalid("slot " + number(index) + " of " + number(program_.slots.size()));
  if (!isObject_[index])
    return invalid("slot " + number(index) + " is memory, not an object");
  const SlotStorage &storage = program_.slots[index].storage;
  if (written && (std::holds_alternative<InputSlot>(storage) ||
                  std::holds_alternative<ObjectConstantSlot>(storage)))
    return invalid("slot " + number(index) + " is read only");
  return {};
}

Status ProgramVerifier::objects(const std::vector<uint32_t> &indices, bool written) const {
  for (uint32_t index : indices)
    if (index != none)
      TENON_RETURN_IF_ERROR(object(index, written));
  return {};
}

Status ProgramVerifier::hostCall(const HostCall &call) const {
  if (call.function.empty())
    return invalid("the function has no name");
  for (const HostCall::Attribute &attribute : call.attributes)
    if (attribute.constant >= module_.constants.size())
      return invalid("attribute '" + attribute.name + "' is a constant that does not exist");
  TENON_RETURN_IF_ERROR(objects(call.inputs, false));
  TENON_RETURN_IF_ERROR(objects(call.outputs, true));
  for (uint32_t position : call.moved) {
    if (position >= call.inputs.size())
      return invalid("moves input " + number(position) + " of " + number(call.inputs.size()));
    TENON_RETURN_IF_ERROR(object(call.inputs[position], true));
  }
  return {};
}

/// What one slot is given must be good for the other: for as long, and as large.
Status ProgramVerifier::swap(const Slot &first, const Slot &second) const {
  bool allocated = std::holds_alternative<AllocatedSlot>(first.storage) &&
                   std::holds_alternative<AllocatedSlot>(second.storage);
  bool objects = std::holds_alternative<ObjectSlot>(first.storage) &&
                 std::holds_alternative<ObjectSlot>(second.storage);
  const auto *a = std::get_if<TemporarySlot>(&first.storage);
  const auto *b = std::get_if<TemporarySlot>(&second.storage);
  bool alike = a && b && a->size == b->size && a->sizeRegister == b->sizeRegister &&
               a->first == b->first && a->last == b->last;
  if (first.device != second.device || (!allocated && !objects && !alike))
    return invalid("exchanges slots that are not alike");
  return {};
}

Status ProgramVerifier::instruction(const Instruction &instruction, bool inPrologue, uint32_t at) {
  const Operation &operation = instruction.operation;
  if (inPrologue && !std::holds_alternative<Constant>(operation) &&
      !std::holds_alternative<ReadDimension>(operation) &&
      !std::holds_alternative<Arithmetic>(operation) &&
      !std::holds_alternative<SetShape>(operation) && !std::holds_alternative<Check>(operation))
    return invalid("is not possible in the prologue");
  if (instruction.event != none && instruction.event >= program_.eventCount)
    return invalid("signals an event that does not exist");

  auto result = [&](uint32_t index) -> Status {
    TENON_RETURN_IF_ERROR(reg(index));
    if (inPrologue)
      setInPrologue_[index] = true;
    return {};
  };
  return std::visit(
      Overloaded{
          [&](const Constant &op) -> Status { return result(op.result); },
          [&](const ReadDimension &op) -> Status {
            if (op.input >= module_.inputs.size() || !module_.inputs[op.input].hasShape() ||
                op.axis >= module_.inputs[op.input].axes.size())
              return invalid("reads an axis that does not exist");
            return result(op.result);
          },
          [&](const Arithmetic &op) -> Status {
            if (op.kind > ArithmeticKind::Select)
              return invalid("unknown kind");
            TENON_RETURN_IF_ERROR(reg(op.lhs));
            TENON_RETURN_IF_ERROR(reg(op.rhs));
            if (op.kind == ArithmeticKind::Select)
              TENON_RETURN_IF_ERROR(reg(op.condition));
            return result(op.result);
          },
          [&](const LoadElement &op) -> Status {
            if (!isInteger(op.element))
              return invalid("element type is not an integer");
            TENON_RETURN_IF_ERROR(use(op.slot, at));
            TENON_RETURN_IF_ERROR(reg(op.index));
            return result(op.result);
          },
          [&](const StoreElement &op) -> Status {
            if (!isInteger(op.element))
              return invalid("element type is not an integer");
            TENON_RETURN_IF_ERROR(reg(op.index));
            TENON_RETURN_IF_ERROR(reg(op.value));
            return write(op.slot, at);
          },
          [&](const Launch &op) -> Status {
            if (op.kernel >= program_.kernels.size())
              return invalid("kernel " + number(op.kernel) + " of " +
                             number(program_.kernels.size()));
            const Kernel &kernel = program_.kernels[op.kernel];
            if (op.buffers.size() != kernel.bufferCount || op.sizes.size() != kernel.sizeCount)
              return invalid("kernel '" + kernel.name + "' takes " + number(kernel.bufferCount) +
                             " buffers and " + number(kernel.sizeCount) + " sizes, but gets " +
                             number(op.buffers.size()) + " and " + number(op.sizes.size()));
            for (uint32_t buffer : op.buffers) {
              TENON_RETURN_IF_ERROR(use(buffer, at));
              if (program_.slots[buffer].device != program_.modules[kernel.module].device)
                return invalid("slot " + number(buffer) + " is on another device than kernel '" +
                               kernel.name + "'");
            }
            TENON_RETURN_IF_ERROR(regs(op.sizes));
            return reg(op.groups);
          },
          [&](const Copy &op) -> Status {
            TENON_RETURN_IF_ERROR(use(op.source, at));
            TENON_RETURN_IF_ERROR(reg(op.bytes));
            return write(op.destination, at);
          },
          [&](const Fill &op) -> Status {
            if (!std::has_single_bit(op.patternSize) || op.patternSize > 8)
              return invalid("a pattern has 1, 2, 4 or 8 bytes");
            TENON_RETURN_IF_ERROR(reg(op.bytes));
            return write(op.destination, at);
          },
          [&](const Allocate &op) -> Status {
            TENON_RETURN_IF_ERROR(use(op.slot, at));
            if (!std::holds_alternative<AllocatedSlot>(program_.slots[op.slot].storage))
              return invalid("slot " + number(op.slot) + " is not one to be allocated");
            return reg(op.bytes);
          },
          [&](const SetShape &op) -> Status {
            if (op.output >= module_.outputs.size() || module_.outputs[op.output].isObject() ||
                op.sizes.size() != module_.outputs[op.output].axes.size())
              return invalid("there is no such output with that many axes");
            shaped_[op.output] = true;
            return regs(op.sizes);
          },
          [&](const Check &op) -> Status {
            TENON_RETURN_IF_ERROR(regs(op.values));
            return reg(op.condition);
          },
          [&](const Branch &op) -> Status { return reg(op.condition); },
          [&](const Jump &) -> Status { return {}; }, // controlFlow() looks at targets
          [&](const Loop &) -> Status { return {}; },
          [&](const Repeat &) -> Status { return {}; },
          [&](const HostCall &op) -> Status { return hostCall(op); },
          [&](const Wrap &op) -> Status {
            if (elementBits(op.element) == 0 || op.sizes.size() > maxRank)
              return invalid("makes a tensor of an impossible type");
            TENON_RETURN_IF_ERROR(use(op.source, at));
            TENON_RETURN_IF_ERROR(regs(op.sizes));
            return object(op.destination, true);
          },
          [&](const Unwrap &op) -> Status {
            if (op.element == ElementType::Undefined || op.element > ElementType::Float6E3M2 ||
                op.sizes.size() > maxRank)
              return invalid("asks for a tensor of an impossible type");
            TENON_RETURN_IF_ERROR(regs(op.sizes));
            return object(op.object, false);
          },
          [&](const Share &op) -> Status {
            TENON_RETURN_IF_ERROR(object(op.source, op.move));
            return object(op.destination, true);
          },
          [&](const Wait &op) -> Status {
            if (op.event >= program_.eventCount)
              return invalid("waits for an event that does not exist");
            return {};
          },
          [&](const Swap &op) -> Status {
            for (uint32_t index : {op.first, op.second})
              TENON_RETURN_IF_ERROR(index < isObject_.size() && isObject_[index]
                                        ? object(index, true)
                                        : write(index, at));
            return swap(program_.slots[op.first], program_.slots[op.second]);
          }},
      operation);
}

Status ProgramVerifier::controlFlow() {
  const std::vector<Instruction> &body = program_.body;
  auto at = [](uint32_t index) { return "body instruction " + number(index); };

  // Pair each Loop with its Repeat; like brackets, they nest. enclosing[i] is the innermost loop
  // whose inside (after its Loop, up to and with its Repeat) holds instruction i.
  std::vector<uint32_t> open, enclosing(body.size() + 1, none);
  for (uint32_t i = 0; i < body.size(); ++i) {
    enclosing[i] = open.empty() ? none : open.back();
    if (const auto *loop = std::get_if<Loop>(&body[i].operation)) {
      if (loop->end <= i || loop->end >= body.size() ||
          !std::holds_alternative<Repeat>(body[loop->end].operation))
        return invalid(at(i) + " (loop): its end is not a repeat after it");
      if (open.size() == maxLoopDepth)
        return invalid(at(i) + " (loop): lies in more than " + number(maxLoopDepth) + " loops");
      open.push_back(i);
    } else if (const auto *repeat = std::get_if<Repeat>(&body[i].operation)) {
      if (open.empty() || repeat->loop != open.back() ||
          std::get<Loop>(body[open.back()].operation).end != i)
        return invalid(at(i) + " (repeat): does not close the innermost loop");
      loops_.emplace_back(open.back(), i);
      open.pop_back();
    }
  }
  if (!open.empty())
    return invalid(at(open.back()) + " (loop): is never closed");

  auto contains = [&](uint32_t loop, uint32_t index) {
    return loop == none || (index > loop && index <= std::get<Loop>(body[loop].operation).end);
  };
  for (uint32_t i = 0; i < body.size(); ++i) {
    const auto *branch = std::get_if<Branch>(&body[i].operation);
    const auto *jump = std::get_if<Jump>(&body[i].operation);
    if (!branch && !jump)
      continue;
    uint32_t target = branch ? branch->otherwise : jump->target;
    if (target <= i || target > body.size())
      return invalid(at(i) + ": goes to instruction " + number(target) + ", which is not after it");
    if (!contains(enclosing[target], i))
      return invalid(at(i) + ": goes into a loop from outside");
  }
  return {};
}

Status ProgramVerifier::lives() {
  // loops_ x temporaries would be quadratic for hostile input. A loop cuts an interval exactly when
  // one end is inside it and the other is not, that is when the innermost loops of both ends differ
  // and the interval does not contain the loop whole. Walking outwards from each end visits only
  // loops that hold it.
  std::vector<uint32_t> innermost(program_.body.size(), none), parent(loops_.size(), none);
  // Inner loops come first in loops_, so an instruction keeps the first loop that claims it.
  {
    std::vector<uint32_t> open;
    std::map<uint32_t, uint32_t> byStart;
    for (uint32_t i = 0; i < loops_.size(); ++i)
      byStart[loops_[i].first] = i;
    for (uint32_t i = 0; i < program_.body.size(); ++i) {
      if (auto found = byStart.find(i); found != byStart.end()) {
        parent[found->second] = open.empty() ? none : open.back();
        open.push_back(found->second);
      }
      innermost[i] = open.empty() ? none : open.back();
      if (!open.empty() && loops_[open.back()].second == i)
        open.pop_back();
    }
  }
  for (uint32_t i = 0; i < program_.slots.size(); ++i) {
    const auto *temporary = std::get_if<TemporarySlot>(&program_.slots[i].storage);
    if (!temporary)
      continue;
    for (uint32_t end : {temporary->first, temporary->last}) {
      uint32_t loop = innermost[end];
      while (loop != none &&
             (loops_[loop].first >= temporary->first && loops_[loop].second <= temporary->last))
        loop = parent[loop]; // contained whole
      // The next loop outwards holds this end without being contained: it must hold both ends.
      if (loop != none &&
          (loops_[loop].first > temporary->first || loops_[loop].second < temporary->last))
        return invalid("slot " + number(i) + ": its interval cuts the loop at instruction " +
                       number(loops_[loop].first));
    }
  }
  return {};
}

Status ProgramVerifier::run() {
  setInPrologue_.resize(std::min(program_.registerCount, maxRegisters));
  shaped_.resize(module_.outputs.size());
  TENON_RETURN_IF_ERROR(tables());
  auto list = [&](const std::vector<Instruction> &instructions, bool inPrologue) -> Status {
    for (uint32_t i = 0; i < instructions.size(); ++i) {
      Status status = instruction(instructions[i], inPrologue, i);
      if (!status.ok())
        return std::move(status).withContext(std::string(inPrologue ? "prologue" : "body") +
                                             " instruction " + number(i) + " (" +
                                             operationName(instructions[i].operation) + ")");
    }
    return {};
  };
  // The prologue uses no slots, and slots need to know which registers it sets.
  TENON_RETURN_IF_ERROR(list(program_.prologue, true));
  TENON_RETURN_IF_ERROR(slots());
  TENON_RETURN_IF_ERROR(list(program_.body, false));
  for (uint32_t i = 0; i < shaped_.size(); ++i) {
    int64_t bytes = -1;
    TENON_RETURN_IF_ERROR(staticBytes(module_.outputs[i], bytes));
    if (bytes < 0 && !shaped_[i] && !module_.outputs[i].isObject())
      return invalid("output '" + module_.outputs[i].name +
                     "' has a dynamic shape that no instruction sets");
  }
  TENON_RETURN_IF_ERROR(controlFlow());
  TENON_RETURN_IF_ERROR(lives());
  return verifyPlacement(program_);
}

} // namespace

Status verifyProgram(const Module &module, const Program &program) {
  return ProgramVerifier(module, program).run();
}

uint32_t rootSlot(const Program &program, uint32_t slot) {
  while (const auto *view = std::get_if<ViewSlot>(&program.slots[slot].storage))
    slot = view->base;
  return slot;
}

} // namespace tenon::artifact
