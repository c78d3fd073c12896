// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators on weights of few bits in blocks: MatMulNBits, MatMulBnb4, GatherBlockQuantized.
//
// Their weights are bytes that hold several codes each, which is how ONNX packs its own types of 2
// and 4 bits. So a weight becomes one of those without a copy, and DequantizeLinear says the rest;
// a tensor that is no weight is taken apart by shifts.

#include "lib/import/contrib/ContribBodies.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace tenon::import {

/// The unsigned type of so many bits.
static int32_t getCodeType(int64_t bits) {
  if (bits == 8)
    return proto::TensorProto::UINT8;
  if (bits == 4)
    return proto::TensorProto::UINT4;
  return bits == 2 ? proto::TensorProto::UINT2 : proto::TensorProto::UNDEFINED;
}

/// The codes in the bytes of `value`, from the low bits of each up (or down), with the codes of a
/// byte as a last dimension.
static Value unpackCodes(BodyBuilder &body, Value value, int64_t bits, bool fromLow = true) {
  constexpr int32_t type = proto::TensorProto::UINT8;
  std::vector<Value> parts;
  for (int64_t shift = 0; shift < 8; shift += bits) {
    Value part = value;
    if (shift)
      part = body.add("BitShift", {part, body.scalar(static_cast<double>(shift), type)},
                      {{"direction", std::string("RIGHT")}});
    if (shift + bits < 8)
      part =
          body.add("BitwiseAnd", {part, body.scalar(static_cast<double>((1 << bits) - 1), type)});
    parts.insert(fromLow ? parts.end() : parts.begin(), body.unsqueeze(part, {-1}));
  }
  return parts.size() == 1 ? parts.front() : body.concat(parts, -1);
}

Codes unpackInput(BodyBuilder &body, int index, int64_t bits, std::vector<int64_t> shape) {
  if (bits == 8)
    return {body.reshape(body.getInput(index), shape), proto::TensorProto::UINT8};
  if (Value packed = body.reinterpretInput(index, getCodeType(bits), shape); !packed.empty())
    return {packed, getCodeType(bits)};
  return {body.reshape(unpackCodes(body, body.getInput(index), bits), shape),
          proto::TensorProto::UINT8};
}

Value fillCodes(BodyBuilder &body, int64_t code, const std::vector<int64_t> &shape, int32_t type) {
  proto::TensorProto tensor;
  tensor.set_data_type(type);
  int64_t count = 1;
  for (int64_t size : shape) {
    tensor.add_dims(size);
    count *= size;
  }
  int64_t bits = type == proto::TensorProto::UINT8 ? 8 : type == proto::TensorProto::UINT4 ? 4 : 2;
  int64_t byte = 0;
  for (int64_t shift = 0; shift < 8; shift += bits)
    byte |= code << shift;
  std::string bytes((count * bits + 7) / 8, static_cast<char>(byte));
  // The bits after the last code are none.
  if (int64_t used = count * bits % 8)
    bytes.back() = static_cast<char>(byte & ((1 << used) - 1));
  tensor.set_raw_data(bytes);
  return body.constant(tensor);
}

namespace {
/// The operands of one product: those of the weight, and -1 for what there is none of.
struct NBitsOperands {
  int weight, scales, zeros, bias;
};
} // namespace

/// Why products of these attributes are not supported; empty if they are.
static std::string checkNBits(BodyBuilder &body) {
  int64_t bits = body.getInteger("bits", 4), block = body.getInteger("block_size");
  if (getCodeType(bits) == proto::TensorProto::UNDEFINED)
    return "weights of " + std::to_string(bits) + " bits are not supported: expected 2, 4 or 8";
  if (body.getInteger("K") < 1 || block < 16 || block % 8 != 0)
    return "expected K of at least 1, and a block_size of at least 16";
  if (body.getInteger("weight_prepacked"))
    return "a weight that is packed for another device is not supported: expected "
           "weight_prepacked to be 0";
  return "";
}

