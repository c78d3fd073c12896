// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fourier transforms and what goes with them: DFT, STFT, MelWeightMatrix.
//
// A transform is a product with a matrix of cosines and sines, which is constant where the length
// is; a long one is several (FastTransform.h). Everything is computed in f64 and rounded once, and
// angles are reduced as whole numbers, so that the length does not cost accuracy.

#include "lib/import/FastTransform.h"
#include "lib/import/FunctionBodies.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;
static constexpr int32_t kDouble = proto::TensorProto::DOUBLE;

/// [..., 1 or 2] as numbers of one dimension less.
static Complex splitParts(BodyBuilder &body, Value value, bool isComplex) {
  auto part = [&](int64_t index) {
    return body.add("Gather", {value, body.integer(index)}, {{"axis", -1}});
  };
  return {part(0), isComplex ? part(1) : Value()};
}

static Value joinParts(BodyBuilder &body, const Complex &value) {
  auto lift = [&](Value part) { return body.add("Unsqueeze", {part, body.integers({-1})}); };
  if (value.imaginary.empty())
    return lift(value.real);
  return body.add("Concat", {lift(value.real), lift(value.imaginary)}, {{"axis", -1}});
}

/// The spectrum of `length` elements of which `half` is the first half and the middle: the others
/// mirror them.
static Complex completeSpectrum(BodyBuilder &body, const Complex &half, Value length) {
  Value position = body.countTo(length);
  Value mirrored = body.add("Sub", {length, position});
  Value isMirrored = body.add("Less", {mirrored, position});
  Value source = body.add("Min", {position, mirrored});
  Value sign = body.add("Where", {isMirrored, body.scalar(-1, kDouble), body.scalar(1, kDouble)});
  auto take = [&](Value part) { return body.add("Gather", {part, source}, {{"axis", -1}}); };
  return {take(half.real), body.add("Mul", {take(half.imaginary), sign})};
}

/// The first `length` elements along dimension `dim`, zeros where there are fewer.
static Value fitTo(BodyBuilder &body, Value value, int64_t dim, Value length) {
  Value axes = body.integers({dim});
  value = body.add("Slice", {value, body.integers({0}), length, axes});
  Value missing = body.add("Sub", {length, body.sizeOf(value, dim)});
  Value pads = body.add("Concat", {body.integers({0}), missing}, {{"axis", 0}});
  return body.add("Pad", {value, pads, body.scalar(0, kDouble), axes});
}

namespace {
/// A tensor as [before, axis, after, parts], whose middle dimension is a given one of the others.
class AxisView {
public:
  /// `axis` is a vector of one element, not negative; `rank` is of `value`.
  AxisView(BodyBuilder &body, Value value, Value axis, int64_t rank) : body(body), axis(axis) {
    shape = body.add("Shape", {value});
    // By comparison, since the axis may be data, and a tensor of sizes must have a known length.
    position = body.countTo(body.integer(rank));
    last = body.integer(rank - 1);
    Value one = body.integer(1);
    Value isAfter = body.add(
        "And", {body.add("Greater", {position, axis}), body.add("Less", {position, last})});
    before = product(body.add("Where", {body.add("Less", {position, axis}), shape, one}));
    after = product(body.add("Where", {isAfter, shape, one}));
    size = product(body.add("Where", {body.add("Equal", {position, axis}), shape, one}));
  }

  /// [before, after, axis, parts], where all before and all after are one dimension.
  Value split(Value value, int64_t parts) {
    Value shape = join({before, size, after, body.integers({parts})});
    return exchange(body.add("Reshape", {value, shape}, {{"allowzero", 1}}));
  }

  /// What `split` makes, with another size along the axis, in the first order.
  Value merge(Value value, Value newSize, int64_t parts) {
    Value flat = body.add("Reshape",
                          {exchange(value), join({before, newSize, after, body.integers({parts})})},
                          {{"allowzero", 1}});
    Value sizes = body.add("Where", {body.add("Equal", {position, axis}), newSize, shape});
    sizes = body.add("Where", {body.add("Equal", {position, last}), body.integer(parts), sizes});
    return body.add("Reshape", {flat, sizes}, {{"allowzero", 1}});
  }

