// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NarrowFloats.h - conversions of floats of 16 and 8 bits ---*- C++ -*-===//
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

/// arith.extf and arith.truncf between f32 and the 8-bit floats f8E4M3FN, f8E4M3FNUZ, f8E5M2,
/// f8E5M2FNUZ, and between f32 and f16 unless that is `nativeF16`. Conversions from and to other
/// types go through f32. Rounds to nearest, ties to even; what is too large becomes infinity, or
/// NaN in a format without one.
void populateNarrowFloatPatterns(mlir::RewritePatternSet &patterns, bool nativeF16);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_NARROWFLOATS_H
