// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/Interpreter.h"

#include "lib/runtime/Arithmetic.h"
#include "lib/runtime/Error.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace tenon::runtime {

using namespace artifact;

namespace {

/// What empty tensors point to when the caller gave no address.
alignas(64) std::byte emptyTensor[64];

bool overlap(const Region &a, const Region &b) {
  auto begin = [](const Region &r) { return reinterpret_cast<uintptr_t>(r.data); };
  auto end = [&](const Region &r) { return begin(r) + static_cast<uintptr_t>(r.size); };
  return a.size > 0 && b.size > 0 && begin(a) < end(b) && begin(b) < end(a);
}

Status bad(StatusCode code, std::string message) { return {code, std::move(message)}; }

} // namespace

Status Interpreter::run(const ShapePlan &plan) {
  const Module &module = model_.module();
  if (outputs_.size() != module.outputs.size())
    return bad(StatusCode::InvalidArgument,
               "the model has " + std::to_string(module.outputs.size()) + " outputs, but " +
                   std::to_string(outputs_.size()) + " were given");
  std::fill(context_.outputs.begin(), context_.outputs.end(), Region{});
  std::fill(context_.ownsOutput.begin(), context_.ownsOutput.end(), false);

  Status status = bindInputData();
  for (uint32_t i = 0; i < outputs_.size() && status.ok(); ++i)
    if (plan.outputs[i])
      status = bindOutput(i, *plan.outputs[i]);
  if (status.ok())
    status = body();
  for (uint32_t i = 0; i < context_.queues.size(); ++i) {
    tenon_error error = {};
    Status done =
        fromDevice(model_.device(i).table->queue_synchronize(context_.queues[i], &error), error);
    if (status.ok())
      status = std::move(done);
  }
  if (status.ok())
    status = giveObjects();
  for (uint32_t i = 0; i < outputs_.size() && status.ok(); ++i)
    if (!context_.outputs[i].data && !module.outputs[i].isObject())
      status = bad(StatusCode::InvalidArtifact,
                   "the program ended without a shape for output '" + module.outputs[i].name + "'");
  if (!status.ok()) {
    for (uint32_t i = 0; i < outputs_.size(); ++i) {
      if (!context_.ownsOutput[i])
        continue;
      model_.runtime().release(outputs_[i].data, outputs_[i].byte_size);
      outputs_[i].data = nullptr;
      outputs_[i].byte_size = 0;
    }
  }
  return status;
}

Status Interpreter::bindInputData() {
  const Module &module = model_.module();
  const std::vector<Slot> &slots = model_.program().slots;
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    const tenon_tensor &tensor = inputs_[i];
    if (module.inputs[i].isObject())
      continue;
    int64_t bytes = 0;
    TENON_RETURN_IF_ERROR(
        tensorBytes(module.inputs[i], std::span(tensor.dims, module.inputs[i].axes.size()), bytes));
    if (tensor.byte_size < bytes || (bytes > 0 && !tensor.data))
      return bad(StatusCode::InvalidArgument,
                 "input '" + module.inputs[i].name + "' has " +
                     std::to_string(tensor.data ? tensor.byte_size : 0) + " bytes of data, its " +
                     "shape needs " + std::to_string(bytes));
  }
  for (uint32_t i = 0; i < slots.size(); ++i) {
    const auto *input = std::get_if<InputSlot>(&slots[i].storage);
    if (!input) {
      if (std::holds_alternative<OutputSlot>(slots[i].storage))
        context_.regions[i] = {};
      continue;
    }
    if (module.inputs[input->input].isObject()) {
      context_.objects[i] = objectInputs_[input->input];
      continue;
    }
    const tenon_tensor &tensor = inputs_[input->input];
    Region &region = context_.regions[i];
    TENON_RETURN_IF_ERROR(
        tensorBytes(module.inputs[input->input],
                    std::span(tensor.dims, module.inputs[input->input].axes.size()), region.size));
    region.data = tensor.data ? static_cast<std::byte *>(tensor.data) : emptyTensor;
  }
  return {};
}

