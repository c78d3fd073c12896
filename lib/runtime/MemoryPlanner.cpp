// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every attempt is the same greedy placement in another order: each buffer goes into the tightest
// gap between those already placed that share a step with it. Large first is good for networks,
// early first for chains. When neither comes near the lower bound, the buffers that stick out are
// moved to the front and placed again, a bounded number of times.

#include "lib/runtime/MemoryPlanner.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace tenon {

namespace {

uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

class Placer {
public:
  Placer(std::span<const MemoryInterval> intervals, uint64_t alignment)
      : intervals_(intervals), alignment_(alignment) {}

  uint64_t sizeOf(uint32_t index) const { return alignUp(intervals_[index].size, alignment_); }

  /// Places the buffers in that order.
  MemoryPlan place(std::span<const uint32_t> order) {
    MemoryPlan plan;
    plan.offsets.resize(intervals_.size());
    placed_.clear();
    for (uint32_t index : order) {
      uint64_t offset = findGap(plan, index);
      plan.offsets[index] = offset;
      plan.size = std::max(plan.size, offset + sizeOf(index));
      auto position = std::upper_bound(
          placed_.begin(), placed_.end(), offset,
          [&](uint64_t value, uint32_t other) { return value < plan.offsets[other]; });
      placed_.insert(position, index);
    }
    return plan;
  }

private:
  uint64_t findGap(const MemoryPlan &plan, uint32_t index) const {
    const MemoryInterval &interval = intervals_[index];
    uint64_t size = sizeOf(index), gapStart = 0;
    uint64_t best = 0, bestSlack = UINT64_MAX;
    for (uint32_t other : placed_) { // in the order of offsets
      if (intervals_[other].first > interval.last || intervals_[other].last < interval.first)
        continue;
      uint64_t start = plan.offsets[other];
      if (start > gapStart && start - gapStart >= size && start - gapStart - size < bestSlack) {
        best = gapStart;
        bestSlack = start - gapStart - size;
      }
      gapStart = std::max(gapStart, start + sizeOf(other));
    }
    return bestSlack == UINT64_MAX ? gapStart : best;
  }

  std::span<const MemoryInterval> intervals_;
  uint64_t alignment_;
  std::vector<uint32_t> placed_; ///< by offset
};

} // namespace

uint64_t memoryLowerBound(std::span<const MemoryInterval> intervals, uint64_t alignment) {
  // At each step, what starts before what ends: sweep over starts and over the steps after ends.
  std::vector<std::pair<uint64_t, uint64_t>> starts, ends;
  for (const MemoryInterval &interval : intervals) {
    starts.emplace_back(interval.first, alignUp(interval.size, alignment));
    ends.emplace_back(uint64_t(interval.last) + 1, alignUp(interval.size, alignment));
  }
  std::sort(starts.begin(), starts.end());
  std::sort(ends.begin(), ends.end());
  uint64_t live = 0, peak = 0;
  size_t ended = 0;
  for (auto [step, size] : starts) {
    for (; ends[ended].first <= step; ++ended)
      live -= ends[ended].second;
    live += size;
    peak = std::max(peak, live);
  }
  return peak;
}

bool planMemory(std::span<const MemoryInterval> intervals, uint64_t alignment, MemoryPlan &plan) {
  uint64_t total = 0;
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < intervals.size(); ++i) {
    if (intervals[i].size > INT64_MAX - alignment ||
        __builtin_add_overflow(total, alignUp(intervals[i].size, alignment), &total) ||
        total > INT64_MAX)
      return false;
    if (intervals[i].size > 0)
      order.push_back(i);
  }
  plan = {};
  plan.offsets.resize(intervals.size());
  if (order.empty())
    return true;

  uint64_t bound = memoryLowerBound(intervals, alignment);
  Placer placer(intervals, alignment);
  bool first = true;
  auto attempt = [&](std::span<const uint32_t> order) {
    MemoryPlan candidate = placer.place(order);
    if (first || candidate.size < plan.size)
      plan = std::move(candidate);
    first = false;
    return plan.size == bound;
  };

  // Equal buffers keep the order in which they came.
  using Key = std::tuple<uint64_t, uint64_t, uint32_t>;
  auto sortBy = [&](auto key) {
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  };
  auto size = [&](uint32_t i) { return intervals[i].size; };
  auto length = [&](uint32_t i) { return uint64_t(intervals[i].last) - intervals[i].first; };
  sortBy([&](uint32_t i) { return Key(intervals[i].first, ~size(i), i); });
  if (attempt(order))
    return true;
  sortBy([&](uint32_t i) { return Key(~length(i), ~size(i), i); });
  if (attempt(order))
    return true;
  sortBy([&](uint32_t i) { return Key(~size(i), ~length(i), i); });
  if (attempt(order))
    return true;

  // Near enough is good enough: memory within 2 % of the bound is not worth more of the caller's
  // time. The number of rounds falls with the square of the set, so that the time stays bounded.
  uint64_t rounds = std::min<uint64_t>(20'000'000 / (order.size() * order.size()), 64);
  MemoryPlan current = placer.place(order);
  std::vector<uint32_t> next;
  for (uint64_t round = 0; round < rounds && plan.size > bound + bound / 50; ++round) {
    // What reaches beyond the bound goes first next time.
    next.clear();
    auto sticksOut = [&](uint32_t i) { return current.offsets[i] + placer.sizeOf(i) > bound; };
    std::copy_if(order.begin(), order.end(), std::back_inserter(next), sticksOut);
    std::copy_if(order.begin(), order.end(), std::back_inserter(next),
                 [&](uint32_t i) { return !sticksOut(i); });
    order.swap(next);
    current = placer.place(order);
    if (current.size < plan.size)
      plan = current;
  }
  return true;
}

} // namespace tenon
