// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ImageDecoder on files that are written here; ONNX's own cases have one of each format.

#include "test/host/TestCall.h"

#include <string>

namespace tenon::host::test {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

Value fileOf(const std::string &content) {
  return makeTensor(TENON_UINT8, {static_cast<int64_t>(content.size())}, content.data(),
                    static_cast<int64_t>(content.size()));
}

TestCall decoder(const char *format) {
  return TestCall("image.decode", {{"pixel_format", stringTensor({}, {format})}});
}

const std::string red = "\xff\x10\x20", blue = std::string("\0\0\xff", 3);
const std::string twoPixels = "P6\n2 1\n255\n" + red + blue;

TEST(ImageDecoder, givesThePixelsAsked) {
  Value image = decoder("RGB")({fileOf(twoPixels)});
  EXPECT_THAT(image.shape(), ElementsAre(1, 2, 3));
  EXPECT_THAT(image.elements<uint8_t>(), ElementsAre(0xff, 0x10, 0x20, 0, 0, 0xff));
  EXPECT_THAT(decoder("BGR")({fileOf(twoPixels)}).elements<uint8_t>(),
              ElementsAre(0x20, 0x10, 0xff, 0xff, 0, 0));
  Value grey = decoder("Grayscale")({fileOf(twoPixels)});
  EXPECT_THAT(grey.shape(), ElementsAre(1, 2, 1));
  EXPECT_THAT(grey.elements<uint8_t>(), ElementsAre(89, 29));
}

TEST(ImageDecoder, makesColorsOfLess) {
  // One bit to a pixel, and grey.
  EXPECT_THAT(decoder("RGB")({fileOf("P1\n2 1\n1 0\n        ")}).elements<uint8_t>(),
              ElementsAre(0, 0, 0, 255, 255, 255));
  EXPECT_THAT(decoder("RGB")({fileOf("P5\n1 1\n255\n\x07      ")}).elements<uint8_t>(),
              ElementsAre(7, 7, 7));
}

TEST(ImageDecoder, ofADamagedFileIsEmpty) {
  for (const std::string &content :
       {std::string(), std::string("GIF"), twoPixels.substr(0, twoPixels.size() - 4),
        std::string(100, 'x'), "\x89PNG\r\n\x1a\n" + std::string(40, '\0')}) {
    Value image = decoder("RGB")({fileOf(content)});
    EXPECT_THAT(image.shape(), ElementsAre(0, 0, 3)) << content;
  }
  EXPECT_THAT(decoder("Grayscale")({fileOf("")}).shape(), ElementsAre(0, 0, 1));
}

TEST(ImageDecoder, refusesWhatIsHuge) {
  EXPECT_THAT(decoder("RGB").error({fileOf("P6\n99999 99999\n255\n" + std::string(64, 'x'))}),
              StartsWith("the image is 99999 pixels high and 99999 wide, at most "));
}

TEST(ImageDecoder, saysWhichFormatsThereAre) {
  EXPECT_EQ(decoder("CMYK").problem(), "pixel_format is 'CMYK', expected RGB, BGR or Grayscale");
}

} // namespace
} // namespace tenon::host::test
