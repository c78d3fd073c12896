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

SmallVector<llvm::StringRef> tenon::collectNodeNames(Location location) {
  SmallVector<StringRef> names;
  location->walk([&](Location nested) {
    if (auto named = dyn_cast<NameLoc>(nested))
      names.push_back(named.getName());
    return WalkResult::advance();
  });
  return names;
}
