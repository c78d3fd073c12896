// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor on the host: what the programs read from files, hand to the runtime, and write back.
//
// Dense and row-major. Bytes lie as ONNX's raw_data has them: little-endian, one byte per bool, the
// narrow types (4 and 2 bits) packed from the low bits up. Formats that store narrow types
// otherwise (numpy: one byte each) convert at their own border.
//
// This folder is free of LLVM: `tenon-run` is built for machines that have none, and shares it with
// `tenon`.
#ifndef TENON_TOOLS_TENSORS_TENSOR_H
#define TENON_TOOLS_TENSORS_TENSOR_H

#include "lib/artifact/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

/// The element types, numbered as onnx.TensorProto.DataType numbers them.
enum class ElementType : int32_t {
  undefined = 0,
  f32 = 1,
  u8 = 2,
  i8 = 3,
  u16 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  string = 8,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  c64 = 14,
  c128 = 15,
  bf16 = 16,
  f8e4m3fn = 17,
  f8e4m3fnuz = 18,
  f8e5m2 = 19,
  f8e5m2fnuz = 20,
  u4 = 21,
  i4 = 22,
  f4e2m1 = 23,
  f8e8m0 = 24,
  u2 = 25,
  i2 = 26,
};

/// What numbers a type holds; decides how values are compared, drawn and printed.
enum class ElementKind { floating, signedInteger, unsignedInteger, boolean, complex, string };

struct ElementInfo {
  ElementType type;
  std::string_view name; // as messages and `tenon inspect` write it: "f32", "i64"
  unsigned bits;         // 0 for strings
  ElementKind kind;
  std::string_view numpy; // numpy's descr; "|V1" and "|V2" are raw bits of types that numpy lacks
};

/// The facts about `type`, or null for a number that ONNX does not define.
const ElementInfo *elementInfo(ElementType type);

/// "f32" for ElementType::f32; "type 99" for an unknown one.
std::string elementName(ElementType type);

/// How many bytes `count` packed elements take; 0 for strings.
size_t packedSize(ElementType type, int64_t count);

struct Tensor {
  ElementType type = ElementType::undefined;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;       // empty for strings
  std::vector<std::string> strings; // one per element for strings

  int64_t elementCount() const;
};

/// The product of a shape; an error when a size is negative or the product does not fit 63 bits, so
/// that a hostile file cannot wrap it.
Status checkedElementCount(std::span<const int64_t> shape, int64_t &count);

/// "2x3xf32", as MLIR writes shapes; "string" for a scalar string.
std::string describe(const Tensor &tensor);

/// One byte per element, sign-extended for signed types <-> packed. Only for types narrower than a
/// byte.
std::vector<uint8_t> unpackNarrow(ElementType type, std::span<const uint8_t> packed, int64_t count);
std::vector<uint8_t> packNarrow(ElementType type, std::span<const uint8_t> unpacked);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENSORS_TENSOR_H
