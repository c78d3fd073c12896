// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What host functions are written with: the values they read and make, their attributes, and the
// row that declares one.
//
// How to add a function
//   1. Write `Status name(const Attributes &, Call &)` in the file of its family (Sequences.cpp,
//      Strings.cpp, ...), or a class, where work on the attributes is worth doing once
//      (Prepared, below). Return an error for what only shows when it runs; the runtime puts the
//      ONNX node's name before it. Code of other projects lies in modules (Module.h), from which
//      no exception may come.
//   2. Add its row to the family's table in the same file, which Library.cpp lists: name, version,
//      inputs, number of results. Names begin with the family. What the inputs must be is checked
//      before each call, so the function may rely on it. A change that an older program would
//      notice is a new version: the old row stays.
//   3. Add the operator's row to lib/lower/HostFunctions.cpp: which ONNX operator it is, which of
//      its attributes it gets (under ONNX's names; one that the model leaves out is absent, and
//      the function takes the default of ONNX's schema). Inputs are the operator's, in its order;
//      absent ones are absent here, too. Tensors that kernels compute are passed and returned as
//      any other; conversions are the compiler's business.
//   4. A test in test/host.
//
// What may be a host function is closed: strings, sequences, optionals, maps, images, regular
// expressions, TfIdf, non-maximum suppression, Unique. A test holds the list; all else is a kernel.
//
// Programs come from files that may be hostile, so nothing about inputs or attributes is certain
// except what the row says.

#ifndef TENON_LIB_HOST_FUNCTION_H
#define TENON_LIB_HOST_FUNCTION_H

