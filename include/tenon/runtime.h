/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Tenon's runtime: loads a compiled model and runs it.
 *
 *   tenon_error error;
 *   tenon_runtime *runtime;
 *   tenon_model *model;
 *   if (tenon_runtime_create(NULL, &runtime, &error) != TENON_OK ||
 *       tenon_model_load_file(runtime, "model.tenon", &model, &error) != TENON_OK)
 *     return fail(error.message);
 *   tenon_tensor input = tenon_tensor_make(data, bytes, TENON_FLOAT, 2, (int64_t[]){8, 64});
 *   tenon_tensor output = {0};                        // data NULL: the runtime allocates it
 *   if (tenon_run(model, &input, 1, &output, 1, &error) != TENON_OK)
 *     return fail(error.message);
 *   ...
 *   tenon_tensor_release(runtime, &output);
 *   tenon_model_release(model);
 *   tenon_runtime_release(runtime);
 *
 * Contract
 *
 * Errors. Every function that can fail returns a status and, when its `error` is not NULL, fills in
 * the caller's tenon_error; on success it leaves it alone. A function that fails changes nothing
 * else that the caller can see, except that the contents of output tensors are undefined after a
 * run that failed. Messages are for people: one sentence, lower case, naming what was expected and
 * found.
 *
 * Threads. All functions may be called from any thread at any time, with two exceptions: a release
 * must be the last call with its object, and an execution belongs to one thread at a time except
 * for tenon_execution_cancel. Several threads may run one model at once: each run has working
 * memory of its own, which the model keeps and reuses. The runtime's worker threads serve one run
 * at a time; a run that finds them busy computes on its own thread.
 *
 * Ownership. A model keeps its runtime alive, so they may be released in any order. Strings and
 * arrays in structures that inspection functions fill belong to the model and live as long as it.
 * Tensors' data belong to the caller, except for outputs passed with data NULL: the runtime
 * allocates those and the caller returns them with tenon_tensor_release.
 *
 * Memory. After the first run with given input shapes, a run with these shapes allocates nothing
 * but outputs passed with data NULL. Buffers go through the allocator of the options; when it
 * returns NULL, the call fails with TENON_OUT_OF_MEMORY and everything stays usable. The small
 * bookkeeping that the C++ library allocates does not go through it.
 *
 * Trust. A damaged file gives an error. But a model contains machine code, so load only files whose
 * origin you trust. A loaded file must not be shortened or overwritten in place while the model
 * lives; replacing it by renaming another file over it is fine.
 *
 * Compatibility. Structures that may grow begin with struct_size, set by their _init function.
 */
#ifndef TENON_RUNTIME_H
#define TENON_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define TENON_API
#else
#define TENON_API __attribute__((visibility("default")))
#endif

/* Callers may store any number in an enumeration; in C++ that takes a fixed underlying type. */
#ifdef __cplusplus
#define TENON_ENUM_BASE : int32_t
#else
#define TENON_ENUM_BASE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status and errors ------------------------------------------------------------------------
 */

typedef enum tenon_status TENON_ENUM_BASE {
  TENON_OK = 0,
  TENON_INVALID_ARGUMENT = 1, /* the caller's tensors or parameters do not fit */
  TENON_INVALID_ARTIFACT = 2, /* the file is damaged, cut off or not an artifact */
  TENON_UNSUPPORTED = 3,      /* sound, but needs something this runtime or machine has not */
  TENON_OUT_OF_MEMORY = 4,
  TENON_INPUT_OUTPUT = 5, /* the operating system refused to open, read or write */
  TENON_CANCELLED = 6,
  TENON_CHECK_FAILED = 7 /* the model found its data wrong, such as an index out of range */
} tenon_status;

/* A message is cut, ending in "...", where it does not fit. */
typedef struct tenon_error {
  tenon_status status;
  char message[1024];
} tenon_error;

/* major * 1000000 + minor * 1000 + patch. */
TENON_API uint32_t tenon_runtime_version(void);

/* ---- Runtime ----------------------------------------------------------------------------------
 */

typedef struct tenon_runtime tenon_runtime;
typedef struct tenon_model tenon_model;

