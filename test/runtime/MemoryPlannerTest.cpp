// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/MemoryPlanner.h"

#include <gtest/gtest.h>

#include <random>

namespace tenon {
namespace {

using Intervals = std::vector<MemoryInterval>;

uint32_t below(std::mt19937 &random, uint32_t limit) {
  return static_cast<uint32_t>(random() % limit);
}

/// Plans, checks that nothing alive at once overlaps, and returns the plan.
MemoryPlan checked(const Intervals &intervals, uint64_t alignment = 64) {
  MemoryPlan plan;
  EXPECT_TRUE(planMemory(intervals, alignment, plan));
  EXPECT_EQ(plan.offsets.size(), intervals.size());
  for (size_t i = 0; i < intervals.size(); ++i) {
    const MemoryInterval &a = intervals[i];
    EXPECT_EQ(plan.offsets[i] % alignment, 0u);
    EXPECT_LE(plan.offsets[i] + a.size, plan.size);
    for (size_t j = 0; j < i; ++j) {
      const MemoryInterval &b = intervals[j];
      bool together = a.first <= b.last && b.first <= a.last;
      bool overlap =
          plan.offsets[i] < plan.offsets[j] + b.size && plan.offsets[j] < plan.offsets[i] + a.size;
      EXPECT_FALSE(together && overlap && a.size && b.size) << i << " and " << j;
    }
  }
  EXPECT_GE(plan.size, memoryLowerBound(intervals, alignment));
  return plan;
}

double excess(const Intervals &intervals) {
  return static_cast<double>(checked(intervals).size) /
         static_cast<double>(std::max<uint64_t>(1, memoryLowerBound(intervals, 64)));
}

TEST(MemoryPlanner, lowerBoundIsTheLargestSumAlive) {
  EXPECT_EQ(memoryLowerBound(Intervals{}, 64), 0u);
  EXPECT_EQ(memoryLowerBound(Intervals{{64, 0, 1}, {128, 1, 2}, {64, 2, 3}}, 64), 192u);
  EXPECT_EQ(memoryLowerBound(Intervals{{1, 0, 0}, {1, 0, 0}, {100, 1, 1}}, 64), 128u);
}

TEST(MemoryPlanner, emptyAndZero) {
  EXPECT_EQ(checked({}).size, 0u);
  EXPECT_EQ(checked({{0, 0, 9}, {0, 0, 9}}).size, 0u);
  EXPECT_EQ(checked({{0, 0, 9}, {100, 0, 9}, {0, 3, 4}}).size, 128u);
}

TEST(MemoryPlanner, sequencesShare) {
  // A chain: only two neighbours live at once.
  Intervals chain;
  for (uint32_t i = 0; i < 100; ++i)
    chain.push_back({1024, i, i + 1});
  EXPECT_EQ(checked(chain).size, 2048u);
}

TEST(MemoryPlanner, overflowIsRefused) {
  MemoryPlan plan;
  EXPECT_FALSE(planMemory(Intervals{{INT64_MAX, 0, 0}}, 64, plan));
  EXPECT_FALSE(planMemory(Intervals{{INT64_MAX / 2, 0, 0}, {INT64_MAX / 2 + 64, 0, 0}}, 64, plan));
  EXPECT_FALSE(planMemory(Intervals{{UINT64_MAX, 0, 0}}, 64, plan));
}

TEST(MemoryPlanner, isDeterministic) {
  std::mt19937 random(1);
  Intervals intervals;
  for (int i = 0; i < 200; ++i) {
    uint32_t first = below(random, 100);
    intervals.push_back({below(random, 100000), first, first + below(random, 30)});
  }
  EXPECT_EQ(checked(intervals).offsets, checked(intervals).offsets);
}

TEST(MemoryPlanner, randomSetsStayNearTheBound) {
  std::mt19937 random(7);
  double sum = 0, worst = 0;
  constexpr int rounds = 200;
  for (int round = 0; round < rounds; ++round) {
    Intervals intervals;
    uint32_t count = 1 + below(random, 150), steps = 1 + below(random, 100);
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t first = below(random, steps);
      intervals.push_back({uint64_t(1) << below(random, 20), first, first + below(random, 10)});
    }
    double ratio = excess(intervals);
    sum += ratio;
    worst = std::max(worst, ratio);
  }
  EXPECT_LT(sum / rounds, 1.02);
  EXPECT_LT(worst, 1.10);
}

TEST(MemoryPlanner, networksStayNearTheBound) {
  for (uint64_t batch : {1, 3, 8}) {
    // Residual network: three convolutions a block, the block's input lives to its end.
    Intervals residual;
    uint32_t step = 0;
    for (auto [blocks, channels, side] : {std::tuple(3, 256, 56), std::tuple(4, 512, 28),
                                          std::tuple(6, 1024, 14), std::tuple(3, 2048, 7)})
      for (int block = 0; block < blocks; ++block, step += 4) {
        uint64_t full = batch * static_cast<uint64_t>(channels * side * side) * 4;
        residual.push_back({full, step, step + 4});
        residual.push_back({full / 4, step, step + 1});
        residual.push_back({full / 4, step + 1, step + 2});
        residual.push_back({full, step + 2, step + 3});
      }
    EXPECT_LT(excess(residual), 1.10);

    // Transformer: projections, attention scores, the wide layer, two residuals.
    Intervals transformer;
    step = 0;
    uint64_t tokens = batch * 128, width = 384;
    for (int layer = 0; layer < 12; ++layer, step += 8) {
      uint64_t row = tokens * width * 4;
      transformer.push_back({row, step, step + 8});
      for (uint32_t i = 0; i < 3; ++i)
        transformer.push_back({row, step + i, step + 4});
      transformer.push_back({batch * 12 * 128 * 128 * 4, step + 3, step + 4});
      transformer.push_back({row, step + 4, step + 5});
      transformer.push_back({row, step + 5, step + 7});
      transformer.push_back({4 * row, step + 6, step + 7});
    }
    EXPECT_LT(excess(transformer), 1.10);

    // Densely connected: everything made in a block lives to its end.
    Intervals dense;
    step = 0;
    for (uint32_t layers : {6, 12, 24, 16}) {
      uint64_t side = 56 * 6 / layers;
      for (uint32_t layer = 0; layer < layers; ++layer) {
        dense.push_back({batch * 32 * side * side * 4, step + layer, step + layers});
        dense.push_back({batch * 128 * side * side * 4, step + layer, step + layer + 1});
      }
      step += layers;
    }
    EXPECT_LT(excess(dense), 1.10);
  }
}

TEST(MemoryPlanner, largeSetsTakeBoundedTime) {
  std::mt19937 random(3);
  Intervals intervals;
  for (int i = 0; i < 5000; ++i) {
    uint32_t first = below(random, 5000);
    intervals.push_back({below(random, 1000000), first, first + below(random, 20)});
  }
  MemoryPlan plan;
  EXPECT_TRUE(planMemory(intervals, 64, plan));
  EXPECT_LT(static_cast<double>(plan.size),
            1.15 * static_cast<double>(memoryLowerBound(intervals, 64)));
}

} // namespace
} // namespace tenon
