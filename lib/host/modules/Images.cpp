// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Leptonica reads all formats that ONNX names, by the usual libraries where there are some
// (libjpeg-turbo, libpng, libtiff, libwebp, openjpeg). It is asked for the size of an image before
// the image is decoded, because a small file may claim to be a huge image.

#include "lib/host/modules/Images.h"

#include "lib/host/modules/Module.h"

#include <leptonica/allheaders.h>

namespace {

PIX *pixOf(tenon_image *image) { return reinterpret_cast<PIX *>(image); }

tenon_image_outcome decode(const void *bytes, size_t size, int64_t mostPixels, tenon_image **image,
                           tenon_image_size *extent) {
  const auto *data = static_cast<const l_uint8 *>(bytes);
  l_int32 format = 0, width = 0, height = 0, depth = 0, samples = 0, hasColormap = 0;
  // No header is that short, and Leptonica looks at the first twelve bytes unasked.
  if (size < 16 ||
      pixReadHeaderMem(data, size, &format, &width, &height, &depth, &samples, &hasColormap) != 0)
    return TENON_IMAGE_UNREADABLE;
  *extent = {height, width};
  if (width < 1 || height < 1)
    return TENON_IMAGE_UNREADABLE;
  if (height > mostPixels / width)
    return TENON_IMAGE_TOO_LARGE;
  PIX *read = pixReadMem(data, size);
  // Each pixel a word: red, green and blue from its highest byte on.
  PIX *pix = read ? pixConvertTo32(read) : nullptr;
  pixDestroy(&read);
  if (!pix)
    return TENON_IMAGE_UNREADABLE;
  *extent = {pixGetHeight(pix), pixGetWidth(pix)};
  *image = reinterpret_cast<tenon_image *>(pix);
  return TENON_IMAGE_DECODED;
}

void readRow(const tenon_image *image, int64_t row, uint8_t *pixels) {
  PIX *pix = pixOf(const_cast<tenon_image *>(image));
  const l_uint32 *words = pixGetData(pix) + row * pixGetWpl(pix);
  for (l_int32 i = 0, width = pixGetWidth(pix); i < width; ++i, pixels += 3) {
    pixels[0] = static_cast<uint8_t>(words[i] >> 24);
    pixels[1] = static_cast<uint8_t>(words[i] >> 16);
    pixels[2] = static_cast<uint8_t>(words[i] >> 8);
  }
}

} // namespace

extern "C" TENON_MODULE_EXPORT const void *TENON_MODULE_ENTRY() {
  // What is wrong with an image is ours to say.
  static const bool isQuiet = (setMsgSeverity(L_SEVERITY_NONE), true);
  (void)isQuiet;
  static const tenon_image_module table = {
      .version = TENON_MODULE_VERSION,
      .decode = decode,
      .read_row = readRow,
      .release =
          [](tenon_image *image) {
            PIX *pix = pixOf(image);
            pixDestroy(&pix);
          },
  };
  return &table;
}
