// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers as text and back: Cast from and to strings.
//
// The standard says little of the text of a floating-point number, so it is that of ONNX's
// reference implementation (NumPy, Python): the fewest digits that are read as the same number
// again, in the number's own type; plain from 1e-4 up to 1e16 and with a ".0" where it is whole,
// with an exponent elsewhere; "nan", "inf", "-inf". The locale of the process plays no part.

#include "lib/host/Families.h"
#include "lib/host/Utf8.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace tenon::host {

namespace {

//===----------------------------------------------------------------------===//
// To strings
//===----------------------------------------------------------------------===//

/// The bits of a float of 16 bits, with `MantissaBits` of them behind the point, as a double.
template <int MantissaBits>
double decode(uint16_t bits) {
  constexpr int exponentBits = 15 - MantissaBits, bias = (1 << (exponentBits - 1)) - 1;
  int exponent = bits >> MantissaBits & ((1 << exponentBits) - 1);
  int mantissa = bits & ((1 << MantissaBits) - 1);
  double magnitude;
  if (exponent == (1 << exponentBits) - 1)
    magnitude = mantissa ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(mantissa, 1 - bias - MantissaBits);
  else
    magnitude = std::ldexp(mantissa + (1 << MantissaBits), exponent - bias - MantissaBits);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// "d.ddde+xx": the digits of a positive finite number.
template <typename Float>
std::string shortestDigits(Float value) {
  std::array<char, 64> buffer;
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                           std::chars_format::scientific)
                 .ptr;
  return {buffer.data(), end};
}

/// The same of a positive float of 16 bits: the fewest digits that lie closer to it than to its
/// neighbours.
template <int MantissaBits>
std::string shortestDigits(uint16_t bits) {
  double value = decode<MantissaBits>(bits);
  double below = (decode<MantissaBits>(bits - 1) + value) / 2;
  double next = decode<MantissaBits>(bits + 1);
  double above = std::isinf(next) ? value + (value - below) : (value + next) / 2;
  // Ties are read as the even one.
  bool isEven = (bits & 1) == 0;
  std::array<char, 64> buffer;
  for (int digits = 0;; ++digits) {
    auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                             std::chars_format::scientific, digits)
                   .ptr;
    double read = 0;
    std::from_chars(buffer.data(), end, read);
    if ((read > below && read < above) || (isEven && (read == below || read == above)))
      return {buffer.data(), end};
  }
}

/// As Python writes the number whose digits are "d.ddde+xx".
std::string layOut(std::string_view scientific, bool isNegative) {
  size_t exponentAt = scientific.find('e');
  std::string digits(scientific.substr(0, exponentAt));
  std::erase(digits, '.');
  // The standard's functions write no more zeros at the end than they are asked for.
  while (digits.size() > 1 && digits.back() == '0')
    digits.pop_back();
  int exponent = 0;
  std::string_view written = scientific.substr(exponentAt + 1);
  if (written.front() == '+')
    written.remove_prefix(1);
  std::from_chars(written.data(), written.data() + written.size(), exponent);

  std::string text = isNegative ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    text += digits.substr(0, 1);
    if (digits.size() > 1)
      text += "." + digits.substr(1);
    return text + std::string(scientific.substr(exponentAt));
  }
  if (exponent < 0)
    return text + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole)
    return text + digits + std::string(whole - digits.size(), '0') + ".0";
  return text + digits.substr(0, whole) + "." + digits.substr(whole);
}

/// `digits` gives those of a positive finite number.
template <typename Digits>
std::string floatText(double value, Digits digits) {
  if (std::isnan(value))
    return "nan";
  bool isNegative = std::signbit(value);
  if (std::isinf(value))
    return isNegative ? "-inf" : "inf";
  if (value == 0)
    return isNegative ? "-0.0" : "0.0";
  return layOut(digits(), isNegative);
}

