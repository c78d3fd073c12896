// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors are read from raw_data or from the typed field that ONNX prescribes for their type;
// written as raw_data.
#include "tools/tenon/OnnxValues.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SwapByteOrder.h"
#include <cstring>
#include <onnx/onnx-data.pb.h>
#include <onnx/onnx_pb.h>

using namespace llvm;

namespace tenon::cli {

/// Copies a repeated protobuf field into bytes, each element cut to `Stored`.
template <typename Stored, typename Field>
static std::vector<uint8_t> bytesOf(const Field &field) {
  std::vector<uint8_t> bytes(field.size() * sizeof(Stored));
  size_t at = 0;
  for (auto element : field) {
    Stored stored = static_cast<Stored>(element);
    std::memcpy(bytes.data() + at, &stored, sizeof stored);
    at += sizeof stored;
  }
  return bytes;
}

/// The data of the typed field that belongs to the tensor's type.
static std::vector<uint8_t> typedData(const ::onnx::TensorProto &proto, const ElementInfo &info) {
  switch (info.type) {
  case ElementType::f32:
  case ElementType::c64:
    return bytesOf<float>(proto.float_data());
  case ElementType::f64:
  case ElementType::c128:
    return bytesOf<double>(proto.double_data());
  case ElementType::i64:
    return bytesOf<int64_t>(proto.int64_data());
  case ElementType::u32:
    return bytesOf<uint32_t>(proto.uint64_data());
  case ElementType::u64:
    return bytesOf<uint64_t>(proto.uint64_data());
  case ElementType::i32:
    return bytesOf<int32_t>(proto.int32_data());
  default:
    // Everything of 16 bits or less travels in int32_data, the narrow types already packed into
    // bytes.
    return info.bits == 16 ? bytesOf<uint16_t>(proto.int32_data())
                           : bytesOf<uint8_t>(proto.int32_data());
  }
}

static Expected<Tensor> fromProto(const ::onnx::TensorProto &proto) {
  Tensor tensor;
  tensor.type = static_cast<ElementType>(proto.data_type());
  const ElementInfo *info = elementInfo(tensor.type);
  if (!info)
    return createStringError("a tensor of %s, which is not supported",
                             elementName(tensor.type).c_str());
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL)
    return createStringError("a tensor whose data lies in another file; expected it inside");
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  int64_t count = 0;
  if (Status status = checkedElementCount(tensor.shape, count); !status.ok())
    return createStringError(status.message());
  size_t found, expected;
  if (info->kind == ElementKind::string) {
    tensor.strings.assign(proto.string_data().begin(), proto.string_data().end());
    expected = count, found = tensor.strings.size();
  } else {
    if (proto.has_raw_data())
      tensor.bytes.assign(proto.raw_data().begin(), proto.raw_data().end());
    else
      tensor.bytes = typedData(proto, *info);
    expected = packedSize(tensor.type, count), found = tensor.bytes.size();
  }
  if (expected != found)
    return createStringError("a tensor %s whose data has %zu %s; expected %zu",
                             describe(tensor).c_str(), found, info->bits ? "bytes" : "strings",
                             expected);
  return tensor;
}

static Expected<Value> fromProto(const ::onnx::SequenceProto &proto);
static Expected<Value> fromProto(const ::onnx::OptionalProto &proto);

/// Scalars as one tensor.
static Expected<Tensor> joinScalars(ArrayRef<Value> scalars, ElementType empty) {
  Tensor joined;
  joined.type = scalars.empty() ? empty : scalars.front().tensor.type;
  joined.shape = {static_cast<int64_t>(scalars.size())};
  for (const Value &scalar : scalars) {
    const Tensor &tensor = scalar.tensor;
    if (scalar.kind != Value::Kind::tensor || tensor.type != joined.type ||
        tensor.elementCount() != 1)
      return createStringError("a map whose values are no scalars of one type");
    append_range(joined.bytes, tensor.bytes);
    append_range(joined.strings, tensor.strings);
  }
  return joined;
}

