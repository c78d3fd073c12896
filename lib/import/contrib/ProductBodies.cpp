// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products and convolutions of com.microsoft, with what ONNX Runtime's optimizer joined to
// them: transposes, factors, activations.

#include "lib/import/contrib/ContribBodies.h"

using namespace mlir;

namespace tenon::import {

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The operand `index` of a product of matrices [batches..., rows, columns]. With `batchFirst` it
/// is [rows, batches..., columns]. Empty where the rank is needed and not known.
static Value orient(BodyBuilder &body, int index, bool isTransposed, bool batchFirst) {
  Value operand = body.getInput(index);
  if (!isTransposed && !batchFirst)
    return operand;
  std::optional<std::vector<int64_t>> shape = body.getShape(index);
  if (!shape)
    return "";
  auto rank = static_cast<int64_t>(shape->size());
  if (rank < 2)
    return operand;
  std::vector<int64_t> permutation;
  for (int64_t dim = 0; dim < rank; ++dim)
    permutation.push_back(dim);
  if (batchFirst && rank > 2)
    std::rotate(permutation.begin(), permutation.begin() + 1, permutation.end() - 1);
  if (isTransposed)
    std::swap(permutation[rank - 2], permutation[rank - 1]);
  return body.transpose(operand, permutation);
}

/// alpha * A B; empty where a rank is needed and not known.
static Value multiply(BodyBuilder &body) {
  auto isSet = [&](const char *name) { return body.getInteger(name) != 0; };
  Value left = orient(body, 0, isSet("transA"), isSet("transBatchA"));
  Value right = orient(body, 1, isSet("transB"), isSet("transBatchB"));
  int32_t type = body.getElementType(0);
  if (left.empty() || right.empty() || type == proto::TensorProto::UNDEFINED)
    return "";
  Value product = body.add("MatMul", {left, right});
  double alpha = body.getNumber("alpha", 1);
  return alpha == 1 ? product : body.add("Mul", {product, body.scalar(alpha, type)});
}

Body writeFusedMatMul(BodyBuilder &body) {
  Value product = multiply(body);
  if (product.empty())
    return std::nullopt;
  body.setOutput(0, product);
  return body.take();
}

/// The parameters of an activation that has an attribute for each.
static std::vector<double> getActivationParameters(BodyBuilder &body) {
  std::vector<double> parameters;
  for (const char *name : {"activation_alpha", "activation_beta", "activation_gamma"}) {
    if (!body.hasAttribute(name))
      break;
    parameters.push_back(body.getNumber(name));
  }
  return parameters;
}

static Body finishWithActivation(BodyBuilder &body, Value value,
                                 const std::vector<double> &parameters) {
  std::string name = body.getText("activation");
  Value result = activate(body, value, name, parameters, body.getElementType(0));
  if (result.empty())
    return body.refuse("the activation '" + name + "' is not supported");
  body.setOutput(0, result);
  return body.take();
}

Body writeFusedMatMulActivation(BodyBuilder &body) {
  Value product = multiply(body);
  if (product.empty())
    return std::nullopt;
  if (body.getText("activation") == "Softmax") {
    body.setOutput(
        0, body.add("Softmax", {product}, {{"axis", body.getInteger("activation_axis", -1)}}));
    return body.take();
  }
  return finishWithActivation(body, product, getActivationParameters(body));
}

Body writeFusedGemm(BodyBuilder &body) {
  Value product = body.add("Gemm", {body.getInput(0), body.getInput(1), getOptionalInput(body, 2)},
                           {{"transA", body.getInteger("transA")},
                            {"transB", body.getInteger("transB")},
                            {"alpha", body.getNumber("alpha", 1)},
                            {"beta", body.getNumber("beta", 1)}});
  return finishWithActivation(body, product, getActivationParameters(body));
}

Body writeGemmFastGelu(BodyBuilder &body) {
  Value product = body.add("MatMul", {body.getInput(0), body.getInput(1)});
  product = addOptional(body, product, getOptionalInput(body, 2));
  body.setOutput(0, body.add("Gelu", {product}, {{"approximate", std::string("tanh")}}));
  return body.take();
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

std::vector<BodyBuilder::Attribute> getWindowAttributes(BodyBuilder &body) {
  std::vector<BodyBuilder::Attribute> attributes;
  for (const char *name : {"kernel_shape", "pads", "strides", "dilations"})
    if (std::vector<int64_t> values = body.getIntegers(name); !values.empty())
      attributes.push_back({name, values});
  if (std::string padding = body.getText("auto_pad"); !padding.empty())
    attributes.push_back({"auto_pad", padding});
  for (const char *name : {"group", "ceil_mode", "count_include_pad"})
    if (body.hasAttribute(name))
      attributes.push_back({name, body.getInteger(name)});
  return attributes;
}

Value moveChannels(BodyBuilder &body, Value value, size_t rank, bool toEnd) {
  std::vector<int64_t> permutation;
  auto last = static_cast<int64_t>(rank) - 1;
  for (int64_t dim = 0; dim <= last; ++dim)
    permutation.push_back(dim);
  auto begin = permutation.begin() + 1;
  std::rotate(begin, toEnd ? begin + 1 : permutation.end() - 1, permutation.end());
  return body.transpose(value, permutation);
}

Body writeFusedConv(BodyBuilder &body) {
  Value result = body.add("Conv", {body.getInput(0), body.getInput(1), getOptionalInput(body, 2)},
                          getWindowAttributes(body));
  result = addOptional(body, result, getOptionalInput(body, 3));
  return finishWithActivation(body, result, body.getNumbers("activation_params"));
}

Body writeNhwcConv(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->size() < 3)
    return std::nullopt;
  size_t rank = shape->size();
  Value result = body.add("Conv",
                          {moveChannels(body, body.getInput(0), rank, /*toEnd=*/false),
                           body.getInput(1), getOptionalInput(body, 2)},
                          getWindowAttributes(body));
  result = moveChannels(body, result, rank, /*toEnd=*/true);
  result = addOptional(body, result, getOptionalInput(body, 3));
  return finishWithActivation(body, result, body.getNumbers("activation_params"));
}

} // namespace tenon::import
