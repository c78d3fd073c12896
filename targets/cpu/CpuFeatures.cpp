// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/cpu/CpuFeatures.h"

#include <cstdint>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace tenon::cpu {

namespace {

#if defined(__x86_64__)

/// Registers that the operating system must save for a feature, as bits of XCR0.
constexpr uint64_t baseState = 0, avxState = 0x6, avx512State = 0xe6, amxState = 0x60000;

struct Feature {
  const char *name;
  uint32_t leaf, subleaf;
  char where; ///< 'a', 'b', 'c' or 'd': the result register
  uint8_t bit;
  uint64_t state;
};

// Intel's and AMD's manuals give leaf, register and bit; LLVM the names.
constexpr Feature knownFeatures[] = {
    {"x87", 1, 0, 'd', 0, baseState},
    {"cx8", 1, 0, 'd', 8, baseState},
    {"cmov", 1, 0, 'd', 15, baseState},
    {"mmx", 1, 0, 'd', 23, baseState},
    {"fxsr", 1, 0, 'd', 24, baseState},
    {"sse", 1, 0, 'd', 25, baseState},
    {"sse2", 1, 0, 'd', 26, baseState},
    {"sse3", 1, 0, 'c', 0, baseState},
    {"pclmul", 1, 0, 'c', 1, baseState},
    {"ssse3", 1, 0, 'c', 9, baseState},
    {"fma", 1, 0, 'c', 12, avxState},
    {"cx16", 1, 0, 'c', 13, baseState},
    {"sse4.1", 1, 0, 'c', 19, baseState},
    {"sse4.2", 1, 0, 'c', 20, baseState},
    {"crc32", 1, 0, 'c', 20, baseState},
    {"movbe", 1, 0, 'c', 22, baseState},
    {"popcnt", 1, 0, 'c', 23, baseState},
    {"aes", 1, 0, 'c', 25, baseState},
    {"xsave", 1, 0, 'c', 26, baseState},
    {"avx", 1, 0, 'c', 28, avxState},
    {"f16c", 1, 0, 'c', 29, avxState},
    {"rdrnd", 1, 0, 'c', 30, baseState},
    {"fsgsbase", 7, 0, 'b', 0, baseState},
    {"bmi", 7, 0, 'b', 3, baseState},
    {"avx2", 7, 0, 'b', 5, avxState},
    {"bmi2", 7, 0, 'b', 8, baseState},
    {"invpcid", 7, 0, 'b', 10, baseState},
    {"avx512f", 7, 0, 'b', 16, avx512State},
    {"evex512", 7, 0, 'b', 16, avx512State},
    {"avx512dq", 7, 0, 'b', 17, avx512State},
    {"rdseed", 7, 0, 'b', 18, baseState},
    {"adx", 7, 0, 'b', 19, baseState},
    {"avx512ifma", 7, 0, 'b', 21, avx512State},
    {"clflushopt", 7, 0, 'b', 23, baseState},
    {"clwb", 7, 0, 'b', 24, baseState},
    {"avx512cd", 7, 0, 'b', 28, avx512State},
    {"sha", 7, 0, 'b', 29, baseState},
    {"avx512bw", 7, 0, 'b', 30, avx512State},
    {"avx512vl", 7, 0, 'b', 31, avx512State},
    {"avx512vbmi", 7, 0, 'c', 1, avx512State},
    {"pku", 7, 0, 'c', 4, baseState},
    {"waitpkg", 7, 0, 'c', 5, baseState},
    {"avx512vbmi2", 7, 0, 'c', 6, avx512State},
    {"gfni", 7, 0, 'c', 8, baseState},
    {"vaes", 7, 0, 'c', 9, avxState},
    {"vpclmulqdq", 7, 0, 'c', 10, avxState},
    {"avx512vnni", 7, 0, 'c', 11, avx512State},
    {"avx512bitalg", 7, 0, 'c', 12, avx512State},
    {"avx512vpopcntdq", 7, 0, 'c', 14, avx512State},
    {"rdpid", 7, 0, 'c', 22, baseState},
    {"cldemote", 7, 0, 'c', 25, baseState},
    {"movdiri", 7, 0, 'c', 27, baseState},
    {"movdir64b", 7, 0, 'c', 28, baseState},
    {"avx512vp2intersect", 7, 0, 'd', 8, avx512State},
    {"serialize", 7, 0, 'd', 14, baseState},
    {"amx-bf16", 7, 0, 'd', 22, amxState},
    {"avx512fp16", 7, 0, 'd', 23, avx512State},
    {"amx-tile", 7, 0, 'd', 24, amxState},
    {"amx-int8", 7, 0, 'd', 25, amxState},
    {"avxvnni", 7, 1, 'a', 4, avxState},
    {"avx512bf16", 7, 1, 'a', 5, avx512State},
    {"amx-fp16", 7, 1, 'a', 21, amxState},
    {"avxifma", 7, 1, 'a', 23, avxState},
    {"avxvnniint8", 7, 1, 'd', 4, avxState},
    {"avxneconvert", 7, 1, 'd', 5, avxState},
    {"avxvnniint16", 7, 1, 'd', 10, avxState},
    {"prefetchi", 7, 1, 'd', 14, baseState},
    {"avx10.1", 7, 1, 'd', 19, avx512State},
    {"xsaveopt", 13, 1, 'a', 0, baseState},
    {"xsavec", 13, 1, 'a', 1, baseState},
    {"xsaves", 13, 1, 'a', 3, baseState},
    {"sahf", 0x80000001, 0, 'c', 0, baseState},
    {"lzcnt", 0x80000001, 0, 'c', 5, baseState},
    {"sse4a", 0x80000001, 0, 'c', 6, baseState},
    {"prfchw", 0x80000001, 0, 'c', 8, baseState},
    {"xop", 0x80000001, 0, 'c', 11, avxState},
    {"fma4", 0x80000001, 0, 'c', 16, avxState},
    {"tbm", 0x80000001, 0, 'c', 21, baseState},
    {"64bit", 0x80000001, 0, 'd', 29, baseState},
    {"clzero", 0x80000008, 0, 'b', 0, baseState},
    {"wbnoinvd", 0x80000008, 0, 'b', 9, baseState},
};

uint64_t enabledState() {
  uint32_t a, b, c, d;
  // Without OSXSAVE the instruction below does not exist.
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27)))
    return 0;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t(high) << 32) | low;
}

