/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The border between libtenon_host and the module that has Leptonica, which reads images: a table
 * of C functions. See Module.h.
 */
#ifndef TENON_LIB_HOST_MODULES_IMAGES_H
#define TENON_LIB_HOST_MODULES_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_image tenon_image;

typedef struct tenon_image_size {
  int64_t height;
  int64_t width;
} tenon_image_size;

typedef enum tenon_image_outcome {
  TENON_IMAGE_DECODED = 0,
  TENON_IMAGE_UNREADABLE = 1, /* damaged, or of no format that is known */
  TENON_IMAGE_TOO_LARGE = 2   /* has more than `most_pixels`; its size is set */
} tenon_image_outcome;

typedef struct tenon_image_module {
  uint32_t version; /* TENON_MODULE_VERSION */

  /* Decodes the content of a file; the format is recognised. Sets *image, to be released, and
   * *extent where it succeeds. */
  tenon_image_outcome (*decode)(const void *data, size_t size, int64_t most_pixels,
                                tenon_image **image, tenon_image_size *extent);
  /* Writes red, green and blue of a row's pixels. Transparency is left out. */
  void (*read_row)(const tenon_image *image, int64_t row, uint8_t *pixels);
  void (*release)(tenon_image *image);
} tenon_image_module;

#ifdef __cplusplus
}
#endif

#endif /* TENON_LIB_HOST_MODULES_IMAGES_H */
