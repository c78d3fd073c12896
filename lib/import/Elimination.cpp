// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/import/Elimination.h"

namespace tenon::import {

using Value = BodyBuilder::Value;

MatrixBatch flattenMatrices(BodyBuilder &body, const Value &input, int64_t rank) {
  MatrixBatch all;
  all.size = body.sizeOf(input, rank - 1);
  all.batch = body.add("Shape", {input}, {{"end", rank - 2}});
  all.count = body.add("ReduceProd", {all.batch, body.integers({0})}, {{"keepdims", 1}});
  all.shape = body.concat({all.count, all.size, all.size}, 0);
  all.matrices = body.add("Reshape", {input, all.shape}, {{"allowzero", 1}});
  return all;
}

Value pick(BodyBuilder &body, const Value &from, const Value &column, int64_t axis) {
  return body.add("Gather", {from, column}, {{"axis", axis}});
}

Pivoted exchangePivot(BodyBuilder &body, int32_t type, const Value &matrices, const Value &column) {
  Pivoted result;
  result.rows = body.countTo(body.sizeOf(matrices, 1));
  Value isOpen = body.add("GreaterOrEqual", {result.rows, column});
  Value sizes = body.add(
      "Where", {isOpen, body.add("Abs", {pick(body, matrices, column, 2)}), body.scalar(-1, type)});
  result.chosen = body.add("ArgMax", {sizes}, {{"axis", 1}, {"keepdims", 1}});
  // Which row comes where.
  Value order =
      body.add("Where", {body.add("Equal", {result.rows, result.chosen}), column, result.rows});
  order = body.add("Where", {body.add("Equal", {result.rows, column}), result.chosen, order});
  order = body.add("Expand", {body.unsqueeze(order, {2}), body.add("Shape", {matrices})});
  result.matrices = body.add("GatherElements", {matrices, order}, {{"axis", 1}});
  return result;
}

} // namespace tenon::import
