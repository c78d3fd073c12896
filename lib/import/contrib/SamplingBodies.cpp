// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inverse and CropAndResize of com.microsoft, which the standard has nothing like.

#include "lib/import/Elimination.h"
#include "lib/import/contrib/ContribBodies.h"

using namespace mlir;

namespace tenon::import {

//===----------------------------------------------------------------------===//
// Inverse
//===----------------------------------------------------------------------===//

/// One step of Gauss and Jordan's elimination on [batch, n, 2 n]: brings the largest element of a
/// column into its row, makes it 1 and the rest of the column 0.
static Value eliminateColumn(BodyBuilder &body, int32_t type, Value matrices, Value column) {
  auto [rows, chosen, exchanged] = exchangePivot(body, type, matrices, column);
  Value isColumn = body.add("Equal", {rows, column});

  Value pivotRow = pick(body, exchanged, column, 1); // [batch, 2 n]
  pivotRow = body.add("Div", {pivotRow, body.unsqueeze(pick(body, pivotRow, column, 1), {1})});
  pivotRow = body.unsqueeze(pivotRow, {1});
  Value factors = body.unsqueeze(pick(body, exchanged, column, 2), {2});
  Value rest = body.add("Sub", {exchanged, body.add("Mul", {factors, pivotRow})});
  return body.add("Where", {body.unsqueeze(isColumn, {1}), pivotRow, rest});
}

Body writeInverse(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  int32_t type = body.getElementType(0);
  if (!shape || shape->size() < 2 || type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  auto rank = static_cast<int64_t>(shape->size());
  int32_t wide =
      type == proto::TensorProto::DOUBLE ? type : static_cast<int32_t>(proto::TensorProto::FLOAT);
  Value input = body.cast(body.getInput(0), wide);
  auto [size, batch, count, flat, matrices] = flattenMatrices(body, input, rank);
  Value columns = body.countTo(size);
  Value isDiagonal =
      body.add("Equal", {body.unsqueeze(columns, {0}), body.unsqueeze(columns, {1})});
  Value unit = body.add("Expand", {body.cast(isDiagonal, wide), flat});
  std::vector<Value> inputs = body.beginGraph(2);
  proto::GraphProto step = body.endGraph({eliminateColumn(body, wide, inputs[0], inputs[1])});
  Value result = body.add("Scan", {body.concat({matrices, unit}, 2), columns},
                          {{"body", step}, {"num_scan_inputs", 1}});
  result = body.add("Slice", {result, size, body.add("Add", {size, size}), body.integers({2})});
  result = body.add("Reshape", {result, body.add("Shape", {input})}, {{"allowzero", 1}});
  body.setOutput(0, body.cast(result, type));
  return body.take();
}

//===----------------------------------------------------------------------===//
// CropAndResize
//===----------------------------------------------------------------------===//

namespace {
/// Where the rows (or columns) of the crops lie in the image: [boxes, size].
struct Places {
  Value position, isInside, last;
};
} // namespace

/// `low` and `high` are the columns of the boxes that bound the crops along `axis`.
static Places makePlaces(BodyBuilder &body, int64_t axis, int64_t low, int64_t high, int32_t type) {
  Value size = body.slice(body.cast(body.getInput(3), kInteger), 0, axis - 2, axis - 1);
  Value start = body.slice(body.getInput(1), 1, low, low + 1),
        end = body.slice(body.getInput(1), 1, high, high + 1);
  Value one = body.scalar(1, type), zero = body.scalar(0, type);
  Value last = body.add("Sub", {body.cast(body.sizeOf(body.getInput(0), axis), type), one});
  Value steps = body.add("Sub", {body.cast(size, type), one});
  // A crop of one row is in the middle of the box.
  Value isOne = body.add("Equal", {steps, zero});
  Value divisor = body.add("Where", {isOne, one, steps});
  Value stride = body.add("Div", {body.add("Mul", {body.add("Sub", {end, start}), last}), divisor});
  Value index = body.cast(body.unsqueeze(body.countTo(size), {0}), type);
  Value position =
      body.add("Add", {body.add("Mul", {start, last}), body.add("Mul", {index, stride})});
  Value middle = body.add(
      "Mul", {body.add("Mul", {body.add("Add", {start, end}), last}), body.scalar(0.5, type)});
  position = body.add("Where", {isOne, middle, position});
  Value isInside = body.add("And", {body.add("GreaterOrEqual", {position, zero}),
                                    body.add("LessOrEqual", {position, last})});
  return {position, isInside, last};
}

Body writeCropAndResize(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  std::string mode = body.getText("mode");
  if (type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  if (mode != "bilinear" && mode != "nearest")
    return body.refuse("the mode '" + mode + "' is not supported: expected bilinear or nearest");
  Places rows = makePlaces(body, 2, 0, 2, type), columns = makePlaces(body, 3, 1, 3, type);
  Value images = body.add("Gather", {body.getInput(0), body.getInput(2)}, {{"axis", 0}});
  Value width = body.sizeOf(body.getInput(0), 3);
  Value pixels = body.reshape(images, {0, 0, -1}); // [boxes, C, H W]
  Value shape = body.concat(
      {body.add("Shape", {pixels}, {{"end", 2}}), body.cast(body.getInput(3), kInteger)}, 0);
  Value flatShape =
      body.concat({body.add("Shape", {pixels}, {{"end", 2}}), body.integers({-1})}, 0);

  // The pixels at whole places, [boxes, C, h, w].
  auto read = [&](Value row, Value column) {
    auto clamp = [&](Value place, Value last) {
      return body.cast(body.add("Max", {body.add("Min", {place, last}), body.scalar(0, type)}),
                       kInteger);
    };
    Value place =
        body.add("Add", {body.add("Mul", {body.unsqueeze(clamp(row, rows.last), {2}), width}),
                         body.unsqueeze(clamp(column, columns.last), {1})});
    place = body.add("Expand", {body.unsqueeze(place, {1}), shape});
    place = body.add("Reshape", {place, flatShape});
    Value read = body.add("GatherElements", {pixels, place}, {{"axis", 2}});
    return body.add("Reshape", {read, shape});
  };
  auto asRows = [&](Value value) { return body.unsqueeze(value, {1, 3}); };
  auto asColumns = [&](Value value) { return body.unsqueeze(value, {1, 2}); };
  Value result;
  if (mode == "nearest") {
    auto round = [&](Value position) {
      return body.add("Floor", {body.add("Add", {position, body.scalar(0.5, type)})});
    };
    result = read(round(rows.position), round(columns.position));
  } else {
    Value top = body.add("Floor", {rows.position}), bottom = body.add("Ceil", {rows.position}),
          left = body.add("Floor", {columns.position}),
          right = body.add("Ceil", {columns.position});
    Value down = asRows(body.add("Sub", {rows.position, top})),
          across = asColumns(body.add("Sub", {columns.position, left}));
    auto mix = [&](Value from, Value to, Value share) {
      return body.add("Add", {from, body.add("Mul", {body.add("Sub", {to, from}), share})});
    };
    result = mix(mix(read(top, left), read(top, right), across),
                 mix(read(bottom, left), read(bottom, right), across), down);
  }
  Value isInside = body.add("And", {asRows(rows.isInside), asColumns(columns.isInside)});
  body.setOutput(0, body.add("Where", {isInside, result,
                                       body.scalar(body.getNumber("extrapolation_value"), type)}));
  return body.take();
}

} // namespace tenon::import
