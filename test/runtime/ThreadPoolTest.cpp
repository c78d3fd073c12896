// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/ThreadPool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>

namespace tenon {
namespace {

struct Counts {
  explicit Counts(size_t size) : values(size) {}
  std::vector<std::atomic<int>> values;
  static void add(void *context, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      static_cast<Counts *>(context)->values[static_cast<size_t>(i)].fetch_add(1);
  }
  bool all(int expected) const {
    for (const std::atomic<int> &value : values)
      if (value.load() != expected)
        return false;
    return true;
  }
};

TEST(ThreadPool, everyGroupRunsOnce) {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int64_t groups : {0, 1, 2, 3, 7, 8, 9, 100, 1023, 5000}) {
      Counts counts(static_cast<size_t>(groups));
      pool.run(groups, Counts::add, &counts);
      ASSERT_TRUE(counts.all(1)) << groups << " groups, " << threads << " threads";
    }
  }
}

TEST(ThreadPool, manyGridsOneAfterTheOther) {
  ThreadPool pool(3);
  Counts counts(17);
  for (int i = 0; i < 20000; ++i)
    pool.run(17, Counts::add, &counts);
  EXPECT_TRUE(counts.all(20000));
}

TEST(ThreadPool, workersWakeAfterSleeping) {
  ThreadPool pool(2);
  Counts counts(64);
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // beyond the spinning
    pool.run(64, Counts::add, &counts);
  }
  EXPECT_TRUE(counts.all(20));
}

TEST(ThreadPool, callersAtOnceDoNotWaitForEachOther) {
  ThreadPool pool(2);
  Counts counts(50);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int i = 0; i < 500; ++i)
        pool.run(50, Counts::add, &counts);
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_TRUE(counts.all(2000));
}

TEST(ThreadPool, workersTakePart) {
  // Each group waits for the other one, so this ends only if two threads work at once.
  ThreadPool pool(2);
  std::atomic<int> arrived{0};
  pool.run(
      2,
      [](void *context, int64_t begin, int64_t end) {
        auto &arrived = *static_cast<std::atomic<int> *>(context);
        arrived.fetch_add(static_cast<int>(end - begin));
        while (arrived.load() < 2)
          std::this_thread::yield();
      },
      &arrived);
  EXPECT_EQ(arrived.load(), 2);
}

TEST(ThreadPool, endsWhileWorkersLeaveAGrid) {
  std::atomic<int64_t> sum{0};
  for (int i = 0; i < 2000; ++i) {
    ThreadPool pool(3);
    pool.run(
        3,
        [](void *context, int64_t begin, int64_t end) {
          *static_cast<std::atomic<int64_t> *>(context) += end - begin;
        },
        &sum);
  }
  EXPECT_EQ(sum, 3 * 2000);
}

TEST(ThreadPool, anIdlePoolUsesNoTime) {
  ThreadPool pool(4);
  Counts counts(8);
  pool.run(8, Counts::add, &counts);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.05);
}

} // namespace
} // namespace tenon
