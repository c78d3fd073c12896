// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Depthwise.cpp - convolutions in which channels do not mix ----------===//
//
// Every channel has a filter of its own, so a column of the result needs one column of
// the input, and there is no reduction but over the taps. Each multiply-add then reads
// one vector of the input, which is what bounds it: the loops keep all else out.
//
//   for each tile of pixels of the group:
//     pointers to the tile's pixels at every tap
//     for each panel of channels:
//       accumulators = initial
//       for each tap (unrolled): accumulators += input[pixel, tap] * filter[tap]
//       epilogue and stores
//
// Panels run inside, since pointers do not depend on them. Where a tile lies within one
// image row and no window leaves the image, pointers differ by constants, which become
// part of the loads' addresses; elsewhere each pixel and tap has a pointer of its own,
// to zeros where the window is outside.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

namespace {
class DepthwiseEmitter {
public:
  DepthwiseEmitter(const ContractionSpec &spec, const Blocking &blocking, func::FuncOp function);

  void emit();

private:
  /// The pointer of a pixel of the tile at a tap, `column` channels on.
  using PointerFunction = llvm::function_ref<Pointer(unsigned tap, unsigned row, Value column)>;

  void emitTile(Value firstRow);
  Value liesInside(Value firstRow, ArrayRef<Value> coordinates);
  void emitInside(ArrayRef<Value> rows, ArrayRef<Value> coordinates);
  void emitAnywhere(ArrayRef<Value> rows);
  void emitPanels(ArrayRef<Value> rows, PointerFunction pointerOf);
  void emitPanel(Value panel, ArrayRef<Value> rows, PointerFunction pointerOf);

  Emitter emitter;
  ImplicitLocOpBuilder &b;
  const ContractionSpec &spec;
  const Blocking &blocking;
  const Window &window;
  SmallVector<SmallVector<int64_t>> taps; ///< All positions in the kernel, innermost fastest.
  SmallVector<Value> outerIndices;
  Value rowBegin, rowEnd;
  std::optional<RowPointers> rowPointers;
};
} // namespace

DepthwiseEmitter::DepthwiseEmitter(const ContractionSpec &spec, const Blocking &blocking,
                                   func::FuncOp function)
    : emitter(spec, blocking, function), b(emitter.b), spec(spec), blocking(blocking),
      window(*spec.window), taps(1) {
  for (const Loop &loop : spec.taps) {
    SmallVector<SmallVector<int64_t>> longer;
    for (const SmallVector<int64_t> &tap : taps)
      for (int64_t position = 0; position < *loop.constantSize(); ++position) {
        longer.push_back(tap);
        longer.back().push_back(position);
      }
    taps = std::move(longer);
  }
}

void DepthwiseEmitter::emit() {
  Value rows = emitter.expression(spec.row.size), rest = emitter.group;
  auto next = [&](Value count) {
    Value index = emitter.rem(rest, count);
    rest = emitter.div(rest, count);
    return index;
  };
  Value block = next(emitter.ceilDiv(rows, blocking.rowBlock));
  for (const Loop &loop : llvm::reverse(spec.outer))
    outerIndices.insert(outerIndices.begin(), next(emitter.expression(loop.size)));
  rowBegin = emitter.mul(block, emitter.index(blocking.rowBlock));
  rowEnd = emitter.min(emitter.add(rowBegin, blocking.rowBlock), rows);
  rowPointers.emplace(emitter, outerIndices);

  auto loop = scf::ForOp::create(b, rowBegin, rowEnd, emitter.index(blocking.rows));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emitTile(loop.getInductionVar());
}

//===----------------------------------------------------------------------===//
// Pixels
//===----------------------------------------------------------------------===//

void DepthwiseEmitter::emitTile(Value firstRow) {
  SmallVector<Value> coordinates = windowCoordinates(emitter, outerIndices, firstRow);
  SmallVector<Value> rows;
  for (int64_t row = 0; row < blocking.rows; ++row)
    rows.push_back(emitter.add(firstRow, row));
  Value inside = liesInside(firstRow, coordinates);
  if (!inside)
    return emitInside(rows, coordinates);
  auto choice = scf::IfOp::create(b, inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  emitInside(rows, coordinates);
  b.setInsertionPointToStart(choice.elseBlock());
  // A tile with fewer pixels than it has room for computes its last one several times.
  for (Value &row : MutableArrayRef(rows).drop_front())
    row = emitter.min(row, emitter.add(rowEnd, -1));
  emitAnywhere(rows);
}

/// Whether the tile that begins at `firstRow` is whole and lies in one image row with all its
/// windows inside the image; null where that is surely so.
Value DepthwiseEmitter::liesInside(Value firstRow, ArrayRef<Value> coordinates) {
  Value inside;
  auto require = [&](Value left, Value right) {
    Value holds = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, left, right);
    inside = inside ? Value(arith::AndIOp::create(b, inside, holds)) : holds;
  };
  unsigned last = window.dimensions.size() - 1;
  // Where image rows are so many tiles, groups are too.
  AffineExpr width = spec.row.parts.back();
  std::optional<int64_t> constantWidth = constantOf(width);
  if (!constantWidth || *constantWidth % blocking.rows != 0) {
    require(emitter.add(coordinates.back(), blocking.rows), emitter.expression(width));
    require(emitter.add(firstRow, blocking.rows), rowEnd);
  }
  for (auto [position, dimension] : llvm::enumerate(window.dimensions)) {
    if (!dimension.padded)
      continue;
    Value start = emitter.add(
        emitter.mul(coordinates[position + 1], emitter.index(dimension.stride)), -dimension.pad);
    int64_t extent = (*spec.taps[position].constantSize() - 1) * dimension.dilation + 1;
    if (position == last)
      extent += (blocking.rows - 1) * dimension.stride;
    require(emitter.index(0), start);
    require(emitter.add(start, extent), emitter.expression(dimension.inputSize));
  }
  return inside;
}

