// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes .tenon files. The caller fills a Module with signatures and programs, registers the bulk
// data here, and calls write() once:
//
//   artifact::Writer writer;
//   writer.module().inputs = ...;
//   uint32_t w = writer.addWeight({.name = "encoder.w", .recipe = "..."}, size, source);
//   artifact::ConstantSlot c = writer.addConstant(bytes);
//   program.modules.push_back({.device = 0, .section = writer.addKernelImage(std::move(elf)),
//   ...}); writer.module().programs.push_back(std::move(program)); Status status =
//   writer.write("model.tenon");
//
// The file appears whole or not at all, and is a function of what was added, in the order in which
// it was added. Weight bytes are asked for in pieces while the file is written, never held at once.

#ifndef TENON_LIB_ARTIFACT_WRITER_H
#define TENON_LIB_ARTIFACT_WRITER_H

#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::artifact {

/// Gives a weight's bytes [offset, offset + into.size()). Called from write() with offsets that
/// rise without gaps from 0 to the weight's size, in pieces of at most 1 MiB, on the thread of
/// write().
using WeightSource = std::function<Status(uint64_t offset, std::span<std::byte> into)>;

struct WriteOptions {
  /// Put the weights into this file (a path) instead of into the artifact. The artifact records
  /// only its name: the runtime looks for it in the artifact's folder.
  std::string externalWeights;
};

/// Not thread safe. Cheap to move.
class Writer {
public:
  /// What will be written. sections, weights' offsets, weightChunkHashes and weightFile are the
  /// writer's to fill in; everything else is the caller's.
  Module &module() { return module_; }

  /// Adds a weight of `size` bytes and returns its index for WeightSlot. `weight` gives name,
  /// source hash and recipe. Nothing is read before write().
  uint32_t addWeight(Weight weight, uint64_t size, WeightSource source);

  /// The same for bytes in memory, which must stay valid until write() returns.
  uint32_t addWeight(Weight weight, std::span<const std::byte> bytes);

  /// Adds a small constant (copied). Equal constants share their bytes.
  ConstantSlot addConstant(std::span<const std::byte> bytes);

  /// Adds the image that a device loads and returns its section for KernelModule::section.
  uint32_t addKernelImage(std::vector<std::byte> image);

  /// Verifies the module as the runtime will and writes it to `path`, replacing a file there. On
  /// failure there is no new file, an old one is untouched, and the message says what to do.
  Status write(const std::string &path, const WriteOptions &options = {});

private:
  Module module_;
  std::vector<WeightSource> weightSources_;
  std::vector<std::byte> constants_;
  std::map<std::string, ConstantSlot, std::less<>> constantIndex_;
  std::vector<std::vector<std::byte>> images_; ///< one per section of kind Kernels, in order
  uint64_t weightSize_ = 0;
};

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_WRITER_H
