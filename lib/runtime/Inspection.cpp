// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface: signatures, what a model is made of, and memory plans.

#include "lib/runtime/Error.h"
#include "lib/runtime/Handles.h"
#include "lib/runtime/MemoryPlanner.h"

#include <algorithm>
#include <cstring>
#include <new>

using namespace tenon;
using namespace tenon::runtime;
using namespace tenon::artifact;

namespace {

Status noSuch(const char *what, int32_t index, size_t count) {
  return {StatusCode::InvalidArgument, "there is no " + std::string(what) + " " +
                                           std::to_string(index) + ", the model has " +
                                           std::to_string(count)};
}

tenon_dim describe(const Module &module, const Axis &axis) {
  switch (axis.kind) {
  case Axis::Kind::Static:
    return {TENON_DIM_STATIC, nullptr, axis.value, axis.value, 1};
  case Axis::Kind::Dimension: {
    const Dimension &dimension = module.dimensions[static_cast<size_t>(axis.value)];
    return {TENON_DIM_NAMED, dimension.name.c_str(), dimension.min, dimension.max,
            dimension.multiple};
  }
  case Axis::Kind::Unnamed:
    break;
  }
  return {TENON_DIM_UNNAMED, nullptr, 0, INT64_MAX, 1};
}

Status describe(const Module &module, const std::vector<Value> &values, const char *what,
                int32_t index, tenon_value_info *info) {
  if (index < 0 || static_cast<size_t>(index) >= values.size())
    return noSuch(what, index, values.size());
  if (!info)
    return {StatusCode::InvalidArgument, "the place for the description is NULL"};
  const Value &value = values[static_cast<size_t>(index)];
  *info = {};
  info->name = value.name.c_str();
  info->element = static_cast<tenon_element_type>(value.element);
  info->rank = value.hasShape() ? static_cast<int32_t>(value.axes.size()) : -1;
  for (size_t i = 0; i < value.axes.size(); ++i)
    info->dims[i] = describe(module, value.axes[i]);
  info->key = static_cast<tenon_element_type>(value.key);
  info->container_count = static_cast<int32_t>(value.containers.size());
  for (size_t i = 0; i < value.containers.size(); ++i)
    info->containers[i] = value.containers[i] == Container::Sequence   ? TENON_VALUE_SEQUENCE
                          : value.containers[i] == Container::Optional ? TENON_VALUE_OPTIONAL
                                                                       : TENON_VALUE_MAP;
  info->in_place_input = value.inPlaceInput == none ? -1 : static_cast<int32_t>(value.inPlaceInput);
  return {};
}

int32_t find(const std::vector<Value> &values, const char *name) {
  for (size_t i = 0; i < values.size(); ++i)
    if (name && values[i].name == name)
      return static_cast<int32_t>(i);
  return -1;
}

} // namespace

struct tenon_memory_plan {
  std::vector<tenon_memory_region> regions;
  int64_t bytes = 0;
  int64_t lowerBound = 0;
};

