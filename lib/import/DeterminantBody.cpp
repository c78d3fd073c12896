// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Det, by elimination with partial pivoting: a Scan over the columns, within which all elements of
// all matrices are independent of each other.

#include "lib/import/FunctionBodies.h"

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;

/// One step: exchanges row `column` of [batch, size, size] matrices with the one below it that has
/// the largest element in that column, and takes its multiples from the rows that follow. The
/// product of the pivots is the determinant; each exchange changes its sign.
static std::vector<Value> eliminate(BodyBuilder &body, int32_t type, const Value &matrices,
                                    const Value &product, const Value &column) {
  auto pick = [&](const Value &from, int64_t axis) {
    return body.add("Gather", {from, column}, {{"axis", axis}});
  };
  auto widen = [&](const Value &value, int64_t axis) {
    return body.add("Unsqueeze", {value, body.integers({axis})});
  };
  Value rows = body.countTo(body.sizeOf(matrices, 1));
  Value zero = body.scalar(0, type), one = body.scalar(1, type);
  Value isLeft = body.add("GreaterOrEqual", {rows, column});
  Value sizes =
      body.add("Where", {isLeft, body.add("Abs", {pick(matrices, 2)}), body.scalar(-1, type)});
  Value chosen = body.add("ArgMax", {sizes}, {{"axis", 1}, {"keepdims", 1}}); // [batch, 1]

  // Which row comes where.
  Value order = body.add("Where", {body.add("Equal", {rows, chosen}), column, rows});
  order = body.add("Where", {body.add("Equal", {rows, column}), chosen, order});
  order = body.add("Expand", {widen(order, 2), body.add("Shape", {matrices})});
  Value exchanged = body.add("GatherElements", {matrices, order}, {{"axis", 1}});

  Value pivotRow = pick(exchanged, 1);
  Value pivot = pick(pivotRow, 1); // [batch]
  // All that could be a pivot is zero: so is the determinant, whatever follows.
  Value divisor = body.add("Where", {body.add("Equal", {pivot, zero}), one, pivot});
  Value factors = body.add("Div", {pick(exchanged, 2), widen(divisor, 1)});
  factors = body.add("Where", {body.add("Greater", {rows, column}), factors, zero});
  Value multiples = body.add("Mul", {widen(factors, 2), widen(pivotRow, 1)});
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
  Value size = body.sizeOf(input, rank - 1);
  Value batch = body.add("Shape", {input}, {{"end", rank - 2}});
  Value count = body.add("ReduceProd", {batch, body.integers({0})}, {{"keepdims", 1}});
  Value flat = body.add("Concat", {count, size, size}, {{"axis", 0}});
  Value matrices = body.add("Reshape", {input, flat}, {{"allowzero", 1}});
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
