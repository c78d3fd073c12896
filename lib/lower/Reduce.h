// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions along dimensions of a tensor, for all families that need one.

#ifndef TENON_LIB_LOWER_REDUCE_H
#define TENON_LIB_LOWER_REDUCE_H

#include "lib/lower/Elementwise.h"

namespace tenon::lower {

/// What is computed from the elements: a combination of all of a function of each.
enum class Reduction {
  Sum,
  SumOfMagnitudes,
  SumOfSquares,
  SumOfExponentials,
  Product,
  Maximum,
  Minimum
};

/// The element that changes nothing.
TypedAttr getNeutral(Builder &builder, Reduction reduction, Type type, bool isUnsigned);

/// What an element contributes.
Value getTerm(Scalar &scalar, Reduction reduction, Value element);

/// The accumulator with one more term.
Value combine(Scalar &scalar, Reduction reduction, Value accumulator, Value term);

/// The sizes of the dimensions that are not in `axes`.
SmallVector<OpFoldResult> getKeptSizes(OpBuilder &builder, Location loc, Value input,
                                       ArrayRef<int64_t> axes);

/// Reduces the dimensions `axes`, which the result does not have. Elements of f16 and bf16 are
/// accumulated in f32, which is then the result's type. Sums and products of floats may be
/// reassociated, so that they can be vectorized. A maximum or minimum of bools is their disjunction
/// or conjunction.
Value reduce(OpBuilder &builder, Location loc, Reduction reduction, Value input,
             ArrayRef<int64_t> axes, bool isUnsigned = false);

/// The position (i64) of the maximum or minimum along `axis`, which the result does not have; of
/// equal ones the first or last. NaNs are never chosen.
Value reducePosition(OpBuilder &builder, Location loc, Value input, int64_t axis, bool isMaximum,
                     bool selectLast, bool isUnsigned);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_REDUCE_H
