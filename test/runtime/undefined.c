// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
float expf(float);
__attribute__((visibility("default"))) void kernel(void *const *buffers, const long long *sizes,
                                                   long long group) {
  ((float *)buffers[0])[group] = expf(1);
}
