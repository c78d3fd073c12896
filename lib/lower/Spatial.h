// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What convolutions, pools and normalisations share: windows as ONNX describes them, and
// computations whose operands have one element per channel.

#ifndef TENON_LIB_LOWER_SPATIAL_H
#define TENON_LIB_LOWER_SPATIAL_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// The attributes that ONNX's operators with windows have in common.
struct WindowAttributes {
  StringRef autoPad;
  SmallVector<int64_t> kernel;
  std::optional<ArrayRef<int64_t>> strides, dilations, pads;
  bool ceilMode = false;
};

/// A window over each spatial dimension, with all defaults filled in.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations;
  /// The beginnings of all spatial dimensions and then the ends. With `ceil_mode`, the ends are
  /// without what that adds.
  SmallVector<int64_t> pads;
  /// What `ceil_mode` adds to the ends: positions that count as outside even where the padding
  /// counts.
  SmallVector<int64_t> extension;
  /// `auto_pad` over sizes that are known at run time only, with a stride: the input is to be
  /// padded by these (as `pads` is ordered), and `pads` is zero. Else empty.
  SmallVector<OpFoldResult> dynamicPads;

  bool isExtended() const {
    return llvm::any_of(extension, [](int64_t size) { return size != 0; });
  }
  bool hasPads() const {
    return llvm::any_of(pads, [](int64_t size) { return size != 0; });
  }
  /// How far the dilated kernel reaches along `dim`.
  int64_t getExtent(int64_t dim) const { return dilations[dim] * (kernel[dim] - 1) + 1; }
  /// `pads` with `extension`.
  SmallVector<int64_t> getExtendedPads() const;
};

/// The window of `op` over `input`, [N, C, spatial...]. Fails with the reason as
/// notifyMatchFailure.
FailureOr<Window> resolveWindow(ConversionPatternRewriter &rewriter, Operation *op, Value input,
                                const WindowAttributes &attributes);

/// `input` with `pads` (beginnings, then ends) of `padding` around its spatial dimensions.
Value padSpatially(OpBuilder &builder, Location loc, Value input, ArrayRef<OpFoldResult> pads,
                   Value padding);

/// The flat position (i64) in `input` of the maximum of each window; `sizes` are those of the
/// result. Column-major positions count the spatial dimensions in the opposite order. Of equal
/// elements the first is chosen, and -1 where a window lies in the padding.
Value createMaximumIndices(OpBuilder &builder, Location loc, Value input, const Window &window,
                           ArrayRef<OpFoldResult> sizes, bool isColumnMajor, bool isUnsigned);

/// As createElementwise, but the inputs after the first are [C] and belong to dimension 1 of the
/// first, [N, C, ...].
Value createChannelwise(OpBuilder &builder, Location loc, Value input, ValueRange perChannel,
                        RankedTensorType resultType, ElementFunction function);

/// The sums of `term` of each element over `axes`, kept in getAccumulatorType of the elements; the
/// axes stay, with size 1.
Value createSum(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> axes,
                llvm::function_ref<Value(ImplicitLocOpBuilder &builder, Value element)> term);

/// `|x|^exponent` or its inverse `|x|^(1 / exponent)`, without a call where the exponent is 1 or 2.
Value createPower(ImplicitLocOpBuilder &builder, Value x, int64_t exponent);
Value createRoot(ImplicitLocOpBuilder &builder, Value x, int64_t exponent);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_SPATIAL_H
