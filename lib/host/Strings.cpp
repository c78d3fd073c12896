// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's operators on tensors of strings, and what the compiler makes the others from. Strings are
// sequences of bytes that are UTF-8 by convention; only white space and letter case (Normalize.cpp)
// look at characters.
//
// Moving strings about needs one function only, string.pick: the compiler moves their positions,
// which are integers, by a kernel like any other, and then picks by them.

#include "lib/host/Families.h"
#include "lib/host/Utf8.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace tenon::host {

namespace {

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// Two tensors of shapes that are broadcast to one.
class Broadcast {
public:
  static Status make(std::span<const int64_t> left, std::span<const int64_t> right,
                     Broadcast &made) {
    size_t rank = std::max(left.size(), right.size());
    made.shape_.resize(rank);
    for (size_t i = 0; i < rank; ++i) {
      int64_t a = sizeOf(left, rank, i), b = sizeOf(right, rank, i);
      if (a != b && a != 1 && b != 1)
        return failed("shapes " + shapeText(left) + " and " + shapeText(right) +
                      " cannot be broadcast to one");
      made.shape_[i] = a == 1 ? b : a;
    }
    made.steps_ = {stepsOf(left, rank), stepsOf(right, rank)};
    return {};
  }

  const Shape &shape() const { return shape_; }

  /// Calls `visit` with the positions in both tensors, for each element of the result in order.
  template <typename Visit>
  void walk(Visit visit) const {
    int64_t count = 1;
    for (int64_t size : shape_)
      count *= size;
    Shape at(shape_.size());
    int64_t left = 0, right = 0;
    for (int64_t i = 0; i < count; ++i) {
      visit(left, right);
      for (size_t axis = shape_.size(); axis-- > 0;) {
        left += steps_[0][axis];
        right += steps_[1][axis];
        if (++at[axis] < shape_[axis])
          break;
        left -= steps_[0][axis] * shape_[axis];
        right -= steps_[1][axis] * shape_[axis];
        at[axis] = 0;
      }
    }
  }

private:
  static int64_t sizeOf(std::span<const int64_t> shape, size_t rank, size_t axis) {
    size_t missing = rank - shape.size();
    return axis < missing ? 1 : shape[axis - missing];
  }
  static Shape stepsOf(std::span<const int64_t> shape, size_t rank) {
    Shape steps(rank);
    int64_t step = 1;
    for (size_t axis = rank; axis-- > 0;) {
      int64_t size = sizeOf(shape, rank, axis);
      steps[axis] = size == 1 ? 0 : step;
      step *= size;
    }
    return steps;
  }

  Shape shape_;
  std::array<Shape, 2> steps_;
};

Status concat(const Attributes &, Call &call) {
  Value left = call.input(0), right = call.input(1), made;
  Broadcast broadcast;
  TENON_RETURN_IF_ERROR(Broadcast::make(left.shape(), right.shape(), broadcast));
  std::vector<std::string> joined;
  broadcast.walk(
      [&](int64_t i, int64_t j) { joined.emplace_back(left.string(i)).append(right.string(j)); });
  TENON_RETURN_IF_ERROR(call.makeStrings(broadcast.shape(), joined, made));
  call.set(0, std::move(made));
  return {};
}

Status equal(const Attributes &, Call &call) {
  Value left = call.input(0), right = call.input(1), made;
  Broadcast broadcast;
  TENON_RETURN_IF_ERROR(Broadcast::make(left.shape(), right.shape(), broadcast));
  std::span<bool> elements;
  TENON_RETURN_IF_ERROR(call.makeTensor(broadcast.shape(), made, elements));
  size_t next = 0;
  broadcast.walk(
      [&](int64_t i, int64_t j) { elements[next++] = left.string(i) == right.string(j); });
  call.set(0, std::move(made));
  return {};
}

//===----------------------------------------------------------------------===//
// Splitting
//===----------------------------------------------------------------------===//

using Views = std::vector<std::string_view>;

/// Between runs of white space; there is none at either end of what is found, but for what is left
/// after the last split.
void splitAtWhiteSpace(std::string_view text, int64_t most, Views &parts) {
  while (true) {
    while (size_t space = whiteSpaceAt(text))
      text.remove_prefix(space);
    if (text.empty())
      return;
    if (most-- == 0) {
      parts.push_back(text);
      return;
    }
    size_t end = 0;
    while (end < text.size() && whiteSpaceAt(text.substr(end)) == 0)
      ++end;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

void splitAt(std::string_view delimiter, std::string_view text, int64_t most, Views &parts) {
  for (size_t end; most != 0 && (end = text.find(delimiter)) != text.npos; --most) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + delimiter.size());
  }
  parts.push_back(text);
}

/// The rows of substrings are filled up with empty ones to the length of the longest.
Status split(const Attributes &attributes, Call &call) {
  Value input = call.input(0), parts, counts;
  std::string_view delimiter = attributes.string("delimiter", "");
  // Negative: as often as possible.
  int64_t most = attributes.integer("maxsplit", -1);

  std::span<int64_t> lengths;
  TENON_RETURN_IF_ERROR(
      call.makeTensor({input.shape().begin(), input.shape().end()}, counts, lengths));
  std::vector<Views> rows(static_cast<size_t>(input.count()));
  int64_t longest = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string_view text = input.string(static_cast<int64_t>(i));
    if (delimiter.empty())
      splitAtWhiteSpace(text, most, rows[i]);
    else
      splitAt(delimiter, text, most, rows[i]);
    lengths[i] = static_cast<int64_t>(rows[i].size());
    longest = std::max(longest, lengths[i]);
  }
  // One long row makes all of them long.
  constexpr int64_t mostElements = int64_t(1) << 31;
  if (longest > 0 && input.count() > mostElements / longest)
    return failed("the result has " + std::to_string(input.count()) + " rows of " +
                  std::to_string(longest) + " substrings, which is too much");

