// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's operators on sequences. Elements are shared; only what cuts tensors and joins them copies.

#include "lib/host/Families.h"

#include <algorithm>
#include <cstring>

namespace tenon::host {

namespace {

/// A position as ONNX counts it, from the end where it is negative, in [0, limit).
Status findPosition(const Value &position, int64_t count, int64_t limit, int64_t &found) {
  if (position.count() != 1)
    return failed("the position is a tensor of shape " + shapeText(position.shape()) +
                  ", expected one element");
  found = position.integer(0);
  if (found < -count || found >= limit)
    return failed("position " + std::to_string(found) + " is not in a sequence of " +
                  std::to_string(count) + " elements");
  if (found < 0)
    found += count;
  return {};
}

Status at(const Attributes &, Call &call) {
  Value sequence = call.input(0);
  int64_t position = 0;
  TENON_RETURN_IF_ERROR(findPosition(call.input(1), sequence.count(), sequence.count(), position));
  call.set(0, sequence[position]);
  return {};
}

Status construct(const Attributes &, Call &call) {
  std::vector<Value> elements;
  for (size_t i = 0; i < call.inputCount(); ++i)
    elements.push_back(call.input(i));
  Value made;
  TENON_RETURN_IF_ERROR(call.makeSequence(elements, made));
  call.set(0, std::move(made));
  return {};
}

Status insert(const Attributes &, Call &call) {
  Value sequence = call.take(0);
  int64_t position = sequence.count();
  if (call.hasInput(2))
    TENON_RETURN_IF_ERROR(
        findPosition(call.input(2), sequence.count(), sequence.count() + 1, position));
  TENON_RETURN_IF_ERROR(call.insert(sequence, position, call.input(1)));
  call.set(0, std::move(sequence));
  return {};
}

Status erase(const Attributes &, Call &call) {
  Value sequence = call.take(0);
  int64_t position = sequence.count() - 1;
  if (sequence.count() == 0)
    return failed("the sequence is empty, there is no element to erase");
  if (call.hasInput(1))
    TENON_RETURN_IF_ERROR(
        findPosition(call.input(1), sequence.count(), sequence.count(), position));
  TENON_RETURN_IF_ERROR(call.erase(sequence, position));
  call.set(0, std::move(sequence));
  return {};
}

Status length(const Attributes &, Call &call) {
  Value made;
  TENON_RETURN_IF_ERROR(call.makeScalar<int64_t>(call.input(0).count(), made));
  call.set(0, std::move(made));
  return {};
}

//===----------------------------------------------------------------------===//
// Tensors in sequences
//===----------------------------------------------------------------------===//

/// Elements of a tensor that lie side by side.
struct Run {
  const Value *source;
  int64_t first, count;
};

/// A tensor of the elements of `runs`, in order.
Status makeOfRuns(Call &call, tenon_element_type type, const Shape &shape,
                  const std::vector<Run> &runs, Value &made) {
  if (type == TENON_STRING) {
    std::vector<std::string_view> texts;
    for (const Run &run : runs)
      for (int64_t i = 0; i < run.count; ++i)
        texts.push_back(run.source->string(run.first + i));
    return call.makeStrings(shape, texts, made);
  }
  std::span<std::byte> to;
  TENON_RETURN_IF_ERROR(call.makeTensor(type, shape, made, to));
  size_t written = 0;
  for (const Run &run : runs) {
    if (run.count == 0)
      continue;
    std::span<const std::byte> from = run.source->bytes();
    size_t width = from.size() / static_cast<size_t>(run.source->count());
    size_t bytes = static_cast<size_t>(run.count) * width;
    std::memcpy(to.data() + written, from.data() + static_cast<size_t>(run.first) * width, bytes);
    written += bytes;
  }
  return {};
}

/// Elements of types below a byte cannot be taken apart.
Status checkElements(const Value &tensor) {
  switch (tensor.element()) {
  case TENON_UINT4:
  case TENON_INT4:
  case TENON_FLOAT4E2M1:
  case TENON_UINT2:
  case TENON_INT2:
  case TENON_FLOAT6E2M3:
  case TENON_FLOAT6E3M2:
    return failed("elements of fewer than 8 bits are not supported here");
  default:
    return {};
  }
}

Status findAxis(int64_t axis, int64_t rank, int64_t &found) {
  if (axis < -rank || axis >= rank)
    return failed("axis " + std::to_string(axis) + " is not one of a tensor of rank " +
                  std::to_string(rank));
  found = axis < 0 ? axis + rank : axis;
  return {};
}

int64_t product(std::span<const int64_t> sizes) {
  int64_t all = 1;
  for (int64_t size : sizes)
    all *= size;
  return all;
}

/// The sizes of the parts along an axis of `size` elements.
Status findParts(const Call &call, int64_t size, std::vector<int64_t> &parts) {
  // Of a tensor without elements an axis may have any size.
  constexpr int64_t longest = int64_t(1) << 28;
  if (size > longest)
    return failed("an axis of " + std::to_string(size) + " elements cannot be split");
  if (!call.hasInput(1)) {
    parts.assign(static_cast<size_t>(size), 1);
    return {};
  }
  Value split = call.input(1);
  if (split.rank() > 1)
    return failed("the sizes of the parts have shape " + shapeText(split.shape()) +
                  ", expected one axis at most");
  int64_t sum = 0;
  for (int64_t i = 0; i < split.count(); ++i) {
    int64_t part = split.integer(i);
    if (part < 0 || (split.rank() == 0 && part == 0) || part > INT64_MAX - sum)
      return failed("a part cannot have " + std::to_string(part) + " elements");
    parts.push_back(part);
    sum += part;
  }
  if (split.rank() == 0) {
    // Parts of one size, the last one perhaps smaller.
    int64_t part = parts[0];
    parts.assign(static_cast<size_t>(size / part), part);
    if (size % part != 0)
      parts.push_back(size % part);
    return {};
  }
  if (sum != size)
    return failed("the parts have " + std::to_string(sum) + " elements together, the axis has " +
                  std::to_string(size));
  return {};
}

Status split(const Attributes &attributes, Call &call) {
  Value input = call.input(0), made;
  TENON_RETURN_IF_ERROR(checkElements(input));
  int64_t axis = 0;
  TENON_RETURN_IF_ERROR(findAxis(attributes.integer("axis", 0), input.rank(), axis));
  std::span<const int64_t> shape = input.shape();
  auto at = static_cast<size_t>(axis);
  std::vector<int64_t> parts;
  TENON_RETURN_IF_ERROR(findParts(call, shape[at], parts));
  bool dropsAxis = !call.hasInput(1) && attributes.integer("keepdims", 1) == 0;
  int64_t outer = input.count() == 0 ? 0 : product(shape.first(at));
  int64_t inner = input.count() == 0 ? 0 : product(shape.subspan(at + 1));
  std::vector<Value> elements;
  int64_t first = 0;
  for (int64_t part : parts) {
    Shape partShape(shape.begin(), shape.end());
    if (dropsAxis)
      partShape.erase(partShape.begin() + axis);
    else
      partShape[at] = part;
    std::vector<Run> runs;
    for (int64_t i = 0; i < outer; ++i)
      runs.push_back({&input, (i * shape[at] + first) * inner, part * inner});
    TENON_RETURN_IF_ERROR(
        makeOfRuns(call, input.element(), partShape, runs, elements.emplace_back()));
    first += part;
  }
  TENON_RETURN_IF_ERROR(call.makeSequence(elements, made));
  call.set(0, std::move(made));
  return {};
}

/// What the elements of a sequence have in common, with a new axis of size 1 where there is to be
/// one.
Status findCommonShape(const std::vector<Value> &elements, int64_t axis, bool isNewAxis,
                       std::vector<Shape> &shapes, size_t &at) {
  for (const Value &element : elements) {
    if (!element.isTensor())
      return failed("the sequence holds other values than tensors");
    TENON_RETURN_IF_ERROR(checkElements(element));
    Shape shape(element.shape().begin(), element.shape().end());
    int64_t found = 0;
    TENON_RETURN_IF_ERROR(findAxis(axis, element.rank() + isNewAxis, found));
    at = static_cast<size_t>(found);
    if (isNewAxis)
      shape.insert(shape.begin() + found, 1);
    shapes.push_back(shape);
    Shape first = shapes.front();
    if (shape.size() == first.size())
      shape[at] = first[at];
    if (shape != first)
      return failed("tensors of shapes " + shapeText(elements.front().shape()) + " and " +
                    shapeText(element.shape()) + " cannot be joined along axis " +
                    std::to_string(axis));
  }
  return {};
}

Status concat(const Attributes &attributes, Call &call) {
  Value sequence = call.input(0), made;
  std::vector<Value> elements;
  for (int64_t i = 0; i < sequence.count(); ++i)
    elements.push_back(sequence[i]);
  if (elements.empty())
    return failed("the sequence is empty, there is nothing to join");
  std::vector<Shape> shapes;
  size_t at = 0;
  TENON_RETURN_IF_ERROR(findCommonShape(elements, attributes.integer("axis", 0),
                                        attributes.integer("new_axis", 0) != 0, shapes, at));
  Shape joined = shapes.front();
  joined[at] = 0;
  for (const Shape &shape : shapes)
    if (__builtin_add_overflow(joined[at], shape[at], &joined[at]))
      return failed("the joined tensor is too large");
  bool isEmpty = std::find(joined.begin(), joined.end(), 0) != joined.end();
  int64_t outer = isEmpty ? 0 : product(std::span(joined).first(at));
  int64_t inner = isEmpty ? 0 : product(std::span(joined).subspan(at + 1));
  std::vector<Run> runs;
  for (int64_t i = 0; i < outer; ++i)
    for (size_t j = 0; j < elements.size(); ++j)
      runs.push_back({&elements[j], i * shapes[j][at] * inner, shapes[j][at] * inner});
  TENON_RETURN_IF_ERROR(makeOfRuns(call, elements.front().element(), joined, runs, made));
  call.set(0, std::move(made));
  return {};
}

} // namespace

std::vector<Entry> sequenceFunctions() {
  return {
      {"sequence.at", 1, {sequence, integers}, 1, 1, plain<at>},
      {"sequence.concat", 1, {sequence}, 1, 1, plain<concat>},
      {"sequence.construct", 1, {anything.orAbsent().repeated()}, 1, 1, plain<construct>},
      {"sequence.erase", 1, {sequence, integers.orAbsent()}, 1, 1, plain<erase>},
      {"sequence.insert", 1, {sequence, anything, integers.orAbsent()}, 1, 1, plain<insert>},
      {"sequence.length", 1, {sequence}, 1, 1, plain<length>},
      {"sequence.split", 1, {anyTensor, integers.orAbsent()}, 1, 1, plain<split>},
  };
}

} // namespace tenon::host
