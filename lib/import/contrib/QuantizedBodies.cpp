// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantised operators of com.microsoft: what they do to numbers, between DequantizeLinear and
// QuantizeLinear, and products of integers as MatMulInteger.

#include "lib/import/contrib/ContribBodies.h"

using namespace mlir;

namespace tenon::import {

/// The number that an operand of 8 bits stands for; its scale and zero point are the operands after
/// `index` unless told otherwise.
static Value dequantize(BodyBuilder &body, int index) {
  return body.add("DequantizeLinear", {body.getInput(index), body.getInput(index + 1),
                                       getOptionalInput(body, index + 2)});
}

/// Quantises to `type`, with the scale at operand `index` and the zero point after it.
static Value quantize(BodyBuilder &body, Value value, int index, int32_t type) {
  return body.add("QuantizeLinear",
                  {value, body.getInput(index), getOptionalInput(body, index + 1)},
                  {{"output_dtype", type}});
}

static Body writeBinary(BodyBuilder &body, const char *operation) {
  Value result = body.add(operation, {dequantize(body, 0), dequantize(body, 3)});
  body.setOutput(0, quantize(body, result, 6, body.getElementType(0)));
  return body.take();
}

Body writeQLinearAdd(BodyBuilder &body) { return writeBinary(body, "Add"); }
Body writeQLinearMul(BodyBuilder &body) { return writeBinary(body, "Mul"); }

/// The result of an operator whose output is described by the operands 3 and 4.
static Body finishUnary(BodyBuilder &body, Value result) {
  body.setOutput(0, quantize(body, result, 3, body.getElementType(0)));
  return body.take();
}

Body writeQLinearSigmoid(BodyBuilder &body) {
  return finishUnary(body, body.add("Sigmoid", {dequantize(body, 0)}));
}

Body writeQLinearLeakyRelu(BodyBuilder &body) {
  return finishUnary(body, body.add("LeakyRelu", {dequantize(body, 0)},
                                    {{"alpha", body.getNumber("alpha", 0.01)}}));
}

Body writeQLinearSoftmax(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape)
    return std::nullopt;
  int64_t axis = body.getInteger("axis", -1), rank = static_cast<int64_t>(shape->size());
  if (axis < 0)
    axis += rank;
  Value input = dequantize(body, 0);
  if (body.getInteger("opset") >= 13 || axis == rank - 1)
    return finishUnary(body, body.add("Softmax", {input}, {{"axis", axis}}));
  // Before opset 13 all dimensions from the axis on are one.
  Value flat = body.add("Softmax", {body.add("Flatten", {input}, {{"axis", axis}})}, {{"axis", 1}});
  return finishUnary(body, body.add("Reshape", {flat, body.add("Shape", {input})}));
}

Body writeQLinearReduceMean(BodyBuilder &body) {
  Value axes = body.integers(body.getIntegers("axes"));
  return finishUnary(body, body.add("ReduceMean", {dequantize(body, 0), axes},
                                    {{"keepdims", body.getInteger("keepdims", 1)}}));
}

/// Pools `rank` dimensions of numbers, which are there in the order that channels_last tells.
static Body writePool(BodyBuilder &body, const char *operation,
                      std::vector<BodyBuilder::Attribute> attributes) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->size() < 3)
    return std::nullopt;
  bool isLast = body.getInteger("channels_last") != 0;
  Value input = dequantize(body, 0);
  if (isLast)
    input = moveChannels(body, input, shape->size(), /*toEnd=*/false);
  Value result = body.add(operation, {input}, std::move(attributes));
  if (isLast)
    result = moveChannels(body, result, shape->size(), /*toEnd=*/true);
  return finishUnary(body, result);
}

Body writeQLinearAveragePool(BodyBuilder &body) {
  return writePool(body, "AveragePool", getWindowAttributes(body));
}

Body writeQLinearGlobalAveragePool(BodyBuilder &body) {
  return writePool(body, "GlobalAveragePool", {});
}

