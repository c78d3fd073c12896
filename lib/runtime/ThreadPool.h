// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The threads that compute a kernel's grid. The caller takes part. Each participant begins with a
// contiguous share of the grid of its own, so that the same thread meets the same memory again, and
// then helps the others: a worker that wakes late, or not at all, delays nobody.

#ifndef TENON_LIB_RUNTIME_THREADPOOL_H
#define TENON_LIB_RUNTIME_THREADPOOL_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <vector>

namespace tenon {

/// Workers spin briefly for the next grid, then sleep. Serves one grid at a time: a caller that
/// finds the workers busy computes its grid alone, so callers never wait for each other.
class ThreadPool {
public:
  /// Computes the groups [begin, end).
  using RangeFunction = void (*)(void *context, int64_t begin, int64_t end);

  /// Starts `threads - 1` workers, or as many as the system allows.
  explicit ThreadPool(unsigned threads);
  /// No grid may be running.
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// Participants of a grid, the caller included.
  unsigned threads() const { return threads_; }

  /// Calls `function` on ranges that cover [0, groups) once, and returns when all are done. From
  /// any thread. Allocates nothing.
  void run(int64_t groups, RangeFunction function, void *context);

private:
  /// A participant's share; a cache line of its own, because others take from it at its end.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  struct Worker {
    ThreadPool *pool = nullptr;
    unsigned index = 0;
    pthread_t thread = {};
  };

  static void *workerMain(void *worker);
  void work(unsigned index);
  void participate(unsigned index);

  unsigned threads_ = 1;
  std::unique_ptr<Share[]> shares_;
  std::vector<Worker> workers_;

  // The current grid. Written by the caller that holds busy_, before open_ is set; read by workers
  // that have counted themselves into active_ and then found open_ set.
  RangeFunction function_ = nullptr;
  void *context_ = nullptr;
  unsigned participants_ = 0;
  int64_t chunk_ = 1;

  alignas(64) std::atomic<bool> busy_{false};   ///< a caller owns the workers
  alignas(64) std::atomic<uint32_t> epoch_{0};  ///< counts grids; workers wait for it to change
  alignas(64) std::atomic<uint32_t> active_{0}; ///< workers inside the grid
  std::atomic<bool> open_{false};               ///< the grid may be entered
  std::atomic<bool> callerSleeps_{false};
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<bool> stop_{false};
};

} // namespace tenon

#endif // TENON_LIB_RUNTIME_THREADPOOL_H
