// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/artifact/Format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tenon::artifact {

namespace {

struct ElementTypeInfo {
  const char *name;
  unsigned bits;
};

// Indexed by ElementType.
constexpr ElementTypeInfo elementTypes[] = {
    {"undefined", 0},      {"float", 32},       {"uint8", 8},          {"int8", 8},
    {"uint16", 16},        {"int16", 16},       {"int32", 32},         {"int64", 64},
    {"string", 0},         {"bool", 8},         {"float16", 16},       {"double", 64},
    {"uint32", 32},        {"uint64", 64},      {"complex64", 64},     {"complex128", 128},
    {"bfloat16", 16},      {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},        {"int4", 4},           {"float4e2m1", 4},
    {"float8e8m0", 8},     {"uint2", 2},        {"int2", 2},           {"float6e2m3", 6},
    {"float6e3m2", 6},
};
static_assert(std::size(elementTypes) == static_cast<size_t>(ElementType::Float6E3M2) + 1);

const ElementTypeInfo &infoOf(ElementType type) {
  size_t index = static_cast<size_t>(type);
  return elementTypes[index < std::size(elementTypes) ? index : 0];
}

} // namespace

const char *elementTypeName(ElementType type) { return infoOf(type).name; }

unsigned elementBits(ElementType type) { return infoOf(type).bits; }

bool elementBytes(ElementType type, int64_t count, int64_t &bytes) {
  int64_t bits = 0;
  unsigned width = elementBits(type);
  if (width == 0 || count < 0)
    return false;
  if (width % 8 == 0)
    return !__builtin_mul_overflow(count, static_cast<int64_t>(width / 8), &bytes);
  if (__builtin_mul_overflow(count, static_cast<int64_t>(width), &bits) ||
      __builtin_add_overflow(bits, int64_t(7), &bits))
    return false;
  bytes = bits / 8;
  return true;
}

const char *operationName(const Operation &operation) {
  // In the order of the variant's alternatives.
  static constexpr const char *names[] = {
      "constant", "read dimension", "arithmetic", "load element", "store element", "launch",
      "copy",     "fill",           "allocate",   "set shape",    "check",         "branch",
      "jump",     "loop",           "repeat",     "host call",    "wait",          "swap",
      "wrap",     "unwrap",         "share"};
  static_assert(std::size(names) == std::variant_size_v<Operation>);
  return names[operation.index()];
}

Hash128 hashBytes(std::span<const std::byte> bytes) {
  XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

} // namespace tenon::artifact