Status Interpreter::giveObjects() {
  const Module &module = model_.module();
  const std::vector<Slot> &slots = model_.program().slots;
  for (uint32_t i = 0; i < slots.size(); ++i) {
    const auto *output = std::get_if<OutputSlot>(&slots[i].storage);
    if (!output || !module.outputs[output->output].isObject())
      continue;
    const Value &type = module.outputs[output->output];
    const tenon_value *value = nullptr;
    TENON_RETURN_IF_ERROR(resolveObject(i, value));
    if (!isOfType(*value, type))
      return bad(StatusCode::CheckFailed, "output '" + type.name + "' came out as " +
                                              valueText(*value) + ", its signature says " +
                                              valueText(type));
    if (type.hasShape()) {
      std::span<const int64_t> sizes(value->tensor.dims, static_cast<size_t>(value->tensor.rank));
      TENON_RETURN_IF_ERROR(checkOutputShape(module, output->output, sizes, context_.binding));
    }
    objectOutputs_[output->output] = context_.objects[i];
  }
  for (uint32_t i = 0; i < module.outputs.size(); ++i)
    if (module.outputs[i].isObject() && !objectOutputs_[i])
      return bad(StatusCode::InvalidArtifact,
                 "the program ended without a value for output '" + module.outputs[i].name + "'");
  return {};
}

Status Interpreter::checkOverlap(uint32_t index, const Region &region) {
  const Module &module = model_.module();
  const Value &value = module.outputs[index];
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    if (module.inputs[i].isObject())
      continue;
    int64_t bytes = 0;
    TENON_RETURN_IF_ERROR(tensorBytes(
        module.inputs[i], std::span(inputs_[i].dims, module.inputs[i].axes.size()), bytes));
    if (!overlap(region, {static_cast<std::byte *>(inputs_[i].data), bytes}))
      continue;
    if (value.inPlaceInput == i && region.data == inputs_[i].data)
      continue;
    return bad(StatusCode::InvalidArgument,
               "the memory of output '" + value.name + "' overlaps that of input '" +
                   module.inputs[i].name + "'; " +
                   (value.inPlaceInput == i ? "in place, both must start at the same address"
                                            : "the model does not compute it in place"));
  }
  for (uint32_t i = 0; i < outputs_.size(); ++i)
    if (i != index && overlap(region, context_.outputs[i]))
      return bad(StatusCode::InvalidArgument, "the memory of output '" + value.name +
                                                  "' overlaps that of output '" +
                                                  module.outputs[i].name + "'");
  return {};
}

Status Interpreter::bindOutput(uint32_t index, std::span<const int64_t> shape) {
  const Value &value = model_.module().outputs[index];
  tenon_tensor &tensor = outputs_[index];
  int64_t bytes = 0;
  TENON_RETURN_IF_ERROR(tensorBytes(value, shape, bytes));
  if (context_.outputs[index].data) {
    // Shaped before: only the same shape again.
    if (!std::equal(shape.begin(), shape.end(), tensor.dims))
      return bad(StatusCode::InvalidArtifact,
                 "output '" + value.name + "' is given two different shapes");
    return {};
  }
  auto element = static_cast<tenon_element_type>(value.element);
  if (tensor.data) {
    if (tensor.element != TENON_UNDEFINED && tensor.element != element)
      return bad(StatusCode::InvalidArgument, "output '" + value.name + "' has element type " +
                                                  tenon_element_type_name(tensor.element) +
                                                  ", expected " + elementTypeName(value.element));
    if (tensor.byte_size < bytes)
      return bad(StatusCode::InvalidArgument,
                 "output '" + value.name + "' has shape " + shapeText(shape) + " and needs " +
                     std::to_string(bytes) + " bytes, but has room for " +
                     std::to_string(tensor.byte_size));
  } else {
    tensor.data = model_.runtime().allocate(bytes);
    if (!tensor.data)
      return bad(StatusCode::OutOfMemory, "out of memory for output '" + value.name + "' of " +
                                              std::to_string(bytes) + " bytes");
    tensor.byte_size = bytes;
    context_.ownsOutput[index] = true;
  }
  Region region{static_cast<std::byte *>(tensor.data), bytes};
  TENON_RETURN_IF_ERROR(checkOverlap(index, region));
  tensor.element = element;
  tensor.rank = static_cast<int32_t>(shape.size());
  std::fill(std::begin(tensor.dims), std::end(tensor.dims), 0);
  std::copy(shape.begin(), shape.end(), tensor.dims);
  context_.outputs[index] = region;
  const std::vector<Slot> &slots = model_.program().slots;
  for (uint32_t i = 0; i < slots.size(); ++i)
    if (const auto *output = std::get_if<OutputSlot>(&slots[i].storage);
        output && output->output == index)
      context_.regions[i] = region;
  return {};
}

