// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See MarkedAxes.h. Everything is arithmetic on sizes, which the program evaluates once.

#include "lib/lower/MarkedAxes.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

using Predicate = arith::CmpIPredicate;

FailureOr<SmallVector<OpFoldResult>> lower::markAxes(OpBuilder &builder, Location loc, Value axes,
                                                     int64_t rank) {
  FailureOr<SmallVector<OpFoldResult>> named = getIndices(builder, loc, axes);
  if (failed(named))
    return failure();
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> marks(rank, index.constant(0));
  for (int64_t dim = 0; dim < rank; ++dim)
    for (OpFoldResult axis : *named)
      for (int64_t spelling : {dim, dim - rank})
        marks[dim] = index.select(Predicate::eq, axis, index.constant(spelling), index.constant(1),
                                  marks[dim]);
  return marks;
}

SmallVector<OpFoldResult> lower::selectMarked(OpBuilder &builder, Location loc,
                                              ArrayRef<OpFoldResult> marks,
                                              ArrayRef<OpFoldResult> marked,
                                              ArrayRef<OpFoldResult> other) {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> result;
  for (auto [mark, yes, no] : llvm::zip_equal(marks, marked, other))
    result.push_back(index.select(Predicate::eq, mark, index.constant(1), yes, no));
  return result;
}

SmallVector<OpFoldResult> lower::dropMarked(OpBuilder &builder, Location loc,
                                            ArrayRef<OpFoldResult> marks,
                                            ArrayRef<OpFoldResult> sizes, int64_t rank) {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> kept(rank, index.constant(1));
  OpFoldResult position = index.constant(0);
  for (auto [mark, size] : llvm::zip_equal(marks, sizes)) {
    // Where this dimension stands among the others; nowhere if it is marked.
    OpFoldResult here =
        index.select(Predicate::eq, mark, index.constant(1), index.constant(-1), position);
    for (int64_t dim = 0; dim < rank; ++dim)
      kept[dim] = index.select(Predicate::eq, here, index.constant(dim), size, kept[dim]);
    position = index.add(position, index.subtract(index.constant(1), mark));
  }
  return kept;
}

SmallVector<OpFoldResult> lower::insertMarked(OpBuilder &builder, Location loc,
                                              ArrayRef<OpFoldResult> marks,
                                              ArrayRef<OpFoldResult> sizes) {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> result;
  OpFoldResult position = index.constant(0);
  for (OpFoldResult mark : marks) {
    OpFoldResult size = index.constant(1);
    for (auto [dim, candidate] : llvm::enumerate(sizes))
      size = index.select(Predicate::eq, position, index.constant(dim), candidate, size);
    result.push_back(index.select(Predicate::eq, mark, index.constant(1), index.constant(1), size));
    position = index.add(position, index.subtract(index.constant(1), mark));
  }
  return result;
}
