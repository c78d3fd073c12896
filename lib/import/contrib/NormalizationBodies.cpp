// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalisations and activations of com.microsoft: those of ai.onnx, with what ONNX Runtime's
// optimizer joined to them (residuals, biases, embeddings).

#include "lib/import/contrib/ContribBodies.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::import {

//===----------------------------------------------------------------------===//
// Normalisations
//===----------------------------------------------------------------------===//

/// LayerNormalization of `input` over the dimensions from `axis` on, to the outputs from `first` on
/// (result, mean, inverse deviation).
static void normalize(BodyBuilder &body, Value input, Value scale, Value bias, int64_t axis) {
  std::vector<Value> results =
      body.addMany(3, "LayerNormalization", {input, scale, bias},
                   {{"axis", axis}, {"epsilon", body.getNumber("epsilon", 1e-5)}});
  for (int i = 0; i < 3; ++i)
    body.setOutput(i, results[i]);
}

/// RMSNormalization of `input` in the same way; `deviationOutput` is that of 1 / sqrt(mean square).
static void normalizeSimplified(BodyBuilder &body, Value input, Value scale, int64_t axis,
                                int deviationOutput) {
  double epsilon = body.getNumber("epsilon", 1e-5);
  body.setOutput(
      0, body.add("RMSNormalization", {input, scale}, {{"axis", axis}, {"epsilon", epsilon}}));
  if (!body.hasOutput(deviationOutput))
    return;
  std::vector<int64_t> axes;
  if (axis >= 0) {
    std::optional<std::vector<int64_t>> shape = body.getShape(0);
    if (!shape)
      return;
    axis -= static_cast<int64_t>(shape->size());
  }
  for (; axis < 0; ++axis)
    axes.push_back(axis);
  Value wide = body.cast(input, kFloat);
  Value mean = body.add("ReduceMean", {body.add("Mul", {wide, wide}), body.integers(axes)});
  Value deviation = body.add("Sqrt", {body.add("Add", {mean, body.scalar(epsilon, kFloat)})});
  body.setOutput(deviationOutput, body.add("Reciprocal", {deviation}));
  return;
}

Body writeLayerNormalization(BodyBuilder &body) {
  normalize(body, body.getInput(0), body.getInput(1), getOptionalInput(body, 2),
            body.getInteger("axis", -1));
  return body.take();
}

Body writeSimplifiedLayerNormalization(BodyBuilder &body) {
  normalizeSimplified(body, body.getInput(0), body.getInput(1), body.getInteger("axis", -1), 1);
  return body.take();
}

/// The input of a normalisation with a residual, which is an output, too.
static Value addSkip(BodyBuilder &body, int biasInput) {
  Value sum = body.add("Add", {body.getInput(0), body.getInput(1)});
  sum = addOptional(body, sum, getOptionalInput(body, biasInput));
  body.setOutput(3, sum);
  return sum;
}

Body writeSkipLayerNormalization(BodyBuilder &body) {
  normalize(body, addSkip(body, 4), body.getInput(2), getOptionalInput(body, 3), -1);
  return body.take();
}

Body writeSkipSimplifiedLayerNormalization(BodyBuilder &body) {
  if (body.hasOutput(1))
    return body.refuse("the output mean is not computed by this operator");
  normalizeSimplified(body, addSkip(body, 3), body.getInput(2), -1, 2);
  return body.take();
}

/// How many tokens of each row the mask at operand `maskInput` has, if output 1 is there.
static void countTokens(BodyBuilder &body, int maskInput) {
  if (!body.hasOutput(1))
    return;
  if (body.hasInput(maskInput))
    body.setOutput(1, body.add("ReduceSum", {body.getInput(maskInput), body.integers({1})},
                               {{"keepdims", 0}}));
  else
    body.setOutput(1, body.add("Expand", {body.scalar(0, proto::TensorProto::INT32),
                                          body.sizeOf(body.getInput(0), 0)}));
}

Body writeEmbedLayerNormalization(BodyBuilder &body) {
  Value tokens = body.getInput(0);
  auto gather = [&](int table, Value ids) {
    return body.add("Gather", {body.getInput(table), ids}, {{"axis", 0}});
  };
  Value sum = gather(2, tokens);
  Value positions = body.hasInput(8) ? body.getInput(8) : body.countTo(body.sizeOf(tokens, 1));
  sum = body.add("Add", {sum, gather(3, positions)});
  if (body.hasInput(1) && body.hasInput(4))
    sum = body.add("Add", {sum, gather(4, body.getInput(1))});
  body.setOutput(0, body.add("LayerNormalization", {sum, body.getInput(5), body.getInput(6)},
                             {{"axis", -1}, {"epsilon", body.getNumber("epsilon", 1e-12)}}));
  countTokens(body, 7);
  body.setOutput(2, sum);
  return body.take();
}

Body writeQEmbedLayerNormalization(BodyBuilder &body) {
  Value tokens = body.getInput(0);
  // Operands that are numbers of 8 bits have their scales and zero points in two lists behind.
  auto restore = [&](Value codes, int which) {
    return body.add("DequantizeLinear", {codes, body.add("Squeeze", {body.getInput(8 + which)}),
                                         body.add("Squeeze", {body.getInput(13 + which)})});
  };
  auto gather = [&](int which, Value ids) {
    return restore(body.add("Gather", {body.getInput(2 + which), ids}, {{"axis", 0}}), which);
  };
  Value sum = body.add("Add", {gather(0, tokens), gather(1, body.countTo(body.sizeOf(tokens, 1)))});
  if (body.hasInput(1) && body.hasInput(4))
    sum = body.add("Add", {sum, gather(2, body.getInput(1))});
  body.setOutput(0, body.add("LayerNormalization",
                             {sum, restore(body.getInput(5), 3), restore(body.getInput(6), 4)},
                             {{"axis", -1}, {"epsilon", body.getNumber("epsilon", 1e-12)}}));
  countTokens(body, 7);
  return body.take();
}

