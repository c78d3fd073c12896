// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A thin C++ (17) face of tenon/runtime.h: owning handles, nothing else. Its contract holds here
// too.
//
//   tenon::Runtime runtime;
//   tenon::Model model;
//   tenon::Error error;
//   if (!tenon::Runtime::create(nullptr, runtime, error) ||
//       !tenon::Model::loadFile(runtime, "model.tenon", model, error))
//     return fail(error.message);
//   std::vector<tenon_tensor> outputs(model.outputCount());
//   if (!model.run(inputs, outputs, error)) ...
//
// Functions that can fail return false and fill in the error; no exceptions are thrown.

#ifndef TENON_RUNTIME_HPP
#define TENON_RUNTIME_HPP

#include "tenon/runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace tenon {

using Error = tenon_error;

/// Owns a handle of the C interface.
template <typename T, void (*Release)(T *)>
class Handle {
public:
  T *get() const { return handle_.get(); }
  explicit operator bool() const { return handle_ != nullptr; }
  void reset(T *handle = nullptr) { handle_.reset(handle); }

private:
  struct Deleter {
    void operator()(T *handle) const { Release(handle); }
  };
  std::unique_ptr<T, Deleter> handle_;
};

class Runtime : public Handle<tenon_runtime, tenon_runtime_release> {
public:
  /// `options` may be null for the defaults.
  static bool create(const tenon_runtime_options *options, Runtime &runtime, Error &error) {
    tenon_runtime *created = nullptr;
    if (tenon_runtime_create(options, &created, &error) != TENON_OK)
      return false;
    runtime.reset(created);
    return true;
  }
};

/// A reference to a value.
class Value : public Handle<tenon_value, tenon_value_release> {
public:
  /// Takes over a reference.
  explicit Value(tenon_value *value = nullptr) { reset(value); }
  /// Another reference to a value.
  static Value share(const tenon_value *value) {
    return Value(value ? tenon_value_retain(value) : nullptr);
  }

  static bool makeTensor(const Runtime &runtime, const tenon_tensor &tensor, Value &value,
                         Error &error) {
    tenon_value *made = nullptr;
    tenon_status status = tenon_value_make_tensor(runtime.get(), &tensor, &made, &error);
    value.reset(made);
    return status == TENON_OK;
  }
  static bool makeSequence(const Runtime &runtime, const std::vector<const tenon_value *> &elements,
                           Value &value, Error &error) {
    tenon_value *made = nullptr;
    tenon_status status = tenon_value_make_sequence(
        runtime.get(), elements.data(), static_cast<int64_t>(elements.size()), &made, &error);
    value.reset(made);
    return status == TENON_OK;
  }
  /// `content` may be null: an empty one.
  static bool makeOptional(const Runtime &runtime, const tenon_value *content, Value &value,
                           Error &error) {
    tenon_value *made = nullptr;
    tenon_status status = tenon_value_make_optional(runtime.get(), content, &made, &error);
    value.reset(made);
    return status == TENON_OK;
  }
  static bool makeMap(const Runtime &runtime, const Value &keys, const Value &values, Value &value,
                      Error &error) {
    tenon_value *made = nullptr;
    tenon_status status =
        tenon_value_make_map(runtime.get(), keys.get(), values.get(), &made, &error);
    value.reset(made);
    return status == TENON_OK;
  }

  tenon_value_kind kind() const { return tenon_value_get_kind(get()); }
  int64_t count() const { return tenon_value_get_count(get()); }
  /// See tenon_value_get_element; none where there is none.
  Value element(int64_t index) const { return share(tenon_value_get_element(get(), index)); }
  bool tensor(tenon_tensor &tensor, Error &error) const {
    return tenon_value_get_tensor(get(), &tensor, &error) == TENON_OK;
  }
};

/// A run in progress. Destroying it waits for the end.
class Execution : public Handle<tenon_execution, tenon_execution_release> {
public:
  bool wait(Error &error) { return tenon_execution_wait(get(), &error) == TENON_OK; }
  void cancel() { tenon_execution_cancel(get()); }
};

class Model : public Handle<tenon_model, tenon_model_release> {
public:
  static bool loadFile(const Runtime &runtime, const std::string &path, Model &model,
                       Error &error) {
    tenon_model *loaded = nullptr;
    if (tenon_model_load_file(runtime.get(), path.c_str(), &loaded, &error) != TENON_OK)
      return false;
    model.reset(loaded);
    return true;
  }

  /// `data` must stay as it is while the model lives.
  static bool loadMemory(const Runtime &runtime, const void *data, std::size_t size, Model &model,
                         Error &error) {
    tenon_model *loaded = nullptr;
    if (tenon_model_load_memory(runtime.get(), data, size, nullptr, &loaded, &error) != TENON_OK)
      return false;
    model.reset(loaded);
    return true;
  }

  std::size_t inputCount() const {
    return static_cast<std::size_t>(tenon_model_input_count(get()));
  }
  std::size_t outputCount() const {
    return static_cast<std::size_t>(tenon_model_output_count(get()));
  }
  tenon_value_info input(std::size_t index) const {
    tenon_value_info info = {};
    tenon_model_input(get(), static_cast<int32_t>(index), &info, nullptr);
    return info;
  }
  tenon_value_info output(std::size_t index) const {
    tenon_value_info info = {};
    tenon_model_output(get(), static_cast<int32_t>(index), &info, nullptr);
    return info;
  }

  bool run(const std::vector<tenon_tensor> &inputs, std::vector<tenon_tensor> &outputs,
           Error &error) const {
    return tenon_run(get(), inputs.data(), static_cast<int32_t>(inputs.size()), outputs.data(),
                     static_cast<int32_t>(outputs.size()), &error) == TENON_OK;
  }

  /// See tenon_run_values. `outputs` gets one value per output.
  bool runValues(const std::vector<const tenon_value *> &inputs, std::vector<Value> &outputs,
                 Error &error) const {
    std::vector<tenon_value *> made(outputCount());
    if (tenon_run_values(get(), inputs.data(), static_cast<int32_t>(inputs.size()), made.data(),
                         static_cast<int32_t>(made.size()), &error) != TENON_OK)
      return false;
    outputs.clear();
    for (tenon_value *value : made)
      outputs.emplace_back(value);
    return true;
  }

  /// The vectors must stay as they are until the execution's wait().
  bool runAsync(const std::vector<tenon_tensor> &inputs, std::vector<tenon_tensor> &outputs,
                Execution &execution, Error &error) const {
    tenon_execution *started = nullptr;
    if (tenon_run_async(get(), inputs.data(), static_cast<int32_t>(inputs.size()), outputs.data(),
                        static_cast<int32_t>(outputs.size()), &started, &error) != TENON_OK)
      return false;
    execution.reset(started);
    return true;
  }
};

} // namespace tenon

#endif // TENON_RUNTIME_HPP
