// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header of a .npy file is a Python dictionary literal with three keys; only what numpy writes
// is accepted.
#include "tools/tenon/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace llvm;

namespace tenon::cli {

static constexpr StringRef magic = "\x93NUMPY";
static constexpr size_t alignment = 64;

namespace {
struct Header {
  StringRef descr; // "<f4"
  bool fortranOrder = false;
  SmallVector<int64_t, 4> shape;
};
} // namespace

/// The text after `'key':`, or nothing.
static std::optional<StringRef> field(StringRef dictionary, StringRef key) {
  std::string quoted = ("'" + key + "'").str();
  size_t at = dictionary.find(quoted);
  if (at == StringRef::npos)
    return std::nullopt;
  StringRef rest = dictionary.drop_front(at + quoted.size()).ltrim();
  if (!rest.consume_front(":"))
    return std::nullopt;
  return rest.ltrim();
}

static Expected<Header> parseHeader(StringRef dictionary) {
  Header header;
  std::optional<StringRef> descr = field(dictionary, "descr"),
                           order = field(dictionary, "fortran_order"),
                           shape = field(dictionary, "shape");
  if (!descr || !order || !shape)
    return createStringError("the header of the array lacks 'descr', 'fortran_order' or 'shape'");
  if (!descr->consume_front("'"))
    return createStringError("structured arrays are not read; expected one simple type");
  header.descr = descr->take_until([](char c) { return c == '\''; });
  header.fortranOrder = order->starts_with("True");
  if (!shape->consume_front("("))
    return createStringError("the header of the array has no shape");
  StringRef sizes = shape->take_until([](char c) { return c == ')'; });
  SmallVector<StringRef> parts;
  sizes.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    int64_t size;
    part = part.trim();
    if (part.empty())
      continue;
    if (part.getAsInteger(10, size))
      return createStringError("the header of the array has the shape (" + sizes + ")");
    header.shape.push_back(size);
  }
  return header;
}

