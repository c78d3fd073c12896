// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activation functions: elementwise operators that ONNX defines by a formula of others.
//
// They are lowered here and not through ONNX's function bodies, which would scatter one function
// over many operations and spell constants in ways that lose accuracy.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

/// x where it is not negative (or NaN), else `negative`.
static Value selectNegative(Scalar &scalar, Value x, Value negative) {
  return scalar.select(scalar.less(x, scalar.constant(0, x)), negative, x);
}

/// factor * (exp(x) - 1)
static Value scaledExpm1(Scalar &scalar, Value x, double factor) {
  return scalar.multiply(scalar.constant(factor, x), math::ExpM1Op::create(scalar.builder, x));
}

/// max(0, min(1, alpha * x + beta))
static Value hardSigmoid(Scalar &scalar, Value x, double alpha, double beta) {
  Value y = scalar.affine(x, alpha, beta);
  Value zero = scalar.constant(0, x), one = scalar.constant(1, x);
  y = scalar.select(scalar.less(one, y), one, y);
  return scalar.select(scalar.less(y, zero), zero, y);
}

/// x * sigmoid(alpha * x)
static Value swish(Scalar &scalar, Value x, double alpha) {
  Value scaled = alpha == 1.0 ? x : scalar.multiply(x, scalar.constant(alpha, x));
  Value one = scalar.constant(1, x);
  return scalar.divide(x, scalar.add(one, scalar.exp(scalar.negate(scaled))));
}

static Value gelu(Scalar &scalar, ValueRange elements) {
  Value x = elements[0], half = scalar.constant(0.5, x), one = scalar.constant(1, x), inner;
  if (cast<onnx::GeluOp>(scalar.op).getApproximate() == "tanh") {
    // tanh(sqrt(2 / pi) * (x + 0.044715 x^3))
    Value cube = scalar.multiply(scalar.multiply(x, x), x);
    Value sum = scalar.add(x, scalar.multiply(cube, scalar.constant(0.044715, x)));
    inner = scalar.tanh(scalar.multiply(sum, scalar.constant(M_2_SQRTPI * M_SQRT1_2, x)));
  } else {
    inner = math::ErfOp::create(scalar.builder, scalar.multiply(x, scalar.constant(M_SQRT1_2, x)));
  }
  return scalar.multiply(scalar.multiply(x, half), scalar.add(one, inner));
}

void lower::populateActivationPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  auto add = [&](StringRef operation, ElementPayload payload) {
    addElementwise(converter, patterns, operation, payload);
  };
  using V = ValueRange;

  add(onnx::ReluOp::getOperationName(),
      [](Scalar &s, V x) { return selectNegative(s, x[0], s.constant(0, x[0])); });
  add(onnx::LeakyReluOp::getOperationName(), [](Scalar &s, V x) {
    double alpha = cast<onnx::LeakyReluOp>(s.op).getAlpha();
    return selectNegative(s, x[0], s.multiply(x[0], s.constant(alpha, x[0])));
  });
  add(onnx::PReluOp::getOperationName(),
      [](Scalar &s, V x) { return selectNegative(s, x[0], s.multiply(x[0], x[1])); });
  add(onnx::ThresholdedReluOp::getOperationName(), [](Scalar &s, V x) {
    Value alpha = s.constant(cast<onnx::ThresholdedReluOp>(s.op).getAlpha(), x[0]);
    return s.select(s.less(alpha, x[0]), x[0], s.constant(0, x[0]));
  });
  add(onnx::EluOp::getOperationName(), [](Scalar &s, V x) {
    return selectNegative(s, x[0], scaledExpm1(s, x[0], cast<onnx::EluOp>(s.op).getAlpha()));
  });
  add(onnx::CeluOp::getOperationName(), [](Scalar &s, V x) {
    double alpha = cast<onnx::CeluOp>(s.op).getAlpha();
    Value scaled = s.divide(x[0], s.constant(alpha, x[0]));
    return selectNegative(s, x[0], scaledExpm1(s, scaled, alpha));
  });
  add(onnx::SeluOp::getOperationName(), [](Scalar &s, V x) {
    auto op = cast<onnx::SeluOp>(s.op);
    Value y = selectNegative(s, x[0], scaledExpm1(s, x[0], op.getAlpha()));
    return s.multiply(y, s.constant(op.getGamma(), x[0]));
  });
  add(onnx::ShrinkOp::getOperationName(), [](Scalar &s, V x) {
    auto op = cast<onnx::ShrinkOp>(s.op);
    Value lambda = s.constant(op.getLambd(), x[0]), bias = s.constant(op.getBias(), x[0]);
    // In integers lambda and bias are rounded, and so is -lambda.
    Value low = s.constant(-op.getLambd(), x[0]), zero = s.constant(0, x[0]);
    Value high = s.select(s.less(lambda, x[0]), s.subtract(x[0], bias), zero);
    return s.select(s.less(x[0], low), s.add(x[0], bias), high);
  });
  add(onnx::SigmoidOp::getOperationName(), [](Scalar &s, V x) { return s.sigmoid(x[0]); });
  add(onnx::HardSigmoidOp::getOperationName(), [](Scalar &s, V x) {
    auto op = cast<onnx::HardSigmoidOp>(s.op);
    return hardSigmoid(s, x[0], op.getAlpha(), op.getBeta());
  });
  add(onnx::HardSwishOp::getOperationName(),
      [](Scalar &s, V x) { return s.multiply(x[0], hardSigmoid(s, x[0], 1.0 / 6.0, 0.5)); });
  add(onnx::SwishOp::getOperationName(),
      [](Scalar &s, V x) { return swish(s, x[0], cast<onnx::SwishOp>(s.op).getAlpha()); });
  add(onnx::SwiGLUOp::getOperationName(), [](Scalar &s, V x) {
    return s.multiply(swish(s, x[0], cast<onnx::SwiGLUOp>(s.op).getAlpha()), x[1]);
  });
  add(onnx::MishOp::getOperationName(),
      [](Scalar &s, V x) { return s.multiply(x[0], s.tanh(s.softplus(x[0]))); });
  add(onnx::SoftplusOp::getOperationName(), [](Scalar &s, V x) { return s.softplus(x[0]); });
  add(onnx::SoftsignOp::getOperationName(),
      [](Scalar &s, V x) { return s.divide(x[0], s.add(s.constant(1, x[0]), s.absolute(x[0]))); });
  add(onnx::GeluOp::getOperationName(), gelu);
}
