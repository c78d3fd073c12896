// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values at run time: what the C interface's tenon_value is. The core only keeps, counts and passes
// them; whatever is computed with them is a host function's business, which reaches them through
// the table that every value points to (HostInterface.h).
//
// A value is immutable once somebody else can see it. A sequence whose only reference the caller
// holds may be edited in place, which makes a loop that appends to one linear.

#ifndef TENON_LIB_RUNTIME_VALUE_H
#define TENON_LIB_RUNTIME_VALUE_H

#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"
#include "lib/runtime/HostInterface.h"
#include "lib/runtime/Runtime.h"

#include <atomic>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tenon::runtime {

/// A counted reference to a value, or none.
class ValueReference {
public:
  ValueReference() = default;
  /// Takes over the caller's reference.
  static ValueReference take(tenon_value *value) {
    ValueReference reference;
    reference.value_ = value;
    return reference;
  }
  /// Adds a reference.
  static ValueReference share(const tenon_value *value) {
    return take(value ? tenon_value_retain(value) : nullptr);
  }
  ValueReference(const ValueReference &other) : ValueReference(share(other.value_)) {}
  ValueReference(ValueReference &&other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  ValueReference &operator=(ValueReference other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~ValueReference() { tenon_value_release(value_); }

  const tenon_value *get() const { return value_; }
  const tenon_value *operator->() const { return value_; }
  explicit operator bool() const { return value_ != nullptr; }
  /// Gives the reference away.
  tenon_value *release() { return std::exchange(value_, nullptr); }

private:
  tenon_value *value_ = nullptr;
};

/// Containers nest no deeper, so that nothing that follows them needs a bound of its own.
inline constexpr uint32_t maxValueDepth = 16;

/// A tensor of numbers over memory that `runtime` has allocated, which the value takes over.
Status adoptTensor(std::shared_ptr<Runtime> runtime, const tenon_tensor &tensor,
                   ValueReference &value);
/// A copy; see tenon_value_make_tensor.
Status copyTensor(std::shared_ptr<Runtime> runtime, const tenon_tensor &tensor,
                  ValueReference &value);

/// "a sequence of tensors of int64": what a value is, for messages.
std::string valueText(const tenon_value &value);
/// The same of an input's or output's type.
std::string valueText(const artifact::Value &type);
/// Whether `value` may be given for an input, or come out of an output, of that type, as far as the
/// kind of containers and the types of keys and elements tell; shapes are not looked at.
bool isOfType(const tenon_value &value, const artifact::Value &type);

/// The table that host functions reach values through.
const tenon_value_interface &valueInterface();

} // namespace tenon::runtime

struct tenon_value {
  /// First, so that host functions find it without knowing the rest.
  const tenon_value_interface *interface = &tenon::runtime::valueInterface();
  mutable std::atomic<int64_t> references{1};
  tenon_value_kind kind = TENON_VALUE_TENSOR;
  uint32_t depth = 0; ///< of containers
  std::shared_ptr<tenon::runtime::Runtime> runtime;
  tenon_tensor tensor = {};
  int64_t allocated = 0; ///< bytes at tensor.data; with strings more than the array of them
  /// Of a sequence or optional what it holds; of a map its keys and its values.
  std::vector<tenon::runtime::ValueReference> elements;

  ~tenon_value();
};

#endif // TENON_LIB_RUNTIME_VALUE_H