/// Row-major bytes from column-major ones.
static std::vector<uint8_t> fromFortranOrder(ArrayRef<uint8_t> data, ArrayRef<int64_t> shape,
                                             size_t itemSize) {
  std::vector<uint8_t> result(data.size());
  SmallVector<int64_t> index(shape.size(), 0);
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

/// One UTF-32 element, padded with zeros, as UTF-8.
static Expected<std::string> decodeUtf32(ArrayRef<uint8_t> item) {
  SmallVector<UTF32> points(item.size() / 4);
  for (auto [i, point] : enumerate(points))
    point = support::endian::read32le(item.data() + i * 4);
  while (!points.empty() && points.back() == 0)
    points.pop_back();
  std::string text(points.size() * UNI_MAX_UTF8_BYTES_PER_CODE_POINT, '\0');
  const UTF32 *source = points.data();
  UTF8 *target = reinterpret_cast<UTF8 *>(text.data()), *begin = target;
  if (ConvertUTF32toUTF8(&source, points.data() + points.size(), &target, target + text.size(),
                         strictConversion) != conversionOK)
    return createStringError("a string holds something that is not Unicode");
  text.resize(target - begin);
  return text;
}

/// The element type and the bytes per element in the file.
static Expected<std::pair<ElementType, size_t>> itemType(StringRef descr,
                                                         std::optional<ElementType> expected) {
  if (descr.starts_with(">"))
    return createStringError("the array is big-endian; save it with .astype('%s')",
                             ("<" + descr.drop_front()).str().c_str());
  if (descr.starts_with("|O"))
    return createStringError("the array holds Python objects, which are not read; save strings as "
                             "a numpy array of type str");
  size_t width = 0;
  if (descr.size() > 2 && (descr[1] == 'U' || descr[1] == 'S') &&
      !descr.drop_front(2).getAsInteger(10, width) && width < (1u << 24))
    return std::make_pair(ElementType::string, descr[1] == 'U' ? width * 4 : width);
  if (descr == "<U0" || descr == "|S0")
    return std::make_pair(ElementType::string, size_t(0));
  if (descr == "|V1" || descr == "|V2") {
    if (expected && elementInfo(*expected) && elementInfo(*expected)->numpy == descr)
      return std::make_pair(*expected, descr == "|V2" ? size_t(2) : size_t(1));
    if (descr == "|V2")
      return std::make_pair(ElementType::bf16, size_t(2));
    return createStringError("the array holds raw bits (|V1), but the model expects %s here",
                             expected ? elementName(*expected).c_str() : "another type");
  }
  for (int32_t number = 1; elementInfo(ElementType(number)); ++number)
    if (elementInfo(ElementType(number))->numpy == descr)
      return std::make_pair(ElementType(number),
                            size_t(elementInfo(ElementType(number))->bits / 8));
  return createStringError("numpy arrays of type '%s' are not supported", descr.str().c_str());
}

Expected<Tensor> parseNpy(StringRef file, std::optional<ElementType> expected) {
  if (!file.starts_with(magic) || file.size() < 12)
    return createStringError("not a numpy array (no .npy header)");
  uint8_t version = file[6];
  size_t lengthSize = version == 1 ? 2 : 4;
  if (version < 1 || version > 3)
    return createStringError("a .npy file of version %d; expected 1 to 3", version);
  size_t length = version == 1 ? support::endian::read16le(file.data() + 8)
                               : support::endian::read32le(file.data() + 8);
  size_t start = magic.size() + 2 + lengthSize + length;
  if (file.size() < start)
    return createStringError("the array is cut short inside its header");
  Expected<Header> header = parseHeader(file.slice(start - length, start));
  if (!header)
    return header.takeError();
  Expected<int64_t> count = checkedElementCount(header->shape);
  if (!count)
    return count.takeError();
  auto item = itemType(header->descr, expected);
  if (!item)
    return item.takeError();
  auto [type, itemSize] = *item;

  ArrayRef<uint8_t> data = arrayRefFromStringRef(file.drop_front(start));
  if (itemSize && data.size() / itemSize < static_cast<uint64_t>(*count))
    return createStringError(
        "the array is cut short: expected %lld elements of %zu bytes, found %zu bytes",
        static_cast<long long>(*count), itemSize, data.size());
  data = data.take_front(*count * itemSize);
  std::vector<uint8_t> reordered;
  if (header->fortranOrder && header->shape.size() > 1) {
    reordered = fromFortranOrder(data, header->shape, itemSize);
    data = reordered;
  }

  Tensor tensor;
  tensor.type = type;
  tensor.shape = header->shape;
  if (type == ElementType::string) {
    bool bytes = header->descr[1] == 'S';
    for (int64_t i = 0; i < *count; ++i) {
      ArrayRef<uint8_t> element = data.slice(i * itemSize, itemSize);
      if (bytes) {
        tensor.strings.push_back(toStringRef(element).rtrim('\0').str());
        continue;
      }
      Expected<std::string> text = decodeUtf32(element);
      if (!text)
        return text.takeError();
      tensor.strings.push_back(std::move(*text));
    }
  } else if (elementInfo(type)->bits < 8) {
    tensor.bytes = packNarrow(type, data);
  } else {
    tensor.bytes.assign(data.begin(), data.end());
  }
  return tensor;
}

/// Strings as numpy's <U: every element as wide as the widest.
static std::pair<std::string, std::string> encodeUtf32(const Tensor &tensor) {
  std::vector<SmallVector<UTF32>> elements;
  size_t width = 1; // numpy itself never writes <U0
  for (const std::string &text : tensor.strings) {
    SmallVector<UTF32> &points = elements.emplace_back(text.size());
    const UTF8 *source = reinterpret_cast<const UTF8 *>(text.data());
    UTF32 *target = points.data();
    // Bytes that are not UTF-8 become the replacement character: a string tensor may hold any
    // bytes, numpy's cannot.
    ConvertUTF8toUTF32(&source, source + text.size(), &target, target + points.size(),
                       lenientConversion);
    points.truncate(target - points.data());
    width = std::max(width, points.size());
  }
  std::string data(elements.size() * width * 4, '\0');
  for (auto [i, points] : enumerate(elements))
    for (auto [j, point] : enumerate(points))
      support::endian::write32le(data.data() + (i * width + j) * 4, point);
  return {"<U" + std::to_string(width), std::move(data)};
}

std::string formatNpy(const Tensor &tensor) {
  const ElementInfo &info = *elementInfo(tensor.type);
  std::string descr = info.numpy.str(), data;
  if (info.kind == ElementKind::string) {
    std::tie(descr, data) = encodeUtf32(tensor);
  } else {
    std::vector<uint8_t> unpacked;
    ArrayRef<uint8_t> bytes = tensor.bytes;
    if (info.bits < 8)
      bytes = unpacked = unpackNarrow(tensor.type, tensor.bytes, tensor.elementCount());
    data = toStringRef(bytes).str();
  }
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape)
    header += std::to_string(size) + ",";
  header += "), }";
  // Data starts at a multiple of 64 bytes, as numpy has it; the padding is blanks and ends in a
  // newline.
  size_t prefix = magic.size() + 4;
  header.resize(alignTo(prefix + header.size() + 1, alignment) - prefix - 1, ' ');
  header += '\n';
  std::string file = (magic + StringRef("\x01\x00", 2)).str();
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file += data;
  return file;
}

} // namespace tenon::cli
