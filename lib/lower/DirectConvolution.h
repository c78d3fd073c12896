// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of which only the run knows the kernel's size, or how many channels a group has: one
// operation that reads the input through computed positions. It has the meaning of nn.conv and
// nn.conv_transpose and none of their speed, which needs those sizes.

#ifndef TENON_LIB_LOWER_DIRECTCONVOLUTION_H
#define TENON_LIB_LOWER_DIRECTCONVOLUTION_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// [N, C, spatial...] by [M, C / groups, kernel...], or transposed by [C, M / groups, kernel...].
/// One entry for each spatial dimension; the padding is zeros.
struct DirectConvolution {
  Value input, filter;
  SmallVector<int64_t> strides, dilations;
  SmallVector<OpFoldResult> padsBegin, padsEnd;
  int64_t groups = 1;

  /// What SAME_UPPER and SAME_LOWER pad by.
  void padSame(OpBuilder &builder, Location loc, bool isUpper);
  /// Pads of a transposed one that make it `sizes` long; where it is shorter even without, what
  /// is missing is added at the end.
  void padTo(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
             ArrayRef<int64_t> outputPads, bool isUpper);

  Value create(OpBuilder &builder, Location loc) const;
  Value createTransposed(OpBuilder &builder, Location loc, ArrayRef<int64_t> outputPads) const;

private:
  /// How far the dilated kernel reaches along `dim`.
  OpFoldResult getExtent(OpBuilder &builder, Location loc, int64_t dim) const;
  Value sum(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
            bool isTransposed) const;
};

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_DIRECTCONVOLUTION_H
