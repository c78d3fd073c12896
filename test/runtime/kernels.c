// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels with the calling convention of compiled ones, for the runtime's tests. No library: an
// image may have no undefined symbol.

typedef long long i64;
#define KERNEL __attribute__((visibility("default"))) void

enum { groupSize = 64 };

// buffers: a, b, result; sizes: n; one group for 64 elements.
KERNEL add(void *const *buffers, const i64 *sizes, i64 group) {
  const float *a = buffers[0], *b = buffers[1];
  float *result = buffers[2];
  i64 end = (group + 1) * groupSize < sizes[0] ? (group + 1) * groupSize : sizes[0];
  for (i64 i = group * groupSize; i < end; ++i)
    result[i] = a[i] + b[i];
}

// A table of pointers: the image needs relocations for it.
static float one = 1, ten = 10, hundred = 100;
static float *volatile const factors[] = {&one, &ten, &hundred};

// buffers: x, result; sizes: n, which factor.
KERNEL scale(void *const *buffers, const i64 *sizes, i64 group) {
  const float *x = buffers[0];
  float *result = buffers[1];
  float factor = *factors[sizes[1]];
  i64 end = (group + 1) * groupSize < sizes[0] ? (group + 1) * groupSize : sizes[0];
  for (i64 i = group * groupSize; i < end; ++i)
    result[i] = x[i] * factor;
}

// buffers: x, result, both i64; sizes: n. The elements that are not zero, at the result's start.
KERNEL compress(void *const *buffers, const i64 *sizes, i64 group) {
  const i64 *x = buffers[0];
  i64 *result = buffers[1];
  for (i64 i = 0; i < sizes[0]; ++i)
    if (x[i] != 0)
      *result++ = x[i];
}

// buffers: x, count, both i64; sizes: n.
KERNEL count(void *const *buffers, const i64 *sizes, i64 group) {
  const i64 *x = buffers[0];
  i64 *result = buffers[1];
  *result = 0;
  for (i64 i = 0; i < sizes[0]; ++i)
    *result += x[i] != 0;
}
