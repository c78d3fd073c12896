// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's operators on optionals. A value that is not optional is one that has a value.

#include "lib/host/Families.h"

namespace tenon::host {

namespace {

Status make(const Attributes &, Call &call) {
  Value made;
  TENON_RETURN_IF_ERROR(call.makeOptional(call.input(0), made));
  call.set(0, std::move(made));
  return {};
}

Status get(const Attributes &, Call &call) {
  Value value = call.input(0);
  if (value.kind() == TENON_VALUE_OPTIONAL) {
    if (value.count() == 0)
      return failed("the optional is empty");
    value = value[0];
  }
  call.set(0, std::move(value));
  return {};
}

Status has(const Attributes &, Call &call) {
  Value value = call.input(0), made;
  bool isThere = value && (value.kind() != TENON_VALUE_OPTIONAL || value.count() == 1);
  TENON_RETURN_IF_ERROR(call.makeScalar<bool>(isThere, made));
  call.set(0, std::move(made));
  return {};
}

} // namespace

std::vector<Entry> optionalFunctions() {
  return {
      {"optional.make", 1, {anything.orAbsent()}, 1, 1, plain<make>},
      {"optional.get", 1, {anything}, 1, 1, plain<get>},
      {"optional.has", 1, {anything.orAbsent()}, 1, 1, plain<has>},
  };
}

} // namespace tenon::host
