// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/Value.h"

#include "lib/runtime/Error.h"
#include "lib/runtime/Handles.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <string_view>

using namespace tenon;
using namespace tenon::runtime;
using artifact::ElementType;

namespace {

Status bad(std::string message) { return {StatusCode::InvalidArgument, std::move(message)}; }

Status outOfMemory(int64_t bytes) {
  return {StatusCode::OutOfMemory,
          "out of memory for a value of " + std::to_string(bytes) + " bytes"};
}

std::span<const tenon_string> strings(const tenon_value &value) {
  return {static_cast<const tenon_string *>(value.tensor.data),
          static_cast<size_t>(value.tensor.byte_size) / sizeof(tenon_string)};
}

std::string_view text(const tenon_string &string) { return {string.data, string.size}; }

/// The number of elements, and the bytes they take at tenon_tensor::data.
Status measure(const tenon_tensor &tensor, int64_t &count, int64_t &bytes) {
  if (tensor.rank < 0 || tensor.rank > TENON_MAX_RANK)
    return bad("a tensor has " + std::to_string(tensor.rank) + " axes, expected 0 to " +
               std::to_string(TENON_MAX_RANK));
  count = 1;
  bool overflow = false, empty = false;
  for (int32_t i = 0; i < tensor.rank; ++i) {
    if (tensor.dims[i] < 0)
      return bad("axis " + std::to_string(i) + " of a tensor is negative");
    empty |= tensor.dims[i] == 0;
    overflow |= __builtin_mul_overflow(count, tensor.dims[i], &count);
  }
  if (empty)
    count = 0;
  else if (overflow)
    return bad("a tensor is too large");
  if (tensor.element == TENON_STRING)
    return __builtin_mul_overflow(count, int64_t(sizeof(tenon_string)), &bytes)
               ? bad("a tensor is too large")
               : Status();
  if (tensor.element <= TENON_UNDEFINED || tensor.element > TENON_FLOAT6E3M2)
    return bad("a tensor has an unknown element type");
  if (!artifact::elementBytes(static_cast<ElementType>(tensor.element), count, bytes))
    return bad("a tensor is too large");
  return {};
}

/// A value without content.
Status create(std::shared_ptr<Runtime> runtime, tenon_value_kind kind, ValueReference &value,
              tenon_value *&made) {
  made = new (std::nothrow) tenon_value;
  if (!made)
    return outOfMemory(sizeof(tenon_value));
  value = ValueReference::take(made);
  made->kind = kind;
  made->runtime = std::move(runtime);
  return {};
}

/// A tensor of `tensor`'s element type and shape, with `bytes` of memory that nobody has written.
Status allocate(std::shared_ptr<Runtime> runtime, const tenon_tensor &tensor, int64_t used,
                int64_t bytes, ValueReference &value, tenon_value *&made) {
  TENON_RETURN_IF_ERROR(create(std::move(runtime), TENON_VALUE_TENSOR, value, made));
  made->tensor = tenon_tensor_make(nullptr, used, tensor.element, tensor.rank, tensor.dims);
  made->tensor.data = made->runtime->allocate(bytes);
  if (!made->tensor.data)
    return outOfMemory(bytes);
  made->allocated = bytes;
  return {};
}

Status makeUninitialized(std::shared_ptr<Runtime> runtime, const tenon_tensor &shape,
                         ValueReference &value, void *&data) {
  int64_t count = 0, bytes = 0;
  TENON_RETURN_IF_ERROR(measure(shape, count, bytes));
  if (shape.element == TENON_STRING)
    return bad("a tensor of strings is made from its strings");
  tenon_value *made = nullptr;
  TENON_RETURN_IF_ERROR(allocate(std::move(runtime), shape, bytes, bytes, value, made));
  data = made->tensor.data;
  return {};
}

/// The strings' array and behind it all their bytes, in one block.
Status copyStrings(std::shared_ptr<Runtime> runtime, const tenon_tensor &tensor, int64_t used,
                   ValueReference &value) {
  std::span<const tenon_string> from(static_cast<const tenon_string *>(tensor.data),
                                     static_cast<size_t>(used) / sizeof(tenon_string));
  int64_t bytes = used;
  for (const tenon_string &string : from) {
    if (string.size > 0 && !string.data)
      return bad("a string has " + std::to_string(string.size) + " bytes, but its data is NULL");
    if (__builtin_add_overflow(bytes, string.size, &bytes))
      return bad("a tensor is too large");
  }
  tenon_value *made = nullptr;
  TENON_RETURN_IF_ERROR(allocate(std::move(runtime), tensor, used, bytes, value, made));
  auto *to = static_cast<tenon_string *>(made->tensor.data);
  char *end = static_cast<char *>(made->tensor.data) + used;
  for (const tenon_string &string : from) {
    *to++ = {end, string.size};
    if (string.size > 0)
      std::memcpy(end, string.data, string.size);
    end += string.size;
  }
  return {};
}

/// Whether two values may be elements of one sequence. Empty containers fit any.
bool haveSameType(const tenon_value &a, const tenon_value &b) {
  if (a.kind != b.kind)
    return false;
  if (a.kind == TENON_VALUE_TENSOR)
    return a.tensor.element == b.tensor.element;
  size_t common = std::min(a.elements.size(), b.elements.size());
  for (size_t i = 0; i < (a.kind == TENON_VALUE_MAP ? common : std::min<size_t>(common, 1)); ++i)
    if (!haveSameType(*a.elements[i].get(), *b.elements[i].get()))
      return false;
  return true;
}

Status checkElement(const tenon_value &container, const tenon_value &element) {
  if (element.depth + 1 > maxValueDepth)
    return bad("values nest deeper than " + std::to_string(maxValueDepth) + " times");
  if (!container.elements.empty() && !haveSameType(*container.elements[0].get(), element))
    return bad("a sequence holds values of one type, but is given " + valueText(element) +
               " after " + valueText(*container.elements[0].get()));
  return {};
}

Status hold(tenon_value &container, const tenon_value *element) {
  container.depth = std::max(container.depth, element->depth + 1);
  container.elements.push_back(ValueReference::share(element));
  return {};
}

Status makeSequence(std::shared_ptr<Runtime> runtime, const tenon_value *const *elements,
                    int64_t count, ValueReference &value) {
  if (count < 0 || (count > 0 && !elements))
    return bad("the number of elements is negative or their array is NULL");
  tenon_value *made = nullptr;
  TENON_RETURN_IF_ERROR(create(std::move(runtime), TENON_VALUE_SEQUENCE, value, made));
  for (int64_t i = 0; i < count; ++i) {
    if (!elements[i])
      return bad("element " + std::to_string(i) + " of a sequence is NULL");
    TENON_RETURN_IF_ERROR(checkElement(*made, *elements[i]));
    TENON_RETURN_IF_ERROR(hold(*made, elements[i]));
  }
  return {};
}

Status makeOptional(std::shared_ptr<Runtime> runtime, const tenon_value *content,
                    ValueReference &value) {
  tenon_value *made = nullptr;
  TENON_RETURN_IF_ERROR(create(std::move(runtime), TENON_VALUE_OPTIONAL, value, made));
  if (!content)
    return {};
  TENON_RETURN_IF_ERROR(checkElement(*made, *content));
  return hold(*made, content);
}

/// Whether a key is there twice, found by sorting.
bool hasDuplicates(const tenon_value &keys) {
  auto repeats = [](auto order, auto compare) {
    std::sort(order.begin(), order.end(), compare);
    return std::adjacent_find(order.begin(), order.end(), [&](const auto &a, const auto &b) {
             return !compare(a, b);
           }) != order.end();
  };
  if (keys.tensor.element == TENON_STRING) {
    std::vector<std::string_view> all;
    for (const tenon_string &string : strings(keys))
      all.push_back(text(string));
    return repeats(std::move(all), std::less<>());
  }
  size_t width = artifact::elementBits(static_cast<ElementType>(keys.tensor.element)) / 8;
  std::vector<size_t> order(static_cast<size_t>(keys.tensor.dims[0]));
  std::iota(order.begin(), order.end(), size_t(0));
  auto *data = static_cast<const char *>(keys.tensor.data);
  return repeats(std::move(order), [=](size_t a, size_t b) {
    return std::memcmp(data + a * width, data + b * width, width) < 0;
  });
}

Status makeMap(std::shared_ptr<Runtime> runtime, const tenon_value *keys, const tenon_value *values,
               ValueReference &value) {
  for (const tenon_value *part : {keys, values})
    if (!part || part->kind != TENON_VALUE_TENSOR || part->tensor.rank != 1)
      return bad("the keys and the values of a map are tensors of one axis");
  if (keys->tensor.dims[0] != values->tensor.dims[0])
    return bad("a map has " + std::to_string(keys->tensor.dims[0]) + " keys, but " +
               std::to_string(values->tensor.dims[0]) + " values");
  switch (keys->tensor.element) {
  case TENON_STRING:
  case TENON_INT8:
  case TENON_INT16:
  case TENON_INT32:
  case TENON_INT64:
  case TENON_UINT8:
  case TENON_UINT16:
  case TENON_UINT32:
  case TENON_UINT64:
    break;
  default:
    return bad(std::string("the keys of a map are of type ") +
               tenon_element_type_name(keys->tensor.element) + ", expected integers or strings");
  }
  if (hasDuplicates(*keys))
    return bad("a map has a key twice");
  tenon_value *made = nullptr;
  TENON_RETURN_IF_ERROR(create(std::move(runtime), TENON_VALUE_MAP, value, made));
  TENON_RETURN_IF_ERROR(hold(*made, keys));
  return hold(*made, values);
}

/// Makes the caller's reference to a sequence the only one, by copying the list of its elements.
Status makeEditable(tenon_value *&sequence) {
  if (!sequence || sequence->kind != TENON_VALUE_SEQUENCE)
    return bad("only sequences can be edited");
  if (sequence->references.load(std::memory_order_acquire) == 1)
    return {};
  ValueReference copy;
  tenon_value *made = nullptr;
  TENON_RETURN_IF_ERROR(create(sequence->runtime, TENON_VALUE_SEQUENCE, copy, made));
  made->depth = sequence->depth;
  made->elements.reserve(sequence->elements.size() + 1);
  made->elements = sequence->elements;
  tenon_value_release(sequence);
  sequence = copy.release();
  return {};
}

Status checkPosition(const tenon_value &sequence, int64_t position, size_t end) {
  if (position < 0 || static_cast<uint64_t>(position) >= end)
    return bad("position " + std::to_string(position) + " of a sequence of " +
               std::to_string(sequence.elements.size()) + " elements");
  return {};
}

Status insert(tenon_value *&sequence, int64_t position, const tenon_value *element) {
  if (!element)
    return bad("an element of a sequence is NULL");
  TENON_RETURN_IF_ERROR(makeEditable(sequence));
  TENON_RETURN_IF_ERROR(checkPosition(*sequence, position, sequence->elements.size() + 1));
  TENON_RETURN_IF_ERROR(checkElement(*sequence, *element));
  sequence->depth = std::max(sequence->depth, element->depth + 1);
  sequence->elements.insert(sequence->elements.begin() + position, ValueReference::share(element));
  return {};
}

Status erase(tenon_value *&sequence, int64_t position) {
  TENON_RETURN_IF_ERROR(makeEditable(sequence));
  TENON_RETURN_IF_ERROR(checkPosition(*sequence, position, sequence->elements.size()));
  sequence->elements.erase(sequence->elements.begin() + position);
  return {};
}

/// Hands a made value out, or reports why there is none.
tenon_status give(Status status, ValueReference &made, tenon_value **value, tenon_error *error) {
  if (status.ok())
    *value = made.release();
  return report(status, error);
}

tenon_status missing(tenon_error *error) {
  return report(bad("the runtime, the tensor or the place for the value is NULL"), error);
}

} // namespace

