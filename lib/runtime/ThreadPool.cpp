// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entering and closing a grid is Dekker's handshake, which needs sequential consistency: a worker
// counts itself in and then looks whether the grid is open; the caller closes the grid and then
// looks whether anybody is in. At least one of the two sees the other.

#include "lib/runtime/ThreadPool.h"

#include <algorithm>
#include <chrono>

namespace tenon {

namespace {

/// How long a thread looks for work, or for others to finish, before it sleeps. Longer than the gap
/// between two kernels of a run, shorter than anybody would notice on an idle machine.
constexpr std::chrono::microseconds spinTime(50);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

/// Spins until `done()` or until spinTime has passed; returns done()'s last answer.
template <typename Done>
bool spinUntil(Done done) {
  auto deadline = std::chrono::steady_clock::now() + spinTime;
  do {
    for (int i = 0; i < 64; ++i) {
      if (done())
        return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return done();
}

} // namespace

ThreadPool::ThreadPool(unsigned threads)
    : threads_(std::max(threads, 1u)), shares_(new Share[threads_]) {
  workers_.resize(threads_ - 1);
  for (unsigned i = 0; i < workers_.size(); ++i) {
    workers_[i].pool = this;
    workers_[i].index = i + 1;
    if (pthread_create(&workers_[i].thread, nullptr, workerMain, &workers_[i]) != 0) {
      workers_.resize(i);
      break;
    }
  }
  threads_ = static_cast<unsigned>(workers_.size()) + 1;
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (Worker &worker : workers_)
    pthread_join(worker.thread, nullptr);
}

void ThreadPool::run(int64_t groups, RangeFunction function, void *context) {
  if (groups <= 0)
    return;
  if (groups == 1 || workers_.empty() || busy_.exchange(true, std::memory_order_acquire)) {
    function(context, 0, groups);
    return;
  }
  function_ = function;
  context_ = context;
  participants_ = static_cast<unsigned>(std::min<int64_t>(threads_, groups));
  int64_t share = groups / participants_, rest = groups % participants_, begin = 0;
  chunk_ = std::max<int64_t>(1, share / 8);
  for (unsigned i = 0; i < participants_; ++i) {
    shares_[i].next.store(begin, std::memory_order_relaxed);
    begin += share + (i < rest);
    shares_[i].end = begin;
  }
  open_.store(true);
  epoch_.fetch_add(1);
  if (sleepers_.load() > 0)
    epoch_.notify_all();

  participate(0);

  open_.store(false);
  if (!spinUntil([&] { return active_.load() == 0; })) {
    callerSleeps_.store(true);
    for (uint32_t inside = active_.load(); inside != 0; inside = active_.load())
      active_.wait(inside);
    callerSleeps_.store(false);
  }
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::participate(unsigned index) {
  for (unsigned i = 0; i < participants_; ++i) {
    Share &share = shares_[(index + i) % participants_];
    while (true) {
      // Look first: the counter must not run away while many find the share finished.
      if (share.next.load(std::memory_order_relaxed) >= share.end)
        break;
      int64_t begin = share.next.fetch_add(chunk_, std::memory_order_relaxed);
      if (begin >= share.end)
        break;
      function_(context_, begin, std::min(begin + chunk_, share.end));
    }
  }
}

void ThreadPool::work(unsigned index) {
  uint32_t seen = 0;
  while (true) {
    if (!spinUntil([&] { return epoch_.load() != seen; })) {
      sleepers_.fetch_add(1);
      epoch_.wait(seen);
      sleepers_.fetch_sub(1);
    }
    // In this order: an epoch that is the last one comes with stop_.
    seen = epoch_.load();
    if (stop_.load())
      return;
    active_.fetch_add(1);
    if (open_.load())
      participate(index);
    if (active_.fetch_sub(1) == 1 && callerSleeps_.load())
      active_.notify_all();
  }
}

void *ThreadPool::workerMain(void *argument) {
  Worker *worker = static_cast<Worker *>(argument);
  worker->pool->work(worker->index);
  return nullptr;
}

} // namespace tenon
