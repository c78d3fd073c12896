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
  for (OnnxMessage container : port.containers) {
    if (container == OnnxMessage::map)
      return text + "map from " + elementName(port.key) + " to " + elementName(port.element);
    text += container == OnnxMessage::sequence ? "sequence of " : "optional ";
  }
  if (!port.ranked && port.containers.empty())
    text += "*x";
  for (const Dimension &dimension : port.dimensions)
    text += (dimension.size           ? std::to_string(*dimension.size)
             : dimension.name.empty() ? "?"
                                      : dimension.name) +
            "x";
  return text + elementName(port.element);
}

std::string portNames(ArrayRef<Port> ports) {
  return join(map_range(ports, [](const Port &port) { return port.name; }), ", ");
}

} // namespace tenon::cli