tenon_value::~tenon_value() {
  if (tensor.data)
    runtime->release(tensor.data, allocated);
}

// --- C++ -----------------------------------------------------------------------------------------

Status runtime::adoptTensor(std::shared_ptr<Runtime> runtime, const tenon_tensor &tensor,
                            ValueReference &value) {
  tenon_value *made = nullptr;
  TENON_RETURN_IF_ERROR(create(std::move(runtime), TENON_VALUE_TENSOR, value, made));
  made->tensor = tensor;
  made->allocated = tensor.byte_size;
  return {};
}

Status runtime::copyTensor(std::shared_ptr<Runtime> runtime, const tenon_tensor &tensor,
                           ValueReference &value) {
  int64_t count = 0, bytes = 0;
  TENON_RETURN_IF_ERROR(measure(tensor, count, bytes));
  if (tensor.byte_size < bytes || (bytes > 0 && !tensor.data))
    return bad("a tensor has " + std::to_string(tensor.data ? tensor.byte_size : 0) +
               " bytes of data, its shape needs " + std::to_string(bytes));
  if (tensor.element == TENON_STRING)
    return copyStrings(std::move(runtime), tensor, bytes, value);
  void *data = nullptr;
  TENON_RETURN_IF_ERROR(makeUninitialized(std::move(runtime), tensor, value, data));
  if (bytes > 0)
    std::memcpy(data, tensor.data, static_cast<size_t>(bytes));
  return {};
}