static Expected<Value> fromProto(const ::onnx::MapProto &proto) {
  Tensor keys;
  keys.type = static_cast<ElementType>(proto.key_type());
  const ElementInfo *info = elementInfo(keys.type);
  if (!info || (info->kind != ElementKind::string && info->bits < 8))
    return createStringError("a map with keys of %s", elementName(keys.type).c_str());
  if (info->kind == ElementKind::string) {
    keys.strings.assign(proto.string_keys().begin(), proto.string_keys().end());
    keys.shape = {proto.string_keys_size()};
  } else {
    for (int64_t key : proto.keys())
      keys.bytes.insert(keys.bytes.end(), reinterpret_cast<const uint8_t *>(&key),
                        reinterpret_cast<const uint8_t *>(&key) + info->bits / 8);
    keys.shape = {proto.keys_size()};
  }
  Expected<Value> values = fromProto(proto.values());
  if (!values)
    return values.takeError();
  Expected<Tensor> joined = joinScalars(values->elements, ElementType::f32);
  if (!joined)
    return joined.takeError();
  if (joined->shape != keys.shape)
    return createStringError("a map of %lld keys and %lld values",
                             static_cast<long long>(keys.shape[0]),
                             static_cast<long long>(joined->shape[0]));
  return Value::ofMap(std::move(keys), std::move(*joined));
}

template <typename Field>
static Expected<Value> sequenceOf(const Field &field) {
  std::vector<Value> elements;
  for (const auto &item : field) {
    if constexpr (std::is_same_v<std::decay_t<decltype(item)>, ::onnx::TensorProto>) {
      Expected<Tensor> element = fromProto(item);
      if (!element)
        return element.takeError();
      elements.push_back(Value::ofTensor(std::move(*element)));
    } else {
      Expected<Value> element = fromProto(item);
      if (!element)
        return element.takeError();
      elements.push_back(std::move(*element));
    }
  }
  return Value::ofSequence(std::move(elements));
}

static Expected<Value> fromProto(const ::onnx::SequenceProto &proto) {
  switch (proto.elem_type()) {
  case ::onnx::SequenceProto::UNDEFINED: // an empty sequence may leave its type open
  case ::onnx::SequenceProto::TENSOR:
    return sequenceOf(proto.tensor_values());
  case ::onnx::SequenceProto::SEQUENCE:
    return sequenceOf(proto.sequence_values());
  case ::onnx::SequenceProto::OPTIONAL:
    return sequenceOf(proto.optional_values());
  case ::onnx::SequenceProto::MAP:
    return sequenceOf(proto.map_values());
  default:
    return createStringError("a sequence of sparse tensors, which is not supported");
  }
}

static Expected<Value> fromProto(const ::onnx::OptionalProto &proto) {
  switch (proto.elem_type()) {
  case ::onnx::OptionalProto::UNDEFINED:
    return Value();
  case ::onnx::OptionalProto::TENSOR: {
    if (!proto.has_tensor_value())
      return Value();
    Expected<Tensor> tensor = fromProto(proto.tensor_value());
    if (!tensor)
      return tensor.takeError();
    return Value::ofTensor(std::move(*tensor));
  }
  case ::onnx::OptionalProto::SEQUENCE:
    return proto.has_sequence_value() ? fromProto(proto.sequence_value())
                                      : Expected<Value>(Value());
  case ::onnx::OptionalProto::OPTIONAL:
    return proto.has_optional_value() ? fromProto(proto.optional_value())
                                      : Expected<Value>(Value());
  default:
    return createStringError("an optional map or sparse tensor, which is not supported");
  }
}

template <typename Message>
static Error parse(Message &message, StringRef file) {
  if (message.ParseFromArray(file.data(), file.size()))
    return Error::success();
  return createStringError("not an %s", message.GetTypeName().c_str());
}

Expected<Value> parseOnnxValue(StringRef file, OnnxMessage kind) {
  if (file.size() > static_cast<size_t>(std::numeric_limits<int>::max()))
    return createStringError("protobuf messages of more than 2 GiB cannot be read; use .npz");
  switch (kind) {
  case OnnxMessage::tensor: {
    ::onnx::TensorProto message;
    if (Error error = parse(message, file))
      return error;
    Expected<Tensor> tensor = fromProto(message);
    if (!tensor)
      return tensor.takeError();
    return Value::ofTensor(std::move(*tensor));
  }
  case OnnxMessage::sequence: {
    ::onnx::SequenceProto message;
    if (Error error = parse(message, file))
      return error;
    return fromProto(message);
  }
  case OnnxMessage::optional: {
    ::onnx::OptionalProto message;
    if (Error error = parse(message, file))
      return error;
    return fromProto(message);
  }
  case OnnxMessage::map: {
    ::onnx::MapProto message;
    if (Error error = parse(message, file))
      return error;
    return fromProto(message);
  }
  }
  llvm_unreachable("an unknown kind of message");
}

