// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon/RuntimeValues.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace tenon::cli {

/// What a function of the runtime made, or its error.
static Expected<RuntimeValue> check(tenon_status status, tenon_value *made,
                                    const tenon_error &error) {
  if (status != TENON_OK)
    return createStringError(error.message);
  return RuntimeValue(made);
}

static Expected<RuntimeValue> toRuntime(tenon_runtime *runtime, const Tensor &tensor) {
  if (tensor.shape.size() > TENON_MAX_RANK)
    return createStringError("a tensor has %zu dimensions; at most %d are supported",
                             tensor.shape.size(), TENON_MAX_RANK);
  std::vector<tenon_string> strings;
  for (const std::string &string : tensor.strings)
    strings.push_back({string.data(), string.size()});
  bool isText = tensor.type == ElementType::string;
  const void *data = isText ? static_cast<const void *>(strings.data()) : tensor.bytes.data();
  size_t size = isText ? strings.size() * sizeof(tenon_string) : tensor.bytes.size();
  tenon_tensor view =
      tenon_tensor_make(const_cast<void *>(data), static_cast<int64_t>(size),
                        static_cast<tenon_element_type>(tensor.type),
                        static_cast<int32_t>(tensor.shape.size()), tensor.shape.data());
  tenon_error error;
  tenon_value *made = nullptr;
  return check(tenon_value_make_tensor(runtime, &view, &made, &error), made, error);
}

static Expected<RuntimeValue> toOptional(tenon_runtime *runtime, const Value &value,
                                         ArrayRef<OnnxMessage> content) {
  RuntimeValue held;
  if (value.kind != Value::Kind::none) {
    Expected<RuntimeValue> made = toRuntime(runtime, value, content);
    if (!made)
      return made.takeError();
    held = std::move(*made);
  }
  tenon_error error;
  tenon_value *made = nullptr;
  return check(tenon_value_make_optional(runtime, held.get(), &made, &error), made, error);
}

Expected<RuntimeValue> toRuntime(tenon_runtime *runtime, const Value &value,
                                 ArrayRef<OnnxMessage> containers) {
  auto wrongKind = [&] { return createStringError("found a %s", describe(value).c_str()); };
  if (!containers.empty() && containers.front() == OnnxMessage::optional)
    return toOptional(runtime, value, containers.drop_front());
  if (containers.empty())
    return value.kind == Value::Kind::tensor ? toRuntime(runtime, value.tensor) : wrongKind();
  bool isMap = containers.front() == OnnxMessage::map;
  if (value.kind != (isMap ? Value::Kind::map : Value::Kind::sequence))
    return wrongKind();
  std::vector<RuntimeValue> held;
  std::vector<const tenon_value *> elements;
  for (const Value &element : value.elements) {
    Expected<RuntimeValue> made =
        toRuntime(runtime, element, isMap ? ArrayRef<OnnxMessage>() : containers.drop_front());
    if (!made)
      return made.takeError();
    elements.push_back(made->get());
    held.push_back(std::move(*made));
  }
  tenon_error error;
  tenon_value *made = nullptr;
  if (isMap)
    return check(tenon_value_make_map(runtime, elements[0], elements[1], &made, &error), made,
                 error);
  return check(tenon_value_make_sequence(runtime, elements.data(),
                                         static_cast<int64_t>(elements.size()), &made, &error),
               made, error);
}

static Tensor tensorOf(const tenon_value *value) {
  tenon_tensor view;
  Tensor tensor;
  if (tenon_value_get_tensor(value, &view, nullptr) != TENON_OK)
    return tensor;
  tensor.type = static_cast<ElementType>(view.element);
  tensor.shape.assign(view.dims, view.dims + view.rank);
  if (view.element == TENON_STRING) {
    for (const tenon_string &string :
         ArrayRef(static_cast<const tenon_string *>(view.data), tenon_value_get_count(value)))
      tensor.strings.emplace_back(string.data, string.size);
    return tensor;
  }
  const auto *data = static_cast<const uint8_t *>(view.data);
  tensor.bytes.assign(data, data + packedSize(tensor.type, tensor.elementCount()));
  return tensor;
}

Value fromRuntime(const tenon_value *value) {
  auto element = [&](int64_t index) { return tenon_value_get_element(value, index); };
  switch (tenon_value_get_kind(value)) {
  case TENON_VALUE_TENSOR:
    return Value::ofTensor(tensorOf(value));
  case TENON_VALUE_OPTIONAL:
    return tenon_value_get_count(value) == 0 ? Value() : fromRuntime(element(0));
  case TENON_VALUE_MAP:
    return Value::ofMap(tensorOf(element(0)), tensorOf(element(1)));
  case TENON_VALUE_SEQUENCE:
    break;
  }
  std::vector<Value> elements;
  for (int64_t i = 0; i < tenon_value_get_count(value); ++i)
    elements.push_back(fromRuntime(element(i)));
  return Value::ofSequence(std::move(elements));
}

} // namespace tenon::cli