extern "C" {

const char *tenon_element_type_name(tenon_element_type element) {
  if (element < 0 || element > TENON_FLOAT6E3M2)
    return "undefined";
  return elementTypeName(static_cast<ElementType>(element));
}

int64_t tenon_element_bytes(tenon_element_type element, int64_t count) {
  int64_t bytes = 0;
  if (element < 0 || element > TENON_FLOAT6E3M2 ||
      !elementBytes(static_cast<ElementType>(element), count, bytes))
    return -1;
  return bytes;
}

int32_t tenon_model_input_count(const tenon_model *model) {
  return static_cast<int32_t>(model->model->module().inputs.size());
}

int32_t tenon_model_output_count(const tenon_model *model) {
  return static_cast<int32_t>(model->model->module().outputs.size());
}

tenon_status tenon_model_input(const tenon_model *model, int32_t index, tenon_value_info *info,
                               tenon_error *error) {
  const Module &module = model->model->module();
  return report(describe(module, module.inputs, "input", index, info), error);
}

tenon_status tenon_model_output(const tenon_model *model, int32_t index, tenon_value_info *info,
                                tenon_error *error) {
  const Module &module = model->model->module();
  return report(describe(module, module.outputs, "output", index, info), error);
}

int32_t tenon_model_find_input(const tenon_model *model, const char *name) {
  return find(model->model->module().inputs, name);
}

int32_t tenon_model_find_output(const tenon_model *model, const char *name) {
  return find(model->model->module().outputs, name);
}

void tenon_model_get_info(const tenon_model *model, tenon_model_info *info) {
  const Module &module = model->model->module();
  const Program &program = model->model->program();
  *info = {};
  info->producer = module.provenance.producer.c_str();
  info->options = module.provenance.options.c_str();
  info->model_name = module.provenance.modelName.c_str();
  info->model_hash[0] = module.provenance.modelHash.low;
  info->model_hash[1] = module.provenance.modelHash.high;
  info->device = program.devices[0].family.c_str();
  info->triple = info->cpu = info->features = "";
  for (const KernelModule &kernels : program.modules) {
    info->kernel_bytes += static_cast<int64_t>(module.sections[kernels.section].size);
    if (info->triple[0] != '\0')
      continue;
    info->triple = kernels.triple.c_str();
    info->cpu = kernels.cpu.c_str();
    info->features = kernels.features.c_str();
  }
  info->file_bytes = static_cast<int64_t>(model->model->artifact().fileSize());
  for (const Section &section : module.sections)
    if (section.kind == SectionKind::Weights)
      info->weight_bytes = static_cast<int64_t>(section.size);
  info->weight_count = static_cast<int32_t>(module.weights.size());
  info->kernel_count = static_cast<int32_t>(program.kernels.size());
  info->instruction_count = static_cast<int32_t>(program.body.size());
}

tenon_status tenon_model_kernel(const tenon_model *model, int32_t index, tenon_kernel_info *info,
                                tenon_error *error) {
  const Program &program = model->model->program();
  if (index < 0 || static_cast<size_t>(index) >= program.kernels.size())
    return report(noSuch("kernel", index, program.kernels.size()), error);
  const Kernel &kernel = program.kernels[static_cast<size_t>(index)];
  *info = {};
  info->name = kernel.name.c_str();
  info->flops = kernel.flops;
  info->node_count = static_cast<int32_t>(kernel.nodes.size());
  info->launch_count = static_cast<int32_t>(
      std::count_if(program.body.begin(), program.body.end(), [&](const Instruction &instruction) {
        const auto *launch = std::get_if<Launch>(&instruction.operation);
        return launch && launch->kernel == static_cast<uint32_t>(index);
      }));
  return TENON_OK;
}

const char *tenon_model_kernel_node(const tenon_model *model, int32_t kernel, int32_t node) {
  const std::vector<Kernel> &kernels = model->model->program().kernels;
  if (kernel < 0 || static_cast<size_t>(kernel) >= kernels.size())
    return nullptr;
  const std::vector<std::string> &nodes = kernels[static_cast<size_t>(kernel)].nodes;
  return node < 0 || static_cast<size_t>(node) >= nodes.size()
             ? nullptr
             : nodes[static_cast<size_t>(node)].c_str();
}

tenon_status tenon_model_check_weights(const tenon_model *model, tenon_error *error) {
  return report(model->model->artifact().checkWeights(), error);
}

tenon_status tenon_model_plan_memory(tenon_model *model, const tenon_tensor *inputs,
                                     int32_t input_count, tenon_memory_plan **plan,
                                     tenon_error *error) {
  if (!plan || input_count < 0 || (input_count > 0 && !inputs))
    return report({StatusCode::InvalidArgument, "an argument is NULL or negative"}, error);
  const Program &program = model->model->program();
  ShapeBinding binding(model->model->module());
  std::shared_ptr<const ShapePlan> shapes;
  Status status = model->model->plan({inputs, static_cast<size_t>(input_count)}, binding, shapes);
  if (!status.ok())
    return report(status, error);
  std::unique_ptr<tenon_memory_plan> made(new (std::nothrow) tenon_memory_plan);
  if (!made)
    return report({StatusCode::OutOfMemory, "out of memory"}, error);
  // Devices have arenas of their own; one after the other they make one list.
  for (uint32_t device = 0; device < program.devices.size(); ++device) {
    std::vector<MemoryInterval> intervals;
    for (uint32_t i = 0; i < program.slots.size(); ++i) {
      const auto *temporary = std::get_if<TemporarySlot>(&program.slots[i].storage);
      if (!temporary || program.slots[i].device != device)
        continue;
      made->regions.push_back({made->bytes + shapes->offsets[i], shapes->sizes[i],
                               static_cast<int32_t>(temporary->first),
                               static_cast<int32_t>(temporary->last)});
      intervals.push_back(
          {static_cast<uint64_t>(shapes->sizes[i]), temporary->first, temporary->last});
    }
    made->bytes += shapes->arenaSizes[device];
    made->lowerBound += static_cast<int64_t>(memoryLowerBound(intervals, dataAlignment));
  }
  *plan = made.release();
  return TENON_OK;
}

int64_t tenon_memory_plan_bytes(const tenon_memory_plan *plan) { return plan->bytes; }

int64_t tenon_memory_plan_lower_bound(const tenon_memory_plan *plan) { return plan->lowerBound; }

int32_t tenon_memory_plan_region_count(const tenon_memory_plan *plan) {
  return static_cast<int32_t>(plan->regions.size());
}

tenon_status tenon_memory_plan_region(const tenon_memory_plan *plan, int32_t index,
                                      tenon_memory_region *region, tenon_error *error) {
  if (index < 0 || static_cast<size_t>(index) >= plan->regions.size())
    return report(noSuch("region", index, plan->regions.size()), error);
  *region = plan->regions[static_cast<size_t>(index)];
  return TENON_OK;
}

void tenon_memory_plan_release(tenon_memory_plan *plan) { delete plan; }

} // extern "C"
