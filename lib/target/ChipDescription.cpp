// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ChipDescription.cpp - what the compiler knows about a chip ----------===//
//
// Reading chips/*.json, and asking the machine about itself for `host`.
//
//===----------------------------------------------------------------------===//

#include "lib/target/ChipDescription.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <mutex>

namespace tenon {

using llvm::StringRef;

template <typename... Arguments>
static llvm::Error makeError(StringRef path, const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), path + ": " + message);
}

bool ChipDescription::has(StringRef instructionSet) const {
  return llvm::binary_search(instructionSets, instructionSet);
}

void initializeLlvmTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
  });
}

/// Asks LLVM for everything that `cpu` and `features` imply.
static llvm::Error completeFeatures(ChipDescription &chip, StringRef path) {
  initializeLlvmTargets();
  std::string problem;
  llvm::Triple triple(chip.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target)
    return makeError(path, "no code generator for " + chip.triple);
  std::string features;
  for (const std::string &feature : chip.features)
    features += (features.empty() ? "" : ",") + (feature.front() == '-' ? feature : "+" + feature);
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      target->createMCSubtargetInfo(triple, chip.cpu, features));
  if (!subtarget || !subtarget->isCPUStringValid(chip.cpu))
    return makeError(path, "LLVM does not know the processor " + chip.cpu);
  for (const llvm::SubtargetFeatureKV &feature : subtarget->getEnabledProcessorFeatures())
    chip.instructionSets.push_back(feature.Key);
  llvm::sort(chip.instructionSets);
  return llvm::Error::success();
}

/// The parser of llvm::json recurses without limit.
static bool isShallow(StringRef text, unsigned limit) {
  unsigned depth = 0;
  bool quoted = false;
  for (size_t position = 0; position < text.size(); ++position) {
    char c = text[position];
    if (quoted) {
      if (c == '\\')
        ++position;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit)
        return false;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return true;
}

llvm::Expected<ChipDescription> parseChipDescription(StringRef text, StringRef path) {
  if (!isShallow(text, 16))
    return makeError(path, "nested more than 16 levels deep");
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
  if (!json)
    return makeError(path, llvm::toString(json.takeError()));
  llvm::json::Object *object = json->getAsObject();
  if (!object)
    return makeError(path, "a chip is described by an object");

  ChipDescription chip;
  for (auto [field, key] :
       {std::pair{&chip.name, "name"}, {&chip.triple, "triple"}, {&chip.cpu, "cpu"}}) {
    std::optional<StringRef> value = object->getString(key);
    if (!value || value->empty())
      return makeError(path, llvm::Twine("expected a string \"") + key + "\"");
    *field = value->str();
  }
  llvm::json::Array *features = object->getArray("features");
  if (!features)
    return makeError(path, "expected an array \"features\"");
  for (const llvm::json::Value &feature : *features) {
    std::optional<StringRef> name = feature.getAsString();
    if (!name || name->empty())
      return makeError(path, "\"features\" are strings");
    chip.features.push_back(name->str());
  }
  // Every figure is an object, so that where it was found stands next to it.
  auto figure = [&](StringRef key) -> llvm::Expected<int64_t> {
    llvm::json::Object *entry = object->getObject(key);
    std::optional<int64_t> value = entry ? entry->getInteger("value") : std::nullopt;
    if (!value || *value <= 0)
      return makeError(path, "expected \"" + key +
                                 "\": {\"value\": a positive integer, \"source\": ...}");
    if (!entry->getString("source"))
      return makeError(path, "\"" + key + "\" lacks its source");
    return *value;
  };
  int64_t vectorBits = 0, vectorRegisters = 0;
  for (auto [field, key] : {std::pair{&vectorBits, "vector_bits"},
                            {&vectorRegisters, "vector_registers"},
                            {&chip.l1Bytes, "l1_bytes"},
                            {&chip.l2Bytes, "l2_bytes"},
                            {&chip.l3Bytes, "l3_bytes"}}) {
    llvm::Expected<int64_t> value = figure(key);
    if (!value)
      return value.takeError();
    *field = *value;
  }
  if (vectorBits % 64 != 0 || vectorBits > 2048 || vectorRegisters > 1024)
    return makeError(path, "implausible vector registers");
  chip.vectorBits = vectorBits;
  chip.vectorRegisters = vectorRegisters;
  if (llvm::Error error = completeFeatures(chip, path))
    return error;
  return chip;
}

/// The size of a data or unified cache of the first processor, from Linux's sysfs; 0 where it does
/// not say.
static int64_t readCacheBytes(int level) {
  for (int index = 0; index < 8; ++index) {
    std::string directory =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    auto read = [&](const char *name) -> std::string {
      auto buffer = llvm::MemoryBuffer::getFileAsStream(directory + name);
      return buffer ? (*buffer)->getBuffer().trim().str() : std::string();
    };
    if (read("level") != std::to_string(level) || read("type") == "Instruction")
      continue;
    std::string text = read("size");
    StringRef size = text;
    int64_t unit = 1, number = 0;
    if (size.consume_back("K"))
      unit = 1 << 10;
    else if (size.consume_back("M"))
      unit = 1 << 20;
    if (!size.getAsInteger(10, number))
      return number * unit;
  }
  return 0;
}

ChipDescription describeHostChip() {
  ChipDescription chip;
  chip.name = "host";
  chip.triple = llvm::sys::getDefaultTargetTriple();
  chip.cpu = llvm::sys::getHostCPUName().str();
  // Without what the processor's name implies but this machine withholds (in virtual machines).
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    chip.features.push_back(feature.second ? feature.first().str() : "-" + feature.first().str());
  llvm::sort(chip.features);
  if (llvm::Error error = completeFeatures(chip, "host")) {
    llvm::consumeError(std::move(error));
    chip.cpu = "generic";
    chip.features.clear();
    llvm::consumeError(completeFeatures(chip, "host"));
  }
  if (chip.isX86()) {
    bool wide =
        chip.has("avx512f") && chip.has("avx512vl") && chip.has("avx512bw") && chip.has("avx512dq");
    chip.vectorBits = wide ? 512 : chip.has("avx2") ? 256 : 128;
    chip.vectorRegisters = wide ? 32 : 16;
  } else {
    chip.vectorBits = 128;
    chip.vectorRegisters = 32;
  }
  for (auto [field, level] : {std::pair{&chip.l1Bytes, 1}, {&chip.l2Bytes, 2}, {&chip.l3Bytes, 3}})
    if (int64_t bytes = readCacheBytes(level))
      *field = bytes;
  return chip;
}

} // namespace tenon
