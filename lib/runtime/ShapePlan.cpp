// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/ShapePlan.h"

#include "lib/artifact/Format.h"
#include "lib/runtime/Arithmetic.h"
#include "lib/runtime/MemoryPlanner.h"

#include <algorithm>
#include <charconv>

namespace tenon::runtime {

using namespace artifact;

namespace {

Status wrong(std::string message) { return {StatusCode::InvalidArgument, std::move(message)}; }

std::string boundsText(const Dimension &dimension) {
  std::string text = "at least " + std::to_string(dimension.min);
  if (dimension.max != INT64_MAX)
    text = "from " + std::to_string(dimension.min) + " to " + std::to_string(dimension.max);
  if (dimension.multiple != 1)
    text += ", a multiple of " + std::to_string(dimension.multiple);
  return text;
}

Status bindAxis(const Module &module, const tenon_tensor &tensor, uint32_t input, uint32_t axis,
                ShapeBinding &binding) {
  const Value &value = module.inputs[input];
  const Axis &expected = value.axes[axis];
  int64_t size = tensor.dims[axis];
  auto where = [&] {
    return "input '" + value.name + "' has shape " +
           shapeText(std::span(tensor.dims, value.axes.size())) + ", expected " +
           shapeText(module, value) + ": ";
  };
  if (size < 0)
    return wrong(where() + "axis " + std::to_string(axis) + " is negative");
  if (expected.kind == Axis::Kind::Static)
    return size == expected.value ? Status()
                                  : wrong(where() + "axis " + std::to_string(axis) + " must be " +
                                          std::to_string(expected.value));
  binding.key.push_back(size);
  if (expected.kind == Axis::Kind::Unnamed)
    return {};
  const Dimension &dimension = module.dimensions[static_cast<size_t>(expected.value)];
  int64_t &bound = binding.dimensions[static_cast<size_t>(expected.value)];
  if (bound >= 0 && bound != size)
    return wrong(where() + "'" + dimension.name + "' is " + std::to_string(size) +
                 " here but was " + std::to_string(bound) + " before");
  if (size < dimension.min || size > dimension.max || size % dimension.multiple != 0)
    return wrong(where() + "'" + dimension.name + "' is " + std::to_string(size) +
                 ", the model was compiled for " + boundsText(dimension));
  bound = size;
  return {};
}

class PrologueRunner {
public:
  PrologueRunner(const Module &module, std::span<const tenon_tensor> inputs,
                 const ShapeBinding &binding, ShapePlan &plan)
      : module_(module), inputs_(inputs), binding_(binding), plan_(plan) {}

  Status run(const std::vector<Instruction> &prologue) {
    for (const Instruction &instruction : prologue)
      TENON_RETURN_IF_ERROR(std::visit(*this, instruction.operation));
    return {};
  }

