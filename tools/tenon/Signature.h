// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compiled model takes and gives: names, types, dimensions.
#ifndef TENON_TOOLS_TENON_SIGNATURE_H
#define TENON_TOOLS_TENON_SIGNATURE_H

#include "tools/tenon/OnnxValues.h"
#include "tools/tenon/Value.h"
#include <limits>

namespace tenon::cli {

/// One dimension of an input or output. Dynamic ones have no size; named ones are equal wherever
/// the name stands.
struct Dimension {
  std::optional<int64_t> size;
  std::string name; // empty: unnamed
  int64_t min = 0, max = std::numeric_limits<int64_t>::max(), multiple = 1;
};

struct Port {
  std::string name;
  /// What lies in what, outermost first; empty: a tensor. A map is the last.
  std::vector<OnnxMessage> containers = {};
  ElementType element = ElementType::undefined; // of the tensor inside; of a map its values
  ElementType key = ElementType::undefined;     // of a map
  bool ranked = true;                           // false: a tensor of any shape
  std::vector<Dimension> dimensions;
  /// Of a compiled model's output: the input whose memory it may take.
  std::optional<unsigned> inPlaceInput = std::nullopt;

  /// What it is on the outside: an optional sequence is an optional.
  OnnxMessage form() const { return containers.empty() ? OnnxMessage::tensor : containers.front(); }
};

struct Signature {
  std::vector<Port> inputs, outputs;
};

/// The port with this name, or null.
const Port *findPort(llvm::ArrayRef<Port> ports, llvm::StringRef name);

/// "batch x sequence x 384 x f32", as messages and `tenon inspect` show a port's type.
std::string describe(const Port &port);

/// "a, b, c": the ports' names, for messages.
std::string portNames(llvm::ArrayRef<Port> ports);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_SIGNATURE_H
