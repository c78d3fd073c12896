// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the time of a run goes, kernel by kernel.
#ifndef TENON_TOOLS_TENON_PROFILE_H
#define TENON_TOOLS_TENON_PROFILE_H

#include "tools/tenon/Value.h"
#include "llvm/Support/JSON.h"

namespace tenon::cli {

struct KernelTime {
  std::string name;
  size_t launches = 0;     // in one run
  double milliseconds = 0; // of all its launches in one run: the median over the runs,
  double best = 0;         // and the least
  double flops = 0;        // of one launch; 0: unknown
  std::vector<std::string> nodes;

  /// In the best run, which nothing else on the computer disturbed. 0: unknown.
  double gigaflopsPerSecond() const { return flops * static_cast<double>(launches) / best * 1e-6; }
};

/// Runs the compiled model in the file `path` `runs` times. Slowest kernel first.
llvm::Expected<std::vector<KernelTime>> profileKernels(llvm::StringRef path, unsigned threads,
                                                       llvm::ArrayRef<NamedValue> inputs,
                                                       size_t runs);

void printProfile(llvm::ArrayRef<KernelTime> kernels);
llvm::json::Array toJson(llvm::ArrayRef<KernelTime> kernels);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_PROFILE_H
