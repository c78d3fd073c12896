// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Det, by elimination with partial pivoting: a Scan over the columns, within which all elements of
// all matrices are independent of each other.

#include "lib/import/Elimination.h"
#include "lib/import/FunctionBodies.h"

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;

/// One step: exchanges row `column` of [batch, size, size] matrices with the one below it that has
/// the largest element in that column, and takes its multiples from the rows that follow. The
/// product of the pivots is the determinant; each exchange changes its sign.
static std::vector<Value> eliminate(BodyBuilder &body, int32_t type, const Value &matrices,
                                    const Value &product, const Value &column) {
  Value zero = body.scalar(0, type), one = body.scalar(1, type);
  auto [rows, chosen, exchanged] = exchangePivot(body, type, matrices, column);

  Value pivotRow = pick(body, exchanged, column, 1);
  Value pivot = pick(body, pivotRow, column, 1); // [batch]
  // All that could be a pivot is zero: so is the determinant, whatever follows.
  Value divisor = body.add("Where", {body.add("Equal", {pivot, zero}), one, pivot});
  Value factors = body.add("Div", {pick(body, exchanged, column, 2), body.unsqueeze(divisor, {1})});
  factors = body.add("Where", {body.add("Greater", {rows, column}), factors, zero});
  Value multiples = body.add("Mul", {body.unsqueeze(factors, {2}), body.unsqueeze(pivotRow, {1})});
  Value isSame = body.add("Equal", {body.add("Squeeze", {chosen, body.integers({1})}), column});
  Value factor = body.add("Where", {isSame, pivot, body.add("Neg", {pivot})});
  return {body.add("Sub", {exchanged, multiples}), body.add("Mul", {product, factor})};
}

static std::optional<proto::FunctionProto> writeDet(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  int32_t type = body.getElementType(0);
  if (!shape || shape->size() < 2 || type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  auto rank = static_cast<int64_t>(shape->size());
  int32_t wide =
      type == proto::TensorProto::DOUBLE ? type : static_cast<int32_t>(proto::TensorProto::FLOAT);
  Value input = body.cast(body.getInput(0), wide);
  auto [size, batch, count, flat, matrices] = flattenMatrices(body, input, rank);
  Value ones = body.add("Expand", {body.scalar(1, wide), count});

  Value columns = body.countTo(size);
  std::vector<Value> inputs = body.beginGraph(3);
  proto::GraphProto step = body.endGraph(eliminate(body, wide, inputs[0], inputs[1], inputs[2]));
  std::vector<Value> results =
      body.addMany(2, "Scan", {matrices, ones, columns}, {{"body", step}, {"num_scan_inputs", 1}});
  Value result = body.add("Reshape", {results[1], batch}, {{"allowzero", 1}});
  body.setOutput(0, body.cast(result, type));
  return body.take();
}

BodyFunction findDeterminantBody(StringRef domain, StringRef name) {
  return domain.empty() && name == "Det" ? writeDet : nullptr;
}

} // namespace tenon::import
