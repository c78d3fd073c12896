// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Axes that only the run knows. Which dimensions they name is one size per dimension, 1 where it is
// named and 0 where it is not; everything that depends on them selects by these. The number of axes
// has to be known, and with it the rank of every result.

#ifndef TENON_LIB_LOWER_MARKEDAXES_H
#define TENON_LIB_LOWER_MARKEDAXES_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// Marks those of `rank` dimensions that `axes`, a tensor of integers of static size, names. Axes
/// that are constant give constant marks. Fails where the number of axes is not known.
FailureOr<SmallVector<OpFoldResult>> markAxes(OpBuilder &builder, Location loc, Value axes,
                                              int64_t rank);

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
