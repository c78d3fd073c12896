// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Is one value what another says it should be?
//
// Floating-point tensors: every difference at most `tolerance` times the largest magnitude of the
// expected tensor; NaNs in the same places, infinities equal. Everything else exactly. Shapes and
// types must be equal.
#ifndef TENON_TOOLS_TENON_COMPARE_H
#define TENON_TOOLS_TENON_COMPARE_H

#include "tools/tenon/Value.h"

namespace tenon::cli {

/// The default tolerance: 1e-3 for f32; f64 tighter, and the short formats by their own precision.
double defaultTolerance(ElementType type);

struct Comparison {
  bool equal = true;
  std::string reason;           // why not, for a person; empty when equal
  double largestDifference = 0; // of floating-point elements, absolute
  double largestMagnitude = 0;  // of the expected elements
  double tolerance = 0;         // that was applied; 0 where exactness was asked
  bool nearlyConstant =
      false; // expected elements hardly differ from each other: agreeing proves little
};

/// Compares; `tolerance` overrides the default of every floating-point type.
Comparison compare(const Value &actual, const Value &expected, std::optional<double> tolerance);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_COMPARE_H
