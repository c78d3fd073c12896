// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A length that has divisors is cut into two (J. W. Cooley, J. W. Tukey, 1965): transforms of the
// one length, factors, transforms of the other. A long prime is a convolution with a chirp, which
// transforms of a longer, smooth length compute (L. I. Bluestein, 1970).

#include "lib/import/FastTransform.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;
static constexpr int32_t kDouble = proto::TensorProto::DOUBLE;

Complex makeFactors(BodyBuilder &body, Value rows, Value columns, Value length) {
  auto line = [&](Value count, int64_t axis) {
    return body.add("Unsqueeze", {body.countTo(std::move(count)), body.integers({axis})});
  };
  Value product = body.add("Mul", {line(std::move(rows), 1), line(std::move(columns), 0)});
  Value turns = body.cast(body.add("Mod", {product, length}), kDouble);
  Value angle = body.add("Mul", {body.add("Div", {turns, body.cast(length, kDouble)}),
                                 body.scalar(2 * M_PI, kDouble)});
  return {body.add("Cos", {angle}), body.add("Sin", {angle})};
}

/// x * (cos -+ i sin), `multiply` being a product of matrices or of elements.
static Complex multiply(BodyBuilder &body, const char *product, const Complex &x,
                        const Complex &factors, bool isInverse) {
  Complex result{body.add(product, {x.real, factors.real}),
                 body.add(product, {x.real, factors.imaginary})};
  if (!isInverse)
    result.imaginary = body.add("Neg", {result.imaginary});
  if (x.imaginary.empty())
    return result;
  Value real = body.add(product, {x.imaginary, factors.imaginary});
  Value imaginary = body.add(product, {x.imaginary, factors.real});
  return {body.add(isInverse ? "Sub" : "Add", {result.real, real}),
          body.add("Add", {result.imaginary, imaginary})};
}

Complex multiplyByFactors(BodyBuilder &body, const Complex &input, const Complex &factors,
                          bool isInverse) {
  return multiply(body, "MatMul", input, factors, isInverse);
}

/// Applies `change` to both parts.
template <typename Change>
static Complex mapParts(const Complex &x, Change change) {
  return {change(x.real), x.imaginary.empty() ? Value() : change(x.imaginary)};
}

static Complex reshape(BodyBuilder &body, const Complex &x, std::vector<int64_t> shape) {
  return mapParts(
      x, [&](const Value &part) { return body.add("Reshape", {part, body.integers(shape)}); });
}

/// [any, a, b] -> [any * b, a]
static Complex turn(BodyBuilder &body, const Complex &x, int64_t a) {
  Complex turned = mapParts(x, [&](const Value &part) {
    return body.add("Transpose", {part}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  });
  return reshape(body, turned, {-1, a});
}

/// The greatest divisor that is not greater than the square root.
static int64_t findDivisor(int64_t length) {
  auto divisor = static_cast<int64_t>(std::sqrt(static_cast<double>(length)));
  while (length % divisor != 0)
    --divisor;
  return divisor;
}

/// With n = n1 b + n2 and k = k1 + a k2, the exponent n k / (a b) is n1 k1 / a + n2 k1 / (a b) +
/// n2 k2 / b and a whole number.
static Complex transformInTwo(BodyBuilder &body, const Complex &input, int64_t a, int64_t b,
                              bool isInverse) {
  auto vector = [&](int64_t value) { return body.integers({value}); };
  Complex x = turn(body, reshape(body, input, {-1, a, b}), a);
  x = reshape(body, transformFast(body, x, a, isInverse), {-1, b, a});
  Complex factors = makeFactors(body, vector(b), vector(a), vector(a * b));
  x = multiply(body, "Mul", x, factors, isInverse);
  x = turn(body, x, b);
  x = reshape(body, transformFast(body, x, b, isInverse), {-1, a, b});
  return reshape(body, turn(body, x, a), {-1, a * b});
}

/// With n k = (n² + k² - (k - n)²) / 2, the transform is a convolution between two multiplications
/// with a chirp.
static Complex transformByChirp(BodyBuilder &body, const Complex &input, int64_t length,
                                bool isInverse) {
  auto padded = static_cast<int64_t>(llvm::PowerOf2Ceil(2 * length - 1));
  auto fill = [&](const Complex &x, int64_t count) {
    return mapParts(x, [&](const Value &part) {
      Value pads = body.integers({0, 0, 0, count});
      return body.add("Pad", {part, pads, body.scalar(0, kDouble)});
    });
  };
  // The angles pi n² / length, reduced as whole numbers.
  Value position = body.countTo(body.integer(length));
  Value turns = body.add("Mod", {body.add("Mul", {position, position}), body.integer(2 * length)});
  Value angle = body.add(
      "Mul", {body.cast(turns, kDouble), body.scalar(M_PI / static_cast<double>(length), kDouble)});
  angle = body.add("Unsqueeze", {angle, body.integers({0})});
  Complex chirp{body.add("Cos", {angle}), body.add("Sin", {angle})};

  Complex signal = fill(multiply(body, "Mul", input, chirp, isInverse), padded - length);
  // The opposite chirp, at negative positions too, which stand at the end.
  Complex opposite = isInverse ? Complex{chirp.real, body.add("Neg", {chirp.imaginary})} : chirp;
  Complex kernel = mapParts(opposite, [&](const Value &part) {
    Value mirrored = body.add("Slice", {part, body.integers({length - 1}), body.integers({0}),
                                        body.integers({1}), body.integers({-1})});
    std::vector<Value> pieces{part};
    if (int64_t missing = padded - 2 * length + 1; missing > 0)
      pieces.push_back(body.add("Expand", {body.scalar(0, kDouble), body.integers({1, missing})}));
    pieces.push_back(mirrored);
    return body.add("Concat", pieces, {{"axis", 1}});
  });
  Complex product = multiply(body, "Mul", transformFast(body, signal, padded, false),
                             transformFast(body, kernel, padded, false), /*isInverse=*/true);
  Complex convolved = mapParts(transformFast(body, product, padded, true), [&](const Value &part) {
    Value cut =
        body.add("Slice", {part, body.integers({0}), body.integers({length}), body.integers({1})});
    return body.add("Div", {cut, body.scalar(static_cast<double>(padded), kDouble)});
  });
  return multiply(body, "Mul", convolved, chirp, isInverse);
}

Complex transformFast(BodyBuilder &body, const Complex &input, int64_t length, bool isInverse) {
  if (length <= kLongestProduct) {
    Value size = body.integers({length});
    return multiplyByFactors(body, input, makeFactors(body, size, size, size), isInverse);
  }
  int64_t divisor = findDivisor(length);
  if (divisor == 1)
    return transformByChirp(body, input, length, isInverse);
  return transformInTwo(body, input, divisor, length / divisor, isInverse);
}

} // namespace tenon::import
