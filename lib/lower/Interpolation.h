// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading a tensor between its elements, and outside of it, for the operators that compute where to
// read.
//
// Positions stay floats until they are limited to the tensor, so that neither an infinite position
// nor a NaN becomes an index that is out of range.

#ifndef TENON_LIB_LOWER_INTERPOLATION_H
#define TENON_LIB_LOWER_INTERPOLATION_H

#include "lib/lower/Elementwise.h"

namespace tenon::lower {

enum class Interpolation { Nearest, Linear, Cubic };
/// What stands outside of the tensor.
enum class Outside { Zeros, Border, Reflection };

/// Which elements of one dimension a position reads, with what weights.
struct Taps {
  SmallVector<Value> positions; ///< of type index, all within the tensor
  SmallVector<Value> weights;   ///< null for a weight of one
  SmallVector<Value> isInside;  ///< null where what lies outside is not zero
};

class Sampler {
public:
  /// `alignsCorners` is about what lies where: whether the tensor ends at the centers of its outer
  /// elements or at their edges.
  Sampler(Scalar &scalar, Interpolation interpolation, Outside outside, bool alignsCorners)
      : scalar(scalar), interpolation(interpolation), outside(outside),
        alignsCorners(alignsCorners) {}

  /// For a coordinate in [-1, 1] along a dimension of `size`, a float of the coordinate's type.
  Taps getTapsOfCoordinate(Value coordinate, Value size);
  /// For a position among the elements, whose centers have whole numbers.
  Taps getTaps(Value position, Value size);

private:
  SmallVector<Value> getLinearWeights(Value fraction);
  SmallVector<Value> getCubicWeights(Value fraction);
  Value limit(Value position, Value size);
  Value reflect(Value position, Value size);
  Value move(Value position, Value size);
  void addTap(Taps &taps, Value position, Value size, Value weight);

  Scalar &scalar;
  Interpolation interpolation;
  Outside outside;
  bool alignsCorners;
};

/// The weighted sum of elements of `input`, converted to `type` first. The first dimensions are
/// those of `leading`; the others have their `taps`.
Value interpolate(Scalar &scalar, Value input, ArrayRef<Value> leading, ArrayRef<Taps> taps,
                  Type type);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_INTERPOLATION_H
