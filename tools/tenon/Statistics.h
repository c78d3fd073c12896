// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What many timed runs come to.
#ifndef TENON_TOOLS_TENON_STATISTICS_H
#define TENON_TOOLS_TENON_STATISTICS_H

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tenon::cli {

/// Percentiles by linear interpolation between the sorted samples. Needs at least one sample.
class Statistics {
public:
  explicit Statistics(std::vector<double> milliseconds) : sorted(std::move(milliseconds)) {
    std::sort(sorted.begin(), sorted.end());
  }

  double percentile(double fraction) const {
    double at = fraction * static_cast<double>(sorted.size() - 1);
    size_t below = static_cast<size_t>(at), above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
  }
  double min() const { return sorted.front(); }
  double median() const { return percentile(0.5); }
  size_t runs() const { return sorted.size(); }

private:
  std::vector<double> sorted;
};

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_STATISTICS_H