Status Interpreter::body() {
  const std::vector<Instruction> &body = model_.program().body;
  for (next_ = 0; next_ < body.size();) {
    if (cancelled_ && cancelled_->load(std::memory_order_relaxed))
      return bad(StatusCode::Cancelled, "the execution was cancelled");
    current_ = next_++;
    const Operation &operation = body[current_].operation;
    Status status = std::visit([this](const auto &op) { return execute(op); }, operation);
    if (!status.ok()) {
      // The program's own checks and the caller's mistakes speak for themselves.
      if (std::holds_alternative<Check>(operation) || std::holds_alternative<SetShape>(operation) ||
          std::holds_alternative<HostCall>(operation) || std::holds_alternative<Unwrap>(operation))
        return status;
      return std::move(status).withContext("instruction " + std::to_string(current_) + " (" +
                                           operationName(operation) + ")");
    }
  }
  return {};
}

Status Interpreter::resolve(uint32_t slot, Region &region) const {
  if (const auto *view = std::get_if<ViewSlot>(&model_.program().slots[slot].storage)) {
    TENON_RETURN_IF_ERROR(resolve(view->base, region));
    int64_t offset =
        view->offsetRegister == none ? view->offset : context_.registers[view->offsetRegister];
    if (offset < 0 || offset > region.size)
      return bad(StatusCode::CheckFailed, "a view starts at byte " + std::to_string(offset) +
                                              " of a buffer of " + std::to_string(region.size));
    region.data += offset;
    region.size -= offset;
    return {};
  }
  if (const auto *content = std::get_if<ContentSlot>(&model_.program().slots[slot].storage)) {
    const tenon_value *value = nullptr;
    TENON_RETURN_IF_ERROR(resolveObject(content->object, value));
    if (value->kind != TENON_VALUE_TENSOR || value->tensor.element == TENON_STRING)
      return bad(StatusCode::InvalidArtifact, "slot " + std::to_string(content->object) +
                                                  " holds " + valueText(*value) +
                                                  ", whose content is no memory");
    region = {static_cast<std::byte *>(value->tensor.data), value->tensor.byte_size};
    return {};
  }
  region = context_.regions[slot];
  if (!region.data)
    return bad(StatusCode::InvalidArtifact,
               "slot " + std::to_string(slot) + " is used before it has memory");
  return {};
}

Status Interpreter::resolve(uint32_t slot, int64_t bytes, Region &region) const {
  TENON_RETURN_IF_ERROR(resolve(slot, region));
  if (bytes < 0 || bytes > region.size)
    return bad(StatusCode::CheckFailed,
               std::to_string(bytes) + " bytes of a buffer of " + std::to_string(region.size));
  return {};
}

Status Interpreter::resolveElement(uint32_t slot, int64_t index, ElementType type,
                                   std::byte *&address) const {
  Region region;
  TENON_RETURN_IF_ERROR(resolve(slot, region));
  int64_t width = elementBits(type) / 8;
  if (index < 0 || index >= region.size / width)
    return bad(StatusCode::CheckFailed, "element " + std::to_string(index) + " of a buffer of " +
                                            std::to_string(region.size / width) + " elements");
  address = region.data + index * width;
  return {};
}

Status Interpreter::resolveObject(uint32_t slot, const tenon_value *&value) const {
  value = context_.objects[slot].get();
  if (!value)
    return bad(StatusCode::InvalidArtifact,
               "slot " + std::to_string(slot) + " is used before it holds a value");
  return {};
}

const OpenDevice &Interpreter::deviceOf(uint32_t slot) const {
  return model_.device(model_.program().slots[slot].device);
}

tenon_device_queue *Interpreter::queueOf(uint32_t slot) const {
  return context_.queues[model_.program().slots[slot].device];
}

Status Interpreter::execute(const Constant &op) {
  context_.registers[op.result] = op.value;
  return {};
}

Status Interpreter::execute(const ReadDimension &op) {
  context_.registers[op.result] = inputs_[op.input].dims[op.axis];
  return {};
}

Status Interpreter::execute(const Arithmetic &op) {
  return runtime::execute(op, context_.registers.data());
}

Status Interpreter::execute(const Check &op) {
  return runtime::execute(op, context_.registers.data());
}

