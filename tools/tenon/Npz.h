// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Named values in a .npz archive, as numpy.savez writes it, keyed by ONNX input and output names.
//
// numpy has only arrays. Other values are spread over several keys:
//   NAME#none           an empty optional
//   NAME#len, NAME#0 …  a sequence: its length, and its elements (which may themselves be spread)
//   NAME#keys, NAME#values  a map
#ifndef TENON_TOOLS_TENON_NPZ_H
#define TENON_TOOLS_TENON_NPZ_H

#include "tools/tenon/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace tenon::cli {

/// What element type the model expects under a name; nothing when it has no such name.
using ExpectedType = llvm::function_ref<std::optional<ElementType>(llvm::StringRef name)>;

/// Reads all values of an archive, in the order of the file.
llvm::Expected<std::vector<NamedValue>> readNpz(llvm::StringRef path, ExpectedType expected);

/// Writes an archive, uncompressed as numpy.savez does. It appears whole or not at all.
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<NamedValue> values);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_NPZ_H
