// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places buffers with known lives in one block of memory. The compiler uses it for models with
// static shapes, the runtime for dynamic ones.

#ifndef TENON_LIB_RUNTIME_MEMORYPLANNER_H
#define TENON_LIB_RUNTIME_MEMORYPLANNER_H

#include <cstdint>
#include <span>
#include <vector>

namespace tenon {

/// A buffer that must keep its contents from step `first` to step `last`, both included.
struct MemoryInterval {
  uint64_t size = 0;
  uint32_t first = 0;
  uint32_t last = 0;
};

struct MemoryPlan {
  std::vector<uint64_t> offsets; ///< one per interval
  uint64_t size = 0;             ///< of the whole block
};

/// Finds offsets, multiples of `alignment` (a power of two), such that intervals which share a step
/// share no memory. Placing optimally is NP-hard; this tries a few orders of greedy best-fit
/// placement and keeps the smallest result. Deterministic. False when sizes overflow 63 bits.
bool planMemory(std::span<const MemoryInterval> intervals, uint64_t alignment, MemoryPlan &plan);

/// The largest sum of aligned sizes alive at one step: no plan can be smaller. Sizes must have
/// passed planMemory.
uint64_t memoryLowerBound(std::span<const MemoryInterval> intervals, uint64_t alignment);

} // namespace tenon

#endif // TENON_LIB_RUNTIME_MEMORYPLANNER_H
