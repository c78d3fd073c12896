// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Axes that only the run knows. Which dimensions they name is one size per dimension, 1 where it is
// named and 0 where it is not; everything that depends on them selects by these. The rank of every
// result has to be known; the number of axes need not be: a kernel then spreads what is given for
// each axis over all dimensions, and the program reads one number for each.

#ifndef TENON_LIB_LOWER_MARKEDAXES_H
#define TENON_LIB_LOWER_MARKEDAXES_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// Marks those of `rank` dimensions that `axes`, a vector of integers, names. Axes that are
/// constant give constant marks.
SmallVector<OpFoldResult> markAxes(OpBuilder &builder, Location loc, Value axes, int64_t rank);

/// One number for each of `rank` dimensions: the element of `values` that stands where `axes` names
/// the dimension, else `preset`. Both are vectors of one length, which need not be known. Without
/// `axes` (a null or absent value) element i is for dimension i + `shift`.
SmallVector<OpFoldResult> spreadOverAxes(OpBuilder &builder, Location loc, Value values, Value axes,
                                         int64_t rank, int64_t preset, OpFoldResult shift);

/// `marked` or `other` for each dimension.
SmallVector<OpFoldResult> selectMarked(OpBuilder &builder, Location loc,
                                       ArrayRef<OpFoldResult> marks, ArrayRef<OpFoldResult> marked,
                                       ArrayRef<OpFoldResult> other);

/// The sizes of the first `rank` dimensions that are not marked.
SmallVector<OpFoldResult> dropMarked(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> marks,
                                     ArrayRef<OpFoldResult> sizes, int64_t rank);

/// `sizes` for the dimensions that are not marked, in order, and 1 for those that are.
SmallVector<OpFoldResult> insertMarked(OpBuilder &builder, Location loc,
                                       ArrayRef<OpFoldResult> marks, ArrayRef<OpFoldResult> sizes);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_MARKEDAXES_H
