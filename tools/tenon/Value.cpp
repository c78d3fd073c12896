// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of element types, and the conversions that depend on it.
#include "tools/tenon/Value.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace llvm;

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
      find_if(elementTable, [&](const ElementInfo &info) { return info.type == type; });
  return found == std::end(elementTable) ? nullptr : found;
}

std::string elementName(ElementType type) {
  if (const ElementInfo *info = elementInfo(type))
    return info->name.str();
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

const Value *findValue(ArrayRef<NamedValue> values, StringRef name) {
  const NamedValue *found =
      find_if(values, [&](const NamedValue &candidate) { return candidate.name == name; });
  return found == values.end() ? nullptr : &found->value;
}

Expected<int64_t> checkedElementCount(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    // 2^56 elements of 16 bytes still fit 63 bits; no tensor is larger than that.
    std::optional<int64_t> product = size < 0 ? std::nullopt : checkedMul(count, size);
    if (!product || *product > (int64_t(1) << 56))
      return createStringError(
          "impossible shape %s",
          join(map_range(shape, [](int64_t s) { return std::to_string(s); }), "x").c_str());
    count = *product;
  }
  return count;
}

std::string describe(const Tensor &tensor) {
  std::string text;
  for (int64_t size : tensor.shape)
    text += std::to_string(size) + "x";
  return text + elementName(tensor.type);
}

/// The bits of one element, zero-extended.
static uint64_t elementBits(const Tensor &tensor, int64_t index, unsigned bits) {
  if (bits < 8) {
    int64_t bit = index * bits;
    return (tensor.bytes[bit / 8] >> (bit % 8)) & ((1u << bits) - 1);
  }
  uint64_t value = 0;
  std::memcpy(&value, tensor.bytes.data() + index * (bits / 8), bits / 8);
  return value;
}

static const fltSemantics &semantics(ElementType type) {
  switch (type) {
  case ElementType::f16:
    return APFloat::IEEEhalf();
  case ElementType::bf16:
    return APFloat::BFloat();
  case ElementType::f8e4m3fn:
    return APFloat::Float8E4M3FN();
  case ElementType::f8e4m3fnuz:
    return APFloat::Float8E4M3FNUZ();
  case ElementType::f8e5m2:
    return APFloat::Float8E5M2();
  case ElementType::f8e5m2fnuz:
    return APFloat::Float8E5M2FNUZ();
  case ElementType::f8e8m0:
    return APFloat::Float8E8M0FNU();
  case ElementType::f4e2m1:
    return APFloat::Float4E2M1FN();
  case ElementType::f64:
    return APFloat::IEEEdouble();
  default:
    return APFloat::IEEEsingle();
  }
}

double elementAsDouble(const Tensor &tensor, int64_t index) {
  const ElementInfo &info = *elementInfo(tensor.type);
  uint64_t bits = elementBits(tensor, index, info.bits);
  switch (info.kind) {
  case ElementKind::floating: {
    // The two common types without the detour through arbitrary precision: outputs have millions of
    // elements.
    if (tensor.type == ElementType::f32)
      return bit_cast<float>(static_cast<uint32_t>(bits));
    if (tensor.type == ElementType::f64)
      return bit_cast<double>(bits);
    APFloat value(semantics(tensor.type), APInt(info.bits, bits));
    bool losesInfo = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
    return value.convertToDouble();
  }
  case ElementKind::signedInteger:
    return static_cast<double>(SignExtend64(bits, info.bits));
  default:
    return static_cast<double>(bits);
  }
}

std::string shortNumber(double number) {
  std::string text;
  raw_string_ostream(text) << format("%.3g", number);
  return text;
}

std::vector<uint8_t> unpackNarrow(ElementType type, ArrayRef<uint8_t> packed, int64_t count) {
  const ElementInfo &info = *elementInfo(type);
  std::vector<uint8_t> unpacked(count);
  for (int64_t i = 0; i < count; ++i) {
    int64_t bit = i * info.bits;
    uint8_t value = (packed[bit / 8] >> (bit % 8)) & ((1u << info.bits) - 1);
    unpacked[i] = info.kind == ElementKind::signedInteger
                      ? static_cast<uint8_t>(SignExtend64(value, info.bits))
                      : value;
  }
  return unpacked;
}

std::vector<uint8_t> packNarrow(ElementType type, ArrayRef<uint8_t> unpacked) {
  unsigned bits = elementInfo(type)->bits;
  std::vector<uint8_t> packed(packedSize(type, unpacked.size()));
  for (auto [i, value] : enumerate(unpacked)) {
    size_t bit = i * bits;
    packed[bit / 8] |= (value & ((1u << bits) - 1)) << (bit % 8);
  }
  return packed;
}

} // namespace tenon::cli
