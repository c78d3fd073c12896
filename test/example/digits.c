/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Classifies one handwritten 8 x 8 digit, drawn below as text. Prints the digit and returns 0 when
 * all went well.
 *
 *   digits_beside model.tenon     the model is a file
 *   digits_inside                 the model is part of the program
 */
#include <stdio.h>
#include <tenon/runtime.h>

#ifdef MODEL_INSIDE
#include "digits.h"
#endif

static const char drawing[8][9] = {
    "...##...", "..####..", ".##..#..", ".#....#.", ".#....#.", ".#...##.", "..####..", "...##...",
};

static int fail(const tenon_error *error) {
  fprintf(stderr, "%s\n", error->message);
  return 1;
}

int main(int argc, char **argv) {
  tenon_error error;
  tenon_runtime *runtime = NULL;
  tenon_model *model = NULL;
  float image[64], probabilities[10];
  int best = 0;

  if (tenon_runtime_create(NULL, &runtime, &error) != TENON_OK)
    return fail(&error);
#ifdef MODEL_INSIDE
  (void)argc;
  (void)argv;
  if (tenon_model_load_memory(runtime, digits_model, digits_model_size, NULL, &model, &error) !=
      TENON_OK)
    return fail(&error);
#else
  if (argc != 2) {
    fprintf(stderr, "usage: digits_beside model.tenon\n");
    return 2;
  }
  if (tenon_model_load_file(runtime, argv[1], &model, &error) != TENON_OK)
    return fail(&error);
#endif

  for (int i = 0; i < 64; ++i)
    image[i] = drawing[i / 8][i % 8] == '#' ? 1.0f : 0.0f;
  tenon_tensor input =
      tenon_tensor_make(image, sizeof image, TENON_FLOAT, 4, (int64_t[]){1, 1, 8, 8});
  tenon_tensor output =
      tenon_tensor_make(probabilities, sizeof probabilities, TENON_FLOAT, 2, (int64_t[]){1, 10});
  if (tenon_run(model, &input, 1, &output, 1, &error) != TENON_OK)
    return fail(&error);

  for (int digit = 1; digit < 10; ++digit)
    if (probabilities[digit] > probabilities[best])
      best = digit;
  printf("it is a %d\n", best);
  tenon_model_release(model);
  tenon_runtime_release(runtime);
  return 0;
}