static void toProto(const Tensor &tensor, ::onnx::TensorProto &proto) {
  proto.set_data_type(static_cast<int32_t>(tensor.type));
  proto.mutable_dims()->Add(tensor.shape.begin(), tensor.shape.end());
  if (tensor.type == ElementType::string)
    proto.mutable_string_data()->Add(tensor.strings.begin(), tensor.strings.end());
  else
    proto.set_raw_data(tensor.bytes.data(), tensor.bytes.size());
}

/// The elements of a tensor as scalars.
static std::vector<Value> splitScalars(const Tensor &tensor) {
  std::vector<Value> scalars;
  size_t size = elementInfo(tensor.type)->bits / 8;
  for (int64_t i = 0; i < tensor.elementCount(); ++i) {
    Tensor scalar;
    scalar.type = tensor.type;
    scalar.bytes.assign(tensor.bytes.begin() + i * size, tensor.bytes.begin() + (i + 1) * size);
    if (tensor.type == ElementType::string)
      scalar.strings = {tensor.strings[i]};
    scalars.push_back(Value::ofTensor(std::move(scalar)));
  }
  return scalars;
}

/// Element `index` of a tensor of integers.
static int64_t integerElement(const Tensor &tensor, int64_t index) {
  const ElementInfo &info = *elementInfo(tensor.type);
  int64_t value = 0;
  std::memcpy(&value, tensor.bytes.data() + index * (info.bits / 8), info.bits / 8);
  return info.kind == ElementKind::signedInteger ? SignExtend64(value, info.bits) : value;
}

static void toProto(const Value &map, ::onnx::MapProto &proto);

static void toProto(const std::vector<Value> &elements, ::onnx::SequenceProto &proto) {
  Value::Kind kind = elements.empty() ? Value::Kind::tensor : elements.front().kind;
  proto.set_elem_type(kind == Value::Kind::sequence ? ::onnx::SequenceProto::SEQUENCE
                      : kind == Value::Kind::map    ? ::onnx::SequenceProto::MAP
                                                    : ::onnx::SequenceProto::TENSOR);
  for (const Value &element : elements) {
    if (kind == Value::Kind::sequence)
      toProto(element.elements, *proto.add_sequence_values());
    else if (kind == Value::Kind::map)
      toProto(element, *proto.add_map_values());
    else
      toProto(element.tensor, *proto.add_tensor_values());
  }
}

static void toProto(const Value &map, ::onnx::MapProto &proto) {
  const Tensor &keys = map.elements[0].tensor;
  proto.set_key_type(static_cast<int32_t>(keys.type));
  for (int64_t i = 0; i < keys.elementCount(); ++i) {
    if (keys.type == ElementType::string)
      proto.add_string_keys(keys.strings[i]);
    else
      proto.add_keys(integerElement(keys, i));
  }
  toProto(splitScalars(map.elements[1].tensor), *proto.mutable_values());
}

std::string formatOnnxValue(StringRef name, const Value &value, OnnxMessage kind) {
  if (kind == OnnxMessage::optional) {
    ::onnx::OptionalProto proto;
    proto.set_name(name.str());
    proto.set_elem_type(value.kind == Value::Kind::tensor     ? ::onnx::OptionalProto::TENSOR
                        : value.kind == Value::Kind::sequence ? ::onnx::OptionalProto::SEQUENCE
                                                              : ::onnx::OptionalProto::UNDEFINED);
    if (value.kind == Value::Kind::tensor)
      toProto(value.tensor, *proto.mutable_tensor_value());
    if (value.kind == Value::Kind::sequence)
      toProto(value.elements, *proto.mutable_sequence_value());
    return proto.SerializeAsString();
  }
  if (value.kind == Value::Kind::sequence) {
    ::onnx::SequenceProto proto;
    proto.set_name(name.str());
    toProto(value.elements, proto);
    return proto.SerializeAsString();
  }
  if (value.kind == Value::Kind::map) {
    ::onnx::MapProto proto;
    proto.set_name(name.str());
    toProto(value, proto);
    return proto.SerializeAsString();
  }
  ::onnx::TensorProto proto;
  proto.set_name(name.str());
  toProto(value.tensor, proto);
  return proto.SerializeAsString();
}

} // namespace tenon::cli
