// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators of ai.onnx.ml on numbers: preparing features, and models that are products. What
// they do beyond the standard's few words is what ONNX Runtime does.

#include "lib/import/FunctionBodies.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;
using Body = std::optional<proto::FunctionProto>;
static constexpr int32_t kFloat = proto::TensorProto::FLOAT;
static constexpr int32_t kInteger = proto::TensorProto::INT64;

static bool isNumeric(int32_t type) {
  return llvm::is_contained({kFloat, kInteger, static_cast<int32_t>(proto::TensorProto::DOUBLE),
                             static_cast<int32_t>(proto::TensorProto::INT32)},
                            type);
}

static Value makeVector(BodyBuilder &body, std::vector<double> values, int32_t type) {
  auto size = static_cast<int64_t>(values.size());
  return body.tensor(std::move(values), {size}, type);
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

static Body writeArrayFeatureExtractor(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->empty() || !isNumeric(body.getElementType(0)))
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

static Body writeOneHotEncoder(BodyBuilder &body) {
  std::vector<int64_t> categories = body.getIntegers("cats_int64s");
  if (categories.empty() || !isNumeric(body.getElementType(0)))
    return std::nullopt;
  Value input = body.add("Unsqueeze", {body.cast(body.getInput(0), kInteger), body.integers({-1})});
  body.setOutput(0, body.cast(body.add("Equal", {input, body.integers(categories)}), kFloat));
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

/// Each element is compared with all keys; the first that is equal tells the value.
static Body writeLabelEncoder(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  auto read = [&](const char *integers, const char *floats, const char *tensor,
                  int32_t &elementType) -> Value {
    if (body.hasAttribute(integers)) {
      elementType = kInteger;
      return body.integers(body.getIntegers(integers));
    }
    if (body.hasAttribute(floats)) {
      elementType = kFloat;
      return makeVector(body, body.getNumbers(floats), kFloat);
    }
    if (std::optional<proto::TensorProto> elements = body.getTensor(tensor)) {
      elementType = elements->data_type();
      return body.constant(*elements);
    }
    return "";
  };
  int32_t keyType = 0, valueType = 0;
  Value keys = read("keys_int64s", "keys_floats", "keys_tensor", keyType);
  Value values = read("values_int64s", "values_floats", "values_tensor", valueType);
  if (keys.empty() || values.empty() || keyType != type || !isNumeric(keyType) ||
      !isNumeric(valueType))
    return std::nullopt;
  Value preset;
  if (std::optional<proto::TensorProto> elements = body.getTensor("default_tensor"))
    preset = body.add("Squeeze", {body.constant(*elements)});
  else if (valueType == kInteger)
    preset = body.integer(body.getInteger("default_int64", -1));
  else
    preset = body.scalar(body.getNumber("default_float"), valueType);

  Value isEqual = body.cast(
      body.add("Equal", {body.add("Unsqueeze", {body.getInput(0), body.integers({-1})}), keys}),
      proto::TensorProto::INT32);
  Value position = body.add("ArgMax", {isEqual}, {{"axis", -1}, {"keepdims", 0}});
  Value isKnown =
      body.cast(body.add("ReduceMax", {isEqual, body.integers({-1})}, {{"keepdims", 0}}),
                proto::TensorProto::BOOL);
  body.setOutput(
      0,
      body.add("Where", {isKnown, body.add("Gather", {values, position}, {{"axis", 0}}), preset}));
  return body.take();
}

//===----------------------------------------------------------------------===//
// Linear models and support vectors
//===----------------------------------------------------------------------===//

/// The input as a matrix of floats with one row per sample.
static Value makeMatrix(BodyBuilder &body) {
  Value input = body.cast(body.getInput(0), kFloat);
  if (std::optional<std::vector<int64_t>> shape = body.getShape(0); shape && shape->size() == 1)
    return body.add("Unsqueeze", {input, body.integers({0})});
  return input;
}

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
  Value scores = body.add("MatMul", {makeMatrix(body), weights});
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

/// The labels of classes that are chosen by number.
static Value chooseLabels(BodyBuilder &body, const std::vector<int64_t> &labels, Value chosen) {
  return body.add("Gather", {body.integers(labels), chosen}, {{"axis", 0}});
}

static Body writeLinearClassifier(BodyBuilder &body) {
  std::vector<int64_t> labels = body.getIntegers("classlabels_ints");
  size_t count = body.getNumbers("intercepts").size();
  if (count == 0)
    count = labels.size();
  if (labels.empty() || !isNumeric(body.getElementType(0)) ||
      (labels.size() != count && !(labels.size() == 2 && count == 1)))
    return std::nullopt;
  Value scores = makeScores(body, static_cast<int64_t>(count));
  if (scores.empty())
    return std::nullopt;
  if (count == 1 && labels.size() == 2) {
    // One score decides between two classes.
    Value isPositive = body.cast(body.add("Greater", {scores, body.scalar(0, kFloat)}), kInteger);
    body.setOutput(
        0, chooseLabels(body, labels, body.add("Squeeze", {isPositive, body.integers({1})})));
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
  body.setOutput(0, chooseLabels(body, labels, chosen));
  body.setOutput(1, transformed);
  return body.take();
}

/// The kernel's value for each pair of a row of `input` and one of `vectors`.
static Value makeKernel(BodyBuilder &body, Value input, Value vectors) {
  std::string kind = body.getText("kernel_type");
  std::vector<double> parameters = body.getNumbers("kernel_params");
  parameters.resize(3);
  auto constant = [&](double value) { return body.scalar(value, kFloat); };
  auto transpose = [&](Value x) {
    return body.add("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0}}});
  };
  if (kind == "RBF") {
    // Of the differences themselves: the difference of squares would cancel.
    Value difference = body.add("Sub", {body.add("Unsqueeze", {input, body.integers({1})}),
                                        body.add("Unsqueeze", {vectors, body.integers({0})})});
    Value distance =
        body.add("ReduceSumSquare", {difference, body.integers({2})}, {{"keepdims", 0}});
    return body.add("Exp", {body.add("Mul", {constant(-parameters[0]), distance})});
  }
  Value product = body.add("MatMul", {input, transpose(vectors)});
  if (kind == "LINEAR")
    return product;
  product = body.add(
      "Add", {body.add("Mul", {constant(parameters[0]), product}), constant(parameters[1])});
  if (kind == "POLY")
    return body.add("Pow", {product, constant(parameters[2])});
  if (kind == "SIGMOID")
    return body.add("Tanh", {product});
  return "";
}

static Body writeSvmRegressor(BodyBuilder &body) {
  std::vector<double> coefficients = body.getNumbers("coefficients"),
                      vectors = body.getNumbers("support_vectors"), rho = body.getNumbers("rho");
  int64_t count = body.getInteger("n_supports");
  if (!isNumeric(body.getElementType(0)) || rho.empty() || coefficients.empty())
    return std::nullopt;
  auto length = static_cast<int64_t>(coefficients.size());
  Value score;
  if (count > 0) {
    if (static_cast<int64_t>(vectors.size()) % count != 0 || length != count)
      return std::nullopt;
    auto features = static_cast<int64_t>(vectors.size()) / count;
    Value kernel =
        makeKernel(body, makeMatrix(body), body.tensor(vectors, {count, features}, kFloat));
    if (kernel.empty())
      return std::nullopt;
    score = body.add("MatMul", {kernel, body.tensor(coefficients, {count, 1}, kFloat)});
  } else {
    score = makeKernel(body, makeMatrix(body), body.tensor(coefficients, {1, length}, kFloat));
  }
  if (score.empty())
    return std::nullopt;
  score = body.add("Add", {score, body.scalar(rho.front(), kFloat)});
  if (body.getInteger("one_class"))
    score = body.add("Where", {body.add("Greater", {score, body.scalar(0, kFloat)}),
                               body.scalar(1, kFloat), body.scalar(-1, kFloat)});
  body.setOutput(0, score);
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
      .Case("LabelEncoder", writeLabelEncoder)
      .Case("LinearClassifier", writeLinearClassifier)
      .Case("LinearRegressor", writeLinearRegressor)
      .Case("Normalizer", writeNormalizer)
      .Case("OneHotEncoder", writeOneHotEncoder)
      .Case("SVMRegressor", writeSvmRegressor)
      .Case("Scaler", writeScaler)
      .Default(nullptr);
}

} // namespace tenon::import
