// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host's processor as a device. Commands are done when their functions return, so queues and
// events carry no state; a launch spreads its grid over the device's thread pool.

#include "targets/cpu/device.h"

#include "lib/artifact/Status.h"
#include "lib/runtime/Error.h"
#include "lib/runtime/ThreadPool.h"
#include "targets/cpu/CpuFeatures.h"
#include "targets/cpu/ElfImage.h"

#include <cstring>
#include <memory>
#include <new>

using tenon::Status;
using tenon::StatusCode;

struct tenon_device {
  explicit tenon_device(const tenon_device_options &options)
      : options(options), pool(static_cast<unsigned>(options.threads)) {}
  tenon_device_options options;
  tenon::ThreadPool pool;
};

struct tenon_device_queue {
  tenon_device *device;
};

struct tenon_device_event {};

struct tenon_device_module {
  tenon::cpu::ElfImage image;
};

namespace {

constexpr size_t memoryAlignment = 64;

/// The kernels' calling convention. A tenon_device_kernel pointer is the function's address.
using KernelFunction = void (*)(void *const *buffers, const int64_t *sizes, int64_t group);

tenon_status open(const tenon_device_options *options, tenon_device **device, tenon_error *error) {
  *device = new (std::nothrow) tenon_device(*options);
  return *device ? TENON_OK : tenon::report({StatusCode::OutOfMemory, "out of memory"}, error);
}

void close(tenon_device *device) { delete device; }

tenon_status query(tenon_device *device, tenon_device_property property, int64_t *value,
                   tenon_error *error) {
  switch (property) {
  case TENON_DEVICE_HOST_VISIBLE:
    *value = 1;
    return TENON_OK;
  case TENON_DEVICE_THREADS:
    *value = device->pool.threads();
    return TENON_OK;
  }
  return tenon::report({StatusCode::Unsupported, "the cpu device has no such property"}, error);
}

tenon_status memoryAllocate(tenon_device *device, size_t bytes, void **memory, tenon_error *error) {
  const tenon_device_options &options = device->options;
  *memory = options.allocate(options.allocator_user, bytes, memoryAlignment);
  return *memory ? TENON_OK
                 : tenon::report({StatusCode::OutOfMemory, "out of memory for a block of " +
                                                               std::to_string(bytes) + " bytes"},
                                 error);
}

void memoryRelease(tenon_device *device, void *memory, size_t bytes) {
  device->options.free(device->options.allocator_user, memory, bytes, memoryAlignment);
}

tenon_status queueCreate(tenon_device *device, tenon_device_queue **queue, tenon_error *error) {
  *queue = new (std::nothrow) tenon_device_queue{device};
  return *queue ? TENON_OK : tenon::report({StatusCode::OutOfMemory, "out of memory"}, error);
}

void queueRelease(tenon_device_queue *queue) { delete queue; }
tenon_status queueSynchronize(tenon_device_queue *, tenon_error *) { return TENON_OK; }

tenon_status eventCreate(tenon_device *, tenon_device_event **event, tenon_error *error) {
  *event = new (std::nothrow) tenon_device_event;
  return *event ? TENON_OK : tenon::report({StatusCode::OutOfMemory, "out of memory"}, error);
}

void eventRelease(tenon_device_event *event) { delete event; }
tenon_status eventRecord(tenon_device_queue *, tenon_device_event *, tenon_error *) {
  return TENON_OK;
}
tenon_status eventWait(tenon_device_queue *, tenon_device_event *, tenon_error *) {
  return TENON_OK;
}

/// Below this a copy or fill is over before other threads have heard of it.
constexpr size_t parallelBytes = 1 << 20, blockBytes = 1 << 18;

tenon_status copy(tenon_device_queue *queue, void *destination, const void *source, size_t bytes,
                  tenon_error *) {
  if (destination == source || bytes == 0)
    return TENON_OK;
  if (bytes < parallelBytes) {
    std::memcpy(destination, source, bytes);
    return TENON_OK;
  }
  struct Job {
    char *destination;
    const char *source;
    size_t bytes;
  } job{static_cast<char *>(destination), static_cast<const char *>(source), bytes};
  queue->device->pool.run(
      static_cast<int64_t>((bytes + blockBytes - 1) / blockBytes),
      [](void *context, int64_t begin, int64_t end) {
        const Job &job = *static_cast<Job *>(context);
        size_t from = static_cast<size_t>(begin) * blockBytes;
        size_t to = std::min(job.bytes, static_cast<size_t>(end) * blockBytes);
        std::memcpy(job.destination + from, job.source + from, to - from);
      },
      &job);
  return TENON_OK;
}

template <typename T>
void fillWith(std::byte *destination, size_t bytes, uint64_t pattern) {
  T value = static_cast<T>(pattern);
  for (size_t i = 0; i < bytes / sizeof(T); ++i)
    std::memcpy(destination + i * sizeof(T), &value, sizeof(T));
  std::memcpy(destination + bytes / sizeof(T) * sizeof(T), &value, bytes % sizeof(T));
}

tenon_status fill(tenon_device_queue *, void *destination, size_t bytes, uint64_t pattern,
                  size_t patternSize, tenon_error *) {
  auto *to = static_cast<std::byte *>(destination);
  switch (patternSize) {
  case 1:
    std::memset(to, static_cast<int>(pattern & 0xff), bytes);
    break;
  case 2:
    fillWith<uint16_t>(to, bytes, pattern);
    break;
  case 4:
    fillWith<uint32_t>(to, bytes, pattern);
    break;
  default:
    fillWith<uint64_t>(to, bytes, pattern);
    break;
  }
  return TENON_OK;
}

Status checkTriple(std::string_view triple) {
  std::string_view architecture = triple.substr(0, triple.find('-'));
  if (architecture.empty() || architecture == tenon::cpu::hostArchitecture() ||
      (architecture == "arm64" && tenon::cpu::hostArchitecture() == std::string_view("aarch64")))
    return {};
  return {StatusCode::Unsupported, "the model was compiled for " + std::string(architecture) +
                                       ", this machine is " + tenon::cpu::hostArchitecture()};
}

tenon_status moduleLoad(tenon_device *, const tenon_device_image *image,
                        tenon_device_module **module, tenon_error *error) {
  Status status = checkTriple(image->triple);
  if (status.ok())
    status = tenon::cpu::requireCpuFeatures(image->features);
  if (!status.ok())
    return tenon::report(status, error);
  std::unique_ptr<tenon_device_module> loaded(new (std::nothrow) tenon_device_module);
  if (!loaded)
    return tenon::report({StatusCode::OutOfMemory, "out of memory"}, error);
  status = loaded->image.load({static_cast<const std::byte *>(image->data), image->size});
  if (!status.ok())
    return tenon::report(status, error);
  *module = loaded.release();
  return TENON_OK;
}

void moduleRelease(tenon_device_module *module) { delete module; }

tenon_status moduleKernel(tenon_device_module *module, uint64_t entry, tenon_device_kernel **kernel,
                          tenon_error *error) {
  *kernel = static_cast<tenon_device_kernel *>(module->image.code(entry));
  return *kernel
             ? TENON_OK
             : tenon::report({StatusCode::InvalidArtifact, "its entry is not in the image's code"},
                             error);
}

tenon_status launch(tenon_device_queue *queue, tenon_device_kernel *kernel, void *const *buffers,
                    size_t, const int64_t *sizes, size_t, int64_t groups, tenon_error *) {
  struct Grid {
    KernelFunction function;
    void *const *buffers;
    const int64_t *sizes;
  } grid{reinterpret_cast<KernelFunction>(kernel), buffers, sizes};
  queue->device->pool.run(
      groups,
      [](void *context, int64_t begin, int64_t end) {
        const Grid &grid = *static_cast<Grid *>(context);
        for (int64_t group = begin; group < end; ++group)
          grid.function(grid.buffers, grid.sizes, group);
      },
      &grid);
  return TENON_OK;
}

constexpr tenon_device_interface interface = {
    .version = TENON_DEVICE_INTERFACE_VERSION,
    .size = sizeof(tenon_device_interface),
    .family = "cpu",
    .open = open,
    .close = close,
    .query = query,
    .memory_allocate = memoryAllocate,
    .memory_release = memoryRelease,
    .queue_create = queueCreate,
    .queue_release = queueRelease,
    .queue_synchronize = queueSynchronize,
    .event_create = eventCreate,
    .event_release = eventRelease,
    .event_record = eventRecord,
    .event_wait = eventWait,
    .copy = copy,
    .fill = fill,
    .module_load = moduleLoad,
    .module_release = moduleRelease,
    .module_kernel = moduleKernel,
    .launch = launch,
};

} // namespace

extern "C" const tenon_device_interface *tenon_cpu_device_interface() { return &interface; }
