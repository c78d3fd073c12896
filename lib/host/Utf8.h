// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What functions on strings need to know of characters.

#ifndef TENON_LIB_HOST_UTF8_H
#define TENON_LIB_HOST_UTF8_H

#include <cstddef>
#include <string_view>

namespace tenon::host {

/// Bytes of the white space that `text` begins with, one character of it; 0 if there is none. White
/// space is what Unicode says, and the separators of ASCII.
inline size_t whiteSpaceAt(std::string_view text) {
  if (text.empty())
    return 0;
  auto byte = [&](size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  unsigned char first = byte(0);
  if (first == ' ' || (first >= 0x09 && first <= 0x0d) || (first >= 0x1c && first <= 0x1f))
    return 1;
  // U+0085, U+00A0
  if (first == 0xc2)
    return byte(1) == 0x85 || byte(1) == 0xa0 ? 2 : 0;
  // U+1680
  if (first == 0xe1)
    return byte(1) == 0x9a && byte(2) == 0x80 ? 3 : 0;
  // U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F
  if (first == 0xe2 && byte(1) == 0x80) {
    unsigned char last = byte(2);
    return (last >= 0x80 && last <= 0x8a) || last == 0xa8 || last == 0xa9 || last == 0xaf ? 3 : 0;
  }
  if (first == 0xe2)
    return byte(1) == 0x81 && byte(2) == 0x9f ? 3 : 0;
  // U+3000
  if (first == 0xe3)
    return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0;
  return 0;
}

} // namespace tenon::host

#endif // TENON_LIB_HOST_UTF8_H