Status Interpreter::execute(const LoadElement &op) {
  std::byte *address = nullptr;
  TENON_RETURN_IF_ERROR(resolveElement(op.slot, context_.registers[op.index], op.element, address));
  auto read = [&]<typename T>(T value) {
    std::memcpy(&value, address, sizeof(T));
    context_.registers[op.result] = static_cast<int64_t>(value);
  };
  switch (op.element) {
  case ElementType::Bool:
  case ElementType::UInt8:
    read(uint8_t());
    break;
  case ElementType::Int8:
    read(int8_t());
    break;
  case ElementType::UInt16:
    read(uint16_t());
    break;
  case ElementType::Int16:
    read(int16_t());
    break;
  case ElementType::UInt32:
    read(uint32_t());
    break;
  case ElementType::Int32:
    read(int32_t());
    break;
  default:
    read(int64_t());
    break;
  }
  return {};
}

Status Interpreter::execute(const StoreElement &op) {
  std::byte *address = nullptr;
  TENON_RETURN_IF_ERROR(resolveElement(op.slot, context_.registers[op.index], op.element, address));
  int64_t value = context_.registers[op.value];
  if (op.element == ElementType::Bool)
    value = value != 0;
  std::memcpy(address, &value, elementBits(op.element) / 8); // little-endian: the low bytes
  return {};
}

