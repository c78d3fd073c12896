// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The library as the runtime sees it: the table of functions, and the check of a call against its
// function's row.

#include "lib/host/Families.h"

#include <algorithm>
#include <cstring>

using namespace tenon;
using namespace tenon::host;

struct tenon_host_function {
  const Entry *entry = nullptr;
  std::vector<tenon_host_attribute> attributes;
  std::unique_ptr<Function> function;
};

namespace {

tenon_status report(const Status &status, tenon_error *error) {
  if (status.ok())
    return TENON_OK;
  error->status = static_cast<tenon_status>(status.code());
  const std::string &message = status.message();
  size_t length = std::min(message.size(), sizeof(error->message) - 1);
  std::memcpy(error->message, message.data(), length);
  error->message[length] = '\0';
  return error->status;
}

std::string elementName(tenon_element_type type) {
  static constexpr const char *names[] = {
      "undefined",      "float",      "uint8",          "int8",       "uint16",    "int16",
      "int32",          "int64",      "string",         "bool",       "float16",   "double",
      "uint32",         "uint64",     "complex64",      "complex128", "bfloat16",  "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",      "float4e2m1",
      "float8e8m0",     "uint2",      "int2",           "float6e2m3", "float6e3m2"};
  return static_cast<size_t>(type) < std::size(names) ? names[type] : names[0];
}

std::string text(const Value &value) {
  switch (value.kind()) {
  case TENON_VALUE_TENSOR:
    return "a tensor of " + elementName(value.element()) + " of rank " +
           std::to_string(value.rank());
  case TENON_VALUE_SEQUENCE:
    return "a sequence";
  case TENON_VALUE_OPTIONAL:
    return "an optional";
  case TENON_VALUE_MAP:
    return "a map";
  }
  return "a value of an unknown kind";
}

bool fits(const Value &value, const Input &input) {
  if (!(input.kinds >> value.kind() & 1))
    return false;
  if (!value.isTensor())
    return true;
  return (input.elements >> value.element() & 1) && (input.rank < 0 || value.rank() == input.rank);
}

Status checkCall(const Entry &entry, const Call &call) {
  size_t declared = entry.inputs.size();
  bool repeats = declared > 0 && entry.inputs.back().repeats;
  if (call.inputCount() > declared && !repeats)
    return {StatusCode::InvalidArtifact, "has " + std::to_string(call.inputCount()) +
                                             " inputs, at most " + std::to_string(declared) +
                                             " are possible"};
  if (call.resultCount() < entry.leastResults || call.resultCount() > entry.mostResults)
    return {StatusCode::InvalidArtifact,
            "gives " + std::to_string(call.resultCount()) + " results"};
  for (size_t i = 0; i < std::max(declared, call.inputCount()); ++i) {
    const Input &input = entry.inputs[std::min(i, declared - 1)];
    if (!call.hasInput(i)) {
      if (input.mayBeAbsent)
        continue;
      return {StatusCode::InvalidArtifact, "input " + std::to_string(i) + " is absent"};
    }
    Value value = call.input(i);
    if (!fits(value, input))
      return failed("input " + std::to_string(i) + " is " + text(value) +
                    ", which the operator does not take");
  }
  return {};
}

Status create(const char *name, uint32_t version, std::span<const tenon_host_attribute> attributes,
              std::unique_ptr<tenon_host_function> &made) {
  for (const Entry &entry : functions()) {
    if (entry.version != version || std::strcmp(entry.name, name) != 0)
      continue;
    made = std::make_unique<tenon_host_function>();
    made->entry = &entry;
    made->attributes.assign(attributes.begin(), attributes.end());
    return entry.create(Attributes(made->attributes), made->function);
  }
  return {StatusCode::Unsupported, std::string("there is no host function '") + name +
                                       "' version " + std::to_string(version) + " in this release"};
}

Status call(const tenon_host_function &function, const tenon_host_call &values) {
  Call call(values);
  TENON_RETURN_IF_ERROR(checkCall(*function.entry, call));
  TENON_RETURN_IF_ERROR(function.function->call(call));
  for (size_t i = 0; i < call.resultCount(); ++i)
    if (call.isNeeded(i) && !values.results[i])
      return {StatusCode::Unsupported, "the host function gave no result " + std::to_string(i)};
  return {};
}

} // namespace

const std::vector<Entry> &host::functions() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> joined;
    for (auto family : {imageFunctions, mapFunctions, nonMaxSuppressionFunctions,
                        normalizationFunctions, numeralFunctions, optionalFunctions, regexFunctions,
                        sequenceFunctions, stringFunctions, tfidfFunctions, uniqueFunctions}) {
      std::vector<Entry> entries = family();
      joined.insert(joined.end(), std::make_move_iterator(entries.begin()),
                    std::make_move_iterator(entries.end()));
    }
    return joined;
  }();
  return all;
}

extern "C" const tenon_host_interface *tenon_host_get_interface(void) {
  static const tenon_host_interface table = {
      .version = TENON_HOST_INTERFACE_VERSION,
      .size = sizeof(tenon_host_interface),
      .create =
          [](const char *name, uint32_t version, const tenon_host_attribute *attributes,
             size_t count, tenon_host_function **function, tenon_error *error) {
            std::unique_ptr<tenon_host_function> made;
            Status status = create(name, version, {attributes, count}, made);
            if (status.ok())
              *function = made.release();
            return report(status, error);
          },
      .release = [](tenon_host_function *function) { delete function; },
      .call = [](const tenon_host_function *function, const tenon_host_call *values,
                 tenon_error *error) { return report(::call(*function, *values), error); },
      .function_count = [] { return functions().size(); },
      .function_name = [](size_t index) { return functions()[index].name; },
      .function_version = [](size_t index) { return functions()[index].version; },
  };
  return &table;
}