Body writeQLinearConcat(BodyBuilder &body) {
  if (body.getInputCount() < 5 || (body.getInputCount() - 2) % 3 != 0)
    return body.refuse("expected a scale and a zero point after each tensor");
  std::vector<Value> parts;
  for (int i = 2; i < body.getInputCount(); i += 3)
    parts.push_back(dequantize(body, i));
  body.setOutput(
      0, quantize(body, body.concat(parts, body.getInteger("axis")), 0, body.getElementType(1)));
  return body.take();
}

Body writeQLinearWhere(BodyBuilder &body) {
  Value result = body.add("Where", {body.getInput(0), dequantize(body, 1), dequantize(body, 4)});
  body.setOutput(0, quantize(body, result, 7, body.getElementType(1)));
  return body.take();
}

Body writeQLinearConv(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->size() < 3)
    return std::nullopt;
  bool isLast = body.getInteger("channels_last") != 0;
  std::vector<Value> operands;
  for (int i = 0; i < body.getInputCount(); ++i)
    operands.push_back(getOptionalInput(body, i));
  if (isLast)
    operands[0] = moveChannels(body, operands[0], shape->size(), /*toEnd=*/false);
  Value result = body.add("QLinearConv", operands, getWindowAttributes(body));
  if (isLast)
    result = moveChannels(body, result, shape->size(), /*toEnd=*/true);
  body.setOutput(0, result);
  return body.take();
}

/// QuantizeLinear and DequantizeLinear, whose axis is the second where there is one at all.
static Body writeLinear(BodyBuilder &body, const char *operation) {
  std::vector<BodyBuilder::Attribute> attributes{{"axis", body.getInteger("axis", 1)}};
  body.setOutput(0, body.add(operation,
                             {body.getInput(0), body.getInput(1), getOptionalInput(body, 2)},
                             std::move(attributes)));
  return body.take();
}

Body writeQuantizeLinear(BodyBuilder &body) { return writeLinear(body, "QuantizeLinear"); }
Body writeDequantizeLinear(BodyBuilder &body) { return writeLinear(body, "DequantizeLinear"); }

//===----------------------------------------------------------------------===//
// Products of integers
//===----------------------------------------------------------------------===//

/// left * right, of integers with zero points, times `scale`, plus `bias`.
static Body finishProduct(BodyBuilder &body, std::vector<Value> operands, Value scale, Value bias,
                          int32_t type) {
  Value product = body.cast(body.add("MatMulInteger", std::move(operands)), type);
  body.setOutput(0, addOptional(body, body.add("Mul", {product, scale}), bias));
  return body.take();
}

Body writeMatMulIntegerToFloat(BodyBuilder &body) {
  return finishProduct(
      body,
      {body.getInput(0), body.getInput(1), getOptionalInput(body, 4), getOptionalInput(body, 5)},
      body.add("Mul", {body.getInput(2), body.getInput(3)}), getOptionalInput(body, 6),
      body.getElementType(2));
}

Body writeDynamicQuantizeMatMul(BodyBuilder &body) {
  std::vector<Value> left = body.addMany(3, "DynamicQuantizeLinear", {body.getInput(0)});
  return finishProduct(body, {left[0], body.getInput(1), left[2], getOptionalInput(body, 3)},
                       body.add("Mul", {left[1], body.getInput(2)}), getOptionalInput(body, 4),
                       kFloat);
}

Body writeQGemm(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> zeroShape = body.getShape(5);
  auto orient = [&](int index, const char *attribute) {
    Value operand = body.getInput(index);
    return body.getInteger(attribute) ? body.transpose(operand, {1, 0}) : operand;
  };
  Value product = body.add("MatMulInteger", {orient(0, "transA"), orient(3, "transB"),
                                             body.getInput(2), body.getInput(5)});
  // The bias has been quantised with the scale of the product.
  product = addOptional(body, product, getOptionalInput(body, 6));
  Value scale = body.add("Mul", {body.getInput(1), body.getInput(4)});
  if (double alpha = body.getNumber("alpha", 1); alpha != 1)
    scale = body.add("Mul", {scale, body.scalar(alpha, kFloat)});
  Value result = body.add("Mul", {body.cast(product, kFloat), scale});
  if (body.hasInput(7))
    result = quantize(body, result, 7, body.getElementType(body.hasInput(8) ? 8 : 0));
  body.setOutput(0, result);
  return body.take();
}

