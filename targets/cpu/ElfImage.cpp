// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/cpu/ElfImage.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon::cpu {

namespace {

#if defined(__x86_64__)
constexpr uint16_t hostMachine = EM_X86_64;
constexpr uint32_t relativeRelocation = R_X86_64_RELATIVE;
#elif defined(__aarch64__)
constexpr uint16_t hostMachine = EM_AARCH64;
constexpr uint32_t relativeRelocation = R_AARCH64_RELATIVE;
#else
#error "no image loader for this processor"
#endif

/// What an image takes at most, so that a hostile one cannot reserve the whole address space.
constexpr uint64_t maxImageSize = uint64_t(1) << 32;

Status invalid(std::string message) {
  return {StatusCode::InvalidArtifact, "kernel image: " + std::move(message)};
}

std::string machineName(uint16_t machine) {
  switch (machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "AArch64";
  case EM_RISCV:
    return "RISC-V";
  default:
    return "machine " + std::to_string(machine);
  }
}

bool fits(uint64_t offset, uint64_t size, uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

/// Copies a structure out of bytes of any alignment. The range must fit.
template <typename T>
T read(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// What the dynamic section says, of which almost everything must be absent.
struct Dynamic {
  uint64_t rela = 0, relaSize = 0;
};

Status readDynamic(std::span<const std::byte> bytes, const Elf64_Phdr &segment, Dynamic &dynamic) {
  if (!fits(segment.p_offset, segment.p_filesz, bytes.size()))
    return invalid("the dynamic section lies outside");
  for (uint64_t i = 0; i < segment.p_filesz / sizeof(Elf64_Dyn); ++i) {
    auto entry = read<Elf64_Dyn>(bytes.data() + segment.p_offset + i * sizeof(Elf64_Dyn));
    switch (entry.d_tag) {
    case DT_NULL:
      return {};
    case DT_RELA:
      dynamic.rela = entry.d_un.d_ptr;
      break;
    case DT_RELASZ:
      dynamic.relaSize = entry.d_un.d_val;
      break;
    case DT_RELAENT:
      if (entry.d_un.d_val != sizeof(Elf64_Rela))
        return invalid("its relocations have another size");
      break;
    case DT_NEEDED:
      return invalid("it needs another library");
    case DT_TEXTREL:
      return invalid("it needs writable code");
    case DT_PLTRELSZ:
      if (entry.d_un.d_val != 0)
        return invalid("it calls undefined functions");
      break;
    case DT_RELSZ:
    case DT_RELRSZ:
      if (entry.d_un.d_val != 0)
        return invalid("it has relocations of another form");
      break;
    case DT_INIT:
    case DT_FINI:
      return invalid("it has code that runs at load");
    case DT_INIT_ARRAYSZ:
    case DT_FINI_ARRAYSZ:
    case DT_PREINIT_ARRAYSZ:
      if (entry.d_un.d_val != 0)
        return invalid("it has code that runs at load");
      break;
    default:
      break; // symbol tables and hashes, which nothing here uses
    }
  }
  return {};
}

} // namespace

ElfImage::~ElfImage() {
  if (base_)
    munmap(base_, size_);
}

void *ElfImage::code(uint64_t entry) const {
  for (const Range &range : executable_)
    if (entry >= range.begin && entry < range.end)
      return base_ + entry;
  return nullptr;
}

Status ElfImage::load(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Elf64_Ehdr) || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    return invalid("not an ELF file");
  auto header = read<Elf64_Ehdr>(bytes.data());
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_type != ET_DYN)
    return invalid("not a 64-bit little-endian shared object");
  if (header.e_machine != hostMachine)
    return {StatusCode::Unsupported, "the kernels are for " + machineName(header.e_machine) +
                                         ", this machine is " + machineName(hostMachine)};
  if (header.e_phentsize != sizeof(Elf64_Phdr) ||
      !fits(header.e_phoff, uint64_t(header.e_phnum) * sizeof(Elf64_Phdr), bytes.size()))
    return invalid("its segments lie outside");

  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  auto pageDown = [&](uint64_t value) { return value & ~(page - 1); };
  auto pageUp = [&](uint64_t value) { return (value + page - 1) & ~(page - 1); };
  std::vector<Elf64_Phdr> segments;
  Dynamic dynamic;
  uint64_t limit = 0;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    auto segment = read<Elf64_Phdr>(bytes.data() + header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_TLS)
      return invalid("it has thread-local data");
    if (segment.p_type == PT_INTERP)
      return invalid("it asks for a dynamic linker");
    if (segment.p_type == PT_DYNAMIC)
      if (Status status = readDynamic(bytes, segment, dynamic); !status.ok())
        return status;
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0)
      continue;
    if (!fits(segment.p_offset, segment.p_filesz, bytes.size()) ||
        segment.p_filesz > segment.p_memsz || !fits(segment.p_vaddr, segment.p_memsz, maxImageSize))
      return invalid("a segment lies outside");
    if ((segment.p_flags & PF_W) && (segment.p_flags & PF_X))
      return invalid("a segment is both writable and executable");
    // Protection is per page, so each segment needs pages of its own.
    if (!segments.empty() && pageDown(segment.p_vaddr) < limit)
      return invalid("its segments share pages of " + std::to_string(page) +
                     " bytes; link it with a larger page size");
    limit = pageUp(segment.p_vaddr + segment.p_memsz);
    segments.push_back(segment);
  }
  if (segments.empty())
    return invalid("nothing to load");

  void *mapping = mmap(nullptr, limit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED)
    return {StatusCode::OutOfMemory,
            "out of memory for " + std::to_string(limit) + " bytes of kernels"};
  base_ = static_cast<std::byte *>(mapping);
  size_ = limit;
  for (const Elf64_Phdr &segment : segments)
    std::memcpy(base_ + segment.p_vaddr, bytes.data() + segment.p_offset, segment.p_filesz);

  // All relocations must lie in loaded data: a change of code would be visible to the protection
  // below, but not be what the compiler meant.
  if (dynamic.relaSize % sizeof(Elf64_Rela) != 0 || !fits(dynamic.rela, dynamic.relaSize, limit))
    return invalid("its relocations lie outside");
  std::vector<Elf64_Rela> relocations(dynamic.relaSize / sizeof(Elf64_Rela));
  if (!relocations.empty())
    std::memcpy(relocations.data(), base_ + dynamic.rela, dynamic.relaSize);
  for (const Elf64_Rela &relocation : relocations) {
    uint32_t type = ELF64_R_TYPE(relocation.r_info);
    if (type == R_X86_64_NONE)
      continue;
    if (type != relativeRelocation)
      return invalid("relocation of type " + std::to_string(type) +
                     ": it refers to an undefined symbol or needs a dynamic linker");
    bool inData = std::any_of(segments.begin(), segments.end(), [&](const Elf64_Phdr &segment) {
      return !(segment.p_flags & PF_X) && relocation.r_offset >= segment.p_vaddr &&
             fits(relocation.r_offset - segment.p_vaddr, sizeof(uint64_t), segment.p_memsz);
    });
    if (!inData)
      return invalid("a relocation lies outside its data");
    uint64_t value = reinterpret_cast<uint64_t>(base_) + static_cast<uint64_t>(relocation.r_addend);
    std::memcpy(base_ + relocation.r_offset, &value, sizeof(value));
  }

  for (const Elf64_Phdr &segment : segments) {
    int protection = PROT_READ;
    if (segment.p_flags & PF_W)
      protection |= PROT_WRITE;
    if (segment.p_flags & PF_X)
      protection |= PROT_EXEC;
    uint64_t begin = pageDown(segment.p_vaddr), end = pageUp(segment.p_vaddr + segment.p_memsz);
    if (segment.p_flags & PF_X)
      __builtin___clear_cache(reinterpret_cast<char *>(base_ + begin),
                              reinterpret_cast<char *>(base_ + end));
    if (mprotect(base_ + begin, end - begin, protection) != 0)
      return {StatusCode::Unsupported, "the system does not allow loading machine code"};
    if (segment.p_flags & PF_X)
      executable_.push_back({segment.p_vaddr, segment.p_vaddr + segment.p_filesz});
  }
  return {};
}

} // namespace tenon::cpu
