// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
static volatile int value;
__attribute__((constructor)) static void early(void) { value = 1; }
__attribute__((visibility("default"))) void kernel(void *const *buffers, const long long *sizes,
                                                   long long group) {
  ((int *)buffers[0])[group] = value;
}
