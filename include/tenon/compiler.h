/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Tenon's compiler: makes a compiled model, for tenon/runtime.h to run, from an ONNX model.
 *
 *   tenon_compile_options options;
 *   tenon_compile_options_init(&options);
 *   options.target = "cpu:x86-64-v3";
 *   options.message = print_message;
 *   if (tenon_compile("model.onnx", "model.tenon", &options, NULL) != TENON_COMPILE_OK)
 *     return 1;
 *
 * Contract
 *
 * Errors. A compilation that fails writes no output, and tells what is wrong through the callback
 * `message`: once for each problem, all of them, in lower case and the user's words (the file, the
 * node, its operator, what was expected and found). The status says whose fault it is.
 *
 * Threads. Any number of threads may compile at once. Callbacks of one compilation come from the
 * thread that called tenon_compile.
 *
 * Ownership. Strings passed in belong to the caller and are read during the call only; strings
 * passed to callbacks live during the callback. Nothing is kept between compilations but what is in
 * the cache directory.
 *
 * Trust. A model is data: a damaged or malicious one gives an error. Weights in other files are
 * read from the model's folder only.
 *
 * Compatibility. Structures that may grow begin with struct_size, set by their _init function.
 */
#ifndef TENON_COMPILER_H
#define TENON_COMPILER_H

#include "tenon/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tenon_compile_status TENON_ENUM_BASE {
  TENON_COMPILE_OK = 0,
  TENON_COMPILE_FAILED = 1, /* the model is wrong or unsupported, or a file cannot be read or
                               written */
  TENON_COMPILE_INVALID_ARGUMENT = 2, /* what the caller passed is wrong */
  TENON_COMPILE_BUG = 70              /* Tenon broke its own rules: please report it */
} tenon_compile_status;

/* One problem. */
typedef void (*tenon_compile_message_function)(void *user, const char *message);

/* A phase begins: the `index`th of `count`, from 0. */
typedef void (*tenon_compile_phase_function)(void *user, const char *phase, int32_t index,
                                             int32_t count);

/* Bounds of a dynamic dimension that the model names. min = max makes it static; max INT64_MAX: no
 * upper bound. */
typedef struct tenon_compile_dim {
  const char *name;
  int64_t min;
  int64_t max;
} tenon_compile_dim;

typedef struct tenon_compile_options {
  size_t struct_size;
  const char *target; /* "cpu" (as NULL): this computer's; "cpu:x86-64-v3": a named one. The message
                         about one that is not known lists those that are */
  const tenon_compile_dim *dims;
  int32_t dim_count;
  int32_t level;               /* 2: every optimisation; 0: the reference, each operation alone */
  int32_t threads;             /* kernels compiled at once; 0: one per processor available */
  const char *cache_directory; /* of compiled kernels, shared between compilations; NULL: none */
  const char *reproducer;      /* the file to write should a bug show; NULL: none */
  tenon_compile_message_function message; /* NULL: nothing is told */
  tenon_compile_phase_function phase;
  void *user; /* passed to both callbacks */
} tenon_compile_options;

TENON_API void tenon_compile_options_init(tenon_compile_options *options);

/* What a compilation that succeeded did. */
typedef struct tenon_compile_report {
  size_t struct_size; /* set by the caller: sizeof(tenon_compile_report) */
  int64_t node_count; /* operations of the model as imported */
  int64_t weight_bytes;
  int64_t artifact_bytes; /* size of the file written */
  int64_t peak_bytes;     /* most memory that the process has used so far */
  int32_t kernel_count;
  double seconds;
} tenon_compile_report;

/* Compiles the ONNX model in the file `model` to the file `output`, which appears whole or not at
 * all. `options` may be NULL for the defaults; `report` may be NULL. */
TENON_API tenon_compile_status tenon_compile(const char *model, const char *output,
                                             const tenon_compile_options *options,
                                             tenon_compile_report *report);

/* major * 1000000 + minor * 1000 + patch. */
TENON_API uint32_t tenon_compiler_version(void);

#ifdef __cplusplus
}
#endif

#endif /* TENON_COMPILER_H */
