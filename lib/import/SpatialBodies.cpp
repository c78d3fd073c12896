// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MaxUnpool: elements put back where a MaxPool found them. CausalConvWithState over a number of
// channels that only the run knows, for which the standard's body, a convolution with a group for
// each channel, cannot be written.

#include "lib/import/FunctionBodies.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;

/// The positions are of a tensor of the size that the windows tell, which output_shape may enlarge.
static std::optional<proto::FunctionProto> writeMaxUnpool(BodyBuilder &body) {
  std::vector<int64_t> kernel = body.getIntegers("kernel_shape"),
                       strides = body.getIntegers("strides"), pads = body.getIntegers("pads");
  if (body.getElementType(0) == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  size_t rank = kernel.size();
  strides.resize(rank, 1);
  pads.resize(2 * rank, 0);
  // (size - 1) * stride + kernel - pads; the batch and the channels stay.
  std::vector<int64_t> factors{1, 1}, terms{0, 0};
  for (size_t dim = 0; dim < rank; ++dim) {
    factors.push_back(strides[dim]);
    terms.push_back(kernel[dim] - strides[dim] - pads[dim] - pads[dim + rank]);
  }
  Value shape = body.add("Shape", {body.getInput(0)});
  shape = body.add("Add", {body.add("Mul", {shape, body.integers(factors)}), body.integers(terms)});
  Value all = body.integers({-1});
  Value count = body.add("ReduceProd", {shape, body.integers({0})}, {{"keepdims", 1}});
  Value zeros = body.add("Expand", {body.scalar(0, body.getElementType(0)), count});
  Value result = body.add("ScatterElements", {zeros, body.add("Reshape", {body.getInput(1), all}),
                                              body.add("Reshape", {body.getInput(0), all})});
  result = body.add("Reshape", {result, shape});
  if (body.hasInput(2)) {
    Value missing = body.add("Sub", {body.getInput(2), shape});
    Value none = body.integers(std::vector<int64_t>(rank + 2, 0));
    result = body.add("Pad", {result, body.add("Concat", {none, missing}, {{"axis", 0}})});
  }
  body.setOutput(0, result);
  return body.take();
}

/// The windows are gathered, and each is multiplied by the weights of its channel and summed.
static std::optional<proto::FunctionProto> writeCausalConv(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> input = body.getShape(0), weight = body.getShape(1);
  int32_t type = body.getElementType(0), wide = proto::TensorProto::FLOAT;
  if (!input || !weight || input->size() != 3 || weight->size() != 3 || (*input)[1] >= 0 ||
      (*weight)[0] >= 0)
    return std::nullopt;
  Value x = body.getInput(0), one = body.integers({1}), length = body.sizeOf(x, 2),
        taps = body.sizeOf(body.getInput(1), 2), before = body.add("Sub", {taps, one});
  Value pads =
      body.add("Concat", {body.integers({0, 0}), before, body.integers({0, 0, 0})}, {{"axis", 0}});
  Value padded = body.hasInput(3) ? body.add("Concat", {body.getInput(3), x}, {{"axis", 2}})
                                  : body.add("Pad", {x, pads});
  Value positions =
      body.add("Add", {body.add("Unsqueeze", {body.countTo(length), body.integers({1})}),
                       body.add("Unsqueeze", {body.countTo(taps), body.integers({0})})});
  if (type == proto::TensorProto::DOUBLE)
    wide = type;
  Value windows = body.cast(body.add("Gather", {padded, positions}, {{"axis", 2}}), wide);
  Value weighted = body.add("Mul", {windows, body.cast(body.getInput(1), wide)});
  Value result = body.add("ReduceSum", {weighted, body.integers({3})}, {{"keepdims", 0}});
  if (body.hasInput(2)) {
    Value bias = body.add("Unsqueeze", {body.getInput(2), body.integers({1})});
    result = body.add("Add", {result, body.cast(bias, wide)});
  }
  result = body.cast(result, type);
  if (std::string activation = body.getText("activation");
      activation == "silu" || activation == "swish")
    result = body.add("Mul", {result, body.add("Sigmoid", {result})});
  body.setOutput(0, result);
  Value end = body.sizeOf(padded, 2);
  body.setOutput(
      1, body.add("Slice", {padded, body.add("Sub", {end, before}), end, body.integers({2})}));
  return body.take();
}

BodyFunction findSpatialBody(StringRef domain, StringRef name) {
  if (!domain.empty())
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("MaxUnpool", writeMaxUnpool)
      .Case("CausalConvWithState", writeCausalConv)
      .Default(nullptr);
}

} // namespace tenon::import
