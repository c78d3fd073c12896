// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NodeName.cpp -------------------------------------------------------===//

#include "lib/schedule/NodeName.h"

using namespace mlir;

llvm::StringRef tenon::findNodeName(Location location) {
  StringRef name;
  location->walk([&](Location nested) {
    auto named = dyn_cast<NameLoc>(nested);
    if (!named)
      return WalkResult::advance();
    name = named.getName();
    return WalkResult::interrupt();
  });
  return name;
}
