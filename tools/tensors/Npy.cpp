// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header of a .npy file is a Python dictionary literal with three keys; only what numpy writes
// is accepted.
#include "tools/tensors/Npy.h"

#include <charconv>
#include <cstring>

namespace tenon::cli {

static constexpr std::string_view magic = "\x93NUMPY";
static constexpr size_t alignment = 64;

static Status invalid(std::string message) {
  return {StatusCode::InvalidArgument, std::move(message)};
}

namespace {
struct Header {
  std::string_view descr; // "<f4"
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

/// How elements lie in the file.
struct Item {
  ElementType type = ElementType::undefined;
  size_t bytes = 0;
};
} // namespace

static std::string_view trimLeft(std::string_view text) {
  size_t start = text.find_first_not_of(" \t\n");
  return start == text.npos ? std::string_view() : text.substr(start);
}

/// The whole of `text` as a number.
template <typename Number>
static bool parseNumber(std::string_view text, Number &number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Little-endian, at any alignment.
static uint32_t readInteger(const void *from, size_t bytes) {
  uint32_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

/// The text after `'key':`, or nothing.
static std::optional<std::string_view> field(std::string_view dictionary, std::string_view key) {
  std::string quoted = "'" + std::string(key) + "'";
  size_t at = dictionary.find(quoted);
  if (at == dictionary.npos)
    return std::nullopt;
  std::string_view rest = trimLeft(dictionary.substr(at + quoted.size()));
  if (!rest.starts_with(':'))
    return std::nullopt;
  return trimLeft(rest.substr(1));
}

static Status parseHeader(std::string_view dictionary, Header &header) {
  std::optional<std::string_view> descr = field(dictionary, "descr"),
                                  order = field(dictionary, "fortran_order"),
                                  shape = field(dictionary, "shape");
  if (!descr || !order || !shape)
    return invalid("the header of the array lacks 'descr', 'fortran_order' or 'shape'");
  if (!descr->starts_with('\''))
    return invalid("structured arrays are not read; expected one simple type");
  header.descr = descr->substr(1, descr->find('\'', 1) - 1);
  header.fortranOrder = order->starts_with("True");
  if (!shape->starts_with('('))
    return invalid("the header of the array has no shape");
  std::string_view sizes = shape->substr(1, shape->find(')') - 1);
  for (size_t from = 0; from < sizes.size();) {
    size_t comma = std::min(sizes.find(',', from), sizes.size());
    std::string_view part = trimLeft(sizes.substr(from, comma - from));
    from = comma + 1;
    int64_t size = 0;
    if (part.empty())
      continue;
    if (!parseNumber(part, size))
      return invalid("the header of the array has the shape (" + std::string(sizes) + ")");
    header.shape.push_back(size);
  }
  return {};
}

/// Row-major bytes from column-major ones.
static std::vector<uint8_t> fromFortranOrder(std::span<const uint8_t> data,
                                             std::span<const int64_t> shape, size_t itemSize) {
  std::vector<uint8_t> result(data.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (size_t to = 0; to < data.size(); to += itemSize) {
    int64_t from = 0;
    for (size_t axis = shape.size(); axis-- > 0;)
      from = from * shape[axis] + index[axis];
    std::memcpy(result.data() + to, data.data() + from * itemSize, itemSize);
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis])
        break;
      index[axis] = 0;
    }
  }
  return result;
}

/// What a code point may be: no surrogate, nothing beyond Unicode.
static bool isScalar(uint32_t point) {
  return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

static void appendUtf8(std::string &text, uint32_t point) {
  auto trail = [&](unsigned shift) { text += static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0 | (point >> 6));
    trail(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0 | (point >> 12));
    trail(6);
    trail(0);
  } else {
    text += static_cast<char>(0xf0 | (point >> 18));
    trail(12);
    trail(6);
    trail(0);
  }
}

/// Takes one code point off the front of `text`. A byte that begins none becomes the replacement
/// character: a string tensor may hold any bytes, numpy's cannot.
static uint32_t takeUtf8(std::string_view &text) {
  constexpr uint32_t replacement = 0xfffd;
  auto lead = static_cast<uint8_t>(text.front());
  size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
  bool valid = length != 0 && lead < 0xf8 && text.size() >= length;
  for (size_t i = 1; valid && i < length; ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    valid = (byte & 0xc0) == 0x80;
    point = point << 6 | (byte & 0x3f);
  }
  // The shortest form only, or one string would have several spellings.
  constexpr uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  valid = valid && point >= smallest[length] && isScalar(point);
  text.remove_prefix(valid ? length : 1);
  return valid ? point : replacement;
}

/// One UTF-32 element, padded with zeros, as UTF-8.
static Status decodeUtf32(std::span<const uint8_t> item, std::string &text) {
  size_t length = item.size() / 4;
  while (length > 0 && readInteger(item.data() + (length - 1) * 4, 4) == 0)
    --length;
  for (size_t i = 0; i < length; ++i) {
    uint32_t point = readInteger(item.data() + i * 4, 4);
    if (!isScalar(point))
      return invalid("a string holds something that is not Unicode");
    appendUtf8(text, point);
  }
  return {};
}

static Status itemType(std::string_view descr, std::optional<ElementType> expected, Item &item) {
  if (descr.starts_with('>'))
    return invalid("the array is big-endian; save it with .astype('<" +
                   std::string(descr.substr(1)) + "')");
  if (descr.starts_with("|O"))
    return invalid("the array holds Python objects, which are not read; save strings as a numpy "
                   "array of type str");
  size_t width = 0;
  if (descr.size() > 2 && (descr[1] == 'U' || descr[1] == 'S') &&
      parseNumber(descr.substr(2), width) && width > 0 && width < (1u << 24)) {
    item = {ElementType::string, descr[1] == 'U' ? width * 4 : width};
    return {};
  }
  if (descr == "|V1" || descr == "|V2") {
    size_t bytes = descr == "|V2" ? 2 : 1;
    if (expected && elementInfo(*expected) && elementInfo(*expected)->numpy == descr)
      item = {*expected, bytes};
    else if (bytes == 2)
      item = {ElementType::bf16, bytes};
    else
      return invalid("the array holds raw bits (|V1), but the model expects " +
                     (expected ? elementName(*expected) : "another type") + " here");
    return {};
  }
  for (int32_t number = 1; const ElementInfo *info = elementInfo(ElementType(number)); ++number) {
    if (info->numpy == descr) {
      item = {info->type, info->bits / 8};
      return {};
    }
  }
  return invalid("numpy arrays of type '" + std::string(descr) + "' are not supported");
}

/// The data after the header, which has as many bytes as the shape and the type say.
static Status readElements(std::span<const uint8_t> data, const Header &header, const Item &item,
                           Tensor &tensor) {
  tensor.type = item.type;
  tensor.shape = header.shape;
  std::vector<uint8_t> reordered;
  if (header.fortranOrder && header.shape.size() > 1)
    data = reordered = fromFortranOrder(data, header.shape, item.bytes);
  if (item.type != ElementType::string) {
    if (elementInfo(item.type)->bits < 8)
      tensor.bytes = packNarrow(item.type, data);
    else
      tensor.bytes.assign(data.begin(), data.end());
    return {};
  }
  for (size_t from = 0; from < data.size(); from += item.bytes) {
    std::span<const uint8_t> element = data.subspan(from, item.bytes);
    std::string &text = tensor.strings.emplace_back();
    if (header.descr[1] == 'U') {
      TENON_RETURN_IF_ERROR(decodeUtf32(element, text));
      continue;
    }
    text.assign(element.begin(), element.end());
    text.resize(text.find_last_not_of('\0') + 1);
  }
  return {};
}

Status parseNpy(std::string_view file, std::optional<ElementType> expected, Tensor &tensor) {
  if (!file.starts_with(magic) || file.size() < 12)
    return invalid("not a numpy array (no .npy header)");
  unsigned version = static_cast<uint8_t>(file[6]);
  if (version < 1 || version > 3)
    return invalid("a .npy file of version " + std::to_string(version) + "; expected 1 to 3");
  size_t lengthSize = version == 1 ? 2 : 4;
  size_t length = readInteger(file.data() + 8, lengthSize);
  size_t start = magic.size() + 2 + lengthSize + length;
  if (file.size() < start)
    return invalid("the array is cut short inside its header");
  Header header;
  Item item;
  int64_t count = 0;
  TENON_RETURN_IF_ERROR(parseHeader(file.substr(start - length, length), header));
  TENON_RETURN_IF_ERROR(checkedElementCount(header.shape, count));
  TENON_RETURN_IF_ERROR(itemType(header.descr, expected, item));
  size_t available = file.size() - start;
  if (available / item.bytes < static_cast<uint64_t>(count))
    return invalid("the array is cut short: expected " + std::to_string(count) + " elements of " +
                   std::to_string(item.bytes) + " bytes, found " + std::to_string(available) +
                   " bytes");
  std::span<const uint8_t> data(reinterpret_cast<const uint8_t *>(file.data()) + start,
                                static_cast<size_t>(count) * item.bytes);
  tensor = Tensor();
  return readElements(data, header, item, tensor);
}

/// Strings as numpy's <U: every element as wide as the widest.
static std::string encodeUtf32(const Tensor &tensor, size_t &width) {
  std::vector<std::u32string> elements;
  width = 1; // numpy itself never writes <U0
  for (std::string_view text : tensor.strings) {
    std::u32string &points = elements.emplace_back();
    while (!text.empty())
      points += static_cast<char32_t>(takeUtf8(text));
    width = std::max(width, points.size());
  }
  std::string data;
  data.reserve(elements.size() * width * 4);
  for (std::u32string &points : elements) {
    points.resize(width);
    data.append(reinterpret_cast<const char *>(points.data()), width * 4);
  }
  return data;
}

std::string formatNpy(const Tensor &tensor) {
  const ElementInfo &info = *elementInfo(tensor.type);
  std::string descr(info.numpy), data;
  if (info.kind == ElementKind::string) {
    size_t width = 0;
    data = encodeUtf32(tensor, width);
    descr += std::to_string(width);
  } else {
    std::vector<uint8_t> unpacked;
    std::span<const uint8_t> bytes = tensor.bytes;
    if (info.bits < 8)
      bytes = unpacked = unpackNarrow(tensor.type, tensor.bytes, tensor.elementCount());
    data.assign(bytes.begin(), bytes.end());
  }
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape)
    header += std::to_string(size) + ",";
  header += "), }";
  // Data starts at a multiple of 64 bytes, as numpy has it; the padding is blanks and ends in a
  // newline.
  size_t prefix = magic.size() + 4, end = prefix + header.size() + 1;
  header.resize((end + alignment - 1) / alignment * alignment - prefix - 1, ' ');
  header += '\n';
  std::string file(magic);
  file += {'\x01', '\0', static_cast<char>(header.size() & 0xff),
           static_cast<char>(header.size() >> 8)};
  return file + header + data;
}

} // namespace tenon::cli
