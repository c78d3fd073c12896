// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/artifact/Reader.h"

#include "lib/artifact/Decoder.h"
#include "lib/artifact/Format.h"
#include "lib/artifact/Verifier.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace tenon::artifact {

namespace {

Status invalid(std::string message) { return {StatusCode::InvalidArtifact, std::move(message)}; }

std::string versionText(uint32_t version) {
  return std::to_string(version / 1000000) + "." + std::to_string(version / 1000 % 1000) + "." +
         std::to_string(version % 1000);
}

/// The hash that stands for a weight section: that of its chunk hashes.
Hash128 hashOfChunks(const std::vector<Hash128> &chunks) {
  return hashBytes(std::as_bytes(std::span(chunks)));
}

Status readHeader(std::span<const std::byte> bytes, FileHeader &header) {
  if (bytes.size() < sizeof(artifactMagic) ||
      std::memcmp(bytes.data(), artifactMagic, sizeof(artifactMagic)) != 0)
    return invalid("not a tenon artifact (its first bytes are others)");
  if (bytes.size() < sizeof(FileHeader))
    return invalid("the file is cut off in its header");
  std::memcpy(&header, bytes.data(), sizeof(FileHeader));
  // The hash first: a flipped bit in a version must not send the user looking for another runtime.
  if (header.headerHash != hashHeader(header))
    return invalid("the header is damaged");
  if (header.formatVersion != formatVersion)
    return {StatusCode::Unsupported, "the file has format version " +
                                         std::to_string(header.formatVersion) +
                                         ", this runtime reads " + std::to_string(formatVersion) +
                                         "; compile the model again with a matching tenon"};
  if (header.minimalRuntime > runtimeVersion)
    return {StatusCode::Unsupported, "the file needs runtime " +
                                         versionText(header.minimalRuntime) +
                                         " or newer, this is " + versionText(runtimeVersion)};
  if (header.fileSize != bytes.size())
    return invalid("the file has " + std::to_string(bytes.size()) + " bytes, but should have " +
                   std::to_string(header.fileSize));
  if (header.moduleOffset % dataAlignment != 0 ||
      !rangeFits(header.moduleOffset, header.moduleSize, header.fileSize) ||
      header.moduleSize > INT32_MAX)
    return invalid("the module does not lie in the file");
  return {};
}

} // namespace

void Artifact::FreeAligned::operator()(std::byte *bytes) const { std::free(bytes); }

Status Artifact::openFile(const std::string &path, std::unique_ptr<Artifact> &artifact) {
  std::unique_ptr<Artifact> opened(new Artifact());
  TENON_RETURN_IF_ERROR(opened->file_.open(path));
  opened->bytes_ = opened->file_.bytes();
  size_t slash = path.rfind('/');
  TENON_RETURN_IF_ERROR(opened->load(slash == std::string::npos ? "." : path.substr(0, slash + 1))
                            .withContext("'" + path + "'"));
  artifact = std::move(opened);
  return {};
}

Status Artifact::openMemory(std::span<const std::byte> bytes, const std::string &weightFolder,
                            std::unique_ptr<Artifact> &artifact) {
  std::unique_ptr<Artifact> opened(new Artifact());
  opened->bytes_ = bytes;
  if (reinterpret_cast<uintptr_t>(bytes.data()) % dataAlignment != 0) {
    auto *copy = static_cast<std::byte *>(
        std::aligned_alloc(dataAlignment, alignUp(bytes.size() + 1, dataAlignment)));
    if (!copy)
      return {StatusCode::OutOfMemory, "out of memory for a copy of the artifact"};
    std::memcpy(copy, bytes.data(), bytes.size());
    opened->copy_.reset(copy);
    opened->bytes_ = {copy, bytes.size()};
  }
  TENON_RETURN_IF_ERROR(opened->load(weightFolder));
  artifact = std::move(opened);
  return {};
}

