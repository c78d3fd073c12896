// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixtures of experts: MoE, and QMoE with weights of few bits.
//
// Every expert computes every token, and the routing weighs what they say; those that were not
// chosen weigh nothing. That is as many products as there are experts, each a large one; choosing
// before computing would need products whose sizes depend on data.

#include "lib/import/contrib/ContribBodies.h"

#include <limits>

using namespace mlir;

namespace tenon::import {

namespace {

class ExpertsBody {
public:
  explicit ExpertsBody(BodyBuilder &body) : body(body), type(body.getElementType(0)) {}
  Body write(bool isQuantized);

private:
  /// The operands of one layer; -1 for what the operator does not have.
  struct Layer {
    int weights, bias, scales, zeros;
  };

  Value route(int64_t chosen, bool isQuantized);
  Value makeWeights(const Layer &layer, int64_t bits);
  Value apply(const Layer &layer, Value tokens, int64_t bits);
  Value activateGate(Value gate, Value linear);
  Value activateFirst(Value first, const Layer &third, Value tokens, int64_t bits);

  BodyBuilder &body;
  int32_t type;
};

} // namespace

/// How much each expert counts for each token: [E, T, 1].
Value ExpertsBody::route(int64_t chosen, bool isQuantized) {
  constexpr int weightsInput = 14;
  Value logits = body.getInput(1);
  if (!isQuantized)
    logits = body.add("Softmax", {logits}, {{"axis", -1}});
  std::vector<Value> best =
      body.addMany(2, "TopK", {logits, body.integers({chosen})}, {{"axis", -1}});
  Value weights = best[0];
  // With weights of few bits it is the chosen ones that share, in ONNX Runtime's kernel.
  if (isQuantized && body.hasInput(weightsInput))
    weights = body.add("GatherElements", {body.getInput(weightsInput), best[1]}, {{"axis", -1}});
  else if (isQuantized)
    weights = body.add("Softmax", {weights}, {{"axis", -1}});
  if (body.getInteger("normalize_routing_weights"))
    weights = body.add("Div", {weights, body.add("ReduceSum", {weights, body.integers({-1})})});
  Value none = body.add("Expand", {body.scalar(0, type), body.add("Shape", {logits})});
  Value spread = body.add("ScatterElements", {none, best[1], weights}, {{"axis", -1}});
  return body.unsqueeze(body.transpose(spread, {1, 0}), {2});
}

/// [E, inner, outer]; empty where the operands do not fit.
Value ExpertsBody::makeWeights(const Layer &layer, int64_t bits) {
  if (layer.scales < 0)
    return body.transpose(body.getInput(layer.weights), {0, 2, 1});
  std::optional<std::vector<int64_t>> shape = body.getShape(layer.weights),
                                      scaleShape = body.getShape(layer.scales);
  if (!shape || !scaleShape || shape->size() != 3 || (*shape)[0] < 0 || (*shape)[1] < 0 ||
      (*shape)[2] < 0 || scaleShape->size() < 2)
    return "";
  int64_t experts = (*shape)[0], outer = (*shape)[1], inner = (*shape)[2] * 8 / bits;
  int64_t block = body.getInteger("block_size");
  if (scaleShape->size() == 2 || block <= 0)
    block = inner;
  if (inner % block != 0)
    return "";
  int64_t blocks = inner / block;
  Codes codes = unpackInput(body, layer.weights, bits, {experts, outer, inner});
  Value zeros = fillCodes(body, int64_t(1) << (bits - 1), {experts, outer, blocks}, codes.type);
  if (layer.zeros >= 0 && body.hasInput(layer.zeros)) {
    int64_t perByte = 8 / bits;
    bool isFlat = scaleShape->size() == 2;
    // Codes of one row after the other, each from a byte of its own.
    int64_t row = isFlat ? outer : blocks, padded = (row + perByte - 1) / perByte * perByte;
    std::vector<int64_t> packed{experts, padded};
    if (!isFlat)
      packed = {experts, outer, padded};
    Codes unpacked = unpackInput(body, layer.zeros, bits, packed);
    zeros = unpacked.type == codes.type ? unpacked.value : body.cast(unpacked.value, codes.type);
    if (padded != row)
      zeros = body.slice(zeros, -1, 0, row);
    zeros = body.reshape(zeros, {experts, outer, blocks});
  }
  Value scales = body.reshape(body.getInput(layer.scales), {experts, outer, blocks});
  Value weights = body.add("DequantizeLinear", {codes.value, body.cast(scales, type), zeros},
                           {{"axis", 2}, {"block_size", block}});
  return body.transpose(weights, {0, 2, 1});
}

Value ExpertsBody::apply(const Layer &layer, Value tokens, int64_t bits) {
  Value weights = makeWeights(layer, bits);
  if (weights.empty())
    return "";
  Value result = body.add("MatMul", {tokens, weights});
  if (body.hasInput(layer.bias))
    result = body.add("Add", {result, body.unsqueeze(body.getInput(layer.bias), {1})});
  return result;
}

/// The gated linear unit of two halves.
Value ExpertsBody::activateGate(Value gate, Value linear) {
  double alpha = body.getNumber("activation_alpha", 1), beta = body.getNumber("activation_beta");
  Value limit;
  if (body.hasAttribute("swiglu_limit")) {
    double bound = body.getNumber("swiglu_limit");
    limit = body.scalar(bound, type);
    linear = body.add("Clip", {linear, body.scalar(-bound, type), limit});
  }
  bool isAfter = body.getInteger("swiglu_limit_after_activation") != 0;
  if (!limit.empty() && !isAfter)
    gate = body.add("Min", {gate, limit});
  gate = body.add("Swish", {gate}, {{"alpha", alpha}});
  if (!limit.empty() && isAfter)
    gate = body.add("Min", {gate, limit});
  if (beta != 0)
    linear = body.add("Add", {linear, body.scalar(beta, type)});
  return body.add("Mul", {gate, linear});
}

/// What follows the first layer; empty if there is no such activation.
Value ExpertsBody::activateFirst(Value first, const Layer &third, Value tokens, int64_t bits) {
  std::string name = body.getText("activation_type");
  int64_t fusion = body.getInteger("swiglu_fusion");
  if (name == "swiglu" && fusion != 0) {
    // Gate and linear part take turns, or come one after the other.
    if (fusion == 1) {
      Value pairs = body.add("Reshape", {first, body.integers({0, 0, -1, 2})});
      return activateGate(body.add("Gather", {pairs, body.integer(0)}, {{"axis", 3}}),
                          body.add("Gather", {pairs, body.integer(1)}, {{"axis", 3}}));
    }
    std::vector<Value> halves =
        body.addMany(2, "Split", {first}, {{"axis", -1}, {"num_outputs", 2}});
    return activateGate(halves[0], halves[1]);
  }
  bool hasThird = body.hasInput(third.weights);
  if (name == "swiglu")
    return hasThird ? activateGate(first, apply(third, tokens, bits)) : Value();
  if (name == "relu")
    first = body.add("Relu", {first});
  else if (name == "silu")
    first = body.add("Swish", {first});
  else if (name == "gelu")
    first = body.add("Gelu", {first}, {{"approximate", std::string("tanh")}});
  else if (name != "identity")
    return "";
  return hasThird ? body.add("Mul", {first, apply(third, tokens, bits)}) : first;
}

Body ExpertsBody::write(bool isQuantized) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  if (body.getInteger("use_sparse_mixer"))
    return body.refuse("use_sparse_mixer is not supported");
  Layer first{2, 3, -1, -1}, second{4, 5, -1, -1}, third{6, 7, -1, -1};
  int64_t preset = body.getInteger("expert_weight_bits", 4);
  if (isQuantized) {
    first = {2, 4, 3, 11};
    second = {5, 7, 6, 12};
    third = {8, 10, 9, 13};
    if (body.getText("quant_type") != "int")
      return body.refuse("the quant_type '" + body.getText("quant_type") +
                         "' is not supported: expected 'int'");
    if (body.getInteger("weights_prepacked", -1) > 0)
      return body.refuse("weights that are packed for another device are not supported");
  }
  auto getBits = [&](const char *name) { return body.getInteger(name, preset); };
  int64_t firstBits = getBits("fc1_expert_weight_bits"),
          secondBits = getBits("fc2_expert_weight_bits"),
          thirdBits = getBits("fc3_expert_weight_bits");
  for (int64_t bits : {firstBits, secondBits, thirdBits})
    if (isQuantized && bits != 2 && bits != 4 && bits != 8)
      return body.refuse("weights of " + std::to_string(bits) +
                         " bits are not supported: expected 2, 4 or 8");
  Value tokens = body.getInput(0);
  if (shape->size() == 3)
    tokens = body.add("Reshape",
                      {tokens, body.concat({body.integers({-1}), body.sizeOf(tokens, 2)}, 0)});
  Value each = body.unsqueeze(tokens, {0}); // [1, T, H]
  Value hidden = apply(first, each, firstBits);
  if (!hidden.empty())
    hidden = activateFirst(hidden, third, each, thirdBits);
  if (hidden.empty())
    return body.refuse("the activation_type '" + body.getText("activation_type") +
                       "' is not supported, or the weights have not the shapes that it needs");
  Value said = apply(second, hidden, secondBits);
  if (said.empty())
    return body.refuse("fc2_experts_weights and fc2_scales need known shapes that fit");
  Value weights = route(body.getInteger("k", 1), isQuantized);
  Value result = body.add("ReduceSum", {body.add("Mul", {said, weights}), body.integers({0})},
                          {{"keepdims", 0}});
  if (shape->size() == 3)
    result = body.add("Reshape", {result, body.add("Shape", {body.getInput(0)})});
  body.setOutput(0, result);
  return body.take();
}

Body writeMoe(BodyBuilder &body) { return ExpertsBody(body).write(/*isQuantized=*/false); }
Body writeQMoe(BodyBuilder &body) { return ExpertsBody(body).write(/*isQuantized=*/true); }

} // namespace tenon::import
