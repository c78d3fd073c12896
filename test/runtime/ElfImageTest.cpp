// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/cpu/ElfImage.h"
#include "targets/cpu/CpuFeatures.h"
#include "test/runtime/TestModel.h"

#include <gmock/gmock.h>

#include <cstring>
#include <elf.h>

namespace tenon::test {

using cpu::ElfImage;
using testing::HasSubstr;

namespace {

std::string refusal(const std::vector<std::byte> &image) {
  ElfImage loaded;
  Status status = loaded.load(image);
  EXPECT_FALSE(status.ok());
  return status.message();
}

class Elf : public testing::Test {
protected:
  std::vector<std::byte> image = readFile(TENON_TEST_IMAGES "/kernels.so");
  Elf64_Ehdr &header() { return *reinterpret_cast<Elf64_Ehdr *>(image.data()); }
  Elf64_Phdr &segment(uint32_t type, uint32_t flags = ~0u) {
    auto *segments = reinterpret_cast<Elf64_Phdr *>(image.data() + header().e_phoff);
    for (unsigned i = 0; i < header().e_phnum; ++i)
      if (segments[i].p_type == type && (flags == ~0u || segments[i].p_flags == flags))
        return segments[i];
    ADD_FAILURE() << "no such segment";
    return segments[0];
  }
};

TEST_F(Elf, codeIsFoundAndRelocated) {
  ElfImage loaded;
  Status status = loaded.load(image);
  ASSERT_TRUE(status.ok()) << status.message();
  using Kernel = void (*)(void *const *, const int64_t *, int64_t);
  auto scale = reinterpret_cast<Kernel>(loaded.code(symbolAddress(image, "scale")));
  ASSERT_NE(scale, nullptr);
  for (int64_t which : {0, 1, 2}) {
    float x[] = {1, 2, 3}, y[3] = {};
    void *buffers[] = {x, y};
    int64_t sizes[] = {3, which};
    scale(buffers, sizes, 0);
    EXPECT_EQ(y[2], which == 0 ? 3 : which == 1 ? 30 : 300);
  }
  EXPECT_EQ(loaded.code(0), nullptr) << "the header is no code";
  EXPECT_EQ(loaded.code(UINT64_MAX), nullptr);
}

TEST_F(Elf, undefinedSymbols) {
  EXPECT_THAT(refusal(readFile(TENON_TEST_IMAGES "/undefined.so")),
              HasSubstr("it calls undefined functions"));
}

TEST_F(Elf, codeThatRunsAtLoad) {
  EXPECT_THAT(refusal(readFile(TENON_TEST_IMAGES "/constructor.so")),
              HasSubstr("code that runs at load"));
}

TEST_F(Elf, otherMachines) {
  header().e_machine = EM_RISCV;
  EXPECT_THAT(refusal(image), HasSubstr("the kernels are for RISC-V, this machine is"));
}

TEST_F(Elf, otherFiles) {
  EXPECT_THAT(refusal({}), HasSubstr("not an ELF file"));
  header().e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(refusal(image), HasSubstr("not a 64-bit"));
}

TEST_F(Elf, writableCode) {
  segment(PT_LOAD, PF_R | PF_X).p_flags |= PF_W;
  EXPECT_THAT(refusal(image), HasSubstr("both writable and executable"));
}

TEST_F(Elf, segmentsOutside) {
  Elf64_Phdr &code = segment(PT_LOAD, PF_R | PF_X);
  Elf64_Phdr saved = code;
  code.p_filesz = image.size();
  code.p_memsz = image.size();
  EXPECT_THAT(refusal(image), HasSubstr("lies outside"));
  code = saved;
  code.p_vaddr = UINT64_MAX - 100;
  EXPECT_THAT(refusal(image), HasSubstr("lies outside"));
  code = saved;
  code.p_vaddr = 0;
  EXPECT_THAT(refusal(image), HasSubstr("share pages"));
  code = saved;
  header().e_phoff = UINT64_MAX - 8;
  EXPECT_THAT(refusal(image), HasSubstr("its segments lie outside"));
}

TEST_F(Elf, everyDamageIsSurvived) {
  // The hash keeps such images away; the loader must not rely on it.
  for (size_t i = 0; i < std::min<size_t>(image.size(), 4096); ++i) {
    for (int value : {0x00, 0x7f, 0xff}) {
      std::byte saved = image[i];
      image[i] = static_cast<std::byte>(value);
      ElfImage loaded;
      (void)loaded.load(image);
      image[i] = saved;
    }
  }
  for (size_t size = 0; size < image.size(); size += 7) {
    ElfImage loaded;
    (void)loaded.load(std::span(image).first(size));
  }
}

TEST(CpuFeatures, presentMissingUnknown) {
  EXPECT_TRUE(cpu::requireCpuFeatures("").ok());
  EXPECT_TRUE(cpu::requireCpuFeatures("-nonsense,,+").ok());
#if defined(__x86_64__)
  EXPECT_TRUE(cpu::requireCpuFeatures("+sse2,+cx8,-avx512f").ok());
  // No processor has both of these: one is Intel's, one AMD's of old.
  Status status = cpu::requireCpuFeatures("+sse2,+xop,+fma4,+amx-fp16,+tbm");
  EXPECT_EQ(status.code(), StatusCode::Unsupported);
  EXPECT_THAT(status.message(), HasSubstr("lacks "));
#elif defined(__aarch64__)
  EXPECT_TRUE(cpu::requireCpuFeatures("+neon,+fp-armv8").ok());
#endif
  EXPECT_THAT(cpu::requireCpuFeatures("+fly").message(), HasSubstr("cannot be asked for fly"));
}

} // namespace
} // namespace tenon::test
