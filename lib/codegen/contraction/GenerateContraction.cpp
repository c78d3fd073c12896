// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GenerateContraction.cpp - the loops around the register tile -------===//
//
// One group of the grid computes a block of rows times a block of panels:
//
//   decode the group: outer loops, row block, panel block      (row blocks run fastest)
//   [gather the rows of the block]                             (first layers)
//   for each panel of the block:
//     [pack the panel, or a part of it at a time]              (right-hand sides made at run time)
//       for each tile of rows of the block:
//         accumulators = initial, or the sum so far
//         for each tap: reduction                              (MicroKernel.cpp)
//         epilogue and stores                                  (Epilogue.cpp)
//
// The panel stands still while the rows pass: it is the part that is read in full for
// every tile. Row blocks run fastest over the groups, so that threads that work side by
// side read the same panels.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/KernelFunction.h"
#include "lib/codegen/contraction/Contraction.h"
#include "lib/codegen/contraction/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

namespace {
class GroupEmitter {
public:
  GroupEmitter(const ContractionSpec &spec, const Blocking &blocking, func::FuncOp function)
      : emitter(spec, blocking, function), b(emitter.b), spec(spec), blocking(blocking) {}

  void emit();

private:
  void decodeGroup();
  void emitPanel(Value panel);
  void emitDepthBlocks(Value base);
  void emitRows();
  void emitLeftoverRows(Value fullEnd);
  void emitTile(Value firstRow, int64_t rows, bool clamp);
  Tile emitTaps(unsigned tap, SmallVectorImpl<Value> &taps, Tile tile);
  Pointer partialSum(Value row, int64_t vector);
  void finishTile(const Tile &tile, ArrayRef<Value> rows);
  void finishRows(const Tile &tile, ArrayRef<Value> rows);
  Tile emitGatheredReduction(ArrayRef<Value> rows, Tile tile);

  Emitter emitter;
  ImplicitLocOpBuilder &b;
  const ContractionSpec &spec;
  const Blocking &blocking;

  SmallVector<Value> outerIndices;
  Value rowBegin, rowEnd, panelBegin, panelEnd;
  Value repeated, gathered, packed, partial, finished; ///< Scratch memory, where there is any.
  std::optional<RowPointers> rowPointers;
  // Of the current panel:
  Value column;
  Panel panel;
  SmallVector<Value> masks;
  // Of the current part of a panel:
  Value depthBegin, depth, isLastPart;
};
} // namespace

