// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/Runtime.h"

#include "lib/runtime/Error.h"
#include "lib/runtime/HostLibrary.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon::runtime {

namespace {

constexpr size_t hostAlignment = 64;
constexpr size_t hugePage = 2 << 20;

void *systemAllocate(void *, size_t size, size_t alignment) {
  // Large blocks on huge pages: working memory is walked through from end to end, again and again.
  if (size >= 2 * hugePage)
    alignment = std::max(alignment, hugePage);
  if (size > SIZE_MAX - alignment)
    return nullptr;
  void *memory = nullptr;
  if (posix_memalign(&memory, alignment, size) != 0)
    return nullptr;
  if (size >= 2 * hugePage)
    (void)madvise(memory, size / hugePage * hugePage, MADV_HUGEPAGE);
  return memory;
}

void systemFree(void *, void *memory, size_t, size_t) { std::free(memory); }

/// Processors that this process may run on: in a container fewer than the machine has.
int32_t availableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return static_cast<int32_t>(std::max(1l, sysconf(_SC_NPROCESSORS_ONLN)));
}

} // namespace

Status Runtime::create(const tenon_runtime_options &given, std::shared_ptr<Runtime> &runtime) {
  tenon_runtime_options options = given;
  constexpr int32_t maxThreads = 1024;
  if (options.threads < 0 || options.threads > maxThreads)
    return {StatusCode::InvalidArgument,
            "the number of threads is " + std::to_string(options.threads) +
                ", expected 0 (all processors) to " + std::to_string(maxThreads)};
  if (!options.allocate != !options.free)
    return {StatusCode::InvalidArgument,
            "an allocator needs both its functions, allocate and free"};
  if (options.threads == 0)
    options.threads = availableProcessors();
  if (!options.allocate) {
    options.allocate = systemAllocate;
    options.free = systemFree;
  }
  runtime.reset(new (std::nothrow) Runtime(options));
  if (!runtime)
    return {StatusCode::OutOfMemory, "out of memory"};
  return {};
}

Runtime::~Runtime() {
  for (auto &[family, device] : devices_)
    device.table->close(device.handle);
}

Status Runtime::device(const std::string &family, OpenDevice &device) {
  std::lock_guard lock(mutex_);
  for (auto &[name, open] : devices_) {
    if (name == family) {
      device = open;
      return {};
    }
  }
  OpenDevice opened;
  opened.table = findDeviceFamily(family);
  if (!opened.table)
    return {StatusCode::Unsupported, "this runtime has no devices of the family '" + family + "'"};
  tenon_device_options options = {sizeof(tenon_device_options), options_.threads, options_.allocate,
                                  options_.free, options_.allocator_user};
  tenon_error error = {};
  TENON_RETURN_IF_ERROR(fromDevice(opened.table->open(&options, &opened.handle, &error), error));
  devices_.emplace_back(family, opened);
  device = opened;
  int64_t threads = 0;
  if (opened.table->query(opened.handle, TENON_DEVICE_THREADS, &threads, &error) == TENON_OK)
    log(threads < options_.threads ? TENON_LOG_WARNING : TENON_LOG_INFO,
        "device '" + family + "' computes with " + std::to_string(threads) + " of " +
            std::to_string(options_.threads) + " threads");
  return {};
}

Status Runtime::hostLibrary(const tenon_host_interface *&interface) {
  std::lock_guard lock(mutex_);
  if (!host_)
    TENON_RETURN_IF_ERROR(openHostLibrary(hostPath_.empty() ? nullptr : hostPath_.c_str(), host_));
  interface = host_;
  return {};
}

void *Runtime::allocate(int64_t bytes) {
  return options_.allocate(options_.allocator_user,
                           static_cast<size_t>(std::max<int64_t>(bytes, 1)), hostAlignment);
}

void Runtime::release(void *memory, int64_t bytes) {
  options_.free(options_.allocator_user, memory, static_cast<size_t>(std::max<int64_t>(bytes, 1)),
                hostAlignment);
}

void Runtime::log(tenon_log_level level, const std::string &message) const {
  if (options_.log)
    options_.log(options_.log_user, level, message.c_str());
}

} // namespace tenon::runtime
