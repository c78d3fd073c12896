// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The attribute post_transform of ai.onnx.ml. What the standard does not define is what ONNX
// Runtime does.

#include "lib/import/FunctionBodies.h"

#include <cmath>

namespace tenon::import {

using Value = BodyBuilder::Value;
static constexpr int32_t kFloat = proto::TensorProto::FLOAT;

/// sqrt(2) * erfinv(2 x - 1), by Winitzki's approximation of the inverse error function.
static Value makeProbit(BodyBuilder &body, Value x) {
  auto constant = [&](double value) { return body.scalar(value, kFloat); };
  constexpr double a = 0.147;
  Value y = body.add("Sub", {body.add("Mul", {constant(2), x}), constant(1)});
  Value log = body.add("Log", {body.add("Sub", {constant(1), body.add("Mul", {y, y})})});
  Value half = body.add("Add", {constant(2 / (M_PI * a)), body.add("Mul", {constant(0.5), log})});
  Value root = body.add("Sqrt", {body.add("Sub", {body.add("Mul", {half, half}),
                                                  body.add("Div", {log, constant(a)})})});
  Value magnitude = body.add("Sqrt", {body.add("Sub", {root, half})});
  return body.add("Mul",
                  {constant(std::sqrt(2.0)), body.add("Mul", {body.add("Sign", {y}), magnitude})});
}

/// A softmax in which zeros stay zeros.
static Value makeSoftmaxOfNonZero(BodyBuilder &body, Value scores) {
  auto constant = [&](double value) { return body.scalar(value, kFloat); };
  Value axes = body.integers({-1});
  Value maximum = body.add("ReduceMax", {scores, axes}, {{"keepdims", 1}});
  Value isZero = body.add("LessOrEqual", {body.add("Abs", {scores}), constant(1e-7)});
  Value power = body.add("Exp", {body.add("Sub", {scores, maximum})});
  power = body.add("Where", {isZero, constant(0), power});
  Value sum = body.add("ReduceSum", {power, axes}, {{"keepdims", 1}});
  Value isEmpty = body.add("Equal", {sum, constant(0)});
  return body.add("Div", {power, body.add("Where", {isEmpty, constant(1), sum})});
}

Value transformScores(BodyBuilder &body, Value scores) {
  std::string name = body.getText("post_transform");
  if (name == "NONE" || name.empty())
    return scores;
  if (name == "LOGISTIC")
    return body.add("Sigmoid", {scores});
  if (name == "SOFTMAX")
    return body.add("Softmax", {scores}, {{"axis", -1}});
  if (name == "SOFTMAX_ZERO")
    return makeSoftmaxOfNonZero(body, scores);
  if (name == "PROBIT")
    return makeProbit(body, scores);
  return "";
}

} // namespace tenon::import