void GroupEmitter::emit() {
  decodeGroup();
  if (spec.rhs.splat) {
    // One step's columns serve for all steps and panels.
    repeated = emitter.scratch(blocking.columns(), spec.element);
    for (int64_t vector = 0; vector < blocking.vectors; ++vector)
      emitter.store(emitter.splat(spec.rhs.splat),
                    {repeated, emitter.index(vector * blocking.lanes)});
  }
  if (blocking.gatherRows)
    gathered = emitGatherRows(emitter, outerIndices, rowBegin, rowEnd);
  else
    rowPointers.emplace(emitter, outerIndices);
  depth = emitter.expression(spec.depth.size);
  depthBegin = emitter.index(0);
  if (blocking.packRhs) {
    int64_t steps = blocking.depthBlock ? blocking.depthBlock : *spec.constantReduction();
    packed =
        emitter.scratch(llvm::alignTo(steps, blocking.lanes) * blocking.columns(), spec.element);
  }
  if (blocking.depthBlock)
    partial = emitter.scratch(blocking.rowBlock * blocking.columns(), spec.element);
  auto loop = scf::ForOp::create(b, panelBegin, panelEnd, emitter.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emitPanel(loop.getInductionVar());
}

void GroupEmitter::decodeGroup() {
  Value rows = emitter.expression(spec.row.size);
  Value panels = emitter.ceilDiv(emitter.expression(spec.column.size), blocking.columns());
  Value rest = emitter.group;
  auto next = [&](Value count) {
    Value index = emitter.rem(rest, count);
    rest = emitter.div(rest, count);
    return index;
  };
  Value rowBlock = next(emitter.ceilDiv(rows, blocking.rowBlock));
  Value panelBlock = next(emitter.ceilDiv(panels, blocking.panelBlock));
  for (const Loop &loop : llvm::reverse(spec.outer))
    outerIndices.insert(outerIndices.begin(), next(emitter.expression(loop.size)));
  rowBegin = emitter.mul(rowBlock, emitter.index(blocking.rowBlock));
  rowEnd = emitter.min(emitter.add(rowBegin, blocking.rowBlock), rows);
  panelBegin = emitter.mul(panelBlock, emitter.index(blocking.panelBlock));
  panelEnd = emitter.min(emitter.add(panelBegin, blocking.panelBlock), panels);
}

void GroupEmitter::emitPanel(Value panelIndex) {
  const Access &access = spec.rhs.access;
  column = emitter.mul(panelIndex, emitter.index(blocking.columns()));
  masks = emitter.columnMasks(column);
  Value base = emitter.outerOffset(access, outerIndices);
  AffineExpr width = getAffineConstantExpr(blocking.columns(), b.getContext());
  if (blocking.packRhs) {
    if (!blocking.depthBlock)
      emitPackPanel(emitter, base, column, depth, packed);
    panel = {{packed, emitter.index(0)}, width, {}, {}};
    AffineExpr run = width * spec.depth.size;
    for (const Loop &tap : llvm::reverse(spec.taps)) {
      panel.tapStrides.insert(panel.tapStrides.begin(), run);
      run = run * tap.size;
    }
  } else if (spec.rhs.splat) {
    panel = {{repeated, emitter.index(0)}, access.depth, access.taps, {}};
  } else {
    Value offset =
        emitter.add(base, emitter.mul(spec.rhs.panel ? panelIndex : column, access.column));
    panel = {{emitter.buffer(access.tensor), offset}, access.depth, access.taps, {}};
    if (spec.rhs.panel) {
      // The last panel fetches itself, so that no address is out of bounds.
      Value last = emitter.add(
          emitter.ceilDiv(emitter.expression(spec.column.size), blocking.columns()), -1);
      Value next = emitter.min(emitter.add(panelIndex, 1), last);
      panel.ahead = emitter.mul(emitter.sub(next, panelIndex), access.column);
    }
  }
  if (blocking.depthBlock)
    emitDepthBlocks(base);
  else
    emitRows();
}

void GroupEmitter::emitDepthBlocks(Value base) {
  // Every part begins with the sum of those before it: the first with the initial value.
  Value initial = emitter.splat(spec.initial), total = depth;
  auto fill =
      scf::ForOp::create(b, emitter.index(0), emitter.index(blocking.rowBlock * blocking.columns()),
                         emitter.index(blocking.lanes));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(fill.getBody());
  emitter.store(initial, {partial, fill.getInductionVar()});
  b.setInsertionPointAfter(fill);

  // At least one part, so that there is one that stores the results.
  auto parts = scf::ForOp::create(b, emitter.index(0), emitter.max(total, emitter.index(1)),
                                  emitter.index(blocking.depthBlock));
  b.setInsertionPointToStart(parts.getBody());
  depthBegin = parts.getInductionVar();
  Value depthEnd = emitter.add(depthBegin, blocking.depthBlock);
  isLastPart = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, depthEnd, total);
  depth = emitter.sub(emitter.min(depthEnd, total), depthBegin);
  emitPackPanel(emitter, emitter.add(base, emitter.mul(depthBegin, spec.rhs.access.depth)), column,
                depth, packed);
  emitRows();
  depth = total;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void GroupEmitter::emitRows() {
  Value tile = emitter.index(blocking.rows);
  Value whole = emitter.mul(emitter.div(emitter.sub(rowEnd, rowBegin), tile), tile);
  Value fullEnd = emitter.add(rowBegin, whole);
  auto loop = scf::ForOp::create(b, rowBegin, fullEnd, tile);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitTile(loop.getInductionVar(), blocking.rows, /*clamp=*/false);
  }
  if (!blocking.tails.empty())
    emitLeftoverRows(fullEnd);
}

