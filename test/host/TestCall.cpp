// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/host/TestCall.h"

#include "lib/runtime/Value.h"

namespace tenon::host::test {

namespace {

Value check(tenon_status status, tenon_value *made, const tenon_error &error) {
  EXPECT_EQ(status, TENON_OK) << error.message;
  return Value::take(status == TENON_OK ? made : nullptr);
}

} // namespace

tenon_runtime *testRuntime() {
  static tenon_runtime *runtime = [] {
    tenon_runtime *made = nullptr;
    EXPECT_EQ(tenon_runtime_create(nullptr, &made, nullptr), TENON_OK);
    return made;
  }();
  return runtime;
}

Value makeTensor(tenon_element_type element, const Shape &shape, const void *data, int64_t bytes) {
  tenon_tensor tensor = tenon_tensor_make(const_cast<void *>(data), bytes, element,
                                          static_cast<int32_t>(shape.size()), shape.data());
  tenon_error error = {};
  tenon_value *made = nullptr;
  return check(tenon_value_make_tensor(testRuntime(), &tensor, &made, &error), made, error);
}

Value stringTensor(const Shape &shape, const std::vector<std::string> &strings) {
  std::vector<tenon_string> texts;
  for (const std::string &string : strings)
    texts.push_back({string.data(), string.size()});
  return makeTensor(TENON_STRING, shape, texts.data(),
                    static_cast<int64_t>(texts.size() * sizeof(tenon_string)));
}

Value sequenceOf(const std::vector<Value> &elements) {
  std::vector<const tenon_value *> all;
  for (const Value &element : elements)
    all.push_back(element.get());
  tenon_error error = {};
  tenon_value *made = nullptr;
  return check(tenon_value_make_sequence(testRuntime(), all.data(),
                                         static_cast<int64_t>(all.size()), &made, &error),
               made, error);
}

Value optionalOf(const Value &content) {
  tenon_error error = {};
  tenon_value *made = nullptr;
  return check(tenon_value_make_optional(testRuntime(), content.get(), &made, &error), made, error);
}

Value mapOf(const Value &keys, const Value &values) {
  tenon_error error = {};
  tenon_value *made = nullptr;
  return check(tenon_value_make_map(testRuntime(), keys.get(), values.get(), &made, &error), made,
               error);
}

std::vector<std::string> stringsOf(const Value &value) {
  std::vector<std::string> all;
  for (int64_t i = 0; i < value.count(); ++i)
    all.emplace_back(value.string(i));
  return all;
}

TestCall::TestCall(const char *name, std::vector<std::pair<const char *, Value>> attributes,
                   uint32_t version)
    : attributes_(std::move(attributes)) {
  std::vector<tenon_host_attribute> all;
  for (auto &[key, value] : attributes_)
    all.push_back({key, value.get()});
  tenon_error error = {};
  if (tenon_host_get_interface()->create(name, version, all.data(), all.size(), &function_,
                                         &error) != TENON_OK)
    problem_ = error.message;
}

TestCall::~TestCall() {
  if (function_)
    tenon_host_get_interface()->release(function_);
}

std::vector<Value> TestCall::run(std::vector<Value> inputs, size_t count) {
  std::vector<Value> results(count);
  EXPECT_EQ(call(std::move(inputs), results), "");
  return results;
}

std::string TestCall::error(std::vector<Value> inputs, size_t count) {
  std::vector<Value> results(count);
  return call(std::move(inputs), results);
}

std::string TestCall::call(std::vector<Value> inputs, std::vector<Value> &results) {
  if (!function_)
    return problem_;
  std::vector<tenon_value *> given, made(results.size());
  for (Value &input : inputs)
    given.push_back(input.release());
  std::vector<uint8_t> needed(results.size(), 1);
  tenon_host_call call = {testRuntime(), &runtime::valueInterface(),
                          given.data(),  given.size(),
                          made.data(),   needed.data(),
                          results.size()};
  tenon_error error = {};
  tenon_status status = tenon_host_get_interface()->call(function_, &call, &error);
  for (tenon_value *input : given)
    tenon_value_release(input);
  for (size_t i = 0; i < results.size(); ++i)
    results[i] = Value::take(made[i]);
  return status == TENON_OK ? "" : error.message;
}

} // namespace tenon::host::test