template <typename T>
std::string text(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return floatText(static_cast<double>(value), [&] { return shortestDigits(std::abs(value)); });
  else
    return std::to_string(value);
}

template <int MantissaBits>
std::string narrowText(uint16_t bits) {
  return floatText(decode<MantissaBits>(bits), [&] {
    return shortestDigits<MantissaBits>(static_cast<uint16_t>(bits & 0x7fff));
  });
}

template <typename T, typename Write>
void writeAll(const Value &input, std::vector<std::string> &texts, Write write) {
  for (T element : input.elements<T>())
    texts.push_back(write(element));
}

Status fromNumbers(const Attributes &, Call &call) {
  Value input = call.input(0), made;
  std::vector<std::string> texts;
  texts.reserve(static_cast<size_t>(input.count()));
  switch (input.element()) {
  case TENON_FLOAT:
    writeAll<float>(input, texts, text<float>);
    break;
  case TENON_DOUBLE:
    writeAll<double>(input, texts, text<double>);
    break;
  case TENON_FLOAT16:
    writeAll<uint16_t>(input, texts, narrowText<10>);
    break;
  case TENON_BFLOAT16:
    writeAll<uint16_t>(input, texts, narrowText<7>);
    break;
  case TENON_INT8:
    writeAll<int8_t>(input, texts, text<int8_t>);
    break;
  case TENON_INT16:
    writeAll<int16_t>(input, texts, text<int16_t>);
    break;
  case TENON_INT32:
    writeAll<int32_t>(input, texts, text<int32_t>);
    break;
  case TENON_INT64:
    writeAll<int64_t>(input, texts, text<int64_t>);
    break;
  case TENON_UINT8:
    writeAll<uint8_t>(input, texts, text<uint8_t>);
    break;
  case TENON_UINT16:
    writeAll<uint16_t>(input, texts, text<uint16_t>);
    break;
  case TENON_UINT32:
    writeAll<uint32_t>(input, texts, text<uint32_t>);
    break;
  case TENON_UINT64:
    writeAll<uint64_t>(input, texts, text<uint64_t>);
    break;
  default: // TENON_BOOL, by the row
    writeAll<uint8_t>(input, texts, [](uint8_t bit) { return bit ? "True" : "False"; });
  }
  TENON_RETURN_IF_ERROR(call.makeStrings(input.shape(), texts, made));
  call.set(0, std::move(made));
  return {};
}

//===----------------------------------------------------------------------===//
// From strings
//===----------------------------------------------------------------------===//

/// Without white space around it, and a plus before it, which is not followed by another sign.
std::string_view trim(std::string_view text) {
  while (size_t space = whiteSpaceAt(text))
    text.remove_prefix(space);
  // From the end one cannot see where a character begins; those of several bytes are left.
  while (!text.empty() && whiteSpaceAt(text.substr(text.size() - 1)))
    text.remove_suffix(1);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+')
    text.remove_prefix(1);
  return text;
}

template <typename Float>
bool read(std::string_view text, Float &value)
  requires std::is_floating_point_v<Float>
{
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty() || error == std::errc::invalid_argument)
    return false;
  if (error == std::errc::result_out_of_range) {
    // It is not said on which side. What is too large is an infinity, as everywhere in ONNX; what
    // is too small has a negative exponent or begins with zeros.
    std::string_view digits = text.substr(text.front() == '-');
    size_t exponent = digits.find_first_of("eE");
    bool isSmall = exponent == digits.npos ? digits.front() == '0' || digits.front() == '.'
                                           : digits.substr(exponent + 1).starts_with('-');
    value = isSmall ? Float(0) : std::numeric_limits<Float>::infinity();
    value = text.front() == '-' ? -value : value;
  }
  return true;
}

/// Fractions are cut off.
template <typename Integer>
bool read(std::string_view text, Integer &value)
  requires std::is_integral_v<Integer>
{
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size())
    return true;
  double number = 0;
  if (!read(text, number))
    return false;
  number = std::trunc(number);
  // Both bounds are powers of two, or zero, and exact.
  constexpr auto least = static_cast<double>(std::numeric_limits<Integer>::min());
  const double above = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  if (!(number >= least && number < above))
    return false;
  value = static_cast<Integer>(number);
  return true;
}

