// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Float64Math.h - elementary functions as arithmetic --------*- C++ -*-===//
//
// What upstream's polynomial approximations (f32 only) leave open.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_FLOAT64MATH_H
#define TENON_LIB_CODEGEN_FLOAT64MATH_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace tenon {

/// Functions of f64, to a few units in the last place.
void populateFloat64MathPatterns(mlir::RewritePatternSet &patterns);

/// Functions of f32 that are computed in f64 because f32 would lose digits: powf and what has no
/// polynomial.
void populateFloat32MathPatterns(mlir::RewritePatternSet &patterns);

/// arith.remf, exactly, as a loop: a library function everywhere else.
void populateRemainderPatterns(mlir::RewritePatternSet &patterns);

/// math.ipowi of scalars.
void populateIntegerPowerPatterns(mlir::RewritePatternSet &patterns);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_FLOAT64MATH_H
