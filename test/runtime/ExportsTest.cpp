// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared library for users: every function of the header, no other name, and small.

#include "test/runtime/TestModel.h"

#include <cstring>
#include <elf.h>
#include <regex>
#include <set>

namespace tenon::test {
namespace {

std::set<std::string> exportedNames(const std::vector<std::byte> &image) {
  std::set<std::string> names;
  auto at = [&]<typename T>(uint64_t offset, T value) {
    std::memcpy(&value, image.data() + offset, sizeof(T));
    return value;
  };
  auto header = at(0, Elf64_Ehdr());
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    auto section = at(header.e_shoff + i * sizeof(Elf64_Shdr), Elf64_Shdr());
    if (section.sh_type != SHT_DYNSYM)
      continue;
    auto strings = at(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr), Elf64_Shdr());
    for (uint64_t j = 1; j < section.sh_size / sizeof(Elf64_Sym); ++j) {
      auto symbol = at(section.sh_offset + j * sizeof(Elf64_Sym), Elf64_Sym());
      if (symbol.st_shndx != SHN_UNDEF)
        names.insert(reinterpret_cast<const char *>(image.data()) + strings.sh_offset +
                     symbol.st_name);
    }
  }
  return names;
}

TEST(SharedLibrary, exportsTheHeaderAndNothingElse) {
  std::vector<std::byte> header = readFile(TENON_TEST_HEADER);
  std::string text(reinterpret_cast<const char *>(header.data()), header.size());
  std::set<std::string> declared;
  std::regex function("TENON_API [^;(]*\\b(tenon_\\w+)\\(");
  for (std::sregex_iterator it(text.begin(), text.end(), function), end; it != end; ++it)
    declared.insert((*it)[1]);
  EXPECT_GT(declared.size(), 25u);
  EXPECT_EQ(exportedNames(readFile(TENON_TEST_LIBRARY)), declared);
}

#ifndef TENON_TEST_SANITIZED
TEST(SharedLibrary, isSmall) { EXPECT_LT(readFile(TENON_TEST_LIBRARY).size(), 1u << 20); }
#endif

} // namespace
} // namespace tenon::test