bool read(std::string_view text, bool &value) {
  auto isWord = [&](std::string_view word) {
    return std::ranges::equal(text, word, [](char a, char b) { return (a | 0x20) == b; });
  };
  if (isWord("true") || isWord("false")) {
    value = isWord("true");
    return true;
  }
  double number = 0;
  bool isNumber = read(text, number);
  value = number != 0;
  return isNumber;
}

template <typename T>
Status readAll(const Value &input, std::span<std::byte> bytes, const char *type) {
  auto *elements = reinterpret_cast<T *>(bytes.data());
  for (int64_t i = 0; i < input.count(); ++i)
    if (!read(trim(input.string(i)), elements[i])) {
      // What a text can be is not bounded, what a message may be is.
      constexpr size_t most = 60;
      std::string shown(input.string(i).substr(0, most));
      if (input.string(i).size() > most)
        shown += "...";
      return failed("'" + shown + "' (element " + std::to_string(i) + ") is no " + type);
    }
  return {};
}

/// The attribute `to` is an ONNX element type.
Status toNumbers(const Attributes &attributes, Call &call) {
  Value input = call.input(0), made;
  auto type = static_cast<tenon_element_type>(attributes.integer("to", 0));
  Status (*readElements)(const Value &, std::span<std::byte>, const char *) = nullptr;
  const char *name = "number";
  switch (type) {
  case TENON_FLOAT:
    readElements = readAll<float>;
    break;
  case TENON_DOUBLE:
    readElements = readAll<double>;
    break;
  case TENON_INT8:
    readElements = readAll<int8_t>;
    name = "integer of 8 bits";
    break;
  case TENON_INT16:
    readElements = readAll<int16_t>;
    name = "integer of 16 bits";
    break;
  case TENON_INT32:
    readElements = readAll<int32_t>;
    name = "integer of 32 bits";
    break;
  case TENON_INT64:
    readElements = readAll<int64_t>;
    name = "integer of 64 bits";
    break;
  case TENON_UINT8:
    readElements = readAll<uint8_t>;
    name = "unsigned integer of 8 bits";
    break;
  case TENON_UINT16:
    readElements = readAll<uint16_t>;
    name = "unsigned integer of 16 bits";
    break;
  case TENON_UINT32:
    readElements = readAll<uint32_t>;
    name = "unsigned integer of 32 bits";
    break;
  case TENON_UINT64:
    readElements = readAll<uint64_t>;
    name = "unsigned integer of 64 bits";
    break;
  case TENON_BOOL:
    readElements = readAll<bool>;
    name = "truth value";
    break;
  default:
    return {StatusCode::InvalidArtifact,
            "strings cannot be read as elements of type " + std::to_string(static_cast<int>(type))};
  }
  std::span<std::byte> bytes;
  TENON_RETURN_IF_ERROR(call.makeTensor(type, input.shape(), made, bytes));
  TENON_RETURN_IF_ERROR(readElements(input, bytes, name));
  call.set(0, std::move(made));
  return {};
}

} // namespace

std::vector<Entry> numeralFunctions() {
  static constexpr Input numbers =
      tensorOf({TENON_FLOAT, TENON_DOUBLE, TENON_FLOAT16, TENON_BFLOAT16, TENON_INT8, TENON_INT16,
                TENON_INT32, TENON_INT64, TENON_UINT8, TENON_UINT16, TENON_UINT32, TENON_UINT64,
                TENON_BOOL});
  return {
      {"string.from_numbers", 1, {numbers}, 1, 1, plain<fromNumbers>},
      {"string.to_numbers", 1, {strings}, 1, 1, plain<toNumbers>},
  };
}

} // namespace tenon::host