/// left * weight^T + bias, the weight having `outer` rows.
static Value multiplyNBits(BodyBuilder &body, Value left, const NBitsOperands &operands,
                           int64_t outer) {
  int64_t inner = body.getInteger("K"), bits = body.getInteger("bits", 4),
          block = body.getInteger("block_size"), blocks = (inner + block - 1) / block;
  int32_t type = body.getElementType(0), zeroType = body.getElementType(operands.zeros);
  Codes codes = unpackInput(body, operands.weight, bits, {outer, blocks * block});
  Value scales = body.reshape(body.getInput(operands.scales), {outer, blocks}), weight;
  bool hasZeros = body.hasInput(operands.zeros);
  if (hasZeros && zeroType != proto::TensorProto::UINT8) {
    Value split = body.reshape(body.cast(codes.value, type), {outer, blocks, block});
    Value zeros = body.reshape(body.getInput(operands.zeros), {outer, blocks, 1});
    weight = body.add("Mul", {body.add("Sub", {split, zeros}), body.unsqueeze(scales, {2})});
    weight = body.reshape(weight, {outer, blocks * block});
  } else {
    Value zeros;
    if (hasZeros) {
      int64_t perByte = 8 / bits, columns = (blocks + perByte - 1) / perByte * perByte;
      Codes packed = unpackInput(body, operands.zeros, bits, {outer, columns});
      zeros = columns == blocks ? packed.value : body.slice(packed.value, 1, 0, blocks);
      // Bytes that are no weight, while the codes are one, or the other way around.
      if (packed.type != codes.type)
        zeros = body.cast(zeros, codes.type);
    } else {
      zeros = fillCodes(body, int64_t(1) << (bits - 1), {outer, blocks}, codes.type);
    }
    weight = body.add("DequantizeLinear", {codes.value, scales, zeros},
                      {{"axis", 1}, {"block_size", block}});
  }
  if (blocks * block != inner)
    weight = body.slice(weight, 1, 0, inner);
  Value result = body.add("MatMul", {left, body.transpose(weight, {1, 0})});
  return addOptional(body, result, getOptionalInput(body, operands.bias));
}