void DepthwiseEmitter::emitInside(ArrayRef<Value> rows, ArrayRef<Value> coordinates) {
  Value base = emitter.add(emitter.outerOffset(spec.lhs, outerIndices),
                           emitter.mul(coordinates[0], window.imageStride));
  for (auto [dimension, coordinate] :
       llvm::zip_equal(window.dimensions, coordinates.drop_front())) {
    Value start =
        emitter.add(emitter.mul(coordinate, emitter.index(dimension.stride)), -dimension.pad);
    base = emitter.add(base, emitter.mul(start, dimension.inputStride));
  }
  const WindowDimension &innermost = window.dimensions.back();
  emitPanels(rows, [&](unsigned tap, unsigned row, Value column) -> Pointer {
    AffineExpr offset = innermost.inputStride * (row * innermost.stride);
    for (auto [dimension, position] : llvm::zip_equal(window.dimensions, taps[tap]))
      offset = offset + dimension.inputStride * (position * dimension.dilation);
    // What changes with the panel comes first, so that the rest can be part of an address.
    return {emitter.buffer(spec.lhs.tensor),
            emitter.add(emitter.add(base, column), emitter.expression(offset))};
  });
}

void DepthwiseEmitter::emitAnywhere(ArrayRef<Value> rows) {
  rowPointers->setRows(rows);
  SmallVector<SmallVector<Pointer>> pointers;
  for (ArrayRef<int64_t> tap : taps)
    pointers.push_back(rowPointers->at(
        llvm::map_to_vector(tap, [&](int64_t position) { return emitter.index(position); })));
  emitPanels(rows, [&](unsigned tap, unsigned row, Value column) -> Pointer {
    const Pointer &pointer = pointers[tap][row];
    return {pointer.memref, emitter.add(pointer.offset, column)};
  });
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

void DepthwiseEmitter::emitPanels(ArrayRef<Value> rows, PointerFunction pointerOf) {
  Value panels = emitter.ceilDiv(emitter.expression(spec.column.size), blocking.columns());
  auto loop = scf::ForOp::create(b, emitter.index(0), panels, emitter.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emitPanel(loop.getInductionVar(), rows, pointerOf);
}

void DepthwiseEmitter::emitPanel(Value panel, ArrayRef<Value> rows, PointerFunction pointerOf) {
  Value column = emitter.mul(panel, emitter.index(blocking.columns()));
  SmallVector<Value> masks = emitter.columnMasks(column);
  const Access &filter = spec.rhs.access;
  Value filterBase = emitter.mul(panel, filter.column);
  Tile tile(rows.size() * blocking.vectors, emitter.splat(spec.initial));
  for (auto [position, tap] : llvm::enumerate(taps)) {
    Value start = filterBase;
    for (auto [stride, index] : llvm::zip_equal(filter.taps, tap))
      start = emitter.add(start, emitter.expression(stride * index));
    // The filter has zeros beyond the last channel; the input has the next pixel there, or nothing.
    SmallVector<Value, 4> factors;
    for (int64_t vector = 0; vector < blocking.vectors; ++vector)
      factors.push_back(emitter.load(spec.element, {emitter.buffer(filter.tensor),
                                                    emitter.add(start, vector * blocking.lanes)}));
    for (unsigned row = 0; row < rows.size(); ++row) {
      Pointer pixel = pointerOf(position, row, column);
      for (int64_t vector = 0; vector < blocking.vectors; ++vector) {
        Value input = emitter.load(
            spec.element, {pixel.memref, emitter.add(pixel.offset, vector * blocking.lanes)},
            masks.empty() ? Value() : masks[vector]);
        Value &accumulator = tile[row * blocking.vectors + vector];
        accumulator = vector::FMAOp::create(b, input, factors[vector], accumulator);
      }
    }
  }
  emitEpilogue(emitter, tile, {rows, column, outerIndices, masks});
}

void contraction::emitDepthwise(const ContractionSpec &spec, const Blocking &blocking,
                                func::FuncOp function) {
  DepthwiseEmitter(spec, blocking, function).emit();
}