/* Gives `size` bytes at a multiple of `alignment` (a power of two), or NULL. */
typedef void *(*tenon_allocate_function)(void *user, size_t size, size_t alignment);
typedef void (*tenon_free_function)(void *user, void *memory, size_t size, size_t alignment);

typedef enum tenon_log_level TENON_ENUM_BASE {
  TENON_LOG_INFO = 0,
  TENON_LOG_WARNING = 1
} tenon_log_level;
/* `message` lives only during the call. */
typedef void (*tenon_log_function)(void *user, tenon_log_level level, const char *message);

/* The kernel of this name has run, and took this long. Called on the thread of the run. */
typedef void (*tenon_launch_function)(void *user, const char *kernel, int64_t nanoseconds);

/* The callbacks may be called from any thread, several at once, and must not call the runtime. */
typedef struct tenon_runtime_options {
  size_t struct_size;
  int32_t threads; /* that compute one run, with the caller's; 0: one per processor available */
  tenon_allocate_function allocate; /* both or neither; NULL: the C library's */
  tenon_free_function free;
  void *allocator_user;
  tenon_log_function log; /* NULL: nothing is logged */
  void *log_user;
  /* To find out where the time goes; NULL for all else. Runs then wait for each kernel. */
  tenon_launch_function launch;
  void *launch_user;
  /* The path of libtenon_host, which models with strings, sequences and the like need; NULL: it is
   * found beside the runtime. */
  const char *host_library;
} tenon_runtime_options;

TENON_API void tenon_runtime_options_init(tenon_runtime_options *options);

/* `options` may be NULL for the defaults. */
TENON_API tenon_status tenon_runtime_create(const tenon_runtime_options *options,
                                            tenon_runtime **runtime, tenon_error *error);
/* Releases the caller's hold; NULL is fine. */
TENON_API void tenon_runtime_release(tenon_runtime *runtime);

/* ---- Models -----------------------------------------------------------------------------------
 */

/* Maps the file; the cost does not depend on the size of the weights. */
TENON_API tenon_status tenon_model_load_file(tenon_runtime *runtime, const char *path,
                                             tenon_model **model, tenon_error *error);

/* `data` must stay as it is until the model is released. It is copied only if it does not start at
 * a multiple of 64. `weight_folder` is where a model with external weights has them; NULL: none. */
TENON_API tenon_status tenon_model_load_memory(tenon_runtime *runtime, const void *data,
                                               size_t size, const char *weight_folder,
                                               tenon_model **model, tenon_error *error);

/* Opens a file to look at, whatever machine it was compiled for: its signature, what it is made of
 * and its memory plans. No machine code is loaded; a run gives TENON_UNSUPPORTED. Of several
 * programs in the file the first is shown. */
TENON_API tenon_status tenon_model_inspect_file(tenon_runtime *runtime, const char *path,
                                                tenon_model **model, tenon_error *error);

/* Runs of the model must have ended. NULL is fine. */
TENON_API void tenon_model_release(tenon_model *model);

/* Frees the working memory that the model keeps for later runs. */
TENON_API void tenon_model_trim(tenon_model *model);

/* ---- Signature --------------------------------------------------------------------------------
 */

/* The numbers of ONNX's TensorProto.DataType. Elements are little-endian; those below one byte are
 * packed without gaps, the first in the low bits. A bool is one byte, 0 or 1. */
typedef enum tenon_element_type TENON_ENUM_BASE {
  TENON_UNDEFINED = 0,
  TENON_FLOAT = 1,
  TENON_UINT8 = 2,
  TENON_INT8 = 3,
  TENON_UINT16 = 4,
  TENON_INT16 = 5,
  TENON_INT32 = 6,
  TENON_INT64 = 7,
  TENON_STRING = 8,
  TENON_BOOL = 9,
  TENON_FLOAT16 = 10,
  TENON_DOUBLE = 11,
  TENON_UINT32 = 12,
  TENON_UINT64 = 13,
  TENON_COMPLEX64 = 14,
  TENON_COMPLEX128 = 15,
  TENON_BFLOAT16 = 16,
  TENON_FLOAT8E4M3FN = 17,
  TENON_FLOAT8E4M3FNUZ = 18,
  TENON_FLOAT8E5M2 = 19,
  TENON_FLOAT8E5M2FNUZ = 20,
  TENON_UINT4 = 21,
  TENON_INT4 = 22,
  TENON_FLOAT4E2M1 = 23,
  TENON_FLOAT8E8M0 = 24,
  TENON_UINT2 = 25,
  TENON_INT2 = 26,
  TENON_FLOAT6E2M3 = 27,
  TENON_FLOAT6E3M2 = 28
} tenon_element_type;

