// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file mapped read-only into memory.

#ifndef TENON_LIB_ARTIFACT_MAPPEDFILE_H
#define TENON_LIB_ARTIFACT_MAPPEDFILE_H

#include "lib/artifact/Status.h"

#include <cstddef>
#include <span>
#include <string>

namespace tenon::artifact {

/// Owns the mapping. The file may be renamed or deleted meanwhile, but not shortened: reading
/// beyond its new end is a bus error that no reader of mapped files can turn into a message.
class MappedFile {
public:
  MappedFile() = default;
  MappedFile(MappedFile &&other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile &operator=(MappedFile &&other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedFile();

  /// Maps a regular file whole. Replaces what was mapped before.
  Status open(const std::string &path);

  std::span<const std::byte> bytes() const { return {data_, size_}; }

private:
  const std::byte *data_ = nullptr;
  size_t size_ = 0;
};

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_MAPPEDFILE_H
