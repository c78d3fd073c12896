// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command's values as the runtime's, and back.
#ifndef TENON_TOOLS_TENON_RUNTIMEVALUES_H
#define TENON_TOOLS_TENON_RUNTIMEVALUES_H

#include "tenon/runtime.h"
#include "tools/tenon/Signature.h"
#include <memory>

namespace tenon::cli {

struct ReleaseValue {
  void operator()(tenon_value *value) const { tenon_value_release(value); }
};
using RuntimeValue = std::unique_ptr<tenon_value, ReleaseValue>;

/// A copy of `value` in the containers that the model's type has: a value that is there is also an
/// optional of that value. Errors: another kind than the containers ask for.
llvm::Expected<RuntimeValue> toRuntime(tenon_runtime *runtime, const Value &value,
                                       llvm::ArrayRef<OnnxMessage> containers);

/// A copy; an optional is its content, or nothing.
Value fromRuntime(const tenon_value *value);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_RUNTIMEVALUES_H
