// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MicroKernel.cpp - the reduction of one register tile ---------------===//
//
// The loop in which nearly all time is spent. Its form is what makes LLVM produce
// one load per row (a broadcast from memory), one per vector of columns, and nothing
// but multiply-adds between: every accumulator is a loop-carried value of its own with
// the machine's native width, and rows are read by scalar loads; vectors of other
// shapes, or elements taken out of a loaded vector, end in spills and shuffles.
//
// The panel comes from the second level cache, and would come from the one that all
// cores share whenever it is a new one: while one panel is multiplied, the next is
// fetched into the second level.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Emitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

/// Bytes that one fetch brings.
static constexpr int64_t cacheLine = 64;
/// As LLVM's prefetch counts locality: 3 is the first level.
static constexpr unsigned intoSecondLevel = 2;

Tile contraction::emitReduction(Emitter &emitter, ArrayRef<Pointer> rows, AffineExpr rowDepthStride,
                                const Panel &panel, Pointer start, ArrayRef<Value> masks,
                                Value depth, Tile tile) {
  ImplicitLocOpBuilder &b = emitter.b;
  const Blocking &blocking = emitter.blocking;

  auto emitStep = [&](Value step, int64_t unrolled) {
    Value rowOffset = emitter.mul(emitter.add(step, unrolled), rowDepthStride);
    Value panelOffset =
        emitter.add(start.offset, emitter.mul(emitter.add(step, unrolled), panel.depthStride));
    SmallVector<Value, 4> columns;
    for (int64_t vector = 0; vector < blocking.vectors; ++vector) {
      Value offset = emitter.add(panelOffset, vector * blocking.lanes);
      columns.push_back(emitter.load(emitter.spec.element, {start.memref, offset},
                                     masks.empty() ? Value() : masks[vector]));
      if (panel.ahead && vector * blocking.lanes * emitter.spec.elementBits() / 8 % cacheLine == 0)
        memref::PrefetchOp::create(b, start.memref, emitter.add(offset, panel.ahead),
                                   /*isWrite=*/false, intoSecondLevel, /*isDataCache=*/true);
    }
    for (auto [row, pointer] : llvm::enumerate(rows)) {
      Value scalar =
          memref::LoadOp::create(b, pointer.memref, emitter.add(pointer.offset, rowOffset));
      Value broadcast = vector::BroadcastOp::create(b, emitter.vectorType, scalar);
      for (auto [vector, column] : llvm::enumerate(columns)) {
        Value &accumulator = tile[row * blocking.vectors + vector];
        accumulator = vector::FMAOp::create(b, broadcast, column, accumulator);
      }
    }
  };
  auto emitLoop = [&](Value from, Value to, int64_t unroll) {
    auto loop = scf::ForOp::create(b, from, to, emitter.index(unroll), tile);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    tile.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
    for (int64_t unrolled = 0; unrolled < unroll; ++unrolled)
      emitStep(loop.getInductionVar(), unrolled);
    scf::YieldOp::create(b, tile);
    tile.assign(loop.result_begin(), loop.result_end());
  };

  int64_t unroll = blocking.unroll;
  if (std::optional<int64_t> steps = getConstantIntValue(depth)) {
    int64_t whole = *steps / unroll * unroll;
    if (whole > unroll)
      emitLoop(emitter.index(0), emitter.index(whole), unroll);
    else
      whole = 0;
    for (int64_t step = whole; step < *steps; ++step)
      emitStep(emitter.index(step), 0);
    return tile;
  }
  Value whole = emitter.mul(emitter.div(depth, emitter.index(unroll)), emitter.index(unroll));
  emitLoop(emitter.index(0), whole, unroll);
  if (unroll > 1)
    emitLoop(whole, depth, 1);
  return tile;
}