std::string runtime::valueText(const tenon_value &value) {
  switch (value.kind) {
  case TENON_VALUE_TENSOR:
    return std::string("a tensor of ") + tenon_element_type_name(value.tensor.element);
  case TENON_VALUE_MAP:
    return std::string("a map from ") + tenon_element_type_name(value.elements[0]->tensor.element) +
           " to " + tenon_element_type_name(value.elements[1]->tensor.element);
  default:
    break;
  }
  bool isSequence = value.kind == TENON_VALUE_SEQUENCE;
  if (value.elements.empty())
    return isSequence ? "an empty sequence" : "an empty optional";
  return (isSequence ? "a sequence of " : "an optional of ") + valueText(*value.elements[0].get());
}

std::string runtime::valueText(const artifact::Value &type) {
  std::string all;
  for (artifact::Container container : type.containers) {
    if (container == artifact::Container::Map)
      return all + "a map from " + artifact::elementTypeName(type.key) + " to " +
             artifact::elementTypeName(type.element);
    all += container == artifact::Container::Sequence ? "a sequence of " : "an optional of ";
  }
  return all + "a tensor of " + artifact::elementTypeName(type.element);
}

bool runtime::isOfType(const tenon_value &value, const artifact::Value &type) {
  auto is = [](const tenon_value &tensor, ElementType element) {
    return static_cast<uint32_t>(tensor.tensor.element) == static_cast<uint32_t>(element);
  };
  std::span<const artifact::Container> containers = type.containers;
  auto check = [&](auto &self, const tenon_value &value, size_t depth) -> bool {
    if (depth == containers.size())
      return value.kind == TENON_VALUE_TENSOR && is(value, type.element);
    switch (containers[depth]) {
    case artifact::Container::Map:
      return value.kind == TENON_VALUE_MAP && is(*value.elements[0].get(), type.key) &&
             is(*value.elements[1].get(), type.element);
    case artifact::Container::Sequence:
      if (value.kind != TENON_VALUE_SEQUENCE)
        return false;
      break;
    case artifact::Container::Optional:
      if (value.kind != TENON_VALUE_OPTIONAL)
        return false;
      break;
    }
    return std::all_of(
        value.elements.begin(), value.elements.end(),
        [&](const ValueReference &element) { return self(self, *element.get(), depth + 1); });
  };
  return check(check, value, 0);
}