  Value getSize() const { return size; }

private:
  Value join(std::vector<Value> sizes) { return body.add("Concat", sizes, {{"axis", 0}}); }
  Value product(Value sizes) {
    return body.add("ReduceProd", {sizes, body.integers({0})}, {{"keepdims", 1}});
  }
  Value exchange(Value value) {
    return body.add("Transpose", {value}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  }

  BodyBuilder &body;
  Value axis, shape, position, last, before, size, after;
};
} // namespace

/// The length of the transform, where it does not depend on the run.
static std::optional<int64_t> getKnownLength(const BodyBuilder &body,
                                             const std::vector<int64_t> &shape, bool isHalfGiven) {
  if (body.hasInput(1))
    return body.getConstantInteger(1);
  auto rank = static_cast<int64_t>(shape.size());
  std::optional<int64_t> axis = body.hasInput(2) ? body.getConstantInteger(2) : -2;
  if (!axis || *axis < -rank || *axis >= rank)
    return std::nullopt;
  int64_t size = shape[*axis < 0 ? *axis + rank : *axis];
  if (size < 0)
    return std::nullopt;
  return isHalfGiven ? 2 * (size - 1) : size;
}

/// The transform along the last dimension of [before, after, length].
static Complex transformLong(BodyBuilder &body, const Complex &input, int64_t length,
                             bool isInverse) {
  Value shape = body.add("Shape", {input.real});
  auto reshape = [&](Value part, Value to) {
    return part.empty() ? part : body.add("Reshape", {part, to});
  };
  Value rows = body.integers({-1, length});
  Complex result = transformFast(body, {reshape(input.real, rows), reshape(input.imaginary, rows)},
                                 length, isInverse);
  return {reshape(result.real, shape), reshape(result.imaginary, shape)};
}

/// Numbers of one part or two, only the run knows which, as complex ones.
static Value asComplex(BodyBuilder &body, Value value, int64_t rank) {
  Value parts = body.sizeOf(value, rank - 1), one = body.integers({1});
  auto part = [&](Value index) { return body.add("Gather", {value, index}, {{"axis", rank - 1}}); };
  Value real = part(body.integers({0})), second = part(body.add("Sub", {parts, one}));
  Value zero = body.add("CastLike", {body.scalar(0, proto::TensorProto::FLOAT), value});
  Value imaginary = body.add("Where", {body.add("Greater", {parts, one}), second, zero});
  return body.add("Concat", {real, imaginary}, {{"axis", rank - 1}});
}

/// The first half of what is symmetric, along `axis`, of a transform of `length`.
static Value takeHalf(BodyBuilder &body, Value value, Value length, Value axis) {
  Value count =
      body.add("Add", {body.add("Div", {length, body.integers({2})}), body.integers({1})});
  return body.add("Slice", {value, body.integers({0}), count, axis});
}

/// The transform of complex numbers; half of the result is taken afterwards.
static proto::FunctionProto writeDftOfAnyParts(BodyBuilder &body, int64_t rank) {
  bool isHalf = body.getInteger("onesided") != 0 && body.getInteger("inverse") == 0;
  auto toVector = [&](Value value) {
    return body.add("Reshape", {body.cast(value, proto::TensorProto::INT64), body.integers({1})});
  };
  Value length = body.hasInput(1) ? body.getInput(1) : Value();
  Value axis = body.hasInput(2) ? body.getInput(2) : Value();
  Value result = body.add("DFT", {asComplex(body, body.getInput(0), rank), length, axis},
                          {{"onesided", isHalf ? 0 : body.getInteger("onesided")},
                           {"inverse", body.getInteger("inverse")}});
  if (isHalf) {
    Value along = axis.empty() ? body.integers({-2}) : toVector(axis);
    Value size = length.empty() ? body.add("Gather", {body.add("Shape", {result}), along})
                                : toVector(length);
    result = takeHalf(body, result, size, along);
  }
  body.setOutput(0, result);
  return body.take();
}

static std::optional<proto::FunctionProto> writeDft(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (shape && shape->size() >= 2 && shape->back() < 0)
    return writeDftOfAnyParts(body, static_cast<int64_t>(shape->size()));
  if (!shape || shape->size() < 2 || (shape->back() != 1 && shape->back() != 2))
    return std::nullopt;
  auto rank = static_cast<int64_t>(shape->size());
  bool isComplex = shape->back() == 2, isInverse = body.getInteger("inverse") != 0,
       isOneSided = body.getInteger("onesided") != 0;
  if (isOneSided && isInverse != isComplex)
    return std::nullopt;

  auto toVector = [&](int input) {
    return body.add("Reshape", {body.cast(body.getInput(input), proto::TensorProto::INT64),
                                body.integers({1})});
  };
  Value axis = body.integers({rank - 2});
  if (body.hasInput(2))
    axis = body.add("Mod", {toVector(2), body.integer(rank)});
  Value input = body.cast(body.getInput(0), kDouble);
  AxisView view(body, input, axis, rank);
  input = view.split(input, shape->back());

  auto half = [&](Value length) {
    return body.add("Add", {body.add("Div", {length, body.integer(2)}), body.integer(1)});
  };
  Value length = view.getSize();
  if (body.hasInput(1))
    length = toVector(1);
  else if (isOneSided && isInverse)
    length = body.add("Mul", {body.integer(2), body.add("Sub", {length, body.integer(1)})});
  bool isHalfGiven = isOneSided && isInverse, isHalfWanted = isOneSided && !isInverse;
  if (body.hasInput(1))
    input = fitTo(body, input, 2, isHalfGiven ? half(length) : length);
  Complex parts = splitParts(body, input, isComplex);
  if (isHalfGiven)
    parts = completeSpectrum(body, parts, length);
  Value columns = isHalfWanted ? half(length) : length;
  Complex result;
  if (std::optional<int64_t> known = getKnownLength(body, *shape, isHalfGiven);
      known && *known > kLongestProduct) {
    result = transformLong(body, parts, *known, isInverse);
    if (isHalfWanted)
      for (Value *part : {&result.real, &result.imaginary})
        *part = body.add("Slice", {*part, body.integers({0}), columns, body.integers({2})});
  } else {
    result = multiplyByFactors(body, parts, makeFactors(body, length, columns, length), isInverse);
  }
  if (isHalfGiven)
    result.imaginary.clear();
  Value joined = joinParts(body, result);
  if (isInverse)
    joined = body.add("Div", {joined, body.cast(length, kDouble)});
  joined = body.cast(joined, body.getElementType(0));
  body.setOutput(0, view.merge(joined, columns, result.imaginary.empty() ? 1 : 2));
  return body.take();
}

static std::optional<proto::FunctionProto> writeStft(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  if (!shape || shape->size() != 3)
    return std::nullopt;
  bool isOneSided = body.getInteger("onesided", 1) != 0 && shape->back() == 1;
  bool isAny = shape->back() < 0;
  auto toVector = [&](Value value) {
    return body.add("Reshape", {body.cast(value, proto::TensorProto::INT64), body.integers({1})});
  };
  Value signal = body.cast(body.getInput(0), kDouble);
  if (isAny)
    signal = asComplex(body, signal, 3);
  Value size = body.sizeOf(signal, 1), step = toVector(body.getInput(1));
  Value length = body.hasInput(3)   ? toVector(body.getInput(3))
                 : body.hasInput(2) ? body.sizeOf(body.getInput(2), 0)
                                    : size;
  Value frames =
      body.add("Add", {body.add("Div", {body.add("Sub", {size, length}), step}), body.integer(1)});
  Value begins =
      body.add("Unsqueeze", {body.add("Mul", {body.countTo(frames), step}), body.integers({1})});
  Value positions =
      body.add("Add", {begins, body.add("Unsqueeze", {body.countTo(length), body.integers({0})})});
  // [batch, frames, length, parts]
  Value framed = body.add("Gather", {signal, positions}, {{"axis", 1}});
  if (body.hasInput(2))
    framed = body.add("Mul", {framed, body.add("Unsqueeze", {body.cast(body.getInput(2), kDouble),
                                                             body.integers({1})})});
  Value spectrum = body.add("DFT", {framed, Value(), body.integer(2)},
                            {{"onesided", isOneSided}, {"inverse", 0}});
  if (isAny && body.getInteger("onesided", 1) != 0)
    spectrum = takeHalf(body, spectrum, length, body.integers({2}));
  body.setOutput(0, body.cast(spectrum, body.getElementType(0)));
  return body.take();
}

/// Triangles that overlap by half, of equal width on the mel scale; their corners are whole bins.
static std::optional<proto::FunctionProto> writeMelWeightMatrix(BodyBuilder &body) {
  auto constant = [&](double value) { return body.scalar(value, kDouble); };
  auto read = [&](int input) { return body.cast(body.getInput(input), kDouble); };
  auto toMel = [&](Value hertz) {
    Value log =
        body.add("Log", {body.add("Add", {constant(1), body.add("Div", {hertz, constant(700)})})});
    return body.add("Mul", {log, constant(2595 / std::log(10.0))});
  };
  Value count = body.cast(body.getInput(0), proto::TensorProto::INT64),
        length = body.cast(body.getInput(1), proto::TensorProto::INT64);
  Value corners = body.add("Add", {count, body.integer(2)});
  Value low = toMel(read(3)), high = toMel(read(4));
  Value step = body.add("Div", {body.add("Sub", {high, low}), body.cast(corners, kDouble)});
  Value mel =
      body.add("Add", {body.add("Mul", {body.cast(body.countTo(corners), kDouble), step}), low});
  Value power = body.add("Exp", {body.add("Mul", {mel, constant(std::log(10.0) / 2595)})});
  Value hertz = body.add("Mul", {body.add("Sub", {power, constant(1)}), constant(700)});
  Value scaled = body.add("Mul", {body.add("Add", {read(1), constant(1)}), hertz});
  Value bins = body.add("Floor", {body.add("Div", {scaled, read(2)})});

  auto corner = [&](int64_t first) {
    return body.add("Gather", {bins, body.add("Add", {body.countTo(count), body.integer(first)})});
  };
  Value left = corner(0), center = corner(1), right = corner(2);
  Value rows = body.add("Add", {body.add("Div", {length, body.integer(2)}), body.integer(1)});
  Value bin = body.add("Unsqueeze", {body.cast(body.countTo(rows), kDouble), body.integers({1})});
  auto ratio = [&](Value from, Value to, Value width) {
    return body.add("Div", {body.add("Sub", {to, from}), body.add("Max", {width, constant(1)})});
  };
  Value rising = ratio(left, bin, body.add("Sub", {center, left})),
        falling = ratio(bin, right, body.add("Sub", {right, center}));
  Value isRising =
      body.add("And", {body.add("GreaterOrEqual", {bin, left}), body.add("Less", {bin, center})});
  Value isFalling =
      body.add("And", {body.add("Greater", {bin, center}), body.add("Less", {bin, right})});
  // The center is 1 also where a side has no width.
  Value weights = body.add("Where", {isRising, rising, constant(0)});
  weights = body.add("Where", {isFalling, falling, weights});
  weights = body.add("Where", {body.add("Equal", {bin, center}), constant(1), weights});
  body.setOutput(0,
                 body.cast(weights, static_cast<int32_t>(body.getInteger("output_datatype", 1))));
  return body.take();
}

BodyFunction findSignalBody(StringRef domain, StringRef name) {
  if (!domain.empty())
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("DFT", writeDft)
      .Case("STFT", writeStft)
      .Case("MelWeightMatrix", writeMelWeightMatrix)
      .Default(nullptr);
}

} // namespace tenon::import
