// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime asks of a device family: a table of C functions, so that a family can live in a
// library of its own that is opened at run time. lib/runtime/Devices.cpp lists the families.
//
// Contract. All functions may be called from any thread; a queue is used by one thread at a time.
// Functions that return a status fill in `error` (never NULL) when they fail. Commands (copy, fill,
// launch, event_record, event_wait) may return before they are done; those of one queue take effect
// in order. Memory addresses are the device's; when it has the property HostVisible they are also
// the host's. Every allocation starts at a multiple of 64.

#ifndef TENON_LIB_RUNTIME_DEVICE_H
#define TENON_LIB_RUNTIME_DEVICE_H

#include "tenon/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_DEVICE_INTERFACE_VERSION 1

typedef struct tenon_device tenon_device;
typedef struct tenon_device_queue tenon_device_queue;
typedef struct tenon_device_event tenon_device_event;
typedef struct tenon_device_module tenon_device_module;
typedef struct tenon_device_kernel tenon_device_kernel;

/* What the runtime lends a device. Valid as long as the device is open. */
typedef struct tenon_device_options {
  size_t struct_size;
  int32_t threads; /* at least 1 */
  tenon_allocate_function allocate;
  tenon_free_function free;
  void *allocator_user;
} tenon_device_options;

typedef enum tenon_device_property TENON_ENUM_BASE {
  TENON_DEVICE_HOST_VISIBLE = 0, /* 1 when the host may read and write the device's memory */
  TENON_DEVICE_THREADS = 1       /* that compute one launch */
} tenon_device_property;

/* What an artifact says about an image. Strings are never NULL. */
typedef struct tenon_device_image {
  const void *data;
  size_t size;
  const char *triple;
  const char *features; /* "+avx2,+fma" */
} tenon_device_image;

typedef struct tenon_device_interface {
  uint32_t version; /* TENON_DEVICE_INTERFACE_VERSION */
  uint32_t size;    /* sizeof(tenon_device_interface) of who made the table */
  const char *family;

  tenon_status (*open)(const tenon_device_options *options, tenon_device **device,
                       tenon_error *error);
  void (*close)(tenon_device *device);
  tenon_status (*query)(tenon_device *device, tenon_device_property property, int64_t *value,
                        tenon_error *error);

  tenon_status (*memory_allocate)(tenon_device *device, size_t bytes, void **memory,
                                  tenon_error *error);
  void (*memory_release)(tenon_device *device, void *memory, size_t bytes);

  tenon_status (*queue_create)(tenon_device *device, tenon_device_queue **queue,
                               tenon_error *error);
  void (*queue_release)(tenon_device_queue *queue);
  /* Blocks the host until all commands of the queue are done. */
  tenon_status (*queue_synchronize)(tenon_device_queue *queue, tenon_error *error);

  tenon_status (*event_create)(tenon_device *device, tenon_device_event **event,
                               tenon_error *error);
  void (*event_release)(tenon_device_event *event);
  tenon_status (*event_record)(tenon_device_queue *queue, tenon_device_event *event,
                               tenon_error *error);
  tenon_status (*event_wait)(tenon_device_queue *queue, tenon_device_event *event,
                             tenon_error *error);

  /* Within the device. The regions are equal or do not overlap. */
  tenon_status (*copy)(tenon_device_queue *queue, void *destination, const void *source,
                       size_t bytes, tenon_error *error);
  tenon_status (*fill)(tenon_device_queue *queue, void *destination, size_t bytes, uint64_t pattern,
                       size_t pattern_size, tenon_error *error);

  /* The image's bytes are not needed after the call. Refuses, with a message that says why, an
   * image that is not for this device. */
  tenon_status (*module_load)(tenon_device *device, const tenon_device_image *image,
                              tenon_device_module **module, tenon_error *error);
  void (*module_release)(tenon_device_module *module);
  /* Lives as long as the module. */
  tenon_status (*module_kernel)(tenon_device_module *module, uint64_t entry,
                                tenon_device_kernel **kernel, tenon_error *error);
  /* The arrays are not needed after the call. */
  tenon_status (*launch)(tenon_device_queue *queue, tenon_device_kernel *kernel,
                         void *const *buffers, size_t buffer_count, const int64_t *sizes,
                         size_t size_count, int64_t groups, tenon_error *error);
} tenon_device_interface;

#ifdef __cplusplus
}
#endif

#endif // TENON_LIB_RUNTIME_DEVICE_H
