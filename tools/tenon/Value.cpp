// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looking values up, and elements of every type as numbers.
#include "tools/tenon/Value.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

#include <limits>

using namespace llvm;

namespace tenon::cli {

const Value *findValue(ArrayRef<NamedValue> values, StringRef name) {
  const NamedValue *found =
      find_if(values, [&](const NamedValue &candidate) { return candidate.name == name; });
  return found == values.end() ? nullptr : &found->value;
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
    // Of a format without infinity, too.
    if (value.isNaN())
      return std::numeric_limits<double>::quiet_NaN();
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

std::string describe(const Value &value) {
  switch (value.kind) {
  case Value::Kind::none:
    return "nothing";
  case Value::Kind::tensor:
    return describe(value.tensor);
  case Value::Kind::sequence:
    return "sequence";
  case Value::Kind::map:
    return "map";
  }
  llvm_unreachable("an unknown kind of value");
}

std::string shortNumber(double number) {
  std::string text;
  raw_string_ostream(text) << format("%.3g", number);
  return text;
}

} // namespace tenon::cli
