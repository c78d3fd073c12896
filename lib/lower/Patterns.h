// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The families of patterns that LowerOnnx.cpp puts together, one per source file of the same name.

#ifndef TENON_LIB_LOWER_PATTERNS_H
#define TENON_LIB_LOWER_PATTERNS_H

namespace mlir {
class RewritePatternSet;
class TypeConverter;
} // namespace mlir

namespace tenon::lower {

void populateActivationPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateArithmeticPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateAttentionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateCastPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateContractionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateConvolutionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateCumulativePatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateDataMovementPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateDeformableConvolutionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateEinsumPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateFoldingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateGenerationPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateHostFunctionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateIndexingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateNormalizationPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populatePaddingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populatePoolingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateQuantizationPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateRandomPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateReductionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateRegionAlignPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateReshapingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateResizePatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateSamplingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateSelectionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateSlicingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateSoftmaxPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateSortingPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateStringPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_PATTERNS_H