Body writeMatMulNBits(BodyBuilder &body) {
  if (body.getElementType(0) == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  if (std::string problem = checkNBits(body); !problem.empty())
    return body.refuse(problem);
  if (body.hasInput(4))
    return body.refuse("g_idx is not supported: reorder the rows of the weight");
  body.setOutput(0, multiplyNBits(body, body.getInput(0), {1, 2, 3, 5}, body.getInteger("N")));
  return body.take();
}

/// What the products of MatMulNBitsMlp and MatMulNBitsQkv share: the input, perhaps with a residual
/// (which is an output, too) and normalised.
static Value prepareShared(BodyBuilder &body, int sumOutput) {
  Value input = addOptional(body, body.getInput(0), getOptionalInput(body, 1));
  body.setOutput(sumOutput, input);
  if (!body.hasInput(2))
    return input;
  return body.add("RMSNormalization", {input, body.getInput(2)},
                  {{"axis", -1}, {"epsilon", body.getNumber("epsilon", 1e-5)}});
}

Body writeMatMulNBitsMlp(BodyBuilder &body) {
  if (std::string problem = checkNBits(body); !problem.empty())
    return body.refuse(problem);
  Value input = prepareShared(body, 1);
  int64_t outer = body.getInteger("N");
  Value gate = multiplyNBits(body, input, {3, 4, -1, 5}, outer),
        linear = multiplyNBits(body, input, {6, 7, -1, 8}, outer);
  std::string activation = body.getText("activation");
  if (activation == "silu" || activation == "swish")
    gate = body.add("Swish", {gate});
  else if (activation == "gelu")
    gate = body.add("Gelu", {gate});
  else if (activation == "relu")
    gate = body.add("Relu", {gate});
  else
    return body.refuse("the activation '" + activation + "' is not supported");
  body.setOutput(0, body.add("Mul", {gate, linear}));
  return body.take();
}

Body writeMatMulNBitsQkv(BodyBuilder &body) {
  if (std::string problem = checkNBits(body); !problem.empty())
    return body.refuse(problem);
  Value input = prepareShared(body, 3);
  for (int i = 0; i < 3; ++i)
    body.setOutput(i, multiplyNBits(body, input, {3 + 3 * i, 4 + 3 * i, -1, 5 + 3 * i},
                                    body.getInteger(i == 0 ? "Nq" : "Nkv")));
  return body.take();
}

/// What the codes of bitsandbytes' two types of 4 bits stand for.
static std::vector<double> getBnb4Values(bool isNormal) {
  // https://github.com/bitsandbytes-foundation/bitsandbytes: FP4 has a sign bit; NF4 has the
  // quantiles of the normal distribution (QLoRA, appendix E).
  if (!isNormal)
    return {0.0,  5.208333333e-03,  0.66666667,  1.0,  0.33333333,  0.5,  0.16666667,  0.25,
            -0.0, -5.208333333e-03, -0.66666667, -1.0, -0.33333333, -0.5, -0.16666667, -0.25};
  return {-1.0,
          -0.6961928009986877,
          -0.5250730514526367,
          -0.39491748809814453,
          -0.28444138169288635,
          -0.18477343022823334,
          -0.09105003625154495,
          0.0,
          0.07958029955625534,
          0.16093020141124725,
          0.24611230194568634,
          0.33791524171829224,
          0.44070982933044434,
          0.5626170039176941,
          0.7229568362236023,
          1.0};
}

Body writeMatMulBnb4(BodyBuilder &body) {
  int64_t inner = body.getInteger("K"), outer = body.getInteger("N"),
          block = body.getInteger("block_size");
  int32_t type = body.getElementType(0);
  if (type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  if (inner < 1 || outer < 1 || block < 1)
    return body.refuse("expected K, N and block_size of at least 1");
  int64_t count = inner * outer, blocks = (count + block - 1) / block;
  // The first code of a byte is in its high bits.
  Value codes = body.reshape(unpackCodes(body, body.getInput(1), 4, /*fromLow=*/false), {-1});
  if (count % 2)
    codes = body.slice(codes, 0, 0, count);
  Value values = body.tensor(getBnb4Values(body.getInteger("quant_type") == 1), {16}, type);
  Value weight =
      body.add("Gather", {values, body.cast(codes, proto::TensorProto::INT32)}, {{"axis", 0}});
  Value scales = body.reshape(body.getInput(2), {blocks, 1});
  if (count % block == 0) {
    weight = body.add("Mul", {body.reshape(weight, {blocks, block}), scales});
  } else {
    scales = body.add("Expand", {scales, body.integers({blocks, block})});
    weight = body.add("Mul", {weight, body.slice(body.reshape(scales, {-1}), 0, 0, count)});
  }
  weight = body.reshape(weight, {outer, inner});
  if (body.getInteger("transB", 1))
    weight = body.transpose(weight, {1, 0});
  body.setOutput(0, body.add("MatMul", {body.getInput(0), weight}));
  return body.take();
}

namespace {

/// GatherBlockQuantized. What is picked are bytes, which are taken apart afterwards: the table
/// stays as small as it is.
class BlockQuantizedGather {
public:
  explicit BlockQuantizedGather(BodyBuilder &body) : body(body) {}
  Body write();

private:
  Value pick(Value value, Value at) {
    return body.add("Gather", {value, at}, {{"axis", gatherAxis}});
  }
  Value pickCodes(int index, const std::vector<int64_t> &shape, int64_t width, Value at);
  Body finishWithoutBlocks(Value picked, Value at);

  BodyBuilder &body;
  std::vector<int64_t> data, indices, scales;
  int64_t rank = 0, gatherAxis = 0, axis = 0, block = 0, bits = 0;
  int32_t dataType = 0, type = 0;
  bool isFloat = false;
};

} // namespace

/// The elements of operand `index`, of `shape`, that are picked: bytes or numbers of 8 bits;
/// `width` is the size of the last dimension.
Value BlockQuantizedGather::pickCodes(int index, const std::vector<int64_t> &shape, int64_t width,
                                      Value at) {
  bool isPacked = dataType == proto::TensorProto::UINT8 && bits != 8;
  bool isNarrow = dataType == proto::TensorProto::INT4 || dataType == proto::TensorProto::UINT4;
  Value bytes = isPacked ? body.getInput(index) : Value();
  bool canPickBytes = gatherAxis != rank - 1 && shape.back() > 0 && shape.back() % 2 == 0;
  if (isNarrow && canPickBytes) {
    std::vector<int64_t> byteShape = shape;
    byteShape.back() /= 2;
    bytes = body.reinterpretInput(index, proto::TensorProto::UINT8, byteShape);
  }
  if (bytes.empty()) {
    Value codes = body.getInput(index);
    if (isNarrow)
      codes = body.cast(codes, dataType == proto::TensorProto::INT4 ? proto::TensorProto::INT8
                                                                    : proto::TensorProto::UINT8);
    return pick(codes, at);
  }
  Value codes = unpackCodes(body, pick(bytes, at), bits);
  // The codes of a byte follow each other along the last dimension.
  std::vector<int64_t> joined(rank - 1 + indices.size(), 0);
  joined.back() = shape.back() * (isPacked ? 8 / bits : 1);
  codes = body.reshape(codes, joined);
  if (joined.back() != width)
    codes = body.slice(codes, -1, 0, width);
  if (dataType != proto::TensorProto::INT4)
    return codes;
  Value sign = body.scalar(8, proto::TensorProto::INT8);
  codes = body.cast(codes, proto::TensorProto::INT8);
  return body.add("Sub", {body.add("BitwiseXor", {codes, sign}), sign});
}

/// The elements picked along the axis of the blocks have each a block of their own, and a single
/// block is no matter of blocks.
Body BlockQuantizedGather::finishWithoutBlocks(Value picked, Value at) {
  bool isShared = scales[gatherAxis] == 1;
  if (isShared && indices.size() != 1)
    return body.refuse("scales that broadcast along gather_axis need indices of rank 1");
  Value result = body.cast(picked, type);
  if (body.hasInput(3))
    result = body.add("Sub", {result, body.cast(pickCodes(3, scales, scales.back(), at), type)});
  body.setOutput(
      0, body.add("Mul", {result, isShared ? body.getInput(2) : pick(body.getInput(2), at)}));
  return body.take();
}

Body BlockQuantizedGather::write() {
  std::optional<std::vector<int64_t>> dataShape = body.getShape(0), indexShape = body.getShape(1),
                                      scaleShape = body.getShape(2);
  if (!dataShape || !indexShape || !scaleShape || dataShape->size() != scaleShape->size() ||
      dataShape->empty())
    return std::nullopt;
  data = *dataShape;
  indices = *indexShape;
  scales = *scaleShape;
  rank = static_cast<int64_t>(data.size());
  dataType = body.getElementType(0);
  type = body.getElementType(2);
  bits = body.getInteger("bits", 4);
  block = body.getInteger("block_size", 128);
  auto count = [&](const char *name, int64_t preset) {
    int64_t given = body.getInteger(name, preset);
    return given < 0 ? given + rank : given;
  };
  gatherAxis = count("gather_axis", 0);
  axis = count("quantize_axis", 1);
  isFloat = dataType != proto::TensorProto::UINT8 && dataType != proto::TensorProto::UINT4 &&
            dataType != proto::TensorProto::INT4;
  if (gatherAxis < 0 || gatherAxis >= rank || axis < 0 || axis >= rank)
    return body.refuse("gather_axis and quantize_axis must be dimensions of the data");
  if (llvm::any_of(data, [](int64_t size) { return size < 0; }) ||
      llvm::any_of(scales, [](int64_t size) { return size < 0; }))
    return body.refuse("expected data and scales of known shape");
  bool isPacked = dataType == proto::TensorProto::UINT8 && bits != 8;
  if (getCodeType(bits) == proto::TensorProto::UNDEFINED)
    return body.refuse("codes of " + std::to_string(bits) + " bits are not supported");
  if (isPacked && (gatherAxis == rank - 1 || gatherAxis == axis))
    return body.refuse("packed codes cannot be picked along their last dimension or the blocks'");

  Value at = body.getInput(1);
  Value picked = pickCodes(0, data, isPacked ? data.back() * 8 / bits : data.back(), at);
  if (gatherAxis == axis && block > 0)
    at = body.add("Div", {at, body.scalar(static_cast<double>(block), body.getElementType(1))});
  if (gatherAxis == axis || (isFloat && block == 0))
    return finishWithoutBlocks(picked, at);

  std::vector<Value> operands{picked, pick(body.getInput(2), at)};
  if (body.hasInput(3)) {
    std::optional<std::vector<int64_t>> zeroShape = body.getShape(3);
    if (!zeroShape || zeroShape->size() != data.size())
      return body.refuse("expected zero points of the rank of the data");
    operands.push_back(pickCodes(3, *zeroShape, scales.back(), at));
  } else if (dataType == proto::TensorProto::UINT8) {
    Value middle = body.scalar(static_cast<double>(int64_t(1) << (bits - 1)), dataType);
    operands.push_back(body.add("Expand", {middle, body.add("Shape", {operands[1]})}));
  }
  if (axis > gatherAxis)
    axis += static_cast<int64_t>(indices.size()) - 1;
  body.setOutput(0,
                 body.add("DequantizeLinear", operands, {{"axis", axis}, {"block_size", block}}));
  return body.take();
}

Body writeGatherBlockQuantized(BodyBuilder &body) { return BlockQuantizedGather(body).write(); }

} // namespace tenon::import
