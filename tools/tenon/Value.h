// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values on the host: what the command reads from files, hands to the runtime, and writes back.
//
// A value is a tensor, a sequence of values, a map, or nothing (an empty optional).
#ifndef TENON_TOOLS_TENON_VALUE_H
#define TENON_TOOLS_TENON_VALUE_H

#include "tools/tensors/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::cli {

struct Value {
  enum class Kind { none, tensor, sequence, map };
  Kind kind = Kind::none;
  Tensor tensor;
  std::vector<Value> elements; // of a map: its keys and its values, two tensors of one dimension

  static Value ofTensor(Tensor tensor) {
    Value value;
    value.kind = Kind::tensor;
    value.tensor = std::move(tensor);
    return value;
  }
  static Value ofSequence(std::vector<Value> elements) {
    Value value;
    value.kind = Kind::sequence;
    value.elements = std::move(elements);
    return value;
  }
  static Value ofMap(Tensor keys, Tensor values) {
    Value value;
    value.kind = Kind::map;
    value.elements = {ofTensor(std::move(keys)), ofTensor(std::move(values))};
    return value;
  }
};

/// "2x3xf32", "sequence", "map", "nothing".
std::string describe(const Value &value);

struct NamedValue {
  std::string name;
  Value value;
};

/// Looks a name up in a list of values; null when it is not there.
const Value *findValue(llvm::ArrayRef<NamedValue> values, llvm::StringRef name);

/// Element `index` of a tensor of a floating, integer or boolean type as a double. The narrow types
/// are decoded here, in one place. (64-bit integers lose precision: compare those bytewise.)
double elementAsDouble(const Tensor &tensor, int64_t index);

/// "0.001", "1.5e-07": a number as people write it.
std::string shortNumber(double number);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_VALUE_H
