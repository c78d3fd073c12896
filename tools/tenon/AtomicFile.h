// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that appear whole or not at all: content goes to temporaries beside the destinations, and
// only when all of it is on the disk do the temporaries take their names. A full disk, a signal or
// an error leaves nothing behind.
#ifndef TENON_TOOLS_TENON_ATOMICFILE_H
#define TENON_TOOLS_TENON_ATOMICFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include <string>
#include <vector>

namespace tenon::cli {

class AtomicFiles {
public:
  AtomicFiles() = default;
  AtomicFiles(const AtomicFiles &) = delete;
  ~AtomicFiles();

  /// Writes a temporary beside `path`. Its error names `path` and the reason ("No space left on
  /// device").
  llvm::Error add(llvm::StringRef path, llvm::StringRef content);

  /// Gives every temporary its name. After an error the files not yet renamed are removed.
  llvm::Error commit();

private:
  struct Pending {
    llvm::sys::fs::TempFile file;
    std::string path;
  };
  std::vector<Pending> pending;
};

/// A folder for intermediate files that is removed, with all that is in it, at the end of its
/// scope.
class TemporaryFolder {
public:
  static llvm::Expected<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder &&other) : folder(std::move(other.folder)) {
    other.folder.clear();
  }
  ~TemporaryFolder();

  std::string file(llvm::StringRef name) const;

private:
  explicit TemporaryFolder(std::string folder) : folder(std::move(folder)) {}
  std::string folder;
};

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_ATOMICFILE_H
