// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file that appears whole or not at all: written under another name beside its target, flushed to
// the disk, then renamed.

#ifndef TENON_LIB_ARTIFACT_ATOMICFILE_H
#define TENON_LIB_ARTIFACT_ATOMICFILE_H

#include "lib/artifact/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tenon::artifact {

/// Not thread safe. Destroyed without commit(), it leaves no trace.
class AtomicFile {
public:
  AtomicFile() = default;
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  ~AtomicFile();

  /// Starts a file that will replace `path`, which must be a regular file if it exists. A symbolic
  /// link is followed: what it points to is replaced.
  Status open(const std::string &path);

  /// Writes at an offset; gaps that are never written are zero.
  Status write(uint64_t offset, std::span<const std::byte> bytes);

  /// Sets the size, for a file whose last bytes are a gap.
  Status resize(uint64_t size);

  /// Brings the bytes to the disk, so that commit() is unlikely to fail.
  Status flush();

  /// Gives the file its name. To be called after flush().
  Status commit();

private:
  Status systemError(const char *action) const;

  std::string path_;
  std::string partialPath_; ///< empty when nothing is to be removed
  int descriptor_ = -1;
};

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_ATOMICFILE_H
