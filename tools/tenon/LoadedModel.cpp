// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon/LoadedModel.h"
#include "tools/tenon/RuntimeValues.h"
#include "llvm/ADT/STLExtras.h"
#include <chrono>

using namespace llvm;

namespace tenon::cli {

static Port toPort(const tenon_value_info &info) {
  Port port;
  if (info.in_place_input >= 0)
    port.inPlaceInput = info.in_place_input;
  port.name = info.name;
  port.element = static_cast<ElementType>(info.element);
  port.key = static_cast<ElementType>(info.key);
  port.ranked = info.rank >= 0;
  for (tenon_value_kind kind : ArrayRef(info.containers, info.container_count))
    port.containers.push_back(kind == TENON_VALUE_SEQUENCE   ? OnnxMessage::sequence
                              : kind == TENON_VALUE_OPTIONAL ? OnnxMessage::optional
                                                             : OnnxMessage::map);
  for (const tenon_dim &dim : ArrayRef(info.dims, std::max(info.rank, 0))) {
    Dimension &dimension = port.dimensions.emplace_back();
    if (dim.kind == TENON_DIM_STATIC)
      dimension.size = dim.min;
    if (dim.name)
      dimension.name = dim.name;
    dimension.min = dim.min;
    dimension.max = dim.max;
    dimension.multiple = dim.multiple;
  }
  return port;
}

Expected<LoadedModel> LoadedModel::load(StringRef path, unsigned threads, LaunchFunction onLaunch) {
  return open(path, threads, tenon_model_load_file, std::move(onLaunch));
}

Expected<LoadedModel> LoadedModel::inspect(StringRef path) {
  return open(path, /*threads=*/1, tenon_model_inspect_file, /*onLaunch=*/nullptr);
}

Expected<LoadedModel> LoadedModel::open(StringRef path, unsigned threads, OpenFunction *open,
                                        LaunchFunction onLaunch) {
  LoadedModel loaded;
  tenon_error error;
  tenon_runtime_options options;
  tenon_runtime_options_init(&options);
  options.threads = static_cast<int32_t>(threads);
  if (onLaunch) {
    loaded.onLaunch = std::make_unique<LaunchFunction>(std::move(onLaunch));
    options.launch_user = loaded.onLaunch.get();
    options.launch = [](void *user, const char *kernel, int64_t nanoseconds) {
      (*static_cast<LaunchFunction *>(user))(kernel, nanoseconds);
    };
  }
  tenon_runtime *runtime = nullptr;
  if (tenon_runtime_create(&options, &runtime, &error) != TENON_OK)
    return createStringError(error.message);
  loaded.runtime.reset(runtime);
  tenon_model *model = nullptr;
  if (open(runtime, path.str().c_str(), &model, &error) != TENON_OK)
    return createStringError(error.message);
  loaded.model.reset(model);

  tenon_value_info info;
  for (int32_t i = 0; i < tenon_model_input_count(model); ++i) {
    if (tenon_model_input(model, i, &info, &error) != TENON_OK)
      return createStringError(error.message);
    loaded.ports.inputs.push_back(toPort(info));
  }
  for (int32_t i = 0; i < tenon_model_output_count(model); ++i) {
    if (tenon_model_output(model, i, &info, &error) != TENON_OK)
      return createStringError(error.message);
    loaded.ports.outputs.push_back(toPort(info));
  }
  return loaded;
}

Expected<std::vector<tenon_tensor>> tensorsInOrder(ArrayRef<Port> ports,
                                                   ArrayRef<NamedValue> inputs) {
  std::vector<tenon_tensor> tensors;
  for (const Port &port : ports) {
    const Value *value = findValue(inputs, port.name);
    if (!value || value->kind != Value::Kind::tensor)
      return createStringError("input '%s' has no tensor", port.name.c_str());
    const Tensor &tensor = value->tensor;
    if (tensor.shape.size() > TENON_MAX_RANK)
      return createStringError("input '%s' has %zu dimensions; at most %d are supported",
                               port.name.c_str(), tensor.shape.size(), TENON_MAX_RANK);
    // The interface takes inputs as void *, but does not write to them.
    tensors.push_back(tenon_tensor_make(
        const_cast<uint8_t *>(tensor.bytes.data()), static_cast<int64_t>(tensor.bytes.size()),
        static_cast<tenon_element_type>(tensor.type), static_cast<int32_t>(tensor.shape.size()),
        tensor.shape.data()));
  }
  return tensors;
}

Error LoadedModel::runInto(std::vector<tenon_tensor> &inputs,
                           std::vector<tenon_tensor> &outputs) const {
  tenon_error error;
  if (tenon_run(model.get(), inputs.data(), static_cast<int32_t>(inputs.size()), outputs.data(),
                static_cast<int32_t>(outputs.size()), &error) != TENON_OK)
    return createStringError(error.message);
  return Error::success();
}

Expected<std::vector<NamedValue>> LoadedModel::runValues(ArrayRef<NamedValue> inputs) const {
  std::vector<RuntimeValue> held;
  std::vector<const tenon_value *> given;
  for (const Port &port : ports.inputs) {
    const Value *value = findValue(inputs, port.name);
    if (!value)
      return createStringError("input '%s' has no value", port.name.c_str());
    Expected<RuntimeValue> made = toRuntime(runtime.get(), *value, port.containers);
    if (!made)
      return createStringError("input '%s' (%s): %s", port.name.c_str(), describe(port).c_str(),
                               toString(made.takeError()).c_str());
    given.push_back(made->get());
    held.push_back(std::move(*made));
  }
  std::vector<tenon_value *> outputs(ports.outputs.size());
  tenon_error error;
  if (tenon_run_values(model.get(), given.data(), static_cast<int32_t>(given.size()),
                       outputs.data(), static_cast<int32_t>(outputs.size()), &error) != TENON_OK)
    return createStringError(error.message);
  std::vector<NamedValue> values;
  for (auto [port, output] : zip_equal(ports.outputs, outputs)) {
    values.push_back({port.name, fromRuntime(output)});
    tenon_value_release(output);
  }
  return values;
}

Expected<std::vector<NamedValue>> LoadedModel::run(ArrayRef<NamedValue> inputs) const {
  auto isObject = [](const Port &port) {
    return !port.containers.empty() || !port.ranked || port.element == ElementType::string;
  };
  if (any_of(ports.inputs, isObject) || any_of(ports.outputs, isObject))
    return runValues(inputs);
  Expected<std::vector<tenon_tensor>> bound = tensorsInOrder(ports.inputs, inputs);
  if (!bound)
    return bound.takeError();
  std::vector<tenon_tensor> outputs(ports.outputs.size(), tenon_tensor{});
  if (Error error = runInto(*bound, outputs))
    return error;
  std::vector<NamedValue> values;
  for (auto [port, output] : zip_equal(ports.outputs, outputs)) {
    Tensor tensor;
    tensor.type = static_cast<ElementType>(output.element);
    tensor.shape.assign(output.dims, output.dims + output.rank);
    const auto *data = static_cast<const uint8_t *>(output.data);
    tensor.bytes.assign(data, data + packedSize(tensor.type, tensor.elementCount()));
    values.push_back({port.name, Value::ofTensor(std::move(tensor))});
    tenon_tensor_release(runtime.get(), &output);
  }
  return values;
}

Expected<LoadedModel::Repetition> LoadedModel::prepare(ArrayRef<NamedValue> inputs) const {
  Repetition repetition;
  repetition.owner = this;
  Expected<std::vector<tenon_tensor>> bound = tensorsInOrder(ports.inputs, inputs);
  if (!bound)
    return bound.takeError();
  repetition.inputs = std::move(*bound);
  repetition.outputs.assign(ports.outputs.size(), tenon_tensor{});
  if (Error error = runInto(repetition.inputs, repetition.outputs))
    return error;
  for (tenon_tensor &output : repetition.outputs) {
    std::vector<uint8_t> &memory = repetition.memory.emplace_back(output.byte_size);
    tenon_tensor_release(runtime.get(), &output);
    output.data = memory.data();
    output.byte_size = static_cast<int64_t>(memory.size());
  }
  return repetition;
}

Expected<double> LoadedModel::Repetition::time() {
  auto start = std::chrono::steady_clock::now();
  if (Error error = owner->runInto(inputs, outputs))
    return error;
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

} // namespace tenon::cli
