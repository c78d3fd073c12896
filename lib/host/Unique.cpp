// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unique: the different elements of a tensor, or the different slices along an axis.
//
// One algorithm for all types: the items (elements or slices) are sorted by their content, equal
// ones by position, and runs of equals are the results. As in NumPy, numbers that are not numbers
// are equal and the largest, zeros are equal whatever their sign, complex numbers are ordered by
// the real part first, strings by their bytes.

#include "lib/host/Families.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <numeric>

namespace tenon::host {

namespace {

/// The items of a tensor: element (o, i, n) of [outer, items, inner] belongs to item i.
struct Items {
  int64_t outer = 1, count = 1, inner = 1;

  /// The position in the tensor of an item's `part`, in [0, outer * inner).
  int64_t position(int64_t item, int64_t part) const {
    return (part / inner * count + item) * inner + part % inner;
  }
  int64_t parts() const { return outer * inner; }
};

/// What the items were found to be.
struct Groups {
  std::vector<int64_t> first;   ///< of each group, the first item of it
  std::vector<int64_t> sizes;   ///< of each group
  std::vector<int64_t> inverse; ///< of each item, its group
};

/// Items in the order of their content, equal ones by position.
struct SortedItems {
  std::vector<int64_t> items;
  std::vector<uint8_t> begins; ///< whether an item differs from the one before it
};

template <typename Compare>
SortedItems sortItems(int64_t count, Compare compare) {
  SortedItems sorted;
  sorted.items.resize(static_cast<size_t>(count));
  std::iota(sorted.items.begin(), sorted.items.end(), 0);
  std::ranges::sort(sorted.items, [&](int64_t a, int64_t b) {
    int difference = compare(a, b);
    return difference < 0 || (difference == 0 && a < b);
  });
  for (size_t i = 0; i < sorted.items.size(); ++i)
    sorted.begins.push_back(i == 0 || compare(sorted.items[i - 1], sorted.items[i]) != 0);
  return sorted;
}

Groups findGroups(const SortedItems &sorted, bool areSorted) {
  Groups groups;
  groups.inverse.resize(sorted.items.size());
  for (size_t i = 0; i < sorted.items.size(); ++i) {
    if (sorted.begins[i]) {
      groups.first.push_back(sorted.items[i]);
      groups.sizes.push_back(0);
    }
    ++groups.sizes.back();
    groups.inverse[static_cast<size_t>(sorted.items[i])] =
        static_cast<int64_t>(groups.first.size()) - 1;
  }
  if (areSorted)
    return groups;

  // In the order in which they come first.
  std::vector<int64_t> places(groups.first.size()), rank(groups.first.size());
  std::iota(places.begin(), places.end(), 0);
  std::ranges::sort(places, {}, [&](int64_t group) { return groups.first[size_t(group)]; });
  Groups placed;
  for (size_t i = 0; i < places.size(); ++i) {
    auto group = static_cast<size_t>(places[i]);
    rank[group] = static_cast<int64_t>(i);
    placed.first.push_back(groups.first[group]);
    placed.sizes.push_back(groups.sizes[group]);
  }
  for (int64_t group : groups.inverse)
    placed.inverse.push_back(rank[static_cast<size_t>(group)]);
  return placed;
}

template <typename T>
int compareElements(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b))
      return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  return a < b ? -1 : b < a ? 1 : 0;
}

template <typename T>
int compareElements(std::complex<T> a, std::complex<T> b) {
  int real = compareElements(a.real(), b.real());
  return real ? real : compareElements(a.imag(), b.imag());
}

