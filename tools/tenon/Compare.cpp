// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon/Compare.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

using namespace llvm;

namespace tenon::cli {

double defaultTolerance(ElementType type) {
  switch (type) {
  case ElementType::f64:
  case ElementType::c128:
    return 1e-7;
  // A few units in the last place of the format.
  case ElementType::f16:
    return 5e-3;
  case ElementType::bf16:
    return 4e-2;
  case ElementType::f8e4m3fn:
  case ElementType::f8e4m3fnuz:
  case ElementType::f8e5m2:
  case ElementType::f8e5m2fnuz:
  case ElementType::f8e8m0:
  case ElementType::f4e2m1:
    return 0.0; // results of conversions: the rounding is part of the specification
  default:
    return 1e-3;
  }
}

/// "[1, 2]" for the place of an element in a tensor.
static std::string place(ArrayRef<int64_t> shape, int64_t index) {
  SmallVector<int64_t> indices(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    indices[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return formatv("[{0:$[, ]}]", make_range(indices.begin(), indices.end()));
}

static Comparison differs(std::string reason) {
  Comparison result;
  result.equal = false;
  result.reason = std::move(reason);
  return result;
}

/// A complex tensor as a floating-point one with twice the elements.
static Tensor components(const Tensor &tensor) {
  Tensor parts = tensor;
  parts.type = tensor.type == ElementType::c64 ? ElementType::f32 : ElementType::f64;
  parts.shape.push_back(2);
  return parts;
}

/// The relative part of an elementwise tolerance. A unit in the last place of bf16 is 2^-7: like
/// ONNX's own runner, allow two however tight the case is.
static double relativeTolerance(ElementType type, const Tolerance::Elementwise &elementwise) {
  return type == ElementType::bf16 ? std::max(elementwise.relative, 0x1p-6) : elementwise.relative;
}

static Comparison compareFloating(const Tensor &actual, const Tensor &expected,
                                  const Tolerance &allowed) {
  Comparison result;
  double absolute = 0, relative = 0;
  if (allowed.elementwise) {
    absolute = allowed.elementwise->absolute;
    relative = relativeTolerance(expected.type, *allowed.elementwise);
  }
  double largestExcess = -1; // over what is allowed for the element
  int64_t count = expected.elementCount(), worst = -1, differentNan = 0, differentInfinity = 0,
          firstOdd = -1;
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (int64_t i = 0; i < count; ++i) {
    double want = elementAsDouble(expected, i), got = elementAsDouble(actual, i);
    bool odd = false;
    if (std::isnan(want) || std::isnan(got)) {
      odd = std::isnan(want) != std::isnan(got);
      differentNan += odd;
    } else if (std::isinf(want) || std::isinf(got)) {
      odd = want != got;
      differentInfinity += odd;
    } else {
      double difference = std::abs(want - got);
      double excess = difference - (absolute + relative * std::abs(want));
      result.largestDifference = std::max(result.largestDifference, difference);
      if (worst < 0 || excess > largestExcess) {
        largestExcess = excess;
        worst = i;
      }
    }
    if (odd && firstOdd < 0)
      firstOdd = i;
    if (std::isfinite(want)) {
      lowest = std::min(lowest, want);
      highest = std::max(highest, want);
    }
  }
  if (lowest <= highest)
    result.largestMagnitude = std::max(std::abs(lowest), std::abs(highest));
  double budget; // for the difference at the worst element
  if (allowed.elementwise) {
    result.tolerance = relative;
    budget = worst < 0 ? 0 : absolute + relative * std::abs(elementAsDouble(expected, worst));
    result.allowed =
        formatv("{0} and {1} of each element", shortNumber(absolute), shortNumber(relative));
  } else {
    result.tolerance = allowed.fraction.value_or(defaultTolerance(expected.type));
    budget = result.tolerance * result.largestMagnitude;
    if (result.tolerance > 0)
      result.allowed = formatv("{0} ({1} of the largest magnitude {2})", shortNumber(budget),
                               shortNumber(result.tolerance), shortNumber(result.largestMagnitude));
  }
  result.nearlyConstant = count > 1 && highest - lowest <= 1e-6 * result.largestMagnitude;
  if (differentNan || differentInfinity) {
    result.equal = false;
    result.reason = formatv("{0} of {1} elements differ in being NaN and {2} in being infinite, "
                            "first at {3}: expected {4}, found {5}",
                            differentNan, count, differentInfinity, place(expected.shape, firstOdd),
                            shortNumber(elementAsDouble(expected, firstOdd)),
                            shortNumber(elementAsDouble(actual, firstOdd)));
  } else if (worst >= 0) {
    double want = elementAsDouble(expected, worst), got = elementAsDouble(actual, worst);
    if (double difference = std::abs(want - got); difference > budget) {
      result.equal = false;
      result.reason =
          formatv("largest difference {0} at {1}: expected {2}, found {3}; allowed {4}",
                  shortNumber(difference), place(expected.shape, worst), shortNumber(want),
                  shortNumber(got), result.allowed.empty() ? "none" : result.allowed);
    }
  }
  return result;
}

static Comparison compareStrings(const Tensor &actual, const Tensor &expected) {
  for (auto [i, pair] : enumerate(zip_equal(actual.strings, expected.strings))) {
    auto &[got, want] = pair;
    if (got != want)
      return differs(
          formatv("element {0}: expected '{1}', found '{2}'", place(expected.shape, i), want, got));
  }
  Comparison result;
  result.nearlyConstant = expected.strings.size() > 1 && all_equal(expected.strings);
  return result;
}

static Comparison compareExactly(const Tensor &actual, const Tensor &expected) {
  int64_t count = expected.elementCount(), wrong = 0, first = -1;
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  bool whole = elementInfo(expected.type)->bits >= 8;
  size_t size = whole ? elementInfo(expected.type)->bits / 8 : 0;
  for (int64_t i = 0; i < count; ++i) {
    double want = elementAsDouble(expected, i);
    lowest = std::min(lowest, want);
    highest = std::max(highest, want);
    bool same =
        whole ? !std::memcmp(actual.bytes.data() + i * size, expected.bytes.data() + i * size, size)
              : want == elementAsDouble(actual, i);
    if (!same && wrong++ == 0)
      first = i;
  }
  if (wrong)
    return differs(formatv("{0} of {1} elements differ, first at {2}: expected {3}, found {4}",
                           wrong, count, place(expected.shape, first),
                           shortNumber(elementAsDouble(expected, first)),
                           shortNumber(elementAsDouble(actual, first))));
  Comparison result;
  result.nearlyConstant = count > 1 && lowest == highest;
  return result;
}

static Comparison compareTensors(const Tensor &actual, const Tensor &expected,
                                 const Tolerance &tolerance) {
  if (actual.type != expected.type || actual.shape != expected.shape)
    return differs("expected " + describe(expected) + ", found " + describe(actual));
  switch (elementInfo(expected.type)->kind) {
  case ElementKind::floating:
    return compareFloating(actual, expected, tolerance);
  case ElementKind::complex:
    return compareFloating(components(actual), components(expected), tolerance);
  case ElementKind::string:
    return compareStrings(actual, expected);
  default:
    return compareExactly(actual, expected);
  }
}

static StringRef kindName(const Value &value) {
  switch (value.kind) {
  case Value::Kind::none:
    return "an empty optional";
  case Value::Kind::tensor:
    return "a tensor";
  case Value::Kind::sequence:
    return "a sequence";
  case Value::Kind::map:
    return "a map";
  }
  return "";
}

/// The positions of a map's keys, in their order.
static std::vector<int64_t> sortedKeys(const Tensor &keys) {
  std::vector<int64_t> order(keys.elementCount());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return keys.type == ElementType::string ? keys.strings[a] < keys.strings[b]
                                            : elementAsDouble(keys, a) < elementAsDouble(keys, b);
  });
  return order;
}

/// A tensor of one dimension in another order.
static Tensor reordered(const Tensor &tensor, ArrayRef<int64_t> order) {
  Tensor result;
  result.type = tensor.type;
  result.shape = tensor.shape;
  size_t size = elementInfo(tensor.type)->bits / 8;
  for (int64_t i : order) {
    result.bytes.insert(result.bytes.end(), tensor.bytes.begin() + i * size,
                        tensor.bytes.begin() + (i + 1) * size);
    if (tensor.type == ElementType::string)
      result.strings.push_back(tensor.strings[i]);
  }
  return result;
}

/// Maps have no order.
static Comparison compareMaps(const Value &actual, const Value &expected,
                              const Tolerance &tolerance) {
  auto sorted = [](const Value &map, size_t part) {
    return reordered(map.elements[part].tensor, sortedKeys(map.elements[0].tensor));
  };
  Comparison keys = compareTensors(sorted(actual, 0), sorted(expected, 0), tolerance);
  if (!keys.equal) {
    keys.reason = "keys of the map: " + keys.reason;
    return keys;
  }
  Comparison values = compareTensors(sorted(actual, 1), sorted(expected, 1), tolerance);
  if (!values.equal)
    values.reason = "values of the map: " + values.reason;
  return values;
}

Comparison compare(const Value &actual, const Value &expected, const Tolerance &tolerance) {
  if (actual.kind != expected.kind)
    return differs(("expected " + kindName(expected) + ", found " + kindName(actual)).str());
  if (expected.kind == Value::Kind::tensor)
    return compareTensors(actual.tensor, expected.tensor, tolerance);
  if (expected.kind == Value::Kind::map)
    return compareMaps(actual, expected, tolerance);
  Comparison result;
  if (actual.elements.size() != expected.elements.size())
    return differs(formatv("expected a sequence of {0}, found one of {1}", expected.elements.size(),
                           actual.elements.size()));
  for (auto [i, pair] : enumerate(zip_equal(actual.elements, expected.elements))) {
    Comparison element = compare(std::get<0>(pair), std::get<1>(pair), tolerance);
    if (!element.equal) {
      element.reason = formatv("element {0} of the sequence: {1}", i, element.reason);
      return element;
    }
    result.largestDifference = std::max(result.largestDifference, element.largestDifference);
    result.largestMagnitude = std::max(result.largestMagnitude, element.largestMagnitude);
    result.tolerance = std::max(result.tolerance, element.tolerance);
    if (!element.allowed.empty())
      result.allowed = element.allowed;
  }
  return result;
}

} // namespace tenon::cli
