// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/Model.h"

#include "lib/runtime/Error.h"
#include "lib/runtime/Handles.h"
#include "lib/runtime/Interpreter.h"

#include <algorithm>
#include <new>

namespace tenon::runtime {

using namespace artifact;

// --- RunContext
// ------------------------------------------------------------------------------------

RunContext::RunContext(const Model &model)
    : binding(model.module()), registers(model.program().registerCount),
      regions(model.program().slots.size()), objects(model.program().slots.size()),
      outputs(model.module().outputs.size()), ownsOutput(model.module().outputs.size()),
      queues(model.program().devices.size()), model_(model),
      arenas_(model.program().devices.size()), late_(model.program().slots.size()) {
  size_t buffers = 0, sizes = 0;
  for (const Kernel &kernel : model.program().kernels) {
    buffers = std::max<size_t>(buffers, kernel.bufferCount);
    sizes = std::max<size_t>(sizes, kernel.sizeCount);
  }
  // A kernel that no launch uses could claim any number; launches are as long as they really are.
  size_t longest = 0;
  for (const Instruction &instruction : model.program().body)
    if (const auto *launch = std::get_if<Launch>(&instruction.operation))
      longest = std::max({longest, launch->buffers.size(), launch->sizes.size()});
  launchBuffers.resize(std::min(buffers, longest));
  launchSizes.resize(std::min(sizes, longest));

  // Weights and constants are where they are. The artifact is mapped read-only and the verifier has
  // seen that no instruction writes to them.
  static std::byte nothing[dataAlignment];
  for (uint32_t i = 0; i < regions.size(); ++i) {
    std::span<const std::byte> bytes;
    if (const auto *weight = std::get_if<WeightSlot>(&model.program().slots[i].storage))
      bytes = model.artifact().weight(weight->weight);
    else if (const auto *constant = std::get_if<ConstantSlot>(&model.program().slots[i].storage))
      bytes = model.artifact().constant(*constant);
    else {
      if (const auto *object = std::get_if<ObjectConstantSlot>(&model.program().slots[i].storage))
        objects[i] = model.constant(object->constant);
      continue;
    }
    regions[i] = bytes.empty() ? Region{nothing, 0}
                               : Region{const_cast<std::byte *>(bytes.data()),
                                        static_cast<int64_t>(bytes.size())};
  }
}

RunContext::~RunContext() {
  for (uint32_t i = 0; i < queues.size(); ++i)
    if (queues[i])
      model_.device(i).table->queue_release(queues[i]);
  for (uint32_t i = 0; i < arenas_.size(); ++i)
    if (arenas_[i].memory)
      model_.device(i).table->memory_release(model_.device(i).handle, arenas_[i].memory,
                                             static_cast<size_t>(arenas_[i].size));
  for (uint32_t i = 0; i < late_.size(); ++i) {
    const OpenDevice &device = model_.device(model_.program().slots[i].device);
    if (late_[i].memory)
      device.table->memory_release(device.handle, late_[i].memory,
                                   static_cast<size_t>(late_[i].size));
  }
}

Status RunContext::open() {
  for (uint32_t i = 0; i < queues.size(); ++i) {
    const OpenDevice &device = model_.device(i);
    tenon_error error = {};
    TENON_RETURN_IF_ERROR(
        fromDevice(device.table->queue_create(device.handle, &queues[i], &error), error));
  }
  return {};
}

Status RunContext::grow(Block &block, int64_t bytes, const OpenDevice &device) {
  // At least one byte, so that an empty buffer has an address too.
  bytes = std::max<int64_t>(bytes, 1);
  if (block.size >= bytes)
    return {};
  if (block.memory)
    device.table->memory_release(device.handle, block.memory, static_cast<size_t>(block.size));
  block = {};
  tenon_error error = {};
  void *memory = nullptr;
  TENON_RETURN_IF_ERROR(fromDevice(
      device.table->memory_allocate(device.handle, static_cast<size_t>(bytes), &memory, &error),
      error));
  block = {memory, bytes};
  return {};
}

Status RunContext::prepare(const ShapePlan &plan) {
  for (uint32_t i = 0; i < arenas_.size(); ++i)
    TENON_RETURN_IF_ERROR(
        grow(arenas_[i], plan.arenaSizes[i], model_.device(i)).withContext("working memory"));
  const std::vector<Slot> &slots = model_.program().slots;
  for (uint32_t i = 0; i < slots.size(); ++i) {
    if (std::holds_alternative<TemporarySlot>(slots[i].storage))
      regions[i] = {static_cast<std::byte *>(arenas_[slots[i].device].memory) + plan.offsets[i],
                    plan.sizes[i]};
    else if (std::holds_alternative<AllocatedSlot>(slots[i].storage))
      regions[i] = {};
  }
  std::copy(plan.registers.begin(), plan.registers.end(), registers.begin());
  return {};
}

Status RunContext::allocateLate(uint32_t slot, int64_t bytes, bool keep) {
  if (bytes < 0)
    return {StatusCode::CheckFailed, "a buffer would have a negative size"};
  uint32_t deviceIndex = model_.program().slots[slot].device;
  const OpenDevice &device = model_.device(deviceIndex);
  Block &block = late_[slot];
  int64_t held = regions[slot].data ? std::min(regions[slot].size, bytes) : 0;
  if (!keep || held == 0 || block.size >= bytes) {
    TENON_RETURN_IF_ERROR(grow(block, bytes, device));
  } else {
    Block larger;
    TENON_RETURN_IF_ERROR(grow(larger, std::max(bytes, block.size + block.size / 2), device));
    std::swap(block, larger);
    tenon_error error = {};
    Status copied = fromDevice(device.table->copy(queues[deviceIndex], block.memory, larger.memory,
                                                  static_cast<size_t>(held), &error),
                               error);
    if (copied.ok())
      copied = fromDevice(device.table->queue_synchronize(queues[deviceIndex], &error), error);
    device.table->memory_release(device.handle, larger.memory, static_cast<size_t>(larger.size));
    TENON_RETURN_IF_ERROR(std::move(copied));
  }
  regions[slot] = {static_cast<std::byte *>(block.memory), bytes};
  return {};
}

void RunContext::swap(uint32_t first, uint32_t second) {
  std::swap(regions[first], regions[second]);
  std::swap(late_[first], late_[second]);
  std::swap(objects[first], objects[second]);
}

void RunContext::clearObjects() {
  const std::vector<Slot> &slots = model_.program().slots;
  for (uint32_t i = 0; i < objects.size(); ++i)
    if (objects[i] && !std::holds_alternative<ObjectConstantSlot>(slots[i].storage))
      objects[i] = {};
}

/// Whether inputs that are objects are of their types. All else about them only shows when they are
/// used.
static Status checkObjects(const Module &module, const RunArguments &arguments) {
  auto bad = [](std::string message) {
    return Status(StatusCode::InvalidArgument, std::move(message));
  };
  if (arguments.objectInputs.empty() && arguments.objectOutputs.empty()) {
    for (const std::vector<Value> *values : {&module.inputs, &module.outputs})
      for (const Value &value : *values)
        if (value.isObject())
          return bad("'" + value.name + "' is " + valueText(value) +
                     ", which only tenon_run_values takes and gives");
    return {};
  }
  for (size_t i = 0; i < std::min(module.inputs.size(), arguments.objectInputs.size()); ++i) {
    const Value &type = module.inputs[i];
    const ValueReference &value = arguments.objectInputs[i];
    if (type.isObject() && !isOfType(*value.get(), type))
      return bad("input '" + type.name + "' is " + valueText(*value.get()) + ", expected " +
                 valueText(type));
  }
  return {};
}

// --- Model
// -----------------------------------------------------------------------------------------

Model::Model(std::shared_ptr<Runtime> runtime, std::unique_ptr<Artifact> artifact)
    : runtime_(std::move(runtime)), artifact_(std::move(artifact)),
      handle_(new tenon_runtime{runtime_}), plans_(planCapacity) {}

Status Model::load(std::shared_ptr<Runtime> runtime, std::unique_ptr<Artifact> artifact,
                   Purpose purpose, std::shared_ptr<Model> &model) {
  std::shared_ptr<Model> loaded(new (std::nothrow) Model(std::move(runtime), std::move(artifact)));
  if (!loaded)
    return {StatusCode::OutOfMemory, "out of memory"};
  const std::vector<Program> &programs = loaded->module().programs;
  if (purpose == Purpose::Inspect) {
    loaded->program_ = &programs.front();
    model = std::move(loaded);
    return {};
  }
  TENON_RETURN_IF_ERROR(loaded->loadConstants());
  Status first;
  for (const Program &program : programs) {
    Status status = loaded->loadProgram(program);
    if (status.ok()) {
      model = std::move(loaded);
      return {};
    }
    loaded->unloadProgram();
    // A program for other hardware is no error while there is another one.
    if (status.code() != StatusCode::Unsupported)
      return status;
    if (first.ok())
      first = std::move(status);
    else
      first = Status(first.code(), first.message() + "; or: " + status.message());
  }
  return first;
}

Status Model::loadConstants() {
  for (const ConstantTensor &constant : module().constants) {
    tenon_tensor tensor = {};
    tensor.element = static_cast<tenon_element_type>(constant.element);
    tensor.rank = static_cast<int32_t>(constant.axes.size());
    std::copy(constant.axes.begin(), constant.axes.end(), tensor.dims);
    std::vector<tenon_string> strings;
    for (const std::string &string : constant.strings)
      strings.push_back({string.data(), string.size()});
    bool isText = constant.element == ElementType::String;
    tensor.data =
        isText ? static_cast<void *>(strings.data()) : const_cast<uint8_t *>(constant.data.data());
    tensor.byte_size =
        static_cast<int64_t>(isText ? strings.size() * sizeof(tenon_string) : constant.data.size());
    TENON_RETURN_IF_ERROR(
        copyTensor(runtime_, tensor, constants_.emplace_back()).withContext("a constant"));
  }
  return {};
}

Status Model::loadHostFunctions(const Program &program) {
  for (size_t i = 0; i < program.body.size(); ++i) {
    const auto *call = std::get_if<HostCall>(&program.body[i].operation);
    if (!call)
      continue;
    TENON_RETURN_IF_ERROR(runtime_->hostLibrary(host_));
    hostFunctions_.resize(program.body.size());
    std::vector<tenon_host_attribute> attributes;
    for (const HostCall::Attribute &attribute : call->attributes)
      attributes.push_back({attribute.name.c_str(), constants_[attribute.constant].get()});
    tenon_error error = {};
    TENON_RETURN_IF_ERROR(
        fromDevice(host_->create(call->function.c_str(), call->version, attributes.data(),
                                 attributes.size(), &hostFunctions_[i], &error),
                   error)
            .withContext("node '" + call->node + "'"));
  }
  return {};
}

Status Model::loadProgram(const Program &program) {
  for (const Device &device : program.devices) {
    OpenDevice open;
    TENON_RETURN_IF_ERROR(runtime_->device(device.family, open));
    int64_t hostVisible = 0;
    tenon_error error = {};
    TENON_RETURN_IF_ERROR(fromDevice(
        open.table->query(open.handle, TENON_DEVICE_HOST_VISIBLE, &hostVisible, &error), error));
    if (!hostVisible)
      return {StatusCode::Unsupported,
              "the host cannot reach the memory of device '" + device.family + "'"};
    devices_.push_back(open);
  }
  for (const KernelModule &module : program.modules) {
    std::span<const std::byte> image = artifact_->section(module.section);
    tenon_device_image description = {image.data(), image.size(), module.triple.c_str(),
                                      module.features.c_str()};
    const OpenDevice &device = devices_[module.device];
    tenon_device_module *loaded = nullptr;
    tenon_error error = {};
    TENON_RETURN_IF_ERROR(
        fromDevice(device.table->module_load(device.handle, &description, &loaded, &error), error));
    modules_.emplace_back(device, loaded);
  }
  for (const Kernel &kernel : program.kernels) {
    auto &[device, module] = modules_[kernel.module];
    tenon_device_kernel *loaded = nullptr;
    tenon_error error = {};
    TENON_RETURN_IF_ERROR(
        fromDevice(device.table->module_kernel(module, kernel.entry, &loaded, &error), error)
            .withContext("kernel '" + kernel.name + "'"));
    kernels_.push_back(loaded);
  }
  TENON_RETURN_IF_ERROR(loadHostFunctions(program));
  program_ = &program;
  return {};
}

void Model::unloadProgram() {
  for (auto &[device, module] : modules_)
    device.table->module_release(module);
  for (tenon_host_function *function : hostFunctions_)
    if (function)
      host_->release(function);
  hostFunctions_.clear();
  kernels_.clear();
  modules_.clear();
  devices_.clear();
}

Model::~Model() {
  idle_.clear();
  unloadProgram();
}

Status Model::acquire(std::unique_ptr<RunContext> &context) {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      context = std::move(idle_.back());
      idle_.pop_back();
      return {};
    }
  }
  context.reset(new (std::nothrow) RunContext(*this));
  return context ? context->open() : Status(StatusCode::OutOfMemory, "out of memory");
}

