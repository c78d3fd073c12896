// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators of ai.onnx.ml on maps: scores with their labels, features by their names. Where the
// standard leaves a choice they do what ONNX Runtime does.

#include "lib/host/Families.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <numeric>

namespace tenon::host {

namespace {

/// A map whose keys and values may be asked for as what they are.
struct Entries {
  explicit Entries(const Value &map) : keys(map.keys()), values(map.values()) {}
  Value keys, values;
};

/// The positions of a map's keys in ascending order.
std::vector<int64_t> sortedPositions(const Value &keys) {
  std::vector<int64_t> order(static_cast<size_t>(keys.count()));
  std::iota(order.begin(), order.end(), int64_t(0));
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return keys.element() == TENON_STRING ? keys.string(a) < keys.string(b)
                                          : keys.integer(a) < keys.integer(b);
  });
  return order;
}

/// Keys are strings or int64; the runtime lets other integers through.
Status checkKeys(const Value &keys) {
  if (keys.element() == TENON_STRING || keys.element() == TENON_INT64)
    return {};
  return failed("the keys of the map are neither strings nor int64");
}

//===----------------------------------------------------------------------===//
// ZipMap
//===----------------------------------------------------------------------===//

class Zip : public Function {
public:
  Status prepare(const Attributes &attributes) {
    labels_ = attributes.find("classlabels_strings");
    if (!labels_ || labels_.count() == 0)
      labels_ = attributes.find("classlabels_int64s");
    if (!labels_ || labels_.rank() != 1)
      return failed("the labels of the classes are missing");
    return {};
  }

  Status call(Call &call) const override {
    Value scores = call.input(0), rows;
    std::span<const int64_t> shape = scores.shape();
    int64_t classes = labels_.count();
    if (shape.empty() || shape.size() > 2 || shape.back() != classes)
      return failed("the scores have shape " + shapeText(shape) + ", expected a row for " +
                    std::to_string(classes) + " classes");
    std::span<const float> all = scores.elements<float>();
    std::vector<Value> maps;
    for (size_t first = 0; first < all.size(); first += static_cast<size_t>(classes)) {
      Value values;
      std::span<float> row;
      TENON_RETURN_IF_ERROR(call.makeTensor({classes}, values, row));
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(first), classes, row.begin());
      TENON_RETURN_IF_ERROR(call.makeMap(labels_, values, maps.emplace_back()));
    }
    TENON_RETURN_IF_ERROR(call.makeSequence(maps, rows));
    call.set(0, std::move(rows));
    return {};
  }

private:
  Value labels_;
};

//===----------------------------------------------------------------------===//
// CastMap
//===----------------------------------------------------------------------===//

template <typename T>
bool readNumber(std::string_view text, T &value) {
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size();
}

float numberAt(const Value &values, int64_t position) {
  return values.elements<float>()[static_cast<size_t>(position)];
}

/// Towards zero; what is too large is the largest.
int64_t toInteger(float number) {
  constexpr float limit = 0x1p63f;
  if (!(number > -limit))
    return INT64_MIN;
  return number >= limit ? INT64_MAX : static_cast<int64_t>(number);
}

/// Value `position` of a map as a number.
template <typename T>
Status convert(const Value &values, int64_t position, T &number) {
  if (values.element() == TENON_FLOAT) {
    if constexpr (std::is_integral_v<T>)
      number = toInteger(numberAt(values, position));
    else
      number = numberAt(values, position);
    return {};
  }
  std::string_view text = values.string(position);
  if (!readNumber(text, number))
    return failed("'" + std::string(text) + "' is no number");
  return {};
}

Status convert(const Value &values, int64_t position, std::string &text) {
  if (values.element() == TENON_STRING) {
    text = values.string(position);
    return {};
  }
  // Six digits behind the point, in every locale.
  std::array<char, 64> buffer;
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), numberAt(values, position),
                           std::chars_format::fixed, 6)
                 .ptr;
  text.assign(buffer.data(), end);
  return {};
}

/// What a sparse map has where it has no key.
template <typename T>
T missing() {
  if constexpr (std::is_same_v<T, std::string>)
    return "0.f";
  else
    return 0;
}

class Cast : public Function {
public:
  Status prepare(const Attributes &attributes) {
    target_ = attributes.string("cast_to", "TO_FLOAT");
    isSparse_ = attributes.string("map_form", "DENSE") == "SPARSE";
    size_ = attributes.integer("max_map", 1);
    if (isSparse_ && size_ < 1)
      return failed("max_map is " + std::to_string(size_) + ", expected at least 1");
    return {};
  }