Status Interpreter::execute(const Launch &op) {
  const Kernel &kernel = model_.program().kernels[op.kernel];
  for (size_t i = 0; i < op.buffers.size(); ++i) {
    Region region;
    Status status = resolve(op.buffers[i], region);
    if (!status.ok())
      return std::move(status).withContext("kernel '" + kernel.name + "', buffer " +
                                           std::to_string(i));
    context_.launchBuffers[i] = region.data;
  }
  for (size_t i = 0; i < op.sizes.size(); ++i)
    context_.launchSizes[i] = context_.registers[op.sizes[i]];
  uint32_t device = model_.program().modules[kernel.module].device;
  const tenon_device_interface &table = *model_.device(device).table;
  tenon_device_queue *queue = context_.queues[device];
  tenon_error error = {};
  auto launch = [&] {
    return fromDevice(table.launch(queue, model_.kernel(op.kernel), context_.launchBuffers.data(),
                                   op.buffers.size(), context_.launchSizes.data(), op.sizes.size(),
                                   context_.registers[op.groups], &error),
                      error);
  };
  if (!model_.runtime().isProfiled())
    return launch();
  TENON_RETURN_IF_ERROR(fromDevice(table.queue_synchronize(queue, &error), error));
  auto start = std::chrono::steady_clock::now();
  TENON_RETURN_IF_ERROR(launch());
  TENON_RETURN_IF_ERROR(fromDevice(table.queue_synchronize(queue, &error), error));
  model_.runtime().launched(
      kernel.name, std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  return {};
}

Status Interpreter::execute(const Copy &op) {
  int64_t bytes = context_.registers[op.bytes];
  Region destination, source;
  TENON_RETURN_IF_ERROR(resolve(op.destination, bytes, destination));
  TENON_RETURN_IF_ERROR(resolve(op.source, bytes, source));
  destination.size = source.size = bytes;
  if (destination.data != source.data && overlap(destination, source))
    return bad(StatusCode::CheckFailed, "the buffers overlap");
  tenon_error error = {};
  return fromDevice(deviceOf(op.destination)
                        .table->copy(queueOf(op.destination), destination.data, source.data,
                                     static_cast<size_t>(bytes), &error),
                    error);
}

Status Interpreter::execute(const Fill &op) {
  int64_t bytes = context_.registers[op.bytes];
  Region region;
  TENON_RETURN_IF_ERROR(resolve(op.destination, bytes, region));
  tenon_error error = {};
  return fromDevice(deviceOf(op.destination)
                        .table->fill(queueOf(op.destination), region.data,
                                     static_cast<size_t>(bytes), op.pattern, op.patternSize,
                                     &error),
                    error);
}

Status Interpreter::execute(const Allocate &op) {
  return context_.allocateLate(op.slot, context_.registers[op.bytes], op.keep);
}

Status Interpreter::execute(const SetShape &op) {
  int64_t shape[TENON_MAX_RANK];
  for (size_t i = 0; i < op.sizes.size(); ++i)
    shape[i] = context_.registers[op.sizes[i]];
  std::span<const int64_t> sizes(shape, op.sizes.size());
  TENON_RETURN_IF_ERROR(checkOutputShape(model_.module(), op.output, sizes, context_.binding));
  return bindOutput(op.output, sizes);
}

Status Interpreter::execute(const Branch &op) {
  if (context_.registers[op.condition] == 0)
    next_ = op.otherwise;
  return {};
}

Status Interpreter::execute(const Jump &op) {
  next_ = op.target;
  return {};
}

Status Interpreter::execute(const Loop &) { return {}; }

Status Interpreter::execute(const Repeat &op) {
  next_ = op.loop;
  return {};
}

Status Interpreter::execute(const HostCall &op) {
  auto failed = [&](Status status) {
    return std::move(status).withContext("node '" + op.node + "'");
  };
  std::vector<tenon_value *> inputs(op.inputs.size()), results(op.outputs.size());
  std::vector<uint8_t> needed(op.outputs.size());
  Status status;
  for (size_t i = 0; i < inputs.size() && status.ok(); ++i) {
    const tenon_value *value = nullptr;
    if (op.inputs[i] == none)
      continue;
    status = resolveObject(op.inputs[i], value);
    inputs[i] = status.ok() ? tenon_value_retain(value) : nullptr;
  }
  for (uint32_t position : op.moved)
    if (status.ok())
      context_.objects[op.inputs[position]] = {};
  for (size_t i = 0; i < results.size(); ++i)
    needed[i] = op.outputs[i] != none;
  if (status.ok()) {
    tenon_host_call call = {model_.runtimeHandle(), &valueInterface(), inputs.data(), inputs.size(),
                            results.data(),         needed.data(),     results.size()};
    tenon_error error = {};
    status = fromDevice(model_.host().call(model_.hostFunction(current_), &call, &error), error);
  }
  for (tenon_value *input : inputs)
    tenon_value_release(input);
  for (size_t i = 0; i < results.size(); ++i) {
    ValueReference result = ValueReference::take(results[i]);
    if (status.ok() && op.outputs[i] != none)
      context_.objects[op.outputs[i]] = std::move(result);
  }
  return failed(std::move(status));
}

Status Interpreter::execute(const Wrap &op) {
  tenon_tensor tensor = {};
  tensor.element = static_cast<tenon_element_type>(op.element);
  tensor.rank = static_cast<int32_t>(op.sizes.size());
  for (size_t i = 0; i < op.sizes.size(); ++i)
    tensor.dims[i] = context_.registers[op.sizes[i]];
  Region region;
  TENON_RETURN_IF_ERROR(resolve(op.source, region));
  tensor.data = region.data;
  tensor.byte_size = region.size;
  tenon_error error = {};
  TENON_RETURN_IF_ERROR(
      fromDevice(deviceOf(op.source).table->queue_synchronize(queueOf(op.source), &error), error));
  ValueReference value;
  Status status = copyTensor(model_.runtime().shared_from_this(), tensor, value);
  if (status.ok())
    context_.objects[op.destination] = std::move(value);
  return status;
}

Status Interpreter::execute(const Unwrap &op) {
  const tenon_value *value = nullptr;
  TENON_RETURN_IF_ERROR(resolveObject(op.object, value));
  if (value->kind != TENON_VALUE_TENSOR ||
      static_cast<uint32_t>(value->tensor.element) != static_cast<uint32_t>(op.element) ||
      static_cast<size_t>(value->tensor.rank) != op.sizes.size()) {
    std::string found = valueText(*value);
    if (value->kind == TENON_VALUE_TENSOR)
      found += " of rank " + std::to_string(value->tensor.rank);
    return bad(StatusCode::CheckFailed, "node '" + op.node + "': expected a tensor of " +
                                            elementTypeName(op.element) + " of rank " +
                                            std::to_string(op.sizes.size()) + ", found " + found);
  }
  for (size_t i = 0; i < op.sizes.size(); ++i)
    context_.registers[op.sizes[i]] = value->tensor.dims[i];
  return {};
}

Status Interpreter::execute(const Share &op) {
  const tenon_value *value = nullptr;
  TENON_RETURN_IF_ERROR(resolveObject(op.source, value));
  ValueReference shared = context_.objects[op.source];
  if (op.move)
    context_.objects[op.source] = {};
  context_.objects[op.destination] = std::move(shared);
  return {};
}

Status Interpreter::execute(const Wait &) {
  // Commands are issued in the list's order, to one queue for each device, and memory is the
  // host's: what came before is done or in order.
  return {};
}

Status Interpreter::execute(const Swap &op) {
  context_.swap(op.first, op.second);
  return {};
}

} // namespace tenon::runtime
