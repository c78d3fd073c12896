// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ImageDecoder. Images come from anywhere, so a damaged one is no error: the standard asks for an
// empty image instead. One that is larger than any real image is an error, because a few bytes are
// enough to ask for all the memory there is.

#include "lib/host/Families.h"
#include "lib/host/Module.h"

namespace tenon::host {

namespace {

/// Of a decoded image; 768 MiB in color.
constexpr int64_t mostPixels = int64_t(1) << 28;

/// Owns a decoded image.
class Image {
public:
  explicit Image(const tenon_image_module &images) : images_(images) {}
  Image(const Image &) = delete;
  Image &operator=(const Image &) = delete;
  ~Image() {
    if (image_)
      images_.release(image_);
  }

  tenon_image_outcome decode(std::span<const std::byte> file) {
    return images_.decode(file.data(), file.size(), mostPixels, &image_, &extent_);
  }
  int64_t height() const { return extent_.height; }
  int64_t width() const { return extent_.width; }
  void readRow(int64_t row, uint8_t *pixels) const { images_.read_row(image_, row, pixels); }

private:
  const tenon_image_module &images_;
  tenon_image *image_ = nullptr;
  tenon_image_size extent_ = {};
};

/// ITU-R 601-2 luma, with the rounding that image libraries agree on.
uint8_t greyOf(const uint8_t *pixel) {
  return static_cast<uint8_t>(
      (pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
}

class Decode : public Function {
public:
  Status prepare(const Attributes &attributes) {
    std::string_view format = attributes.string("pixel_format", "RGB");
    if (format != "RGB" && format != "BGR" && format != "Grayscale")
      return failed("pixel_format is '" + std::string(format) +
                    "', expected RGB, BGR or Grayscale");
    isGrey_ = format == "Grayscale";
    isReversed_ = format == "BGR";
    return openImageModule(images_);
  }

  Status call(Call &call) const override {
    Value file = call.input(0), made;
    Image image(*images_);
    int64_t height = 0, width = 0;
    switch (image.decode(file.bytes())) {
    case TENON_IMAGE_TOO_LARGE:
      return failed("the image is " + std::to_string(image.height()) + " pixels high and " +
                    std::to_string(image.width()) + " wide, at most " + std::to_string(mostPixels) +
                    " pixels are decoded");
    case TENON_IMAGE_UNREADABLE:
      break;
    case TENON_IMAGE_DECODED:
      height = image.height();
      width = image.width();
    }
    std::span<uint8_t> pixels;
    int64_t channels = isGrey_ ? 1 : 3;
    TENON_RETURN_IF_ERROR(call.makeTensor({height, width, channels}, made, pixels));
    std::vector<uint8_t> row(static_cast<size_t>(width) * 3);
    uint8_t *next = pixels.data();
    for (int64_t y = 0; y < height; ++y) {
      image.readRow(y, row.data());
      for (const uint8_t *pixel = row.data(), *end = pixel + row.size(); pixel != end; pixel += 3) {
        if (isGrey_) {
          *next++ = greyOf(pixel);
          continue;
        }
        *next++ = pixel[isReversed_ ? 2 : 0];
        *next++ = pixel[1];
        *next++ = pixel[isReversed_ ? 0 : 2];
      }
    }
    call.set(0, std::move(made));
    return {};
  }

private:
  const tenon_image_module *images_ = nullptr;
  bool isGrey_ = false, isReversed_ = false;
};

} // namespace

std::vector<Entry> imageFunctions() {
  return {{"image.decode", 1, {tensorOf({TENON_UINT8}).ofRank(1)}, 1, 1, prepared<Decode>}};
}

} // namespace tenon::host