  Status operator()(const Constant &op) {
    plan_.registers[op.result] = op.value;
    return {};
  }
  Status operator()(const ReadDimension &op) {
    plan_.registers[op.result] = inputs_[op.input].dims[op.axis];
    return {};
  }
  Status operator()(const Arithmetic &op) { return execute(op, plan_.registers.data()); }
  Status operator()(const Check &op) { return execute(op, plan_.registers.data()); }
  Status operator()(const SetShape &op) {
    Shape shape;
    for (uint32_t size : op.sizes)
      shape.push_back(plan_.registers[size]);
    TENON_RETURN_IF_ERROR(checkOutputShape(module_, op.output, shape, binding_));
    plan_.outputs[op.output] = std::move(shape);
    return {};
  }
  template <typename Other>
  Status operator()(const Other &) {
    return {StatusCode::InvalidArtifact, "an instruction that cannot be in the prologue"};
  }

private:
  const Module &module_;
  std::span<const tenon_tensor> inputs_;
  const ShapeBinding &binding_;
  ShapePlan &plan_;
};

Status placeTemporaries(const Program &program, ShapePlan &plan) {
  plan.sizes.assign(program.slots.size(), 0);
  plan.offsets.assign(program.slots.size(), 0);
  plan.arenaSizes.assign(program.devices.size(), 0);
  std::vector<std::vector<MemoryInterval>> intervals(program.devices.size());
  std::vector<std::vector<uint32_t>> owners(program.devices.size());
  for (uint32_t i = 0; i < program.slots.size(); ++i) {
    const auto *temporary = std::get_if<TemporarySlot>(&program.slots[i].storage);
    if (!temporary)
      continue;
    int64_t size =
        temporary->sizeRegister == none ? temporary->size : plan.registers[temporary->sizeRegister];
    if (size < 0)
      return {StatusCode::CheckFailed, "a temporary buffer would have a negative size"};
    plan.sizes[i] = size;
    plan.offsets[i] = temporary->offset;
    uint32_t device = program.slots[i].device;
    intervals[device].push_back({static_cast<uint64_t>(size), temporary->first, temporary->last});
    owners[device].push_back(i);
  }
  for (uint32_t device = 0; device < program.devices.size(); ++device) {
    if (!program.arenaSizes.empty()) {
      if (program.arenaSizes[device] > INT64_MAX)
        return {StatusCode::OutOfMemory, "the working memory is too large"};
      plan.arenaSizes[device] = static_cast<int64_t>(program.arenaSizes[device]);
      continue;
    }
    MemoryPlan placed;
    if (!planMemory(intervals[device], dataAlignment, placed))
      return {StatusCode::OutOfMemory, "the working memory for these shapes is too large"};
    for (size_t i = 0; i < placed.offsets.size(); ++i)
      plan.offsets[owners[device][i]] = static_cast<int64_t>(placed.offsets[i]);
    plan.arenaSizes[device] = static_cast<int64_t>(placed.size);
  }
  return {};
}

} // namespace

Status execute(const Check &op, const int64_t *registers) {
  if (registers[op.condition] != 0)
    return {};
  // Put the values into the places {0}, {1}, ...; a place without a value stays as it is.
  std::string message;
  for (size_t i = 0; i < op.message.size(); ++i) {
    if (op.message[i] == '{') {
      size_t close = op.message.find('}', i);
      uint32_t index = 0;
      if (close != std::string::npos) {
        auto [end, problem] =
            std::from_chars(op.message.data() + i + 1, op.message.data() + close, index);
        if (problem == std::errc() && end == op.message.data() + close &&
            index < op.values.size()) {
          message += std::to_string(registers[op.values[index]]);
          i = close;
          continue;
        }
      }
    }
    message += op.message[i];
  }
  return {StatusCode::CheckFailed, std::move(message)};
}

std::string shapeText(std::span<const int64_t> sizes) {
  std::string text = "[";
  for (size_t i = 0; i < sizes.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(sizes[i]);
  return text + "]";
}

std::string shapeText(const Module &module, const Value &value) {
  std::string text = "[";
  for (size_t i = 0; i < value.axes.size(); ++i) {
    const Axis &axis = value.axes[i];
    text += i == 0 ? "" : ", ";
    text += axis.kind == Axis::Kind::Static ? std::to_string(axis.value)
            : axis.kind == Axis::Kind::Dimension
                ? module.dimensions[static_cast<size_t>(axis.value)].name
                : "?";
  }
  return text + "]";
}

ShapeBinding::ShapeBinding(const Module &module) {
  dimensions.resize(module.dimensions.size());
  size_t dynamic = 0;
  for (const Value &input : module.inputs)
    for (const Axis &axis : input.axes)
      dynamic += axis.kind != Axis::Kind::Static;
  key.reserve(dynamic);
}

Status bindInputs(const Module &module, std::span<const tenon_tensor> inputs,
                  ShapeBinding &binding) {
  if (inputs.size() != module.inputs.size())
    return wrong("the model has " + std::to_string(module.inputs.size()) + " inputs, but " +
                 std::to_string(inputs.size()) + " were given");
  std::fill(binding.dimensions.begin(), binding.dimensions.end(), -1);
  binding.key.clear();
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const Value &value = module.inputs[i];
    const tenon_tensor &tensor = inputs[i];
    if (!value.hasShape())
      continue;
    if (static_cast<uint32_t>(tensor.element) != static_cast<uint32_t>(value.element))
      return wrong("input '" + value.name + "' has element type " +
                   tenon_element_type_name(tensor.element) + ", expected " +
                   elementTypeName(value.element));
    if (tensor.rank < 0 || static_cast<size_t>(tensor.rank) != value.axes.size())
      return wrong("input '" + value.name + "' has " + std::to_string(tensor.rank) +
                   " axes, expected " + std::to_string(value.axes.size()) + ": " +
                   shapeText(module, value));
    for (uint32_t axis = 0; axis < value.axes.size(); ++axis)
      TENON_RETURN_IF_ERROR(bindAxis(module, tensor, i, axis, binding));
  }
  return {};
}

Status tensorBytes(const Value &value, std::span<const int64_t> sizes, int64_t &bytes) {
  int64_t count = 1;
  bool overflow = false, empty = false;
  for (int64_t size : sizes) {
    if (size < 0)
      return wrong("'" + value.name + "' would have shape " + shapeText(sizes));
    empty |= size == 0;
    overflow |= __builtin_mul_overflow(count, size, &count);
  }
  // An empty tensor may have any other sizes.
  if (empty) {
    bytes = 0;
    return {};
  }
  if (overflow || !elementBytes(value.element, count, bytes))
    return wrong("'" + value.name + "' with shape " + shapeText(sizes) + " is too large");
  return {};
}

Status checkOutputShape(const Module &module, uint32_t index, std::span<const int64_t> sizes,
                        const ShapeBinding &binding) {
  const Value &value = module.outputs[index];
  auto wrong = [&] {
    return Status(StatusCode::CheckFailed, "output '" + value.name + "' came out with shape " +
                                               shapeText(sizes) + ", its signature says " +
                                               shapeText(module, value));
  };
  if (sizes.size() != value.axes.size())
    return wrong();
  bool empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Axis &axis = value.axes[i];
    int64_t expected = axis.kind == Axis::Kind::Static ? axis.value
                       : axis.kind == Axis::Kind::Dimension && !empty
                           ? binding.dimensions[static_cast<size_t>(axis.value)]
                           : -1;
    if (sizes[i] < 0 || (expected >= 0 && sizes[i] != expected))
      return wrong();
  }
  return {};
}