  Status call(Call &call) const override {
    Entries map(call.input(0));
    if (map.keys.element() != TENON_INT64)
      return failed("the keys of the map are not int64");
    if (map.values.element() != TENON_FLOAT && map.values.element() != TENON_STRING)
      return failed("the values of the map are neither floats nor strings");
    Value made;
    if (target_ == "TO_STRING") {
      std::vector<std::string> texts;
      TENON_RETURN_IF_ERROR(arrange(map, texts));
      TENON_RETURN_IF_ERROR(
          call.makeStrings(Shape{1, static_cast<int64_t>(texts.size())}, texts, made));
    } else if (target_ == "TO_INT64") {
      TENON_RETURN_IF_ERROR(makeNumbers<int64_t>(map, call, made));
    } else {
      TENON_RETURN_IF_ERROR(makeNumbers<float>(map, call, made));
    }
    call.set(0, std::move(made));
    return {};
  }

private:
  /// The values in the order of their keys; of a sparse map each at the position that its key is.
  template <typename T>
  Status arrange(const Entries &map, std::vector<T> &values) const {
    std::vector<int64_t> order = sortedPositions(map.keys);
    if (isSparse_)
      values.assign(static_cast<size_t>(size_), missing<T>());
    for (int64_t position : order) {
      T value = {};
      TENON_RETURN_IF_ERROR(convert(map.values, position, value));
      int64_t key = map.keys.integer(position);
      if (!isSparse_)
        values.push_back(std::move(value));
      else if (key < 0)
        return failed("key " + std::to_string(key) + " of a sparse map is negative");
      else if (key < size_)
        values[static_cast<size_t>(key)] = std::move(value);
    }
    return {};
  }

  template <typename T>
  Status makeNumbers(const Entries &map, Call &call, Value &made) const {
    std::vector<T> values;
    TENON_RETURN_IF_ERROR(arrange(map, values));
    std::span<T> elements;
    TENON_RETURN_IF_ERROR(
        call.makeTensor(Shape{1, static_cast<int64_t>(values.size())}, made, elements));
    std::copy(values.begin(), values.end(), elements.begin());
    return {};
  }

  std::string target_;
  bool isSparse_ = false;
  int64_t size_ = 1;
};

//===----------------------------------------------------------------------===//
// DictVectorizer
//===----------------------------------------------------------------------===//

class Vectorize : public Function {
public:
  Status prepare(const Attributes &attributes) {
    vocabulary_ = attributes.find("string_vocabulary");
    if (!vocabulary_ || vocabulary_.count() == 0)
      vocabulary_ = attributes.find("int64_vocabulary");
    if (!vocabulary_)
      return failed("the vocabulary is missing");
    return checkKeys(vocabulary_);
  }

  Status call(Call &call) const override {
    Entries map(call.input(0));
    if (map.keys.element() != vocabulary_.element())
      return failed("the keys of the map are of another type than the vocabulary");
    switch (map.values.element()) {
    case TENON_STRING:
    case TENON_FLOAT:
    case TENON_DOUBLE:
    case TENON_INT64:
      break;
    default:
      return failed("the values of the map are of a type that the operator does not take");
    }
    std::vector<int64_t> positions = findPositions(map.keys);
    Shape shape{1, static_cast<int64_t>(positions.size())};
    Value made;
    if (map.values.element() == TENON_STRING) {
      std::vector<std::string_view> texts;
      for (int64_t position : positions)
        texts.push_back(position < 0 ? std::string_view() : map.values.string(position));
      TENON_RETURN_IF_ERROR(call.makeStrings(shape, texts, made));
    } else {
      std::span<std::byte> to;
      TENON_RETURN_IF_ERROR(call.makeTensor(map.values.element(), shape, made, to));
      std::span<const std::byte> from = map.values.bytes();
      size_t width = positions.empty() ? 0 : to.size() / positions.size();
      for (size_t i = 0; i < positions.size(); ++i) {
        if (positions[i] < 0)
          std::memset(to.data() + i * width, 0, width);
        else
          std::memcpy(to.data() + i * width,
                      from.data() + static_cast<size_t>(positions[i]) * width, width);
      }
    }
    call.set(0, std::move(made));
    return {};
  }

private:
  /// Where the map has each word of the vocabulary; -1: nowhere.
  std::vector<int64_t> findPositions(const Value &keys) const {
    std::vector<int64_t> order = sortedPositions(keys), positions;
    bool isText = keys.element() == TENON_STRING;
    for (int64_t word = 0; word < vocabulary_.count(); ++word) {
      auto found = std::lower_bound(order.begin(), order.end(), word, [&](int64_t a, int64_t w) {
        return isText ? keys.string(a) < vocabulary_.string(w)
                      : keys.integer(a) < vocabulary_.integer(w);
      });
      bool same =
          found != order.end() && (isText ? keys.string(*found) == vocabulary_.string(word)
                                          : keys.integer(*found) == vocabulary_.integer(word));
      positions.push_back(same ? *found : -1);
    }
    return positions;
  }

  Value vocabulary_;
};

} // namespace

std::vector<Entry> mapFunctions() {
  return {
      {"map.cast", 1, {map}, 1, 1, prepared<Cast>},
      {"map.vectorize", 1, {map}, 1, 1, prepared<Vectorize>},
      {"map.zip", 1, {tensorOf({TENON_FLOAT})}, 1, 1, prepared<Zip>},
  };
}

} // namespace tenon::host
