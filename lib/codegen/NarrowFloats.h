// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NarrowFloats.h - conversions of floats of 16 to 4 bits --*- C++ -*-===//
//
// By integer arithmetic, for processors without instructions for them.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_NARROWFLOATS_H
#define TENON_LIB_CODEGEN_NARROWFLOATS_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace tenon {

/// arith.extf and arith.truncf between f32 and the floats of 8 and 4 bits (f8E4M3FN, f8E4M3FNUZ,
/// f8E5M2, f8E5M2FNUZ, f4E2M1FN; f8E8M0FNU only to f32), between f32 and f16 unless that is
/// `nativeF16`, and from f64 to all of these and bf16, rounding once. Other conversions go through
/// f32. Rounds to nearest, ties to even; what is too large becomes infinity, NaN in a format
/// without one, or the largest number in a format without either (where NaN becomes -0).
void populateNarrowFloatPatterns(mlir::RewritePatternSet &patterns, bool nativeF16);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_NARROWFLOATS_H
