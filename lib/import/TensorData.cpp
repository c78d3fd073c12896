// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See TensorData.h. The only place that knows ONNX's seven ways to spell a tensor's elements.

#include "lib/import/TensorData.h"

#include "dialects/onnx/Onnx.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

static_assert(llvm::endianness::native == llvm::endianness::little,
              "the importer runs on little-endian hosts");

namespace tenon::import {

using Proto = proto::TensorProto;

unsigned getElementBits(int32_t dataType) {
  switch (dataType) {
  case Proto::INT2:
  case Proto::UINT2:
    return 2;
  case Proto::INT4:
  case Proto::UINT4:
  case Proto::FLOAT4E2M1:
    return 4;
  case Proto::FLOAT6E2M3:
  case Proto::FLOAT6E3M2:
    return 6;
  case Proto::BOOL:
  case Proto::INT8:
  case Proto::UINT8:
  case Proto::FLOAT8E4M3FN:
  case Proto::FLOAT8E4M3FNUZ:
  case Proto::FLOAT8E5M2:
  case Proto::FLOAT8E5M2FNUZ:
  case Proto::FLOAT8E8M0:
    return 8;
  case Proto::INT16:
  case Proto::UINT16:
  case Proto::FLOAT16:
  case Proto::BFLOAT16:
    return 16;
  case Proto::INT32:
  case Proto::UINT32:
  case Proto::FLOAT:
    return 32;
  case Proto::INT64:
  case Proto::UINT64:
  case Proto::DOUBLE:
  case Proto::COMPLEX64:
    return 64;
  case Proto::COMPLEX128:
    return 128;
  default:
    return 0;
  }
}

std::optional<uint64_t> getByteSize(int32_t dataType, uint64_t elementCount) {
  std::optional<uint64_t> bits =
      llvm::checkedMulUnsigned<uint64_t>(elementCount, getElementBits(dataType));
  return bits ? std::optional(llvm::divideCeil(*bits, 8)) : std::nullopt;
}

std::optional<uint64_t> getElementCount(ArrayRef<int64_t> dims) {
  // A zero must not hide an overflow next to it: strides are computed from the other dimensions.
  int64_t count = 1, nonZero = 1;
  for (int64_t dim : dims) {
    std::optional<int64_t> product = llvm::checkedMul<int64_t>(nonZero, dim == 0 ? 1 : dim);
    if (dim < 0 || !product)
      return std::nullopt;
    nonZero = *product;
    count *= dim == 0 ? 0 : 1;
  }
  return count ? nonZero : 0;
}

namespace {
/// The field that holds a data type's elements when raw_data does not.
struct TypedField {
  const char *name;
  uint64_t size;     ///< entries there are
  uint64_t expected; ///< entries there must be
};
} // namespace

static TypedField getTypedField(const Proto &tensor, uint64_t elementCount) {
  switch (tensor.data_type()) {
  case Proto::FLOAT:
    return {"float_data", static_cast<uint64_t>(tensor.float_data_size()), elementCount};
  case Proto::COMPLEX64:
    return {"float_data", static_cast<uint64_t>(tensor.float_data_size()), 2 * elementCount};
  case Proto::DOUBLE:
    return {"double_data", static_cast<uint64_t>(tensor.double_data_size()), elementCount};
  case Proto::COMPLEX128:
    return {"double_data", static_cast<uint64_t>(tensor.double_data_size()), 2 * elementCount};
  case Proto::INT64:
    return {"int64_data", static_cast<uint64_t>(tensor.int64_data_size()), elementCount};
  case Proto::UINT32:
  case Proto::UINT64:
    return {"uint64_data", static_cast<uint64_t>(tensor.uint64_data_size()), elementCount};
  case Proto::STRING:
    return {"string_data", static_cast<uint64_t>(tensor.string_data_size()), elementCount};
  default: {
    // Types of 2 and 4 bits come several to an entry, all others (6 bits too) one.
    unsigned bits = getElementBits(tensor.data_type());
    uint64_t perEntry = bits == 2 || bits == 4 ? 8 / bits : 1;
    return {"int32_data", static_cast<uint64_t>(tensor.int32_data_size()),
            llvm::divideCeil(elementCount, perEntry)};
  }
  }
}

static std::string printDims(const Proto &tensor) {
  std::string text;
  for (int64_t dim : tensor.dims())
    text += (text.empty() ? "[" : ", ") + std::to_string(dim);
  return text.empty() ? "[]" : text + "]";
}

std::string checkTensor(const Proto &tensor) {
  int32_t dataType = tensor.data_type();
  bool isString = dataType == Proto::STRING;
  if (!isString && getElementBits(dataType) == 0)
    return "unknown data type " + std::to_string(dataType);
  if (tensor.has_segment())
    return "segmented tensors are not supported";

  std::optional<uint64_t> count =
      getElementCount({tensor.dims().data(), static_cast<size_t>(tensor.dims_size())});
  if (!count || !getByteSize(dataType, *count))
    return "impossible dimensions " + printDims(tensor);

  if (tensor.data_location() == Proto::EXTERNAL)
    return isString ? "strings cannot be external data" : "";

  std::string dims =
      " for dimensions " + printDims(tensor) + " of " + proto::TensorProto_DataType_Name(dataType);
  if (tensor.has_raw_data() && !isString) {
    uint64_t expected = *getByteSize(dataType, *count);
    if (tensor.raw_data().size() != expected)
      return "expected " + std::to_string(expected) + " bytes" + dims + ", found " +
             std::to_string(tensor.raw_data().size());
    return "";
  }
  TypedField field = getTypedField(tensor, *count);
  if (field.size != field.expected)
    return "expected " + std::to_string(field.expected) + " entries in " + field.name + dims +
           ", found " + std::to_string(field.size);
  return "";
}

/// Appends each value as a `Stored`.
template <typename Stored, typename Field>
static std::string pack(const Field &field) {
  std::string bytes;
  bytes.resize(field.size() * sizeof(Stored));
  char *to = bytes.data();
  for (auto value : field) {
    Stored stored = static_cast<Stored>(value);
    std::memcpy(to, &stored, sizeof(Stored));
    to += sizeof(Stored);
  }
  return bytes;
}

/// Packs values of `bits` < 8 bits, one per entry, from the least significant bit up.
template <typename Field>
static std::string packBits(const Field &field, unsigned bits) {
  std::string bytes(llvm::divideCeil(static_cast<uint64_t>(field.size()) * bits, 8), '\0');
  uint64_t position = 0;
  for (uint32_t value : field)
    for (unsigned bit = 0; bit < bits; ++bit, ++position)
      bytes[position / 8] |= static_cast<char>((value >> bit & 1) << position % 8);
  return bytes;
}

static std::string readBytes(Proto &tensor) {
  if (tensor.has_raw_data())
    return std::move(*tensor.mutable_raw_data());
  switch (tensor.data_type()) {
  case Proto::FLOAT:
  case Proto::COMPLEX64:
    return pack<float>(tensor.float_data());
  case Proto::DOUBLE:
  case Proto::COMPLEX128:
    return pack<double>(tensor.double_data());
  case Proto::INT64:
    return pack<int64_t>(tensor.int64_data());
  case Proto::UINT64:
    return pack<uint64_t>(tensor.uint64_data());
  case Proto::UINT32:
    return pack<uint32_t>(tensor.uint64_data());
  default:
    break;
  }
  switch (getElementBits(tensor.data_type())) {
  case 32:
    return pack<int32_t>(tensor.int32_data());
  case 16:
    return pack<uint16_t>(tensor.int32_data());
  case 6:
    return packBits(tensor.int32_data(), 6);
  default:
    return pack<uint8_t>(tensor.int32_data());
  }
}

std::string takeBytes(Proto &tensor) {
  std::string bytes = readBytes(tensor);
  // A bool is true unless it is zero, in whatever way the exporter spelled it.
  if (tensor.data_type() == Proto::BOOL)
    for (char &byte : bytes)
      byte = byte != 0;
  tensor.clear_raw_data();
  tensor.clear_float_data();
  tensor.clear_double_data();
  tensor.clear_int32_data();
  tensor.clear_int64_data();
  tensor.clear_uint64_data();
  return bytes;
}

/// Element `index` of packed data, as an integer of its own width (at most 64 bits).
static uint64_t readElement(ArrayRef<char> bytes, uint64_t index, unsigned bits) {
  if (bits >= 8) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + index * (bits / 8), bits / 8);
    return value;
  }
  uint64_t value = 0;
  for (unsigned bit = 0; bit < bits; ++bit) {
    uint64_t position = index * bits + bit;
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[position / 8]) >> position % 8 & 1)
             << bit;
  }
  return value;
}