/* "float", "int64", ...; "undefined" for numbers that are no element type. */
TENON_API const char *tenon_element_type_name(tenon_element_type element);

/* Bytes of `count` elements; -1 for strings, undefined types, negative counts and overflow. */
TENON_API int64_t tenon_element_bytes(tenon_element_type element, int64_t count);

#define TENON_MAX_RANK 16

typedef enum tenon_dim_kind TENON_ENUM_BASE {
  TENON_DIM_STATIC = 0, /* min = max = the size */
  TENON_DIM_NAMED = 1,  /* equal wherever the name appears, but in an empty output */
  TENON_DIM_UNNAMED = 2 /* any size */
} tenon_dim_kind;

typedef struct tenon_dim {
  tenon_dim_kind kind;
  const char *name; /* of a named dimension, otherwise NULL */
  int64_t min;
  int64_t max; /* INT64_MAX: no bound */
  int64_t multiple;
} tenon_dim;

typedef enum tenon_value_kind TENON_ENUM_BASE {
  TENON_VALUE_TENSOR = 0,
  TENON_VALUE_SEQUENCE = 1, /* of values of one type */
  TENON_VALUE_OPTIONAL = 2, /* a value or none */
  TENON_VALUE_MAP = 3       /* from integers or strings to scalars */
} tenon_value_kind;

#define TENON_MAX_CONTAINERS 15

/* What one input or output is: a tensor, or containers with a tensor or a map in the innermost. */
typedef struct tenon_value_info {
  const char *name;           /* the ONNX model's */
  tenon_element_type element; /* of the tensor, or of a map's values */
  int32_t rank;               /* of a tensor; -1: any, and of what lies in containers */
  tenon_dim dims[TENON_MAX_RANK];
  /* Outputs: the index of the input whose memory this output may share, or -1. The caller asks for
   * it by passing the same data pointer for both; the output then replaces the input. */
  int32_t in_place_input;
  int32_t container_count;                           /* 0: a tensor */
  tenon_value_kind containers[TENON_MAX_CONTAINERS]; /* outermost first */
  tenon_element_type key;                            /* of a map's keys */
} tenon_value_info;

TENON_API int32_t tenon_model_input_count(const tenon_model *model);
TENON_API int32_t tenon_model_output_count(const tenon_model *model);
TENON_API tenon_status tenon_model_input(const tenon_model *model, int32_t index,
                                         tenon_value_info *info, tenon_error *error);
TENON_API tenon_status tenon_model_output(const tenon_model *model, int32_t index,
                                          tenon_value_info *info, tenon_error *error);
/* The index of the input or output with that name, or -1. */
TENON_API int32_t tenon_model_find_input(const tenon_model *model, const char *name);
TENON_API int32_t tenon_model_find_output(const tenon_model *model, const char *name);

/* ---- Running ----------------------------------------------------------------------------------
 */

/* A dense row-major tensor. As an input all members are the caller's to set, and byte_size must be
 * at least what element and dims need. As an output:
 *   data not NULL  byte_size is how much fits there; too little is an error. element must be the
 *                  model's or TENON_UNDEFINED. The run sets element, rank and dims.
 *   data NULL      the run sets all members; return it with tenon_tensor_release.
 * Data of outputs must not overlap that of inputs or of each other, except as in_place_input
 * allows. Any address will do for element alignment; multiples of 64 are fastest. */
typedef struct tenon_tensor {
  void *data;
  int64_t byte_size;
  tenon_element_type element;
  int32_t rank;
  int64_t dims[TENON_MAX_RANK];
} tenon_tensor;

