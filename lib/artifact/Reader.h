// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens .tenon files. Opening checks the header, hashes the module and all sections but the
// weights, decodes the module and verifies it; its cost does not depend on the weights' size. A
// damaged or hostile file gives an error. Kernels are machine code: an artifact needs a trusted
// origin.

#ifndef TENON_LIB_ARTIFACT_READER_H
#define TENON_LIB_ARTIFACT_READER_H

#include "lib/artifact/MappedFile.h"
#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace tenon::artifact {

/// An opened, verified artifact. Immutable, so all const members may be called from any thread.
/// Spans it returns are valid as long as it lives and start at multiples of dataAlignment.
class Artifact {
public:
  /// Opens a file, and the weight file in the same folder if it names one. Both are mapped.
  static Status openFile(const std::string &path, std::unique_ptr<Artifact> &artifact);

  /// Opens bytes in memory, which must stay as they are while the artifact lives. Bytes that do not
  /// start at a multiple of dataAlignment are copied. A weight file is looked for in
  /// `weightFolder`.
  static Status openMemory(std::span<const std::byte> bytes, const std::string &weightFolder,
                           std::unique_ptr<Artifact> &artifact);

  const Module &module() const { return module_; }
  /// Bytes of the artifact itself, without a weight file.
  uint64_t fileSize() const { return bytes_.size(); }
  std::span<const std::byte> section(uint32_t index) const;
  std::span<const std::byte> weight(uint32_t index) const;
  std::span<const std::byte> constant(const ConstantSlot &slot) const;

  /// Reads all weights and compares them with their hashes; names the weights that are damaged.
  Status checkWeights() const;

private:
  struct FreeAligned {
    void operator()(std::byte *bytes) const;
  };

  Artifact() = default;
  Status load(const std::string &weightFolder);
  Status openWeightFile(const std::string &folder);

  MappedFile file_;
  MappedFile weightFile_;
  std::unique_ptr<std::byte, FreeAligned> copy_;
  std::span<const std::byte> bytes_;
  Module module_;
  uint32_t constantSection_ = none;
  uint32_t weightSection_ = none;
};

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_READER_H
