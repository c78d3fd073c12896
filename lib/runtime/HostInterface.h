/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The border between the runtime and the library of host functions, libtenon_host: two tables of C
 * functions, one lent to the other, so that neither links the other. lib/host/Function.h is what
 * host functions are written with.
 *
 * The library is found by name and version beside the runtime, and opened when a program calls a
 * host function. Both are of one release: TENON_HOST_INTERFACE_VERSION must be the same in both.
 *
 * Contract. All functions may be called from any thread; one host function may be called by several
 * threads at once. Functions that return a status fill in `error` (never NULL) when they fail.
 */
#ifndef TENON_LIB_RUNTIME_HOSTINTERFACE_H
#define TENON_LIB_RUNTIME_HOSTINTERFACE_H

#include "tenon/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_HOST_INTERFACE_VERSION 1

/* What the runtime lends to host functions. Every tenon_value begins with a pointer to this table.
 * The functions without a comment are those of tenon/runtime.h. */
typedef struct tenon_value_interface {
  uint32_t version; /* TENON_HOST_INTERFACE_VERSION */
  uint32_t size;    /* sizeof(tenon_value_interface) of who made the table */

  tenon_status (*make_tensor)(tenon_runtime *runtime, const tenon_tensor *tensor,
                              tenon_value **value, tenon_error *error);
  /* A tensor of numbers with elements that the caller writes before it passes the value on. */
  tenon_status (*make_uninitialized)(tenon_runtime *runtime, tenon_element_type element,
                                     int32_t rank, const int64_t *dims, tenon_value **value,
                                     void **data, tenon_error *error);
  tenon_status (*make_sequence)(tenon_runtime *runtime, const tenon_value *const *elements,
                                int64_t count, tenon_value **value, tenon_error *error);
  tenon_status (*make_optional)(tenon_runtime *runtime, const tenon_value *content,
                                tenon_value **value, tenon_error *error);
  tenon_status (*make_map)(tenon_runtime *runtime, const tenon_value *keys,
                           const tenon_value *values, tenon_value **value, tenon_error *error);
  /* Replaces *sequence, a reference of the caller's, by one with `element` before `position` (from
   * 0 to its count); in place where there is no other reference. */
  tenon_status (*insert)(tenon_value **sequence, int64_t position, const tenon_value *element,
                         tenon_error *error);
  /* The same without the element at `position`. */
  tenon_status (*erase)(tenon_value **sequence, int64_t position, tenon_error *error);

  tenon_value *(*retain)(const tenon_value *value);
  void (*release)(tenon_value *value);
  tenon_value_kind (*kind)(const tenon_value *value);
  /* The tensor of a value that is one. */
  const tenon_tensor *(*tensor)(const tenon_value *value);
  int64_t (*count)(const tenon_value *value);
  const tenon_value *(*element)(const tenon_value *value, int64_t index);
} tenon_value_interface;

/* An attribute of a call: always a tensor, of rank 0 or 1 where ONNX's is a number or a list. */
typedef struct tenon_host_attribute {
  const char *name;
  const tenon_value *value;
} tenon_host_attribute;

/* One call. */
typedef struct tenon_host_call {
  tenon_runtime *runtime; /* for what the function makes */
  const tenon_value_interface *values;
  tenon_value **inputs; /* NULL: absent. The function may take a reference over: it leaves NULL. */
  size_t input_count;
  /* NULL before the call; after one that succeeded references that are the caller's. */
  tenon_value **results;
  const uint8_t *needed; /* per result: 0: nobody wants it, and it may stay NULL */
  size_t result_count;
} tenon_host_call;

typedef struct tenon_host_function tenon_host_function;

typedef struct tenon_host_interface {
  uint32_t version; /* TENON_HOST_INTERFACE_VERSION */
  uint32_t size;    /* sizeof(tenon_host_interface) of who made the table */

  /* The function of that name and version, for one call site; TENON_UNSUPPORTED: there is none. The
   * attributes' values stay until its release. */
  tenon_status (*create)(const char *name, uint32_t version, const tenon_host_attribute *attributes,
                         size_t attribute_count, tenon_host_function **function,
                         tenon_error *error);
  void (*release)(tenon_host_function *function);
  tenon_status (*call)(const tenon_host_function *function, const tenon_host_call *call,
                       tenon_error *error);

  /* What there is: the functions' names and versions. */
  size_t (*function_count)(void);
  const char *(*function_name)(size_t index);
  uint32_t (*function_version)(size_t index);
} tenon_host_interface;

/* The one name that the library exports. */
TENON_API const tenon_host_interface *tenon_host_get_interface(void);
#define TENON_HOST_ENTRY "tenon_host_get_interface"

#ifdef __cplusplus
}
#endif

#endif /* TENON_LIB_RUNTIME_HOSTINTERFACE_H */
