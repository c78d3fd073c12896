// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators of ai.onnx.ml on numbers: preparing features, and models that are products. What
// they do beyond the standard's few words is what ONNX Runtime does.

#include "lib/import/FunctionBodies.h"
#include "lib/import/LearnedModels.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;
using Body = std::optional<proto::FunctionProto>;
static constexpr int32_t kFloat = proto::TensorProto::FLOAT;
static constexpr int32_t kInteger = proto::TensorProto::INT64;

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

static Body writeArrayFeatureExtractor(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->empty())
    return std::nullopt;
  Value positions = body.add("Reshape", {body.getInput(1), body.integers({-1})});
  Value result = body.add("Gather", {body.getInput(0), positions}, {{"axis", -1}});
  if (shape->size() == 1)
    result = body.add("Unsqueeze", {result, body.integers({0})});
  body.setOutput(0, result);
  return body.take();
}

static Body writeBinarizer(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  if (!isNumeric(type))
    return std::nullopt;
  Value isOver =
      body.add("Greater", {body.getInput(0), body.scalar(body.getNumber("threshold"), type)});
  body.setOutput(0, body.cast(isOver, type));
  return body.take();
}

static Body writeScaler(BodyBuilder &body) {
  if (!isNumeric(body.getElementType(0)))
    return std::nullopt;
  Value result = body.cast(body.getInput(0), kFloat);
  if (body.hasAttribute("offset"))
    result = body.add("Sub", {result, makeVector(body, body.getNumbers("offset"), kFloat)});
  if (body.hasAttribute("scale"))
    result = body.add("Mul", {result, makeVector(body, body.getNumbers("scale"), kFloat)});
  body.setOutput(0, result);
  return body.take();
}

/// A row whose norm is zero stays as it is.
static Body writeNormalizer(BodyBuilder &body) {
  const char *reduction = llvm::StringSwitch<const char *>(body.getText("norm"))
                              .Case("MAX", "ReduceMax")
                              .Case("L1", "ReduceL1")
                              .Case("L2", "ReduceL2")
                              .Default(nullptr);
  if (!reduction || !isNumeric(body.getElementType(0)))
    return std::nullopt;
  Value input = body.cast(body.getInput(0), kFloat);
  Value norm = body.add(reduction, {input, body.integers({-1})}, {{"keepdims", 1}});
  Value isZero = body.add("Equal", {norm, body.scalar(0, kFloat)});
  norm = body.add("Where", {isZero, body.scalar(1, kFloat), norm});
  body.setOutput(0, body.add("Div", {input, norm}));
  return body.take();
}

static Body writeImputer(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  if (!isNumeric(type))
    return std::nullopt;
  Value input = body.getInput(0);
  bool isFloat = body.hasAttribute("imputed_value_floats");
  double replaced = body.getNumber("replaced_value_float");
  std::vector<double> imputed = body.getNumbers("imputed_value_floats");
  if (!isFloat) {
    replaced = static_cast<double>(body.getInteger("replaced_value_int64"));
    for (int64_t value : body.getIntegers("imputed_value_int64s"))
      imputed.push_back(static_cast<double>(value));
  }
  if (imputed.empty())
    return std::nullopt;
  Value isMissing = isFloat && std::isnan(replaced)
                        ? body.add("IsNaN", {input})
                        : body.add("Equal", {input, body.scalar(replaced, type)});
  body.setOutput(0, body.add("Where", {isMissing, makeVector(body, imputed, type), input}));
  return body.take();
}

static Body writeFeatureVectorizer(BodyBuilder &body) {
  std::vector<Value> parts;
  std::vector<int64_t> sizes = body.getIntegers("inputdimensions");
  if (static_cast<int>(sizes.size()) != body.getInputCount())
    return std::nullopt;
  for (int i = 0; i < body.getInputCount(); ++i) {
    std::optional<std::vector<int64_t>> shape = body.getShape(i);
    if (!shape || !isNumeric(body.getElementType(i)))
      return std::nullopt;
    int64_t batch = shape->size() <= 1 ? 1 : 0; // 0: as it is
    parts.push_back(body.add(
        "Reshape", {body.cast(body.getInput(i), kFloat), body.integers({batch, sizes[i]})}));
  }
  body.setOutput(0, body.add("Concat", parts, {{"axis", 1}}));
  return body.take();
}