bool isSplat(ArrayRef<char> bytes, int32_t dataType, uint64_t elementCount) {
  if (elementCount == 0)
    return false;
  unsigned bits = getElementBits(dataType);
  if (bits >= 8) {
    // Every element equals its predecessor.
    size_t width = bits / 8;
    return std::memcmp(bytes.data(), bytes.data() + width, bytes.size() - width) == 0;
  }
  uint64_t first = readElement(bytes, 0, bits);
  for (uint64_t i = 1; i < elementCount; ++i)
    if (readElement(bytes, i, bits) != first)
      return false;
  return true;
}

DenseElementsAttr makeElements(RankedTensorType type, int32_t dataType, ArrayRef<char> bytes,
                               bool splat) {
  Type elementType = type.getElementType();
  unsigned bits = getElementBits(dataType);
  uint64_t count = splat ? 1 : type.getNumElements();
  if (bits > 8 || (bits == 8 && dataType != Proto::BOOL))
    return DenseElementsAttr::getFromRawBuffer(type, bytes.take_front(count * (bits / 8)));
  if (dataType == Proto::BOOL) {
    SmallVector<bool> values;
    for (uint64_t i = 0; i < count; ++i)
      values.push_back(bytes[i] != 0);
    return DenseElementsAttr::get(type, values);
  }
  auto floatType = dyn_cast<FloatType>(elementType);
  SmallVector<APInt> integers;
  SmallVector<APFloat> floats;
  for (uint64_t i = 0; i < count; ++i) {
    APInt value(bits, readElement(bytes, i, bits));
    if (floatType)
      floats.emplace_back(floatType.getFloatSemantics(), value);
    else
      integers.push_back(value);
  }
  return floatType ? DenseElementsAttr::get(type, floats) : DenseElementsAttr::get(type, integers);
}

DenseElementsAttr makeStringElements(const Proto &tensor, MLIRContext *context) {
  SmallVector<StringRef> strings;
  for (const std::string &text : tensor.string_data())
    strings.push_back(text);
  return DenseStringElementsAttr::get(getTensorType(tensor, context), strings);
}

RankedTensorType getTensorType(const Proto &tensor, MLIRContext *context) {
  Type elementType =
      onnx::getElementType(context, static_cast<onnx::ElementKind>(tensor.data_type()));
  return RankedTensorType::get({tensor.dims().data(), static_cast<size_t>(tensor.dims_size())},
                               elementType);
}

} // namespace tenon::import
