// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values on the host: what the command reads from files, hands to the runtime, and writes back.
//
// A value is a tensor, a sequence of values, or nothing (an empty optional). Tensors are dense and
// row-major. Bytes lie as ONNX's raw_data has them: little-endian, one byte per bool, the narrow
// types (4 and 2 bits) packed from the low bits up. Formats that store narrow types otherwise
// (numpy: one byte each) convert at their own border.
#ifndef TENON_TOOLS_TENON_VALUE_H
#define TENON_TOOLS_TENON_VALUE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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
  llvm::StringRef name; // as messages and `tenon inspect` write it: "f32", "i64"
  unsigned bits;        // 0 for strings
  ElementKind kind;
  llvm::StringRef numpy; // numpy's descr; "|V1" and "|V2" are raw bits of types that numpy lacks
};

/// The facts about `type`, or null for a number that ONNX does not define.
const ElementInfo *elementInfo(ElementType type);

/// "f32" for ElementType::f32; "type 99" for an unknown one.
std::string elementName(ElementType type);

/// How many bytes `count` packed elements take; 0 for strings.
size_t packedSize(ElementType type, int64_t count);

struct Tensor {
  ElementType type = ElementType::undefined;
  llvm::SmallVector<int64_t, 4> shape;
  std::vector<uint8_t> bytes;       // empty for strings
  std::vector<std::string> strings; // one per element for strings

  int64_t elementCount() const;
};

struct Value {
  enum class Kind { none, tensor, sequence };
  Kind kind = Kind::none;
  Tensor tensor;
  std::vector<Value> elements;

  static Value ofTensor(Tensor tensor) {
    Value value;
    value.kind = Kind::tensor;
    value.tensor = std::move(tensor);
    return value;
  }
  static Value ofSequence(std::vector<Value> elements) {
    Value value;
    value.kind = Kind::sequence;
    value.elements = std::move(elements);
    return value;
  }
};

struct NamedValue {
  std::string name;
  Value value;
};

/// Looks a name up in a list of values; null when it is not there.
const Value *findValue(llvm::ArrayRef<NamedValue> values, llvm::StringRef name);

/// The product of a shape; an error when a size is negative or the product does not fit 63 bits, so
/// that a hostile file cannot wrap it.
llvm::Expected<int64_t> checkedElementCount(llvm::ArrayRef<int64_t> shape);

/// "2x3xf32", as MLIR writes shapes; "string" for a scalar string.
std::string describe(const Tensor &tensor);

/// Element `index` of a tensor of a floating, integer or boolean type as a double. The narrow types
/// are decoded here, in one place. (64-bit integers lose precision: compare those bytewise.)
double elementAsDouble(const Tensor &tensor, int64_t index);

/// "0.001", "1.5e-07": a number as people write it.
std::string shortNumber(double number);

/// One byte per element, sign-extended for signed types <-> packed. Only for types narrower than a
/// byte.
std::vector<uint8_t> unpackNarrow(ElementType type, llvm::ArrayRef<uint8_t> packed, int64_t count);
std::vector<uint8_t> packNarrow(ElementType type, llvm::ArrayRef<uint8_t> unpacked);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_VALUE_H
