// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's operators on sequences. Elements are shared, never copied.

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

} // namespace

std::vector<Entry> sequenceFunctions() {
  return {
      {"sequence.at", 1, {sequence, integers}, 1, 1, plain<at>},
      {"sequence.construct", 1, {anything.orAbsent().repeated()}, 1, 1, plain<construct>},
      {"sequence.erase", 1, {sequence, integers.orAbsent()}, 1, 1, plain<erase>},
      {"sequence.insert", 1, {sequence, anything, integers.orAbsent()}, 1, 1, plain<insert>},
      {"sequence.length", 1, {sequence}, 1, 1, plain<length>},
  };
}

} // namespace tenon::host
