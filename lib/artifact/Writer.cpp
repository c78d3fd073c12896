// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Order of the file: header, module, constants, kernels, weights. Order of writing: the sections
// first, which gives their hashes, then the module, and the header last, so that a file whose
// writing was interrupted has no valid start even before it is renamed.

#include "lib/artifact/Writer.h"

#include "lib/artifact/AtomicFile.h"
#include "lib/artifact/Format.h"
#include "lib/artifact/Serializer.h"
#include "lib/artifact/Verifier.h"

#include <algorithm>
#include <cstring>

namespace tenon::artifact {

uint32_t Writer::addWeight(Weight weight, uint64_t size, WeightSource source) {
  weight.offset = alignUp(weightSize_, dataAlignment);
  weight.size = size;
  weightSize_ = weight.offset + size;
  module_.weights.push_back(std::move(weight));
  weightSources_.push_back(std::move(source));
  return static_cast<uint32_t>(module_.weights.size() - 1);
}

uint32_t Writer::addWeight(Weight weight, std::span<const std::byte> bytes) {
  return addWeight(std::move(weight), bytes.size(),
                   [bytes](uint64_t offset, std::span<std::byte> into) -> Status {
                     std::memcpy(into.data(), bytes.data() + offset, into.size());
                     return {};
                   });
}

ConstantSlot Writer::addConstant(std::span<const std::byte> bytes) {
  std::string key(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  auto [found, isNew] = constantIndex_.try_emplace(std::move(key));
  if (isNew) {
    found->second = {alignUp(constants_.size(), dataAlignment), bytes.size()};
    constants_.resize(found->second.offset);
    constants_.insert(constants_.end(), bytes.begin(), bytes.end());
  }
  return found->second;
}

uint32_t Writer::addKernelImage(std::vector<std::byte> image) {
  module_.sections.push_back({SectionKind::Kernels, false, 0, image.size(), hashBytes(image)});
  images_.push_back(std::move(image));
  return static_cast<uint32_t>(module_.sections.size() - 1);
}

namespace {

/// Streams the weights, in the order of their offsets, into `file` from `start` on and fills in
/// `module.weightChunkHashes`. Holds one chunk at a time.
Status writeWeights(AtomicFile &file, uint64_t start, uint64_t size,
                    std::span<const WeightSource> sources, Module &module) {
  std::vector<std::byte> chunk;
  uint32_t next = 0;     // the weight to go on with
  uint64_t consumed = 0; // of its bytes
  for (size_t i = 0; i < module.weightChunkHashes.size(); ++i) {
    uint64_t begin = i * weightChunkSize, end = std::min(begin + weightChunkSize, size);
    chunk.assign(end - begin, std::byte{0});
    while (next < module.weights.size()) {
      const Weight &weight = module.weights[next];
      uint64_t from = weight.offset + consumed;
      if (from >= end && consumed < weight.size)
        break;
      uint64_t amount = std::min(weight.size - consumed, from < end ? end - from : 0);
      if (amount > 0)
        TENON_RETURN_IF_ERROR(
            sources[next](consumed, std::span(chunk).subspan(from - begin, amount))
                .withContext("weight '" + weight.name + "'"));
      consumed += amount;
      if (consumed < weight.size)
        break;
      ++next;
      consumed = 0;
    }
    module.weightChunkHashes[i] = hashBytes(chunk);
    TENON_RETURN_IF_ERROR(file.write(start + begin, chunk));
  }
  return {};
}

} // namespace

Status Writer::write(const std::string &path, const WriteOptions &options) {
  Module module = module_;
  bool external = !options.externalWeights.empty() && weightSize_ > 0;
  uint32_t constantSection = none, weightSection = none;
  if (!constants_.empty()) {
    constantSection = static_cast<uint32_t>(module.sections.size());
    module.sections.push_back(
        {SectionKind::Constants, false, 0, constants_.size(), hashBytes(constants_)});
  }
  module.weightFile.clear();
  module.weightChunkHashes.clear();
  if (weightSize_ > 0) {
    weightSection = static_cast<uint32_t>(module.sections.size());
    module.sections.push_back({SectionKind::Weights, external, 0, weightSize_, {}});
    module.weightChunkHashes.resize((weightSize_ + weightChunkSize - 1) / weightChunkSize);
    if (external)
      module.weightFile = options.externalWeights.substr(options.externalWeights.rfind('/') + 1);
  }
  TENON_RETURN_IF_ERROR(
      verifyModule(module).withContext("the compiler made an artifact that breaks its own rules"));

  // The module's size does not depend on the places and hashes that are still to come.
  std::vector<std::byte> buffer = serializeModule(module);
  if (buffer.size() > INT32_MAX)
    return {StatusCode::Unsupported, "the program is too large for an artifact (2 GiB)"};
  uint64_t end = sizeof(FileHeader) + buffer.size();
  auto place = [&](Section &section) {
    section.offset = alignUp(end, sectionAlignment);
    end = section.offset + section.size;
  };
  if (constantSection != none)
    place(module.sections[constantSection]);
  for (Section &section : module.sections)
    if (section.kind == SectionKind::Kernels)
      place(section);
  if (external)
    module.sections[weightSection].offset = sectionAlignment;
  else if (weightSection != none)
    place(module.sections[weightSection]);

  AtomicFile file, weightFile;
  TENON_RETURN_IF_ERROR(file.open(path));
  if (external)
    TENON_RETURN_IF_ERROR(weightFile.open(options.externalWeights));
  if (constantSection != none)
    TENON_RETURN_IF_ERROR(file.write(module.sections[constantSection].offset, constants_));
  for (uint32_t i = 0, image = 0; i < module.sections.size(); ++i)
    if (module.sections[i].kind == SectionKind::Kernels)
      TENON_RETURN_IF_ERROR(file.write(module.sections[i].offset, images_[image++]));
  if (weightSection != none) {
    Section &section = module.sections[weightSection];
    TENON_RETURN_IF_ERROR(writeWeights(external ? weightFile : file, section.offset, section.size,
                                       weightSources_, module));
    section.hash = hashBytes(std::as_bytes(std::span(module.weightChunkHashes)));
  }

  patchModule(buffer, module);
  TENON_RETURN_IF_ERROR(file.write(sizeof(FileHeader), buffer));
  TENON_RETURN_IF_ERROR(file.resize(end));
  FileHeader header = {};
  std::memcpy(header.magic, artifactMagic, sizeof(artifactMagic));
  header.formatVersion = formatVersion;
  header.minimalRuntime = minimalRuntimeVersion;
  header.fileSize = end;
  header.moduleOffset = sizeof(FileHeader);
  header.moduleSize = buffer.size();
  header.moduleHash = hashBytes(buffer);
  header.headerHash = hashHeader(header);
  TENON_RETURN_IF_ERROR(file.write(0, std::as_bytes(std::span(&header, 1))));
  TENON_RETURN_IF_ERROR(file.flush());

  if (external) {
    WeightFileHeader weightHeader = {};
    std::memcpy(weightHeader.magic, weightFileMagic, sizeof(weightFileMagic));
    weightHeader.formatVersion = formatVersion;
    weightHeader.fileSize = sectionAlignment + weightSize_;
    weightHeader.weightHash = module.sections[weightSection].hash;
    weightHeader.headerHash = hashHeader(weightHeader);
    TENON_RETURN_IF_ERROR(weightFile.write(0, std::as_bytes(std::span(&weightHeader, 1))));
    TENON_RETURN_IF_ERROR(weightFile.flush());
    TENON_RETURN_IF_ERROR(weightFile.commit());
  }
  return file.commit();
}

} // namespace tenon::artifact
