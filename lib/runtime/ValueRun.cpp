// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/ValueRun.h"

#include "lib/runtime/Error.h"

#include <algorithm>

namespace tenon::runtime {

using namespace artifact;

namespace {

Status bad(std::string message) { return {StatusCode::InvalidArgument, std::move(message)}; }

bool isOptional(const Value &type) {
  return !type.containers.empty() && type.containers[0] == Container::Optional;
}

} // namespace

Status ValueRun::prepare(const Model &model, std::span<const tenon_value *const> inputs,
                         size_t outputCount) {
  const Module &module = model.module();
  if (inputs.size() != module.inputs.size())
    return bad("the model has " + std::to_string(module.inputs.size()) + " inputs, but " +
               std::to_string(inputs.size()) + " were given");
  inputs_.resize(inputs.size());
  objectInputs_.resize(inputs.size());
  outputs_.resize(outputCount);
  objectOutputs_.resize(outputCount);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value &type = module.inputs[i];
    if (!inputs[i]) {
      if (!isOptional(type))
        return bad("input '" + type.name + "' is NULL, expected " + valueText(type));
      tenon_value *empty = nullptr;
      tenon_error error = {};
      TENON_RETURN_IF_ERROR(fromDevice(
          tenon_value_make_optional(model.runtimeHandle(), nullptr, &empty, &error), error));
      objectInputs_[i] = ValueReference::take(empty);
      continue;
    }
    objectInputs_[i] = ValueReference::share(inputs[i]);
    if (type.hasShape()) {
      if (inputs[i]->kind != TENON_VALUE_TENSOR)
        return bad("input '" + type.name + "' is " + valueText(*inputs[i]) + ", expected " +
                   valueText(type));
      inputs_[i] = inputs[i]->tensor;
    }
  }
  return {};
}

Status ValueRun::run(Model &model, std::span<tenon_value *> outputs,
                     const std::atomic<bool> *cancelled) {
  std::fill(outputs.begin(), outputs.end(), nullptr);
  Status status = model.run({inputs_, outputs_, objectInputs_, objectOutputs_}, cancelled);
  objectInputs_.clear();
  return status.ok() ? takeOutputs(model, outputs) : status;
}

Status ValueRun::takeOutputs(const Model &model, std::span<tenon_value *> outputs) {
  Status status;
  for (size_t i = 0; i < outputs.size(); ++i) {
    ValueReference &value = objectOutputs_[i];
    if (!model.module().outputs[i].isObject()) {
      Status adopted = adoptTensor(model.runtime().shared_from_this(), outputs_[i], value);
      if (!adopted.ok()) {
        model.runtime().release(outputs_[i].data, outputs_[i].byte_size);
        status = std::move(adopted);
      }
    }
    outputs[i] = value.release();
  }
  if (!status.ok())
    for (tenon_value *&output : outputs)
      tenon_value_release(std::exchange(output, nullptr));
  return status;
}

} // namespace tenon::runtime