void GroupEmitter::emitLeftoverRows(Value fullEnd) {
  OpBuilder::InsertionGuard guard(b);
  auto remain = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, fullEnd, rowEnd);
  auto any = scf::IfOp::create(b, remain, /*withElseRegion=*/false);
  b.setInsertionPointToStart(any.thenBlock());
  Value left = emitter.sub(rowEnd, fullEnd);
  for (int64_t rows : ArrayRef(blocking.tails).drop_back()) {
    auto fits = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, left, emitter.index(rows));
    auto choice = scf::IfOp::create(b, fits, /*withElseRegion=*/true);
    b.setInsertionPointToStart(choice.thenBlock());
    emitTile(fullEnd, rows, /*clamp=*/rows > 1);
    b.setInsertionPointToStart(choice.elseBlock());
  }
  emitTile(fullEnd, blocking.tails.back(), /*clamp=*/!blocking.exactTails);
}

void GroupEmitter::emitTile(Value firstRow, int64_t rowCount, bool clamp) {
  SmallVector<Value> rows;
  for (int64_t row = 0; row < rowCount; ++row) {
    Value index = emitter.add(firstRow, row);
    rows.push_back(clamp && row > 0 ? emitter.min(index, emitter.add(rowEnd, -1)) : index);
  }
  Tile tile(rowCount * blocking.vectors, emitter.splat(spec.initial));
  if (blocking.depthBlock)
    for (auto [cell, accumulator] : llvm::enumerate(tile))
      accumulator = emitter.load(
          spec.element, partialSum(rows[cell / blocking.vectors], cell % blocking.vectors));
  if (blocking.gatherRows) {
    tile = emitGatheredReduction(rows, std::move(tile));
  } else {
    rowPointers->setRows(rows);
    SmallVector<Value> taps;
    tile = emitTaps(0, taps, std::move(tile));
  }
  if (!blocking.depthBlock)
    return finishTile(tile, rows);
  auto choice = scf::IfOp::create(b, isLastPart, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  finishTile(tile, rows);
  b.setInsertionPointToStart(choice.elseBlock());
  for (auto [cell, accumulator] : llvm::enumerate(tile))
    emitter.store(accumulator, partialSum(rows[cell / blocking.vectors], cell % blocking.vectors));
}

Pointer GroupEmitter::partialSum(Value row, int64_t vector) {
  Value offset = emitter.mul(emitter.sub(row, rowBegin), emitter.index(blocking.columns()));
  return {partial, emitter.add(offset, vector * blocking.lanes)};
}

void GroupEmitter::finishTile(const Tile &tile, ArrayRef<Value> rows) {
  if (!blocking.stageTiles || rows.size() == 1)
    return finishRows(tile, rows);
  int64_t columns = blocking.columns();
  if (!finished)
    finished = emitter.scratch(blocking.rows * columns, spec.element);
  for (auto [cell, accumulator] : llvm::enumerate(tile))
    emitter.store(accumulator, {finished, emitter.index(cell * blocking.lanes)});
  // A tile with fewer rows than it has room for ends where the block does.
  Value count = emitter.min(emitter.index(rows.size()), emitter.sub(rowEnd, rows.front()));
  auto loop = scf::ForOp::create(b, emitter.index(0), count, emitter.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value start = emitter.mul(loop.getInductionVar(), emitter.index(columns));
  Tile row;
  for (int64_t vector = 0; vector < blocking.vectors; ++vector)
    row.push_back(
        emitter.load(spec.element, {finished, emitter.add(start, vector * blocking.lanes)}));
  finishRows(row, emitter.add(rows.front(), loop.getInductionVar()));
}

void GroupEmitter::finishRows(const Tile &tile, ArrayRef<Value> rows) {
  if (masks.empty() || blocking.cheapMasks)
    return emitEpilogue(emitter, tile, {rows, column, outerIndices, masks});
  // Only the last panel pays for masks.
  Value end = emitter.add(column, blocking.columns()),
        columns = emitter.expression(spec.column.size);
  auto choice =
      scf::IfOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::sle, end, columns),
                        /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  emitEpilogue(emitter, tile, {rows, column, outerIndices, {}});
  b.setInsertionPointToStart(choice.elseBlock());
  emitEpilogue(emitter, tile, {rows, column, outerIndices, masks});
}

Tile GroupEmitter::emitGatheredReduction(ArrayRef<Value> rows, Tile tile) {
  AffineExpr reduction = getAffineConstantExpr(*spec.constantReduction(), b.getContext());
  SmallVector<Pointer> pointers;
  for (Value row : rows)
    pointers.push_back({gathered, emitter.mul(emitter.sub(row, rowBegin), reduction)});
  return emitReduction(emitter, pointers, getAffineConstantExpr(1, b.getContext()), panel,
                       panel.start, {}, emitter.expression(reduction), std::move(tile));
}

Tile GroupEmitter::emitTaps(unsigned tap, SmallVectorImpl<Value> &taps, Tile tile) {
  if (tap == spec.taps.size()) {
    Pointer start = panel.start;
    for (auto [stride, position] : llvm::zip_equal(panel.tapStrides, taps))
      start.offset = emitter.add(start.offset, emitter.mul(position, stride));
    SmallVector<Pointer> rows = rowPointers->at(taps);
    for (Pointer &row : rows)
      row.offset = emitter.add(row.offset, emitter.mul(depthBegin, spec.lhs.depth));
    // Panels that are packed have zeros, or what does no harm, beyond the last column.
    bool inPlace = !blocking.packRhs && !spec.rhs.panel && !spec.rhs.splat;
    return emitReduction(emitter, rows, spec.lhs.depth, panel, start,
                         inPlace ? ArrayRef<Value>(masks) : ArrayRef<Value>(), depth,
                         std::move(tile));
  }
  if (spec.taps[tap].constantSize() == 1) {
    taps.push_back(emitter.index(0));
    tile = emitTaps(tap + 1, taps, std::move(tile));
    taps.pop_back();
    return tile;
  }
  auto loop = scf::ForOp::create(b, emitter.index(0), emitter.expression(spec.taps[tap].size),
                                 emitter.index(1), tile);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  taps.push_back(loop.getInductionVar());
  tile.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
  tile = emitTaps(tap + 1, taps, std::move(tile));
  taps.pop_back();
  scf::YieldOp::create(b, tile);
  return Tile(loop.result_begin(), loop.result_end());
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

/// The number of groups over the kernel's sizes.
static AffineMap countGroups(const ContractionSpec &spec, const Blocking &blocking) {
  plan::KernelOp kernel = spec.kernel;
  AffineExpr count = spec.row.size.ceilDiv(blocking.rowBlock) *
                     spec.column.size.ceilDiv(blocking.columns()).ceilDiv(blocking.panelBlock);
  for (const Loop &loop : spec.outer)
    count = count * loop.size;
  return AffineMap::get(0, kernel.getNumSizes(), count);
}

FailureOr<func::FuncOp> tenon::generateContraction(plan::KernelOp kernel,
                                                   const ChipDescription &chip,
                                                   std::string &declineReason) {
  FailureOr<ContractionSpec> spec = recognize(kernel, declineReason);
  if (failed(spec))
    return failure();
  FailureOr<Blocking> blocking = chooseBlocking(*spec, chip, declineReason);
  if (failed(blocking))
    return failure();
  func::FuncOp function = createKernelFunction(kernel, countGroups(*spec, *blocking));
  if (spec->isDepthwise)
    emitDepthwise(*spec, *blocking, function);
  else
    GroupEmitter(*spec, *blocking, function).emit();
  return function;
}
