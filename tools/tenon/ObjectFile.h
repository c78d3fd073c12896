// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model as an object file to link into a program, and the C header that declares it.
#ifndef TENON_TOOLS_TENON_OBJECTFILE_H
#define TENON_TOOLS_TENON_OBJECTFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace tenon::cli {

struct ObjectFile {
  std::string object;
  std::string header;
};

/// Wraps the bytes of an artifact. The symbols are <name>_model and <name>_model_size, where <name>
/// is the stem of `path` as a C identifier; `triple` is the machine that the program is for.
llvm::Expected<ObjectFile> makeObjectFile(llvm::StringRef artifact, llvm::StringRef path,
                                          llvm::StringRef triple);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_OBJECTFILE_H
