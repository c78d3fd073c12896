// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Fourier transform of a length that is known, in O(n log n), as reshapes, products with small
// matrices and elementwise factors.

#ifndef TENON_LIB_IMPORT_FASTTRANSFORM_H
#define TENON_LIB_IMPORT_FASTTRANSFORM_H

#include "lib/import/BodyBuilder.h"

namespace tenon::import {

/// Tensors of doubles of one shape; `imaginary` is empty for real numbers.
struct Complex {
  BodyBuilder::Value real, imaginary;
};

/// Up to this length, a product with the whole matrix of the transform is the fastest way.
constexpr int64_t kLongestProduct = 512;

/// The transform along the last dimension of `input`, [any, length], with the sign of the exponent
/// that `isInverse` tells, not scaled.
Complex transformFast(BodyBuilder &body, const Complex &input, int64_t length, bool isInverse);

/// Cosines and sines of 2 pi n k / length as a matrix of `rows` n and `columns` k, which are
/// vectors of one element, as is `length`.
Complex makeFactors(BodyBuilder &body, BodyBuilder::Value rows, BodyBuilder::Value columns,
                    BodyBuilder::Value length);

/// input * (cos -+ i sin) for a matrix of factors.
Complex multiplyByFactors(BodyBuilder &body, const Complex &input, const Complex &factors,
                          bool isInverse);

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_FASTTRANSFORM_H