static inline tenon_tensor tenon_tensor_make(void *data, int64_t byte_size,
                                             tenon_element_type element, int32_t rank,
                                             const int64_t *dims) {
  tenon_tensor tensor;
  int32_t i;
  tensor.data = data;
  tensor.byte_size = byte_size;
  tensor.element = element;
  tensor.rank = rank;
  for (i = 0; i < TENON_MAX_RANK; ++i)
    tensor.dims[i] = i < rank ? dims[i] : 0;
  return tensor;
}

/* Runs the model on the calling thread and the runtime's workers. Inputs and outputs are in the
 * order of the signature and must be complete. After an error outputs that were passed with data
 * NULL have data NULL again. A model with other values than tensors of numbers of a known rank runs
 * with tenon_run_values. */
TENON_API tenon_status tenon_run(tenon_model *model, const tenon_tensor *inputs,
                                 int32_t input_count, tenon_tensor *outputs, int32_t output_count,
                                 tenon_error *error);

typedef struct tenon_execution tenon_execution;

/* The same on a thread of its own. The arrays and their data must stay valid and untouched until
 * tenon_execution_wait returns. */
TENON_API tenon_status tenon_run_async(tenon_model *model, const tenon_tensor *inputs,
                                       int32_t input_count, tenon_tensor *outputs,
                                       int32_t output_count, tenon_execution **execution,
                                       tenon_error *error);

/* Waits until the execution has ended and returns its status; may be called again. */
TENON_API tenon_status tenon_execution_wait(tenon_execution *execution, tenon_error *error);

/* Asks the execution to stop before its next command; from any thread. It then ends with
 * TENON_CANCELLED, unless it has ended already. */
TENON_API void tenon_execution_cancel(tenon_execution *execution);

/* Waits for the end and frees the execution. NULL is fine. */
TENON_API void tenon_execution_release(tenon_execution *execution);

/* Frees the data of an output that a run of this runtime's models allocated, and sets it to NULL.
 */
TENON_API void tenon_tensor_release(tenon_runtime *runtime, tenon_tensor *tensor);

/* ---- Values -----------------------------------------------------------------------------------
 *
 * What a tensor of numbers is too narrow for: tensors of strings, sequences, optionals and maps;
 * and tensors of numbers, too, so that a value of any type is passed in one way. A value is
 * immutable and counted: containers share what they hold, and any number of threads may read one at
 * once. It keeps its runtime alive, from whose allocator its data comes. */

typedef struct tenon_value tenon_value;

/* One element of a tensor of strings: any bytes, ONNX's are UTF-8. Need not end with a zero. */
typedef struct tenon_string {
  const char *data;
  size_t size;
} tenon_string;

/* A copy of a dense tensor, whose members mean what they mean for an input of tenon_run. Of strings
 * (element TENON_STRING) `data` is an array of tenon_string, one for each element. */
TENON_API tenon_status tenon_value_make_tensor(tenon_runtime *runtime, const tenon_tensor *tensor,
                                               tenon_value **value, tenon_error *error);
/* `elements` are shared, not taken: the caller still releases its references. They must be of one
 * type, as far as they tell. */
TENON_API tenon_status tenon_value_make_sequence(tenon_runtime *runtime,
                                                 const tenon_value *const *elements, int64_t count,
                                                 tenon_value **value, tenon_error *error);
/* `content` NULL: an empty one. */
TENON_API tenon_status tenon_value_make_optional(tenon_runtime *runtime, const tenon_value *content,
                                                 tenon_value **value, tenon_error *error);
/* `keys` and `values` are tensors of one axis and the same size; keys are integers or strings, each
 * there once. */
TENON_API tenon_status tenon_value_make_map(tenon_runtime *runtime, const tenon_value *keys,
                                            const tenon_value *values, tenon_value **value,
                                            tenon_error *error);

/* Another reference to the value, for another tenon_value_release. */
TENON_API tenon_value *tenon_value_retain(const tenon_value *value);
/* NULL is fine. The last release frees the value. */
TENON_API void tenon_value_release(tenon_value *value);