//===----------------------------------------------------------------------===//
// Linear models
//===----------------------------------------------------------------------===//

/// input C^T + intercepts, C having a row for each of `targets`. Empty where the coefficients do
/// not fit.
static Value makeScores(BodyBuilder &body, int64_t targets) {
  std::vector<double> coefficients = body.getNumbers("coefficients");
  if (targets < 1 || coefficients.empty() ||
      coefficients.size() % static_cast<size_t>(targets) != 0)
    return "";
  auto features = static_cast<int64_t>(coefficients.size()) / targets;
  // The product of two matrices wants the transpose of what the attribute has.
  Value weights = body.add("Transpose", {body.tensor(coefficients, {targets, features}, kFloat)},
                           {{"perm", std::vector<int64_t>{1, 0}}});
  Value scores = body.add("MatMul", {makeSamples(body), weights});
  if (std::vector<double> intercepts = body.getNumbers("intercepts"); !intercepts.empty())
    scores = body.add("Add", {scores, makeVector(body, intercepts, kFloat)});
  return scores;
}

static Body writeLinearRegressor(BodyBuilder &body) {
  if (!isNumeric(body.getElementType(0)))
    return std::nullopt;
  Value scores = makeScores(body, body.getInteger("targets", 1));
  Value result = scores.empty() ? "" : transformScores(body, scores);
  if (result.empty())
    return std::nullopt;
  body.setOutput(0, result);
  return body.take();
}

static Body writeLinearClassifier(BodyBuilder &body) {
  ClassLabels labels(body, "classlabels_ints");
  auto count = static_cast<int64_t>(body.getNumbers("intercepts").size());
  if (count == 0)
    count = labels.count();
  if (labels.count() == 0 || !isNumeric(body.getElementType(0)) ||
      (labels.count() != count && !(labels.count() == 2 && count == 1)))
    return std::nullopt;
  Value scores = makeScores(body, count);
  if (scores.empty())
    return std::nullopt;
  if (count == 1 && labels.count() == 2) {
    // One score decides between two classes.
    Value isPositive = body.cast(body.add("Greater", {scores, body.scalar(0, kFloat)}), kInteger);
    body.setOutput(0, labels.choose(body.add("Squeeze", {isPositive, body.integers({1})})));
    Value positive = transformScores(body, scores);
    if (positive.empty())
      return std::nullopt;
    Value negative = body.add("Sub", {body.scalar(1, kFloat), positive});
    body.setOutput(1, body.add("Concat", {negative, positive}, {{"axis", 1}}));
    return body.take();
  }
  Value chosen = body.add("ArgMax", {scores}, {{"axis", 1}, {"keepdims", 0}});
  Value transformed = transformScores(body, scores);
  if (transformed.empty())
    return std::nullopt;
  body.setOutput(0, labels.choose(chosen));
  body.setOutput(1, transformed);
  return body.take();
}

BodyFunction findFeatureBody(StringRef domain, StringRef name) {
  if (domain != "ai.onnx.ml")
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("ArrayFeatureExtractor", writeArrayFeatureExtractor)
      .Case("Binarizer", writeBinarizer)
      .Case("FeatureVectorizer", writeFeatureVectorizer)
      .Case("Imputer", writeImputer)
      .Case("LinearClassifier", writeLinearClassifier)
      .Case("LinearRegressor", writeLinearRegressor)
      .Case("Normalizer", writeNormalizer)
      .Case("Scaler", writeScaler)
      .Default(nullptr);
}

} // namespace tenon::import
