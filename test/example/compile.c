/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Compiles a model from within a program: compile_here MODEL.onnx OUTPUT.tenon
 */
#include <stdio.h>
#include <tenon/compiler.h>

static void print_message(void *user, const char *message) { fprintf(user, "%s\n", message); }

int main(int argc, char **argv) {
  tenon_compile_options options;
  if (argc != 3) {
    fprintf(stderr, "usage: compile_here MODEL.onnx OUTPUT.tenon\n");
    return 2;
  }
  tenon_compile_options_init(&options);
  options.message = print_message;
  options.user = stderr;
  return tenon_compile(argv[1], argv[2], &options, NULL) == TENON_COMPILE_OK ? 0 : 1;
}