// --- C -------------------------------------------------------------------------------------------

extern "C" {

tenon_status tenon_value_make_tensor(tenon_runtime *runtime, const tenon_tensor *tensor,
                                     tenon_value **value, tenon_error *error) {
  if (!runtime || !tensor || !value)
    return missing(error);
  ValueReference made;
  return give(copyTensor(runtime->runtime, *tensor, made), made, value, error);
}

tenon_status tenon_value_make_sequence(tenon_runtime *runtime, const tenon_value *const *elements,
                                       int64_t count, tenon_value **value, tenon_error *error) {
  if (!runtime || !value)
    return missing(error);
  ValueReference made;
  return give(makeSequence(runtime->runtime, elements, count, made), made, value, error);
}

tenon_status tenon_value_make_optional(tenon_runtime *runtime, const tenon_value *content,
                                       tenon_value **value, tenon_error *error) {
  if (!runtime || !value)
    return missing(error);
  ValueReference made;
  return give(makeOptional(runtime->runtime, content, made), made, value, error);
}

tenon_status tenon_value_make_map(tenon_runtime *runtime, const tenon_value *keys,
                                  const tenon_value *values, tenon_value **value,
                                  tenon_error *error) {
  if (!runtime || !value)
    return missing(error);
  ValueReference made;
  return give(makeMap(runtime->runtime, keys, values, made), made, value, error);
}

tenon_value *tenon_value_retain(const tenon_value *value) {
  value->references.fetch_add(1, std::memory_order_relaxed);
  return const_cast<tenon_value *>(value);
}

void tenon_value_release(tenon_value *value) {
  if (value && value->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete value;
}

tenon_value_kind tenon_value_get_kind(const tenon_value *value) { return value->kind; }

tenon_status tenon_value_get_tensor(const tenon_value *value, tenon_tensor *tensor,
                                    tenon_error *error) {
  if (!value || !tensor)
    return missing(error);
  if (value->kind != TENON_VALUE_TENSOR)
    return report(bad("the value is " + valueText(*value) + ", not a tensor"), error);
  *tensor = value->tensor;
  return TENON_OK;
}

int64_t tenon_value_get_count(const tenon_value *value) {
  switch (value->kind) {
  case TENON_VALUE_TENSOR: {
    int64_t count = 0, bytes = 0;
    (void)measure(value->tensor, count, bytes);
    return count;
  }
  case TENON_VALUE_MAP:
    return value->elements[0]->tensor.dims[0];
  default:
    return static_cast<int64_t>(value->elements.size());
  }
}

const tenon_value *tenon_value_get_element(const tenon_value *value, int64_t index) {
  if (index < 0 || static_cast<uint64_t>(index) >= value->elements.size())
    return nullptr;
  return value->elements[static_cast<size_t>(index)].get();
}

} // extern "C"

const tenon_value_interface &runtime::valueInterface() {
  static const tenon_value_interface table = {
      .version = TENON_HOST_INTERFACE_VERSION,
      .size = sizeof(tenon_value_interface),
      .make_tensor = tenon_value_make_tensor,
      .make_uninitialized = [](tenon_runtime *runtime, tenon_element_type element, int32_t rank,
                               const int64_t *dims, tenon_value **value, void **data,
                               tenon_error *error) -> tenon_status {
        ValueReference made;
        tenon_tensor shape = {};
        shape.element = element;
        shape.rank = rank;
        if (rank >= 0 && rank <= TENON_MAX_RANK)
          std::copy_n(dims, rank, shape.dims);
        return give(makeUninitialized(runtime->runtime, shape, made, *data), made, value, error);
      },
      .make_sequence = tenon_value_make_sequence,
      .make_optional = tenon_value_make_optional,
      .make_map = tenon_value_make_map,
      .insert =
          [](tenon_value **sequence, int64_t position, const tenon_value *element,
             tenon_error *error) { return report(::insert(*sequence, position, element), error); },
      .erase = [](tenon_value **sequence, int64_t position,
                  tenon_error *error) { return report(::erase(*sequence, position), error); },
      .retain = tenon_value_retain,
      .release = tenon_value_release,
      .kind = tenon_value_get_kind,
      .tensor = [](const tenon_value *value) -> const tenon_tensor * { return &value->tensor; },
      .count = tenon_value_get_count,
      .element = tenon_value_get_element,
  };
  return table;
}
