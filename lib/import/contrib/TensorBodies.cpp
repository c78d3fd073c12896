// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contrib operators that compute element by element or move elements: those that the standard has
// by now, and those that early versions of ONNX had for a trial.

#include "lib/import/contrib/ContribBodies.h"

#include <limits>

using namespace mlir;

namespace tenon::import {

/// An operator of ai.onnx that takes the same operands.
static Body delegate(BodyBuilder &body, const char *operation,
                     std::vector<BodyBuilder::Attribute> attributes = {}) {
  std::vector<Value> operands;
  for (int i = 0; i < body.getInputCount(); ++i)
    operands.push_back(getOptionalInput(body, i));
  body.setOutput(0, body.add(operation, operands, std::move(attributes)));
  return body.take();
}

Body writeExpandDims(BodyBuilder &body) {
  if (std::optional<int64_t> axis = body.getConstantInteger(1))
    body.setOutput(0, body.unsqueeze(body.getInput(0), {*axis}));
  else
    return body.refuse("expected a constant axis");
  return body.take();
}

Body writeRange(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  if (type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  auto take = [&](int index) { return body.add("Squeeze", {body.getInput(index)}); };
  Value step = body.hasInput(2) ? take(2) : body.scalar(1, type);
  body.setOutput(0, body.add("Range", {take(0), take(1), step}));
  return body.take();
}

Body writePad(BodyBuilder &body) {
  Value pads = body.reshape(body.getInput(1), {-1});
  Value filling = body.hasInput(2) ? body.add("Squeeze", {body.getInput(2)}) : Value();
  body.setOutput(
      0, body.add("Pad", {body.getInput(0), pads, filling}, {{"mode", body.getText("mode")}}));
  return body.take();
}

Body writeGridSample(BodyBuilder &body) {
  std::string mode = body.getText("mode");
  if (mode == "bilinear" || mode == "bicubic")
    mode = mode == "bilinear" ? "linear" : "cubic";
  return delegate(body, "GridSample",
                  {{"mode", mode},
                   {"padding_mode", body.getText("padding_mode")},
                   {"align_corners", body.getInteger("align_corners")}});
}

Body writeTrilu(BodyBuilder &body) {
  return delegate(body, "Trilu", {{"upper", body.getInteger("upper", 1)}});
}

Body writeUnique(BodyBuilder &body) {
  std::vector<Value> results = body.addMany(4, "Unique", {body.getInput(0)}, {{"sorted", 0}});
  body.setOutput(0, results[0]);
  body.setOutput(1, results[2]);
  body.setOutput(2, results[3]);
  return body.take();
}

Body writeGatherNd(BodyBuilder &body) {
  body.setOutput(0,
                 body.add("GatherND", {body.getInput(0), body.cast(body.getInput(1), kInteger)}));
  return body.take();
}

Body writeTorchEmbedding(BodyBuilder &body) {
  body.setOutput(0, body.add("Gather", {body.getInput(0), body.getInput(1)}, {{"axis", 0}}));
  return body.take();
}

Body writeUnfoldTensor(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->empty())
    return std::nullopt;
  auto rank = static_cast<int64_t>(shape->size());
  int64_t axis = body.getInteger("dim", -1), size = body.getInteger("size"),
          step = body.getInteger("step", 1);
  if (axis < 0)
    axis += rank;
  if (size < 1 || step < 1 || axis < 0 || axis >= rank)
    return body.refuse("expected size and step of at least 1, and a dim of the input");
  Value last = body.add("Sub", {body.sizeOf(body.getInput(0), axis), body.integer(size)});
  Value count = body.add("Add", {body.add("Div", {last, body.integer(step)}), body.integer(1)});
  Value starts = body.add("Mul", {body.countTo(count), body.integer(step)});
  Value places = body.add("Add", {body.unsqueeze(starts, {1}),
                                  body.unsqueeze(body.countTo(body.integers({size})), {0})});
  Value slices = body.add("Gather", {body.getInput(0), places}, {{"axis", axis}});
  std::vector<int64_t> permutation;
  for (int64_t dim = 0; dim <= rank; ++dim)
    if (dim != axis + 1)
      permutation.push_back(dim);
  permutation.push_back(axis + 1);
  body.setOutput(0, body.transpose(slices, permutation));
  return body.take();
}

/// Where the last tokens, all but one of an n-gram, have been seen before, the token that followed
/// them must not follow again.
Body writeNGramRepeatBlock(BodyBuilder &body) {
  int64_t length = body.getInteger("ngram_size");
  if (length < 1)
    return body.refuse("expected an ngram_size of at least 1");
  Value tokens = body.getInput(0), axis = body.integers({1});
  // How many n-grams there are.
  Value count = body.add("Sub", {body.sizeOf(tokens, 1), body.integers({length - 1})});
  count = body.add("Max", {count, body.integers({0})});
  auto slice = [&](int64_t offset) {
    Value start = body.integers({offset});
    return body.add("Slice", {tokens, start, body.add("Add", {start, count}), axis});
  };
  Value next = slice(length - 1);
  Value isBlocked = body.add("Equal", {next, next});
  for (int64_t i = 0; i + 1 < length; ++i) {
    Value place = body.add("Add", {count, body.integers({i})});
    Value last = body.add("Slice", {tokens, place, body.add("Add", {place, axis}), axis});
    isBlocked = body.add("And", {isBlocked, body.add("Equal", {slice(i), last})});
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Value bounds = body.add(
      "Where", {isBlocked, body.scalar(-kInfinity, kFloat), body.scalar(kInfinity, kFloat)});
  body.setOutput(0, body.add("ScatterElements", {body.getInput(1), next, bounds},
                             {{"axis", 1}, {"reduction", std::string("min")}}));
  return body.take();
}

Body writeNhwcMaxPool(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->size() < 3)
    return std::nullopt;
  Value input = moveChannels(body, body.getInput(0), shape->size(), /*toEnd=*/false);
  Value result = body.add("MaxPool", {input}, getWindowAttributes(body));
  body.setOutput(0, moveChannels(body, result, shape->size(), /*toEnd=*/true));
  return body.take();
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Body writeCDist(BodyBuilder &body) {
  std::string metric = body.getText("metric");
  if (metric != "sqeuclidean" && metric != "euclidean")
    return body.refuse("the metric '" + metric +
                       "' is not supported: expected euclidean or sqeuclidean");
  // Of the differences themselves: the difference of squares would cancel.
  Value difference = body.add(
      "Sub", {body.unsqueeze(body.getInput(0), {1}), body.unsqueeze(body.getInput(1), {0})});
  Value result = body.add("ReduceSumSquare", {difference, body.integers({2})}, {{"keepdims", 0}});
  body.setOutput(0, metric == "euclidean" ? body.add("Sqrt", {result}) : result);
  return body.take();
}

/// Products of complex numbers, whose parts are the last dimension.
static Body multiplyComplex(BodyBuilder &body, bool isConjugate) {
  auto part = [&](int index, int64_t which) {
    return body.slice(body.getInput(index), -1, which, which + 1);
  };
  auto multiply = [&](int64_t left, int64_t right) {
    return body.add("Mul", {part(0, left), part(1, right)});
  };
  Value real = body.add(isConjugate ? "Add" : "Sub", {multiply(0, 0), multiply(1, 1)});
  Value imaginary = body.add(isConjugate ? "Sub" : "Add", {multiply(1, 0), multiply(0, 1)});
  body.setOutput(0, body.concat({real, imaginary}, -1));
  return body.take();
}

Body writeComplexMul(BodyBuilder &body) { return multiplyComplex(body, false); }
Body writeComplexMulConj(BodyBuilder &body) { return multiplyComplex(body, true); }

Body writeRfft(BodyBuilder &body) {
  if (body.getInteger("signal_ndim", 1) != 1 || body.getInteger("normalized") ||
      body.getInteger("onesided", 1) != 1)
    return body.refuse("only one-sided transforms of one dimension are supported");
  Value input = body.unsqueeze(body.getInput(0), {-1});
  body.setOutput(0, body.add("DFT", {input, "", body.integer(-2)}, {{"onesided", 1}}));
  return body.take();
}

Body writeSwiGlu(BodyBuilder &body) {
  Value gate = body.getInput(0), linear = getOptionalInput(body, 1);
  int32_t type = body.getElementType(0);
  if (linear.empty()) {
    std::vector<Value> halves =
        body.addMany(2, "Split", {gate}, {{"axis", -1}, {"num_outputs", 2}});
    gate = halves[0];
    linear = halves[1];
  }
  gate = body.cast(gate, kFloat);
  linear = body.cast(linear, kFloat);
  if (double limit = body.getNumber("limit"); limit > 0) {
    gate = body.add("Min", {gate, body.scalar(limit, kFloat)});
    linear = body.add("Clip", {linear, body.scalar(-limit, kFloat), body.scalar(limit, kFloat)});
  }
  gate = body.add("Swish", {gate}, {{"alpha", body.getNumber("activation_alpha", 1)}});
  if (body.getInteger("round_activation"))
    gate = body.cast(body.cast(gate, type), kFloat);
  linear = body.add("Add", {linear, body.scalar(body.getNumber("activation_beta"), kFloat)});
  body.setOutput(0, body.cast(body.add("Mul", {gate, linear}), type));
  return body.take();
}

Body writeScaledSiLu(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  Value scale = body.hasInput(1) ? body.cast(body.getInput(1), type)
                                 : body.scalar(body.getNumber("alpha", 1), type);
  Value scaled = body.add("Mul", {body.getInput(0), scale});
  body.setOutput(0, body.add("Mul", {scaled, body.add("Sigmoid", {scaled})}));
  return body.take();
}

Body writeGatedRmsNorm(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0), scale = body.getShape(1);
  int32_t type = body.getElementType(0);
  if (!shape || shape->empty() || !scale || scale->size() != 1 || scale->front() < 1)
    return body.refuse("expected an input of known rank and a scale of known size");
  std::string activation = body.getText("activation");
  if (activation != "silu" && activation != "swish" && activation != "sigmoid")
    return body.refuse("the activation '" + activation + "' is not supported");
  // Groups of as many channels as the scale has.
  std::vector<int64_t> split(shape->size() - 1, 0), joined(shape->size(), 0);
  split.insert(split.end(), {-1, scale->front()});
  joined.back() = -1;
  Value groups = body.reshape(body.cast(body.getInput(0), kFloat), split);
  Value normal = body.add("RMSNormalization", {groups, body.cast(body.getInput(1), kFloat)},
                          {{"axis", -1}, {"epsilon", body.getNumber("epsilon", 1e-5)}});
  Value gate = body.reshape(body.cast(body.getInput(2), kFloat), split);
  gate = body.add(activation == "sigmoid" ? "Sigmoid" : "Swish", {gate});
  Value result = body.reshape(body.add("Mul", {normal, gate}), joined);
  body.setOutput(0, body.cast(result, type));
  return body.take();
}

//===----------------------------------------------------------------------===//
// Of early versions of ONNX
//===----------------------------------------------------------------------===//

/// outer * f(inner * x) + offset, f being an operator or nothing.
static Body writeScaled(BodyBuilder &body, const char *operation, double inner, double outer,
                        double offset) {
  int32_t type = body.getElementType(0);
  if (type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  Value value = body.getInput(0);
  if (operation)
    value = body.add(operation, {body.add("Mul", {value, body.scalar(inner, type)})});
  value = body.add("Mul", {value, body.scalar(outer, type)});
  body.setOutput(0, body.add("Add", {value, body.scalar(offset, type)}));
  return body.take();
}

Body writeAffine(BodyBuilder &body) {
  return writeScaled(body, nullptr, 1, body.getNumber("alpha", 1), body.getNumber("beta"));
}

Body writeScale(BodyBuilder &body) {
  return writeScaled(body, nullptr, 1, body.getNumber("scale", 1), 0);
}

Body writeScaledTanh(BodyBuilder &body) {
  return writeScaled(body, "Tanh", body.getNumber("beta", 1), body.getNumber("alpha", 1), 0);
}

Body writeParametricSoftplus(BodyBuilder &body) {
  return writeScaled(body, "Softplus", body.getNumber("beta", 1), body.getNumber("alpha", 1), 0);
}

Body writeImageScaler(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  std::vector<double> bias = body.getNumbers("bias");
  if (type == proto::TensorProto::UNDEFINED || bias.empty())
    return body.refuse("expected a bias for each channel");
  auto channels = static_cast<int64_t>(bias.size());
  Value scaled = body.add("Mul", {body.getInput(0), body.scalar(body.getNumber("scale", 1), type)});
  body.setOutput(0, body.add("Add", {scaled, body.tensor(bias, {channels, 1, 1}, type)}));
  return body.take();
}

Body writeCrop(BodyBuilder &body) {
  std::vector<int64_t> border = body.getIntegers("border"), size = body.getIntegers("scale");
  if (border.size() != 4 || (!size.empty() && size.size() != 2))
    return body.refuse("expected a border of 4 sizes, and a scale of 2 if there is one");
  Value starts = body.integers({border[1], border[0]}), axes = body.integers({2, 3}), ends;
  if (size.empty())
    ends = body.add("Sub", {body.add("Shape", {body.getInput(0)}, {{"start", 2}}),
                            body.integers({border[3], border[2]})});
  else
    ends = body.integers({border[1] + size[0], border[0] + size[1]});
  body.setOutput(0, body.add("Slice", {body.getInput(0), starts, ends, axes}));
  return body.take();
}

Body writeThresholdedRelu(BodyBuilder &body) {
  return delegate(body, "ThresholdedRelu", {{"alpha", body.getNumber("alpha", 1)}});
}

} // namespace tenon::import
