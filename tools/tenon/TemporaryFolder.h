// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder for intermediate files that goes, with all that is in it, when its scope ends.
#ifndef TENON_TOOLS_TENON_TEMPORARYFOLDER_H
#define TENON_TOOLS_TENON_TEMPORARYFOLDER_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <string>
#include <utility>

namespace tenon::cli {

class TemporaryFolder {
public:
  static llvm::Expected<TemporaryFolder> create() {
    llvm::SmallString<128> path;
    if (std::error_code failed = llvm::sys::fs::createUniqueDirectory("tenon", path))
      return llvm::createStringError(failed, "cannot make a temporary folder: %s",
                                     failed.message().c_str());
    return TemporaryFolder(path.str().str());
  }
  TemporaryFolder(TemporaryFolder &&other) : folder(std::exchange(other.folder, std::string())) {}
  ~TemporaryFolder() {
    if (!folder.empty())
      (void)llvm::sys::fs::remove_directories(folder);
  }

  std::string file(llvm::StringRef name) const {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  }

private:
  explicit TemporaryFolder(std::string folder) : folder(std::move(folder)) {}
  std::string folder;
};

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_TEMPORARYFOLDER_H
