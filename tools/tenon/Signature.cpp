// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon/Signature.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace tenon::cli {

const Port *findPort(ArrayRef<Port> ports, StringRef name) {
  const Port *found = find_if(ports, [&](const Port &port) { return port.name == name; });
  return found == ports.end() ? nullptr : found;
}

std::string describe(const Port &port) {
  std::string text;
  for (const Dimension &dimension : port.dimensions)
    text += (dimension.size           ? std::to_string(*dimension.size)
             : dimension.name.empty() ? "?"
                                      : dimension.name) +
            "x";
  text += elementName(port.element);
  switch (port.form) {
  case OnnxMessage::tensor:
    return text;
  case OnnxMessage::sequence:
    return "sequence of " + text;
  case OnnxMessage::optional:
    return "optional " + text;
  }
  return text;
}

std::string portNames(ArrayRef<Port> ports) {
  return join(map_range(ports, [](const Port &port) { return port.name; }), ", ");
}

} // namespace tenon::cli