/// Linux gives a process the large AMX state only when it asks for it.
bool requestTileState() {
  constexpr long archRequestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, archRequestPermission, tileData) == 0;
}

enum class Answer { Present, Missing, Unknown };

Answer ask(std::string_view name) {
  for (const Feature &feature : knownFeatures) {
    if (name != feature.name)
      continue;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(feature.leaf, feature.subleaf, &a, &b, &c, &d))
      return Answer::Missing;
    uint32_t value = feature.where == 'a'   ? a
                     : feature.where == 'b' ? b
                     : feature.where == 'c' ? c
                                            : d;
    if (!(value >> feature.bit & 1) || (enabledState() & feature.state) != feature.state)
      return Answer::Missing;
    if (feature.state == amxState && !requestTileState())
      return Answer::Missing;
    return Answer::Present;
  }
  return Answer::Unknown;
}

#elif defined(__aarch64__)

struct Feature {
  const char *name;
  unsigned long word; ///< AT_HWCAP or AT_HWCAP2
  uint8_t bit;
};

// Linux's arch/arm64/include/uapi/asm/hwcap.h gives the bits; LLVM the names.
constexpr Feature knownFeatures[] = {
    {"fp-armv8", AT_HWCAP, 0},   {"neon", AT_HWCAP, 1},          {"aes", AT_HWCAP, 3},
    {"sha2", AT_HWCAP, 6},       {"crc", AT_HWCAP, 7},           {"lse", AT_HWCAP, 8},
    {"fullfp16", AT_HWCAP, 10},  {"rdm", AT_HWCAP, 12},          {"jsconv", AT_HWCAP, 13},
    {"complxnum", AT_HWCAP, 14}, {"rcpc", AT_HWCAP, 15},         {"sha3", AT_HWCAP, 17},
    {"sm4", AT_HWCAP, 19},       {"dotprod", AT_HWCAP, 20},      {"sve", AT_HWCAP, 22},
    {"fp16fml", AT_HWCAP, 23},   {"dit", AT_HWCAP, 24},          {"rcpc-immo", AT_HWCAP, 26},
    {"ssbs", AT_HWCAP, 28},      {"sb", AT_HWCAP, 29},           {"pauth", AT_HWCAP, 30},
    {"ccdp", AT_HWCAP2, 0},      {"sve2", AT_HWCAP2, 1},         {"sve2-aes", AT_HWCAP2, 2},
    {"sve-aes", AT_HWCAP2, 2},   {"sve2-bitperm", AT_HWCAP2, 4}, {"sve-bitperm", AT_HWCAP2, 4},
    {"sve2-sha3", AT_HWCAP2, 5}, {"sve-sha3", AT_HWCAP2, 5},     {"sve2-sm4", AT_HWCAP2, 6},
    {"sve-sm4", AT_HWCAP2, 6},   {"altnzcv", AT_HWCAP2, 7},      {"fptoint", AT_HWCAP2, 8},
    {"f32mm", AT_HWCAP2, 10},    {"f64mm", AT_HWCAP2, 11},       {"i8mm", AT_HWCAP2, 13},
    {"bf16", AT_HWCAP2, 14},     {"rand", AT_HWCAP2, 16},        {"bti", AT_HWCAP2, 17},
    {"mte", AT_HWCAP2, 18},      {"sme", AT_HWCAP2, 23},
};

enum class Answer { Present, Missing, Unknown };

Answer ask(std::string_view name) {
  for (const Feature &feature : knownFeatures)
    if (name == feature.name)
      return getauxval(feature.word) >> feature.bit & 1 ? Answer::Present : Answer::Missing;
  return Answer::Unknown;
}

#endif

} // namespace

const char *hostArchitecture() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#endif
}

Status requireCpuFeatures(std::string_view features) {
  std::string missing, unknown;
  while (!features.empty()) {
    size_t comma = features.find(',');
    std::string_view name = features.substr(0, comma);
    features = comma == std::string_view::npos ? "" : features.substr(comma + 1);
    if (name.size() < 2 || name[0] != '+')
      continue;
    name.remove_prefix(1);
    Answer answer = ask(name);
    if (answer == Answer::Present)
      continue;
    std::string &list = answer == Answer::Missing ? missing : unknown;
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  if (missing.empty() && unknown.empty())
    return {};
  std::string message = "the model was compiled for another CPU: this one ";
  if (!missing.empty())
    message += "lacks " + missing;
  if (!unknown.empty())
    message += (missing.empty() ? "" : ", and it ") + ("cannot be asked for " + unknown);
  return {StatusCode::Unsupported, message + "; compile it for this machine or a common baseline"};
}

} // namespace tenon::cpu