#include "lib/artifact/Status.h"
#include "lib/runtime/HostInterface.h"

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::host {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// A reference to an immutable value, or to none (an absent input). Cheap to copy. What is read
/// through it lives as long as some reference does.
class Value {
public:
  Value() = default;
  /// Takes over a reference.
  static Value take(tenon_value *value) {
    Value taken;
    taken.value_ = value;
    return taken;
  }
  static Value share(const tenon_value *value) {
    return take(value ? interface(value).retain(value) : nullptr);
  }
  Value(const Value &other) : Value(share(other.value_)) {}
  Value(Value &&other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Value &operator=(Value other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Value() {
    if (value_)
      interface(value_).release(value_);
  }

  explicit operator bool() const { return value_ != nullptr; }
  tenon_value_kind kind() const { return interface(value_).kind(value_); }
  bool isTensor() const { return kind() == TENON_VALUE_TENSOR; }
  bool isTensorOf(tenon_element_type type) const { return isTensor() && element() == type; }

  // Of tensors.

  tenon_element_type element() const { return tensor().element; }
  int64_t rank() const { return tensor().rank; }
  std::span<const int64_t> shape() const {
    return {tensor().dims, static_cast<size_t>(tensor().rank)};
  }
  /// Numbers as they lie in memory, `T` being of the width of the element type; none if it is not.
  /// Of types below a byte the bytes (`uint8_t`): see tenon_element_type.
  template <typename T>
  std::span<const T> elements() const {
    auto all = static_cast<size_t>(tensor().byte_size);
    if (element() == TENON_STRING || widthOf(element()) != sizeof(T))
      return {};
    return {static_cast<const T *>(tensor().data), all / sizeof(T)};
  }
  /// Element `index` of a tensor of strings, in row-major order.
  std::string_view string(int64_t index) const {
    const tenon_string &text = static_cast<const tenon_string *>(tensor().data)[index];
    return {text.data, text.size};
  }
  /// Element `index` of a tensor of int32 or int64.
  int64_t integer(int64_t index) const {
    return element() == TENON_INT32 ? static_cast<const int32_t *>(tensor().data)[index]
                                    : static_cast<const int64_t *>(tensor().data)[index];
  }
  /// The bytes of the elements, whatever their type; of strings not what they point to.
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte *>(tensor().data), static_cast<size_t>(tensor().byte_size)};
  }

  // Of all.

  /// Elements of a tensor or sequence, entries of a map; of an optional 1 or 0.
  int64_t count() const { return interface(value_).count(value_); }

  // Of containers.

  /// Of a sequence; of an optional its content (0). The index is in [0, count).
  Value operator[](int64_t index) const { return share(interface(value_).element(value_, index)); }
  /// The tensors of a map's keys and of its values, in the same order.
  Value keys() const { return share(interface(value_).element(value_, 0)); }
  Value values() const { return share(interface(value_).element(value_, 1)); }

  const tenon_value *get() const { return value_; }
  tenon_value *release() { return std::exchange(value_, nullptr); }

private:
  static const tenon_value_interface &interface(const tenon_value *value) {
    return **reinterpret_cast<const tenon_value_interface *const *>(value);
  }
  const tenon_tensor &tensor() const { return *interface(value_).tensor(value_); }
  /// Bytes of an element; 1 for those below a byte.
  static size_t widthOf(tenon_element_type type);

  tenon_value *value_ = nullptr;
};

/// The integer type's or float type's element type.
template <typename T>
constexpr tenon_element_type elementTypeOf();
template <>
constexpr tenon_element_type elementTypeOf<float>() {
  return TENON_FLOAT;
}
template <>
constexpr tenon_element_type elementTypeOf<double>() {
  return TENON_DOUBLE;
}
template <>
constexpr tenon_element_type elementTypeOf<int64_t>() {
  return TENON_INT64;
}
template <>
constexpr tenon_element_type elementTypeOf<int32_t>() {
  return TENON_INT32;
}
template <>
constexpr tenon_element_type elementTypeOf<uint8_t>() {
  return TENON_UINT8;
}
template <>
constexpr tenon_element_type elementTypeOf<bool>() {
  return TENON_BOOL;
}

/// A value's shape, where it is made: Shape{2, 3}.
using Shape = std::vector<int64_t>;

/// The values of one call, and what makes new ones.
class Call {
public:
  explicit Call(const tenon_host_call &call) : call_(call) {}

  size_t inputCount() const { return call_.input_count; }
  bool hasInput(size_t index) const {
    return index < call_.input_count && call_.inputs[index] != nullptr;
  }
  /// An input; none where it is absent or was taken.
  Value input(size_t index) const {
    return hasInput(index) ? Value::share(call_.inputs[index]) : Value();
  }
  /// The call's own reference to an input, perhaps the only one: then an edit is in place.
  Value take(size_t index) const {
    return hasInput(index) ? Value::take(std::exchange(call_.inputs[index], nullptr)) : Value();
  }

  size_t resultCount() const { return call_.result_count; }
  /// Whether anybody reads this result; if not, it may stay unset.
  bool isNeeded(size_t result) const {
    return result < call_.result_count && call_.needed[result] != 0;
  }
  /// To be called once for each result that is needed; ignored for others.
  void set(size_t result, Value value) const;

  /// A tensor whose elements are to be written through `elements` before this call ends.
  template <typename T>
  Status makeTensor(const Shape &shape, Value &value, std::span<T> &elements) const {
    std::span<std::byte> bytes;
    TENON_RETURN_IF_ERROR(makeTensor(elementTypeOf<T>(), shape, value, bytes));
    elements = {reinterpret_cast<T *>(bytes.data()), bytes.size() / sizeof(T)};
    return {};
  }
  Status makeTensor(tenon_element_type type, std::span<const int64_t> shape, Value &value,
                    std::span<std::byte> &bytes) const;
  /// A tensor of one element and no axes.
  template <typename T>
  Status makeScalar(T element, Value &value) const {
    std::span<T> elements;
    TENON_RETURN_IF_ERROR(makeTensor({}, value, elements));
    elements[0] = element;
    return {};
  }
  /// A tensor of strings, which are copied.
  Status makeStrings(std::span<const int64_t> shape, std::span<const std::string_view> strings,
                     Value &value) const;
  Status makeStrings(std::span<const int64_t> shape, const std::vector<std::string> &strings,
                     Value &value) const;
  Status makeSequence(const std::vector<Value> &elements, Value &value) const;
  /// `content` may be none.
  Status makeOptional(const Value &content, Value &value) const;
  /// Of tensors of one axis; keys are integers or strings, each there once.
  Status makeMap(const Value &keys, const Value &values, Value &value) const;

  /// `element` before `position`, in [0, count], of a sequence that was taken.
  Status insert(Value &sequence, int64_t position, const Value &element) const;
  /// Without the element at `position`, in [0, count).
  Status erase(Value &sequence, int64_t position) const;

private:
  Status give(tenon_status status, tenon_value *made, const tenon_error &error, Value &value) const;

  const tenon_host_call &call_;
};

/// A node's attributes, by ONNX's names. They live as long as the function made with them.
class Attributes {
public:
  explicit Attributes(std::span<const tenon_host_attribute> all) : all_(all) {}

  /// A tensor of rank 0 (a number, a string), 1 (a list) or any (a tensor); none if it is absent.
  Value find(std::string_view name) const;
  // `otherwise` where it is absent or of another type.
  int64_t integer(std::string_view name, int64_t otherwise) const;
  float real(std::string_view name, float otherwise) const;
  std::string_view string(std::string_view name, std::string_view otherwise) const;
  /// Empty where it is absent or of another type.
  std::span<const int64_t> integers(std::string_view name) const;
  std::span<const float> reals(std::string_view name) const;
  std::vector<std::string_view> strings(std::string_view name) const;

private:
  std::span<const tenon_host_attribute> all_;
};

/// What a function has failed for, in words for the user: lower case, no full stop.
inline Status failed(std::string message) { return {StatusCode::CheckFailed, std::move(message)}; }

/// "[2, 3]"
std::string shapeText(std::span<const int64_t> shape);

//===----------------------------------------------------------------------===//
// Declaring a function
//===----------------------------------------------------------------------===//

/// What one input must be.
struct Input {
  uint32_t kinds = 0;    ///< bit per tenon_value_kind
  uint64_t elements = 0; ///< of a tensor: bit per tenon_element_type
  int rank = -1;         ///< of a tensor; -1: any
  bool mayBeAbsent = false;
  bool repeats = false; ///< the last one only: once or more, or not at all if mayBeAbsent

  constexpr Input orAbsent() const {
    Input changed = *this;
    changed.mayBeAbsent = true;
    return changed;
  }
  constexpr Input repeated() const {
    Input changed = *this;
    changed.repeats = true;
    return changed;
  }
  constexpr Input ofRank(int wanted) const {
    Input changed = *this;
    changed.rank = wanted;
    return changed;
  }
};

constexpr Input tensorOf(std::initializer_list<tenon_element_type> types) {
  Input input{1u << TENON_VALUE_TENSOR};
  for (tenon_element_type type : types)
    input.elements |= uint64_t(1) << type;
  return input;
}
inline constexpr Input strings = tensorOf({TENON_STRING});
/// For positions and counts; read them with Value::integer.
inline constexpr Input integers = tensorOf({TENON_INT32, TENON_INT64});
/// Of any element type, strings included.
inline constexpr Input anyTensor{1u << TENON_VALUE_TENSOR, ~uint64_t(0)};
inline constexpr Input numbers{1u << TENON_VALUE_TENSOR, ~(uint64_t(1) << TENON_STRING)};
inline constexpr Input sequence{1u << TENON_VALUE_SEQUENCE};
inline constexpr Input optional{1u << TENON_VALUE_OPTIONAL};
inline constexpr Input map{1u << TENON_VALUE_MAP};
inline constexpr Input anything{~0u, ~uint64_t(0)};

/// A function of one call site: made once when a model is loaded, called by several threads at
/// once.
class Function {
public:
  virtual ~Function() = default;
  virtual Status call(Call &call) const = 0;
};

/// One row of a family's table.
struct Entry {
  const char *name; ///< "sequence.at"
  uint32_t version;
  std::vector<Input> inputs;
  uint32_t leastResults, mostResults;
  Status (*create)(const Attributes &attributes, std::unique_ptr<Function> &function);
};

/// For Entry::create: a plain function, which reads its attributes in each call.
template <Status (*Function_)(const Attributes &, Call &)>
Status plain(const Attributes &attributes, std::unique_ptr<Function> &function) {
  struct Plain : Function {
    explicit Plain(const Attributes &attributes) : attributes(attributes) {}
    Status call(Call &call) const override { return Function_(attributes, call); }
    Attributes attributes;
  };
  function = std::make_unique<Plain>(attributes);
  return {};
}

/// For Entry::create: a class derived from Function with
/// `Status prepare(const Attributes &)`, which is called once, before any call.
template <typename Class>
Status prepared(const Attributes &attributes, std::unique_ptr<Function> &function) {
  auto made = std::make_unique<Class>();
  TENON_RETURN_IF_ERROR(made->prepare(attributes));
  function = std::move(made);
  return {};
}

} // namespace tenon::host

#endif // TENON_LIB_HOST_FUNCTION_H