  Views all;
  all.reserve(rows.size() * static_cast<size_t>(longest));
  for (Views &row : rows) {
    row.resize(static_cast<size_t>(longest));
    all.insert(all.end(), row.begin(), row.end());
  }
  Shape shape(input.shape().begin(), input.shape().end());
  shape.push_back(longest);
  TENON_RETURN_IF_ERROR(call.makeStrings(shape, all, parts));
  call.set(0, std::move(parts));
  call.set(1, std::move(counts));
  return {};
}

//===----------------------------------------------------------------------===//
// Moving
//===----------------------------------------------------------------------===//

/// The strings at the positions that input 0 holds, in its shape. Positions count from one through
/// all other inputs: after the last element of one comes the first of the next. At zero is the
/// empty string, so that what fills with zeros fills with it.
Status pick(const Attributes &, Call &call) {
  Value positions = call.input(0), made;
  std::vector<Value> sources;
  std::vector<int64_t> ends; // the last position in each source
  int64_t end = 0;
  for (size_t i = 1; i < call.inputCount(); ++i) {
    sources.push_back(call.input(i));
    ends.push_back(end += sources.back().count());
  }
  Views picked;
  picked.reserve(static_cast<size_t>(positions.count()));
  for (int64_t i = 0; i < positions.count(); ++i) {
    int64_t position = positions.integer(i);
    if (position < 0 || position > end)
      return failed("position " + std::to_string(position) + " is not among " +
                    std::to_string(end) + " strings");
    if (position == 0) {
      picked.emplace_back();
      continue;
    }
    auto source = static_cast<size_t>(std::ranges::lower_bound(ends, position) - ends.begin());
    int64_t before = source == 0 ? 0 : ends[source - 1];
    picked.push_back(sources[source].string(position - before - 1));
  }
  TENON_RETURN_IF_ERROR(call.makeStrings(positions.shape(), picked, made));
  call.set(0, std::move(made));
  return {};
}

/// One where a string is not empty, as numbers are that are not zero.
Status isNotEmpty(const Attributes &, Call &call) {
  Value input = call.input(0), made;
  std::span<bool> elements;
  TENON_RETURN_IF_ERROR(
      call.makeTensor({input.shape().begin(), input.shape().end()}, made, elements));
  for (int64_t i = 0; i < input.count(); ++i)
    elements[static_cast<size_t>(i)] = !input.string(i).empty();
  call.set(0, std::move(made));
  return {};
}

//===----------------------------------------------------------------------===//
// Dictionaries
//===----------------------------------------------------------------------===//

/// LabelEncoder from strings to integers. The first of equal keys counts.
class Encode : public Function {
public:
  Status prepare(const Attributes &attributes) {
    std::vector<std::string_view> keys = attributes.strings("keys_strings");
    std::span<const int64_t> values = attributes.integers("values_int64s");
    if (keys.size() != values.size())
      return failed(std::to_string(keys.size()) + " keys have " + std::to_string(values.size()) +
                    " values");
    for (size_t i = 0; i < keys.size(); ++i)
      values_.emplace(keys[i], values[i]);
    otherwise_ = attributes.integer("default_int64", -1);
    return {};
  }

  Status call(Call &call) const override {
    Value input = call.input(0), made;
    std::span<int64_t> elements;
    TENON_RETURN_IF_ERROR(
        call.makeTensor({input.shape().begin(), input.shape().end()}, made, elements));
    for (int64_t i = 0; i < input.count(); ++i) {
      auto found = values_.find(input.string(i));
      elements[static_cast<size_t>(i)] = found == values_.end() ? otherwise_ : found->second;
    }
    call.set(0, std::move(made));
    return {};
  }

private:
  std::unordered_map<std::string_view, int64_t> values_;
  int64_t otherwise_ = -1;
};

} // namespace

std::vector<Entry> stringFunctions() {
  return {
      {"string.concat", 1, {strings, strings}, 1, 1, plain<concat>},
      {"string.encode", 1, {strings}, 1, 1, prepared<Encode>},
      {"string.equal", 1, {strings, strings}, 1, 1, plain<equal>},
      {"string.is_not_empty", 1, {strings}, 1, 1, plain<isNotEmpty>},
      {"string.pick", 1, {integers, strings.repeated()}, 1, 1, plain<pick>},
      {"string.split", 1, {strings}, 1, 2, plain<split>},
  };
}

} // namespace tenon::host