void Model::giveBack(std::unique_ptr<RunContext> context) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(context));
}

Status Model::plan(std::span<const tenon_tensor> inputs, ShapeBinding &binding,
                   std::shared_ptr<const ShapePlan> &plan) {
  TENON_RETURN_IF_ERROR(bindInputs(module(), inputs, binding));
  plan = plans_.find(binding.key);
  if (plan)
    return {};
  auto computed = std::make_shared<ShapePlan>();
  TENON_RETURN_IF_ERROR(computeShapePlan(module(), program(), inputs, binding, *computed));
  plans_.insert(computed);
  plan = std::move(computed);
  return {};
}

Status Model::run(const RunArguments &arguments, const std::atomic<bool> *cancelled) {
  if (devices_.empty())
    return {StatusCode::Unsupported, "the model was opened for inspection only"};
  std::unique_ptr<RunContext> context;
  TENON_RETURN_IF_ERROR(acquire(context));
  std::shared_ptr<const ShapePlan> shapes;
  Status status = checkObjects(module(), arguments);
  if (status.ok())
    status = plan(arguments.inputs, context->binding, shapes);
  if (status.ok())
    status = context->prepare(*shapes);
  if (status.ok())
    status = Interpreter(*this, *context, arguments, cancelled).run(*shapes);
  context->clearObjects();
  giveBack(std::move(context));
  return status;
}

void Model::trim() {
  std::vector<std::unique_ptr<RunContext>> idle;
  {
    std::lock_guard lock(mutex_);
    idle.swap(idle_);
  }
  plans_.clear();
}

} // namespace tenon::runtime
