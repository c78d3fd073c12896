// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of element types, and the conversions that depend on it.
#include "tools/tensors/Tensor.h"

#include <algorithm>
#include <iterator>

namespace tenon::cli {

static constexpr ElementInfo elementTable[] = {
    {ElementType::f32, "f32", 32, ElementKind::floating, "<f4"},
    {ElementType::u8, "ui8", 8, ElementKind::unsignedInteger, "|u1"},
    {ElementType::i8, "i8", 8, ElementKind::signedInteger, "|i1"},
    {ElementType::u16, "ui16", 16, ElementKind::unsignedInteger, "<u2"},
    {ElementType::i16, "i16", 16, ElementKind::signedInteger, "<i2"},
    {ElementType::i32, "i32", 32, ElementKind::signedInteger, "<i4"},
    {ElementType::i64, "i64", 64, ElementKind::signedInteger, "<i8"},
    {ElementType::string, "string", 0, ElementKind::string, "<U"},
    {ElementType::boolean, "bool", 8, ElementKind::boolean, "|b1"},
    {ElementType::f16, "f16", 16, ElementKind::floating, "<f2"},
    {ElementType::f64, "f64", 64, ElementKind::floating, "<f8"},
    {ElementType::u32, "ui32", 32, ElementKind::unsignedInteger, "<u4"},
    {ElementType::u64, "ui64", 64, ElementKind::unsignedInteger, "<u8"},
    {ElementType::c64, "complex<f32>", 64, ElementKind::complex, "<c8"},
    {ElementType::c128, "complex<f64>", 128, ElementKind::complex, "<c16"},
    {ElementType::bf16, "bf16", 16, ElementKind::floating, "|V2"},
    {ElementType::f8e4m3fn, "f8E4M3FN", 8, ElementKind::floating, "|V1"},
    {ElementType::f8e4m3fnuz, "f8E4M3FNUZ", 8, ElementKind::floating, "|V1"},
    {ElementType::f8e5m2, "f8E5M2", 8, ElementKind::floating, "|V1"},
    {ElementType::f8e5m2fnuz, "f8E5M2FNUZ", 8, ElementKind::floating, "|V1"},
    {ElementType::u4, "ui4", 4, ElementKind::unsignedInteger, "|V1"},
    {ElementType::i4, "i4", 4, ElementKind::signedInteger, "|V1"},
    {ElementType::f4e2m1, "f4E2M1FN", 4, ElementKind::floating, "|V1"},
    {ElementType::f8e8m0, "f8E8M0FNU", 8, ElementKind::floating, "|V1"},
    {ElementType::u2, "ui2", 2, ElementKind::unsignedInteger, "|V1"},
    {ElementType::i2, "i2", 2, ElementKind::signedInteger, "|V1"},
};

const ElementInfo *elementInfo(ElementType type) {
  const ElementInfo *found =
      std::find_if(std::begin(elementTable), std::end(elementTable),
                   [&](const ElementInfo &info) { return info.type == type; });
  return found == std::end(elementTable) ? nullptr : found;
}

std::string elementName(ElementType type) {
  if (const ElementInfo *info = elementInfo(type))
    return std::string(info->name);
  return "type " + std::to_string(static_cast<int32_t>(type));
}

size_t packedSize(ElementType type, int64_t count) {
  const ElementInfo *info = elementInfo(type);
  if (!info)
    return 0;
  // Whole bytes first: count * bits could wrap for sizes that count * (bits / 8) does not.
  if (info->bits >= 8)
    return static_cast<size_t>(count) * (info->bits / 8);
  return (static_cast<size_t>(count) * info->bits + 7) / 8;
}

int64_t Tensor::elementCount() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

Status checkedElementCount(std::span<const int64_t> shape, int64_t &count) {
  // 2^56 elements of 16 bytes still fit 63 bits; no tensor is larger than that.
  constexpr int64_t most = int64_t(1) << 56;
  count = 1;
  for (int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > most) {
      std::string text;
      for (int64_t s : shape)
        text += (text.empty() ? "" : "x") + std::to_string(s);
      return {StatusCode::InvalidArgument, "impossible shape " + text};
    }
  }
  return {};
}

std::string describe(const Tensor &tensor) {
  std::string text;
  for (int64_t size : tensor.shape)
    text += std::to_string(size) + "x";
  return text + elementName(tensor.type);
}

std::vector<uint8_t> unpackNarrow(ElementType type, std::span<const uint8_t> packed,
                                  int64_t count) {
  const ElementInfo &info = *elementInfo(type);
  std::vector<uint8_t> unpacked(count);
  for (int64_t i = 0; i < count; ++i) {
    int64_t bit = i * info.bits;
    unsigned value = (packed[bit / 8] >> (bit % 8)) & ((1u << info.bits) - 1);
    bool negative = info.kind == ElementKind::signedInteger && value >> (info.bits - 1);
    unpacked[i] = static_cast<uint8_t>(negative ? value - (1u << info.bits) : value);
  }
  return unpacked;
}

std::vector<uint8_t> packNarrow(ElementType type, std::span<const uint8_t> unpacked) {
  unsigned bits = elementInfo(type)->bits;
  std::vector<uint8_t> packed(packedSize(type, static_cast<int64_t>(unpacked.size())));
  for (size_t i = 0; i < unpacked.size(); ++i) {
    size_t bit = i * bits;
    packed[bit / 8] |= static_cast<uint8_t>((unpacked[i] & ((1u << bits) - 1)) << (bit % 8));
  }
  return packed;
}

} // namespace tenon::cli
