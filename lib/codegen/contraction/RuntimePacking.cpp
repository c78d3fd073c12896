// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RuntimePacking.cpp - panels of a right-hand side that is no weight -===//
//
// The right-hand side of attention's products comes into being at run time, with any
// strides. One panel at a time is copied into scratch memory in the form that packed
// weights have: `columns()` adjacent elements for each step of the reduction. Where the
// reduction is what lies adjacent in memory (the keys), registers full of it are
// transposed; columns beyond the last repeat it, for nothing computed from them is kept.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

/// Transposes as many vectors as each has lanes (a power of two): the first half is interleaved
/// with the second, log2(lanes) times.
static SmallVector<Value> transpose(Emitter &emitter, SmallVector<Value> rows) {
  int64_t lanes = rows.size(), half = lanes / 2;
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < half; ++lane) {
    low.append({lane, lanes + lane});
    high.append({half + lane, lanes + half + lane});
  }
  for (int64_t round = 1; round < lanes; round *= 2) {
    SmallVector<Value> next;
    for (int64_t row = 0; row < half; ++row) {
      next.push_back(vector::ShuffleOp::create(emitter.b, rows[row], rows[row + half], low));
      next.push_back(vector::ShuffleOp::create(emitter.b, rows[row], rows[row + half], high));
    }
    rows = std::move(next);
  }
  return rows;
}

namespace {
class PanelPacker {
public:
  PanelPacker(Emitter &emitter, Value depth, Value scratch)
      : emitter(emitter), b(emitter.b), access(emitter.spec.rhs.access), scratch(scratch),
        source(emitter.buffer(access.tensor)),
        columns(emitter.expression(emitter.spec.column.size)), width(emitter.blocking.columns()),
        lanes(emitter.blocking.lanes), depth(depth) {}

  /// Packs `depth` steps from `base`, which has the taps in it, to `target`.
  void pack(Value base, Value column, Value target) {
    if (constantOf(access.column) == 1)
      copyColumns(emitter.add(base, column), emitter.sub(columns, column), target);
    else if (constantOf(access.depth) == 1 && llvm::isPowerOf2_64(lanes))
      transposeColumns(base, column, target);
    else
      copyElements(base, column, target);
  }

private:
  scf::ForOp openLoop(Value end, int64_t step) {
    auto loop = scf::ForOp::create(b, emitter.index(0), end, emitter.index(step));
    b.setInsertionPointToStart(loop.getBody());
    return loop;
  }
  Value columnOffset(Value base, Value column) {
    Value last = emitter.add(columns, -1);
    return emitter.add(base, emitter.mul(emitter.min(column, last), access.column));
  }
  void copyColumns(Value base, Value left, Value target);
  void transposeColumns(Value base, Value column, Value target);
  void transposeBlock(ArrayRef<Value> offsets, Value step, Value mask, Value target);
  void copyElements(Value base, Value column, Value target);

  Emitter &emitter;
  ImplicitLocOpBuilder &b;
  const Access &access;
  Value scratch, source, columns;
  int64_t width, lanes;
  Value depth;
};
} // namespace

void PanelPacker::copyColumns(Value base, Value left, Value target) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> masks;
  for (int64_t vector = 0; vector < width; vector += lanes)
    masks.push_back(emitter.maskBelow(emitter.sub(left, emitter.index(vector))));
  Value step = openLoop(depth, 1).getInductionVar();
  Value from = emitter.add(base, emitter.mul(step, access.depth));
  Value to = emitter.add(target, emitter.mul(step, emitter.index(width)));
  for (auto [vector, mask] : llvm::enumerate(masks))
    emitter.store(emitter.load(access.element, {source, emitter.add(from, vector * lanes)}, mask),
                  {scratch, emitter.add(to, vector * lanes)});
}

void PanelPacker::transposeColumns(Value base, Value column, Value target) {
  OpBuilder::InsertionGuard guard(b);
  Value block = openLoop(emitter.index(width), lanes).getInductionVar();
  SmallVector<Value> offsets;
  for (int64_t lane = 0; lane < lanes; ++lane)
    offsets.push_back(columnOffset(base, emitter.add(emitter.add(column, block), lane)));
  Value blockTarget = emitter.add(target, block);
  Value whole = emitter.mul(emitter.div(depth, emitter.index(lanes)), emitter.index(lanes));
  {
    OpBuilder::InsertionGuard inner(b);
    Value step = openLoop(whole, lanes).getInductionVar();
    transposeBlock(offsets, step, {}, blockTarget);
  }
  Value left = emitter.sub(depth, whole);
  if (getConstantIntValue(left) == 0)
    return;
  auto any = scf::IfOp::create(
      b, arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, left, emitter.index(0)), false);
  b.setInsertionPointToStart(any.thenBlock());
  transposeBlock(offsets, whole, emitter.maskBelow(left), blockTarget);
}

/// Packs `lanes` steps of as many columns; `mask` tells which steps there are.
void PanelPacker::transposeBlock(ArrayRef<Value> offsets, Value step, Value mask, Value target) {
  SmallVector<Value> rows;
  for (Value offset : offsets)
    rows.push_back(emitter.load(access.element, {source, emitter.add(offset, step)}, mask));
  rows = transpose(emitter, std::move(rows));
  Value to = emitter.add(target, emitter.mul(step, emitter.index(width)));
  for (int64_t row = 0; row < lanes; ++row)
    emitter.store(rows[row], {scratch, emitter.add(to, row * width)});
}

void PanelPacker::copyElements(Value base, Value column, Value target) {
  OpBuilder::InsertionGuard guard(b);
  Value step = openLoop(depth, 1).getInductionVar();
  Value from = emitter.add(base, emitter.mul(step, access.depth));
  Value to = emitter.add(target, emitter.mul(step, emitter.index(width)));
  Value lane = openLoop(emitter.index(width), 1).getInductionVar();
  Value element = memref::LoadOp::create(b, source, columnOffset(from, emitter.add(column, lane)));
  memref::StoreOp::create(b, element, scratch, emitter.add(to, lane));
}

void contraction::emitPackPanel(Emitter &emitter, Value base, Value column, Value depth,
                                Value scratch) {
  const ContractionSpec &spec = emitter.spec;
  ImplicitLocOpBuilder &b = emitter.b;
  OpBuilder::InsertionGuard guard(b);
  Value target = emitter.index(0);
  AffineExpr run = spec.depth.size * emitter.blocking.columns();
  SmallVector<AffineExpr> runs(spec.taps.size());
  for (unsigned tap = spec.taps.size(); tap-- > 0; run = run * spec.taps[tap].size)
    runs[tap] = run;
  for (auto [tap, stride, tapRun] : llvm::zip_equal(spec.taps, spec.rhs.access.taps, runs)) {
    auto loop =
        scf::ForOp::create(b, emitter.index(0), emitter.expression(tap.size), emitter.index(1));
    b.setInsertionPointToStart(loop.getBody());
    base = emitter.add(base, emitter.mul(loop.getInductionVar(), stride));
    target = emitter.add(target, emitter.mul(loop.getInductionVar(), tapRun));
  }
  PanelPacker(emitter, depth, scratch).pack(base, column, target);
}
