// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Seeded random inputs. The same seed gives the same values on every computer: the generator and
// the distributions are spelled out here, because those of the standard library differ between
// implementations.
#ifndef TENON_TOOLS_TENON_RANDOMINPUTS_H
#define TENON_TOOLS_TENON_RANDOMINPUTS_H

#include "tools/tenon/Signature.h"
#include "llvm/ADT/StringMap.h"

namespace tenon::cli {

struct RandomOptions {
  uint64_t seed = 0;
  llvm::StringMap<int64_t> sizes;                    // of dynamic dimensions, by name
  llvm::StringMap<std::pair<double, double>> ranges; // of values, by input name: [lo, hi)
};

/// Draws a value for every input. Without a range, floats are normal (mean 0, deviation 1),
/// integers 0 or 1, strings short words. A dynamic dimension without a size gets its smallest one,
/// at least 1. Errors: a size or range for something that the model does not have, a size outside
/// the dimension's bounds, an empty range.
llvm::Expected<std::vector<NamedValue>> drawInputs(llvm::ArrayRef<Port> inputs,
                                                   const RandomOptions &options);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_RANDOMINPUTS_H
