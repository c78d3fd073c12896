// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fixed parts of a .tenon file and of a weight file, and the hash that protects them. All
// numbers are little-endian; docs/file-format.md is the specification.

#ifndef TENON_LIB_ARTIFACT_FORMAT_H
#define TENON_LIB_ARTIFACT_FORMAT_H

#include "lib/artifact/Program.h"

#include <bit>
#include <cstddef>
#include <span>

static_assert(std::endian::native == std::endian::little, "artifacts are mapped as they are");

namespace tenon::artifact {

/// Raised when files of before cannot be read any more.
inline constexpr uint32_t formatVersion = 2;

/// Versions compare as numbers: 1.2.3 is 1002003.
inline constexpr uint32_t runtimeVersion = 0 * 1000000 + 1 * 1000 + 0;
/// The oldest runtime that can run what this writer writes.
inline constexpr uint32_t minimalRuntimeVersion = 1000;

inline constexpr uint64_t sectionAlignment = 4096;
/// Weights are hashed, checked and streamed in chunks of this size.
inline constexpr uint64_t weightChunkSize = 1 << 20;
/// Axes of a tensor.
inline constexpr uint32_t maxRank = 16;
/// Containers in each other, with the tensor in the innermost.
inline constexpr uint32_t maxContainers = 15;
/// Bounds what a hostile file can make the runtime allocate.
inline constexpr uint32_t maxRegisters = 1 << 20;
inline constexpr uint32_t maxEvents = 1 << 16;
inline constexpr uint32_t maxDevices = 256;
inline constexpr uint32_t maxLoopDepth = 64;
inline constexpr uint32_t maxViewDepth = 16;

// The first byte is no text in any encoding, and the line ends show a transfer that mangles them.
inline constexpr char artifactMagic[8] = {'\x89', 'T', 'E', 'N', 'O', 'N', '\r', '\n'};
inline constexpr char weightFileMagic[8] = {'\x89', 'T', 'E', 'N', 'W', 'T', '\r', '\n'};

/// At offset 0 of a .tenon file.
struct FileHeader {
  char magic[8];
  uint32_t formatVersion;
  uint32_t minimalRuntime;
  uint64_t fileSize;
  uint64_t moduleOffset; ///< of the flatbuffer
  uint64_t moduleSize;
  Hash128 moduleHash;
  uint64_t headerHash; ///< low half of the hash of the bytes before it
};
static_assert(sizeof(FileHeader) == 64);

/// At offset 0 of a weight file; the weight section follows at sectionAlignment.
struct WeightFileHeader {
  char magic[8];
  uint32_t formatVersion;
  uint32_t reserved;
  uint64_t fileSize;
  uint64_t reserved2[2];
  Hash128 weightHash; ///< the section's hash, which ties the two files together
  uint64_t headerHash;
};
static_assert(sizeof(WeightFileHeader) == 64);

/// The 128-bit XXH3 hash of `bytes`.
Hash128 hashBytes(std::span<const std::byte> bytes);

/// The value for `header.headerHash`.
template <typename Header>
uint64_t hashHeader(const Header &header) {
  return hashBytes(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, headerHash))).low;
}

inline uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

/// True when [offset, offset + size) lies in [0, limit).
inline bool rangeFits(uint64_t offset, uint64_t size, uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_FORMAT_H