TENON_API tenon_value_kind tenon_value_get_kind(const tenon_value *value);
/* The tensor, whose data is the value's: not to be written, and gone with it. */
TENON_API tenon_status tenon_value_get_tensor(const tenon_value *value, tenon_tensor *tensor,
                                              tenon_error *error);
/* The number of a sequence's elements or of a map's keys; of an optional 1 or 0; of a tensor the
 * number of its elements. */
TENON_API int64_t tenon_value_get_count(const tenon_value *value);
/* An element of a sequence, the content of an optional (0), the tensor of a map's keys (0) or
 * values (1). It belongs to `value`. NULL: there is none. */
TENON_API const tenon_value *tenon_value_get_element(const tenon_value *value, int64_t index);

/* tenon_run for values of any type. An input that is an optional may be NULL: an empty one. The
 * outputs are new references, for tenon_value_release; NULL after an error. */
TENON_API tenon_status tenon_run_values(tenon_model *model, const tenon_value *const *inputs,
                                        int32_t input_count, tenon_value **outputs,
                                        int32_t output_count, tenon_error *error);

/* The same on a thread of its own. The arrays must stay valid and untouched until
 * tenon_execution_wait returns; the values are shared at once. */
TENON_API tenon_status tenon_run_values_async(tenon_model *model, const tenon_value *const *inputs,
                                              int32_t input_count, tenon_value **outputs,
                                              int32_t output_count, tenon_execution **execution,
                                              tenon_error *error);

/* ---- Inspection -------------------------------------------------------------------------------
 */

typedef struct tenon_model_info {
  const char *producer; /* name and version of the compiler */
  const char *options;  /* what it was told */
  const char *model_name;
  uint64_t model_hash[2]; /* of the ONNX model */
  const char *device;     /* family of the device it runs on: "cpu" */
  const char *triple;     /* what its kernels were compiled for */
  const char *cpu;
  const char *features;
  int64_t file_bytes;
  int64_t weight_bytes;
  int64_t kernel_bytes; /* machine code of the program in use */
  int32_t weight_count;
  int32_t kernel_count;
  int32_t instruction_count;
} tenon_model_info;

TENON_API void tenon_model_get_info(const tenon_model *model, tenon_model_info *info);

typedef struct tenon_kernel_info {
  const char *name;
  double flops;         /* of one call; 0: unknown, or it depends on sizes */
  int32_t node_count;   /* ONNX nodes it computes */
  int32_t launch_count; /* instructions that launch it */
} tenon_kernel_info;

TENON_API tenon_status tenon_model_kernel(const tenon_model *model, int32_t index,
                                          tenon_kernel_info *info, tenon_error *error);
/* NULL when there is no such kernel or node. */
TENON_API const char *tenon_model_kernel_node(const tenon_model *model, int32_t kernel,
                                              int32_t node);

/* Reads all weights and compares them with their hashes. */
TENON_API tenon_status tenon_model_check_weights(const tenon_model *model, tenon_error *error);

/* Where temporaries lie in the working memory of a run with given input shapes. */
typedef struct tenon_memory_plan tenon_memory_plan;

typedef struct tenon_memory_region {
  int64_t offset;
  int64_t size;
  int32_t first_instruction; /* its contents are kept from here */
  int32_t last_instruction;  /* to here, inclusive */
} tenon_memory_region;

/* Of the inputs only element, rank and dims are looked at. */
TENON_API tenon_status tenon_model_plan_memory(tenon_model *model, const tenon_tensor *inputs,
                                               int32_t input_count, tenon_memory_plan **plan,
                                               tenon_error *error);
/* The working memory of one run, in bytes; and the least that any placement could need. */
TENON_API int64_t tenon_memory_plan_bytes(const tenon_memory_plan *plan);
TENON_API int64_t tenon_memory_plan_lower_bound(const tenon_memory_plan *plan);
TENON_API int32_t tenon_memory_plan_region_count(const tenon_memory_plan *plan);
TENON_API tenon_status tenon_memory_plan_region(const tenon_memory_plan *plan, int32_t index,
                                                tenon_memory_region *region, tenon_error *error);
TENON_API void tenon_memory_plan_release(tenon_memory_plan *plan);

#ifdef __cplusplus
}
#endif

#endif /* TENON_RUNTIME_H */