/// The operand `index` as integers of 32 bits, less the zero point after it.
static Value center(BodyBuilder &body, int index) {
  constexpr int32_t type = proto::TensorProto::INT32;
  Value value = body.cast(body.getInput(index), type);
  if (body.hasInput(index + 1))
    value = body.add("Sub", {value, body.cast(body.getInput(index + 1), type)});
  return value;
}

Body writeMulInteger(BodyBuilder &body) {
  body.setOutput(0, body.add("Mul", {center(body, 0), center(body, 2)}));
  return body.take();
}

/// The unsigned counterpart of int32 where all operands are unsigned.
static int32_t getWideType(BodyBuilder &body, std::initializer_list<int> operands) {
  for (int index : operands) {
    int32_t type = body.getElementType(index);
    if (type != proto::TensorProto::UINT8 && type != proto::TensorProto::UINT16)
      return proto::TensorProto::INT32;
  }
  return proto::TensorProto::UINT32;
}

Body writeMatMulInteger16(BodyBuilder &body) {
  int32_t type = getWideType(body, {0, 1});
  body.setOutput(0, body.add("MatMul", {body.cast(body.getInput(0), type),
                                        body.cast(body.getInput(1), type)}));
  return body.take();
}

Body writeReduceSumInteger(BodyBuilder &body) {
  Value wide = body.cast(body.getInput(0), getWideType(body, {0}));
  body.setOutput(0, body.add("ReduceSum", {wide, body.integers(body.getIntegers("axes"))},
                             {{"keepdims", body.getInteger("keepdims", 1)}}));
  return body.take();
}

/// An LSTM whose weights are quantised, per direction or per direction and gate. ONNX Runtime
/// rounds what they are multiplied with, too, to be faster; here that is what it was.
Body writeDynamicQuantizeLstm(BodyBuilder &body) {
  auto restore = [&](int weights, int scale) -> Value {
    std::optional<std::vector<int64_t>> shape = body.getShape(scale);
    if (!shape || shape->empty() || shape->size() > 2)
      return "";
    bool perGate = shape->size() == 2;
    auto widen = [&](Value value) {
      return perGate ? body.unsqueeze(value, {1}) : body.unsqueeze(value, {1, 2});
    };
    Value centred = body.add("Sub", {body.cast(body.getInput(weights), kFloat),
                                     widen(body.cast(body.getInput(scale + 1), kFloat))});
    Value numbers = body.add("Mul", {centred, widen(body.getInput(scale))});
    return body.transpose(numbers, {0, 2, 1});
  };
  Value input = restore(1, 8), recurrence = restore(2, 10);
  if (input.empty() || recurrence.empty())
    return body.refuse("scales need rank 1 or 2");
  std::vector<BodyBuilder::Attribute> attributes{{"hidden_size", body.getInteger("hidden_size")},
                                                 {"direction", body.getText("direction")},
                                                 {"input_forget", body.getInteger("input_forget")}};
  if (body.hasAttribute("activations") || body.hasAttribute("clip"))
    return body.refuse("activations and clip are not supported here: use LSTM");
  std::vector<Value> results = body.addMany(
      3, "LSTM",
      {body.getInput(0), input, recurrence, getOptionalInput(body, 3), getOptionalInput(body, 4),
       getOptionalInput(body, 5), getOptionalInput(body, 6), getOptionalInput(body, 7)},
      std::move(attributes));
  for (int i = 0; i < 3; ++i)
    body.setOutput(i, results[i]);
  return body.take();
}

} // namespace tenon::import