/// The bits of a float of 16 bits, in the order of the numbers: zeros are equal, and so is all that
/// is larger than the bits of `infinity`.
template <uint16_t infinity>
int32_t orderOf(uint16_t bits) {
  int32_t magnitude = bits & 0x7fff;
  if (magnitude > infinity)
    return infinity + 1;
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// `read` gives what is compared of an element of type `T`.
template <typename T, typename Read>
SortedItems sortNumbers(const Value &input, const Items &items, Read read) {
  std::span<const T> elements = input.elements<T>();
  if (items.parts() != 1)
    return sortItems(items.count, [&, parts = items.parts()](int64_t a, int64_t b) {
      for (int64_t part = 0; part < parts; ++part)
        if (int order =
                compareElements(read(elements[static_cast<size_t>(items.position(a, part))]),
                                read(elements[static_cast<size_t>(items.position(b, part))])))
          return order;
      return 0;
    });

  // Elements that lie beside their positions are sorted much faster.
  struct Element {
    decltype(read(T())) key;
    int64_t item;
  };
  std::vector<Element> order;
  order.reserve(elements.size());
  for (size_t i = 0; i < elements.size(); ++i)
    order.push_back({read(elements[i]), static_cast<int64_t>(i)});
  std::ranges::sort(order, [](const Element &a, const Element &b) {
    int difference = compareElements(a.key, b.key);
    return difference < 0 || (difference == 0 && a.item < b.item);
  });
  SortedItems sorted;
  for (size_t i = 0; i < order.size(); ++i) {
    sorted.items.push_back(order[i].item);
    sorted.begins.push_back(i == 0 || compareElements(order[i - 1].key, order[i].key) != 0);
  }
  return sorted;
}

template <typename T>
SortedItems sortNumbers(const Value &input, const Items &items) {
  return sortNumbers<T>(input, items, [](T element) { return element; });
}

SortedItems sortStrings(const Value &input, const Items &items) {
  return sortItems(items.count, [&, parts = items.parts()](int64_t a, int64_t b) {
    for (int64_t part = 0; part < parts; ++part)
      if (int order =
              input.string(items.position(a, part)).compare(input.string(items.position(b, part))))
        return order;
    return 0;
  });
}

SortedItems sortItems(const Value &input, const Items &items) {
  switch (input.element()) {
  case TENON_STRING:
    return sortStrings(input, items);
  case TENON_FLOAT:
    return sortNumbers<float>(input, items);
  case TENON_DOUBLE:
    return sortNumbers<double>(input, items);
  case TENON_FLOAT16:
    return sortNumbers<uint16_t>(input, items, orderOf<0x7c00>);
  case TENON_BFLOAT16:
    return sortNumbers<uint16_t>(input, items, orderOf<0x7f80>);
  case TENON_COMPLEX64:
    return sortNumbers<std::complex<float>>(input, items);
  case TENON_COMPLEX128:
    return sortNumbers<std::complex<double>>(input, items);
  case TENON_INT8:
    return sortNumbers<int8_t>(input, items);
  case TENON_INT16:
    return sortNumbers<int16_t>(input, items);
  case TENON_INT32:
    return sortNumbers<int32_t>(input, items);
  case TENON_INT64:
    return sortNumbers<int64_t>(input, items);
  case TENON_UINT16:
    return sortNumbers<uint16_t>(input, items);
  case TENON_UINT32:
    return sortNumbers<uint32_t>(input, items);
  case TENON_UINT64:
    return sortNumbers<uint64_t>(input, items);
  default: // TENON_UINT8, TENON_BOOL, by the row
    return sortNumbers<uint8_t>(input, items);
  }
}

/// The items at `chosen`, as a tensor of `shape`.
Status gather(const Call &call, const Value &input, const Items &items,
              const std::vector<int64_t> &chosen, const Shape &shape, Value &made) {
  Items results = items;
  results.count = static_cast<int64_t>(chosen.size());
  auto visit = [&](auto copy) {
    for (int64_t i = 0; i < results.count; ++i)
      for (int64_t part = 0, parts = items.parts(); part < parts; ++part)
        copy(static_cast<size_t>(results.position(i, part)),
             items.position(chosen[static_cast<size_t>(i)], part));
  };
  if (input.element() == TENON_STRING) {
    std::vector<std::string_view> picked(static_cast<size_t>(results.count * items.parts()));
    visit([&](size_t to, int64_t from) { picked[to] = input.string(from); });
    return call.makeStrings(shape, picked, made);
  }
  std::span<std::byte> bytes;
  TENON_RETURN_IF_ERROR(call.makeTensor(input.element(), shape, made, bytes));
  if (input.count() == 0)
    return {};
  size_t width = input.bytes().size() / static_cast<size_t>(input.count());
  visit([&](size_t to, int64_t from) {
    std::memcpy(bytes.data() + to * width, input.bytes().data() + static_cast<size_t>(from) * width,
                width);
  });
  return {};
}

Status setIntegers(const Call &call, size_t result, const std::vector<int64_t> &integers) {
  if (!call.isNeeded(result))
    return {};
  Value made;
  std::span<int64_t> elements;
  TENON_RETURN_IF_ERROR(call.makeTensor({static_cast<int64_t>(integers.size())}, made, elements));
  std::ranges::copy(integers, elements.begin());
  call.set(result, std::move(made));
  return {};
}

Status find(const Attributes &attributes, Call &call) {
  Value input = call.input(0), made;
  Items items;
  items.count = input.count();
  Shape shape = {0};
  size_t axis = 0;
  if (attributes.find("axis")) {
    int64_t given = attributes.integer("axis", 0);
    if (given < -input.rank() || given >= input.rank())
      return failed("axis " + std::to_string(given) + " is not one of a tensor of rank " +
                    std::to_string(input.rank()));
    axis = static_cast<size_t>(given < 0 ? given + input.rank() : given);
    shape.assign(input.shape().begin(), input.shape().end());
    auto product = [](auto sizes) {
      return std::accumulate(sizes.begin(), sizes.end(), int64_t(1), std::multiplies<>());
    };
    items = {product(input.shape().first(axis)), shape[axis],
             product(input.shape().subspan(axis + 1))};
  }
  Groups groups = findGroups(sortItems(input, items), attributes.integer("sorted", 1) != 0);
  if (call.isNeeded(0)) {
    shape[axis] = static_cast<int64_t>(groups.first.size());
    TENON_RETURN_IF_ERROR(gather(call, input, items, groups.first, shape, made));
    call.set(0, std::move(made));
  }
  TENON_RETURN_IF_ERROR(setIntegers(call, 1, groups.first));
  TENON_RETURN_IF_ERROR(setIntegers(call, 2, groups.inverse));
  return setIntegers(call, 3, groups.sizes);
}

} // namespace

std::vector<Entry> uniqueFunctions() {
  static constexpr Input elements =
      tensorOf({TENON_STRING, TENON_FLOAT, TENON_DOUBLE, TENON_FLOAT16, TENON_BFLOAT16,
                TENON_COMPLEX64, TENON_COMPLEX128, TENON_INT8, TENON_INT16, TENON_INT32,
                TENON_INT64, TENON_UINT8, TENON_UINT16, TENON_UINT32, TENON_UINT64, TENON_BOOL});
  return {{"unique.find", 1, {elements}, 1, 4, plain<find>}};
}

} // namespace tenon::host