Status computeShapePlan(const Module &module, const Program &program,
                        std::span<const tenon_tensor> inputs, const ShapeBinding &binding,
                        ShapePlan &plan) {
  plan.key = binding.key;
  plan.registers.assign(program.registerCount, 0);
  plan.outputs.resize(module.outputs.size());
  for (uint32_t i = 0; i < module.outputs.size(); ++i) {
    const std::vector<Axis> &axes = module.outputs[i].axes;
    if (module.outputs[i].isObject() || std::any_of(axes.begin(), axes.end(), [](const Axis &axis) {
          return axis.kind != Axis::Kind::Static;
        }))
      continue;
    plan.outputs[i].emplace();
    for (const Axis &axis : axes)
      plan.outputs[i]->push_back(axis.value);
  }
  TENON_RETURN_IF_ERROR(PrologueRunner(module, inputs, binding, plan).run(program.prologue));
  return placeTemporaries(program, plan);
}

std::shared_ptr<const ShapePlan> ShapePlanCache::find(const std::vector<int64_t> &key) {
  std::lock_guard lock(mutex_);
  for (auto plan = plans_.begin(); plan != plans_.end(); ++plan) {
    if ((*plan)->key == key) {
      plans_.splice(plans_.begin(), plans_, plan);
      return plans_.front();
    }
  }
  return nullptr;
}

void ShapePlanCache::insert(std::shared_ptr<const ShapePlan> plan) {
  std::lock_guard lock(mutex_);
  plans_.push_front(std::move(plan));
  if (plans_.size() > capacity_)
    plans_.pop_back();
}

void ShapePlanCache::clear() {
  std::lock_guard lock(mutex_);
  plans_.clear();
}

} // namespace tenon::runtime
