// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MaxUnpool: elements put back where a MaxPool found them.

#include "lib/import/FunctionBodies.h"

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

BodyFunction findSpatialBody(StringRef domain, StringRef name) {
  return domain.empty() && name == "MaxUnpool" ? writeMaxUnpool : nullptr;
}

} // namespace tenon::import
