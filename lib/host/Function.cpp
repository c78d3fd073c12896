// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/host/Function.h"

#include <algorithm>

namespace tenon::host {

namespace {

Status fromRuntime(tenon_status status, const tenon_error &error) {
  return status == TENON_OK ? Status() : Status(static_cast<StatusCode>(status), error.message);
}

/// An attribute's elements as `T`, where they are of that type.
template <typename T>
std::span<const T> elementsOf(const Value &value) {
  return value && value.isTensorOf(elementTypeOf<T>()) ? value.elements<T>() : std::span<const T>();
}

} // namespace

// --- Value -----------------------------------------------------------------------------------

size_t Value::widthOf(tenon_element_type type) {
  switch (type) {
  case TENON_UINT16:
  case TENON_INT16:
  case TENON_FLOAT16:
  case TENON_BFLOAT16:
    return 2;
  case TENON_FLOAT:
  case TENON_INT32:
  case TENON_UINT32:
    return 4;
  case TENON_INT64:
  case TENON_UINT64:
  case TENON_DOUBLE:
  case TENON_COMPLEX64:
    return 8;
  case TENON_COMPLEX128:
    return 16;
  default:
    return 1;
  }
}

// --- Call ------------------------------------------------------------------------------------

void Call::set(size_t result, Value value) const {
  if (result < call_.result_count)
    Value::take(std::exchange(call_.results[result], value.release()));
}

Status Call::give(tenon_status status, tenon_value *made, const tenon_error &error,
                  Value &value) const {
  if (status == TENON_OK)
    value = Value::take(made);
  return fromRuntime(status, error);
}

Status Call::makeTensor(tenon_element_type type, std::span<const int64_t> shape, Value &value,
                        std::span<std::byte> &bytes) const {
  tenon_error error = {};
  tenon_value *made = nullptr;
  void *data = nullptr;
  tenon_status status = call_.values->make_uninitialized(
      call_.runtime, type, static_cast<int32_t>(shape.size()), shape.data(), &made, &data, &error);
  TENON_RETURN_IF_ERROR(give(status, made, error, value));
  bytes = {static_cast<std::byte *>(data), value.bytes().size()};
  return {};
}

Status Call::makeStrings(std::span<const int64_t> shape, std::span<const std::string_view> strings,
                         Value &value) const {
  std::vector<tenon_string> texts;
  texts.reserve(strings.size());
  for (std::string_view string : strings)
    texts.push_back({string.data(), string.size()});
  if (shape.size() > TENON_MAX_RANK)
    return failed("a tensor of strings has too many axes");
  tenon_tensor tensor =
      tenon_tensor_make(texts.data(), static_cast<int64_t>(texts.size() * sizeof(tenon_string)),
                        TENON_STRING, static_cast<int32_t>(shape.size()), shape.data());
  tenon_error error = {};
  tenon_value *made = nullptr;
  tenon_status status = call_.values->make_tensor(call_.runtime, &tensor, &made, &error);
  return give(status, made, error, value);
}

Status Call::makeStrings(std::span<const int64_t> shape, const std::vector<std::string> &strings,
                         Value &value) const {
  std::vector<std::string_view> views(strings.begin(), strings.end());
  return makeStrings(shape, views, value);
}

Status Call::makeSequence(const std::vector<Value> &elements, Value &value) const {
  std::vector<const tenon_value *> all;
  all.reserve(elements.size());
  for (const Value &element : elements)
    all.push_back(element.get());
  tenon_error error = {};
  tenon_value *made = nullptr;
  tenon_status status = call_.values->make_sequence(
      call_.runtime, all.data(), static_cast<int64_t>(all.size()), &made, &error);
  return give(status, made, error, value);
}

Status Call::makeOptional(const Value &content, Value &value) const {
  tenon_error error = {};
  tenon_value *made = nullptr;
  tenon_status status = call_.values->make_optional(call_.runtime, content.get(), &made, &error);
  return give(status, made, error, value);
}

Status Call::makeMap(const Value &keys, const Value &values, Value &value) const {
  tenon_error error = {};
  tenon_value *made = nullptr;
  tenon_status status =
      call_.values->make_map(call_.runtime, keys.get(), values.get(), &made, &error);
  return give(status, made, error, value);
}

Status Call::insert(Value &sequence, int64_t position, const Value &element) const {
  tenon_error error = {};
  tenon_value *edited = sequence.release();
  tenon_status status = call_.values->insert(&edited, position, element.get(), &error);
  sequence = Value::take(edited);
  return fromRuntime(status, error);
}

Status Call::erase(Value &sequence, int64_t position) const {
  tenon_error error = {};
  tenon_value *edited = sequence.release();
  tenon_status status = call_.values->erase(&edited, position, &error);
  sequence = Value::take(edited);
  return fromRuntime(status, error);
}

// --- Attributes ------------------------------------------------------------------------------

Value Attributes::find(std::string_view name) const {
  for (const tenon_host_attribute &attribute : all_)
    if (name == attribute.name)
      return Value::share(attribute.value);
  return {};
}

int64_t Attributes::integer(std::string_view name, int64_t otherwise) const {
  std::span<const int64_t> all = integers(name);
  return all.size() == 1 ? all[0] : otherwise;
}

float Attributes::real(std::string_view name, float otherwise) const {
  std::span<const float> all = reals(name);
  return all.size() == 1 ? all[0] : otherwise;
}

std::string_view Attributes::string(std::string_view name, std::string_view otherwise) const {
  std::vector<std::string_view> all = strings(name);
  return all.size() == 1 ? all[0] : otherwise;
}

std::span<const int64_t> Attributes::integers(std::string_view name) const {
  return elementsOf<int64_t>(find(name));
}

std::span<const float> Attributes::reals(std::string_view name) const {
  return elementsOf<float>(find(name));
}

std::vector<std::string_view> Attributes::strings(std::string_view name) const {
  std::vector<std::string_view> all;
  Value value = find(name);
  if (!value || !value.isTensorOf(TENON_STRING))
    return all;
  for (int64_t i = 0; i < value.count(); ++i)
    all.push_back(value.string(i));
  return all;
}

std::string shapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

} // namespace tenon::host