/// GroupNorm of `input`, perhaps with the channels last and followed by SiLU.
static Body normalizeGroups(BodyBuilder &body, Value input) {
  if (body.getInteger("channels_last", 1))
    input = body.transpose(input, {0, 3, 1, 2});
  int32_t type = body.getElementType(0);
  Value result = body.add(
      "GroupNormalization",
      {body.cast(input, kFloat), body.cast(body.getInput(1), kFloat),
       body.cast(body.getInput(2), kFloat)},
      {{"num_groups", body.getInteger("groups")}, {"epsilon", body.getNumber("epsilon", 1e-5)}});
  if (body.getInteger("activation"))
    result = body.add("Swish", {result});
  if (body.getInteger("channels_last", 1))
    result = body.transpose(result, {0, 2, 3, 1});
  body.setOutput(0, body.cast(result, type));
  return body.take();
}

Body writeGroupNorm(BodyBuilder &body) { return normalizeGroups(body, body.getInput(0)); }

Body writeSkipGroupNorm(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> skip = body.getShape(3);
  if (!skip || !body.getInteger("channels_last", 1))
    return body.refuse("expected channels_last and a skip of known rank");
  Value residual = body.getInput(3);
  if (skip->size() == 2)
    residual = body.unsqueeze(residual, {1, 2});
  Value sum =
      addOptional(body, body.add("Add", {body.getInput(0), residual}), getOptionalInput(body, 4));
  body.setOutput(1, sum);
  return normalizeGroups(body, sum);
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value activate(BodyBuilder &body, Value value, StringRef name,
               const std::vector<double> &parameters, int32_t type) {
  auto get = [&](size_t index, double preset) {
    return index < parameters.size() ? parameters[index] : preset;
  };
  if (name.empty() || name == "Identity")
    return value;
  for (const char *plain : {"Relu", "Tanh", "Sigmoid", "Softplus", "Softsign", "HardSwish"})
    if (name == plain)
      return body.add(plain, {value});
  if (name == "LeakyRelu")
    return body.add("LeakyRelu", {value}, {{"alpha", get(0, 0.01)}});
  if (name == "Elu" || name == "Celu")
    return body.add(name == "Elu" ? "Elu" : "Celu", {value}, {{"alpha", get(0, 1)}});
  if (name == "HardSigmoid")
    return body.add("HardSigmoid", {value}, {{"alpha", get(0, 0.2)}, {"beta", get(1, 0.5)}});
  if (name == "Clip" && parameters.size() >= 2)
    return body.add("Clip",
                    {value, body.scalar(parameters[0], type), body.scalar(parameters[1], type)});
  return "";
}

/// GELU, perhaps of a sum and perhaps through the hyperbolic tangent.
static Body writeGeluOf(BodyBuilder &body, Value value, const char *approximation) {
  body.setOutput(0, body.add("Gelu", {value}, {{"approximate", std::string(approximation)}}));
  return body.take();
}

Body writeGelu(BodyBuilder &body) { return writeGeluOf(body, body.getInput(0), "none"); }

Body writeBiasGelu(BodyBuilder &body) {
  return writeGeluOf(body, body.add("Add", {body.getInput(0), body.getInput(1)}), "none");
}

Body writeFastGelu(BodyBuilder &body) {
  return writeGeluOf(body, addOptional(body, body.getInput(0), getOptionalInput(body, 1)), "tanh");
}

Body writeQuickGelu(BodyBuilder &body) {
  body.setOutput(
      0, body.add("Swish", {body.getInput(0)}, {{"alpha", body.getNumber("alpha", 1.702)}}));
  return body.take();
}

Body writeBiasSplitGelu(BodyBuilder &body) {
  std::vector<Value> halves =
      body.addMany(2, "Split", {body.add("Add", {body.getInput(0), body.getInput(1)})},
                   {{"axis", -1}, {"num_outputs", 2}});
  body.setOutput(0, body.add("Mul", {halves[0], body.add("Gelu", {halves[1]})}));
  return body.take();
}

Body writeBiasSoftmax(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0), bias = body.getShape(1);
  int64_t axis = body.getInteger("axis", 1);
  if (!shape || !bias)
    return std::nullopt;
  auto rank = static_cast<int64_t>(shape->size());
  if (bias->size() != shape->size() || (axis != -1 && axis != rank - 1))
    return body.refuse("expected data and bias of one rank and the last axis");
  body.setOutput(0, body.add("Softmax", {body.add("Add", {body.getInput(0), body.getInput(1)})},
                             {{"axis", -1}}));
  return body.take();
}

Body writeBiasAdd(BodyBuilder &body) {
  body.setOutput(0, body.add("Add", {body.add("Add", {body.getInput(0), body.getInput(1)}),
                                     body.getInput(2)}));
  return body.take();
}

Body writeBiasDropout(BodyBuilder &body) {
  if (body.hasInput(4) && body.getConstantInteger(4) != 0)
    return body.refuse("training_mode must be a constant false: models are compiled for inference");
  if (body.hasOutput(1))
    return body.refuse("the output mask is for training");
  body.setOutput(0, addOptional(body, body.add("Add", {body.getInput(0), body.getInput(1)}),
                                getOptionalInput(body, 2)));
  return body.take();
}

} // namespace tenon::import