Status Artifact::load(const std::string &weightFolder) {
  FileHeader header;
  TENON_RETURN_IF_ERROR(readHeader(bytes_, header));
  std::span<const std::byte> module = bytes_.subspan(header.moduleOffset, header.moduleSize);
  if (hashBytes(module) != header.moduleHash)
    return invalid("the module is damaged");
  TENON_RETURN_IF_ERROR(decodeModule(module, module_));
  TENON_RETURN_IF_ERROR(verifyModule(module_));

  for (uint32_t i = 0; i < module_.sections.size(); ++i) {
    const Section &section = module_.sections[i];
    if (!section.external && !rangeFits(section.offset, section.size, header.fileSize))
      return invalid("section " + std::to_string(i) + " does not lie in the file");
    if (section.kind == SectionKind::Constants)
      constantSection_ = i;
    if (section.kind == SectionKind::Weights) {
      weightSection_ = i;
      if (section.hash != hashOfChunks(module_.weightChunkHashes))
        return invalid("the weights' hashes are damaged");
    } else if (section.hash != hashBytes(this->section(i))) {
      return invalid(section.kind == SectionKind::Kernels ? "the kernels are damaged"
                                                          : "the constants are damaged");
    }
  }
  if (weightSection_ != none && module_.sections[weightSection_].external)
    return openWeightFile(weightFolder);
  return {};
}

Status Artifact::openWeightFile(const std::string &folder) {
  std::string path =
      folder + (folder.empty() || folder.back() == '/' ? "" : "/") + module_.weightFile;
  TENON_RETURN_IF_ERROR(weightFile_.open(path).withContext("the model's weights"));
  std::span<const std::byte> bytes = weightFile_.bytes();
  const Section &section = module_.sections[weightSection_];
  WeightFileHeader header;
  if (bytes.size() < sizeof(header) ||
      std::memcmp(bytes.data(), weightFileMagic, sizeof(weightFileMagic)) != 0)
    return invalid("'" + path + "' is not a weight file");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.headerHash != hashHeader(header) || header.formatVersion != formatVersion)
    return invalid("'" + path + "' has a damaged header");
  if (header.weightHash != section.hash)
    return invalid("'" + path + "' holds the weights of another model");
  if (header.fileSize != bytes.size() || !rangeFits(section.offset, section.size, bytes.size()))
    return invalid("'" + path + "' is cut off");
  return {};
}

std::span<const std::byte> Artifact::section(uint32_t index) const {
  const Section &section = module_.sections[index];
  return (section.external ? weightFile_.bytes() : bytes_).subspan(section.offset, section.size);
}

std::span<const std::byte> Artifact::weight(uint32_t index) const {
  const Weight &weight = module_.weights[index];
  // A weight of no bytes needs no section.
  if (weightSection_ == none)
    return {};
  return section(weightSection_).subspan(weight.offset, weight.size);
}

std::span<const std::byte> Artifact::constant(const ConstantSlot &slot) const {
  if (constantSection_ == none)
    return {};
  return section(constantSection_).subspan(slot.offset, slot.size);
}

Status Artifact::checkWeights() const {
  if (weightSection_ == none)
    return {};
  std::span<const std::byte> bytes = section(weightSection_);
  std::vector<bool> damaged(module_.weightChunkHashes.size());
  bool any = false;
  for (size_t i = 0; i < damaged.size(); ++i) {
    size_t begin = i * weightChunkSize;
    size_t size = std::min<size_t>(weightChunkSize, bytes.size() - begin);
    damaged[i] = hashBytes(bytes.subspan(begin, size)) != module_.weightChunkHashes[i];
    any |= damaged[i];
  }
  if (!any)
    return {};
  std::string names;
  unsigned listed = 0;
  for (const Weight &weight : module_.weights) {
    if (weight.size == 0)
      continue;
    bool hit = false;
    for (uint64_t i = weight.offset / weightChunkSize;
         i <= (weight.offset + weight.size - 1) / weightChunkSize; ++i)
      hit |= damaged[i];
    if (!hit)
      continue;
    if (++listed > 8) {
      names += ", ...";
      break;
    }
    names += (names.empty() ? " '" : ", '") + weight.name + "'";
  }
  return invalid("damaged chunks of 1 MiB hold the weights" + names);
}

} // namespace tenon::artifact
