// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Is one value what another says it should be?
//
// Floating-point tensors: every difference within a tolerance; NaNs in the same places, infinities
// equal. Everything else exactly. Shapes and types must be equal.
//
// There are two kinds of tolerance. A fraction of the expected tensor's largest magnitude is what a
// whole model can promise, because sums cancel. ONNX's own tests allow each element its own
// deviation, which is tighter where a tensor has small elements beside large ones.
#ifndef TENON_TOOLS_TENON_COMPARE_H
#define TENON_TOOLS_TENON_COMPARE_H

#include "tools/tenon/Value.h"

namespace tenon::cli {

/// The default tolerance: 1e-3 for f32; f64 tighter, and the short formats by their own precision.
double defaultTolerance(ElementType type);

struct Tolerance {
  /// Of the largest magnitude; none: the type's default.
  std::optional<double> fraction = std::nullopt;
  /// Instead: `absolute + relative * |expected|` for each element, as numpy.allclose has it.
  struct Elementwise {
    double relative, absolute;
  };
  std::optional<Elementwise> elementwise = std::nullopt;
};

struct Comparison {
  bool equal = true;
  std::string reason;           // why not, for a person; empty when equal
  double largestDifference = 0; // of floating-point elements, absolute
  double largestMagnitude = 0;  // of the expected elements
  double tolerance = 0;         // that was applied; 0 where exactness was asked
  std::string allowed;          // the same for a person; empty where exactness was asked
  bool nearlyConstant =
      false; // expected elements hardly differ from each other: agreeing proves little
};

Comparison compare(const Value &actual, const Value &expected, const Tolerance &tolerance);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_COMPARE_H
