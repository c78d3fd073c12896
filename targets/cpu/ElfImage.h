// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads the ELF image that holds a CPU's kernels. The image is a position-independent shared object
// without undefined symbols, so loading is mapping and adding the base address to some words: no
// dynamic linker, no files, no code that runs at load.

#ifndef TENON_TARGETS_CPU_ELFIMAGE_H
#define TENON_TARGETS_CPU_ELFIMAGE_H

#include "lib/artifact/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tenon::cpu {

/// Owns the mapping. Immutable once loaded. Pages are writable or executable, never both.
class ElfImage {
public:
  ElfImage() = default;
  ElfImage(const ElfImage &) = delete;
  ElfImage &operator=(const ElfImage &) = delete;
  ~ElfImage();

  /// Loads bytes that may be anything. Anything but the one kind of image described above is
  /// refused with a message. Call once.
  Status load(std::span<const std::byte> bytes);

  /// The address of the code at `entry` bytes from the base, or nullptr if there is no code.
  void *code(uint64_t entry) const;

private:
  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  std::byte *base_ = nullptr;
  size_t size_ = 0;
  std::vector<Range> executable_;
};

} // namespace tenon::cpu

#endif // TENON_TARGETS_CPU_ELFIMAGE_H
