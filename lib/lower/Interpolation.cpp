// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Interpolation.h. One scalar computation for each element of a result; which taps there are is
// known when it is built.

#include "lib/lower/Interpolation.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

Taps Sampler::getTapsOfCoordinate(Value coordinate, Value size) {
  if (alignsCorners)
    return getTaps(scalar.multiply(scalar.affine(coordinate, 0.5, 0.5), scalar.affine(size, 1, -1)),
                   size);
  return getTaps(scalar.affine(scalar.multiply(scalar.affine(coordinate, 1, 1), size), 0.5, -0.5),
                 size);
}

Taps Sampler::getTaps(Value position, Value size) {
  Taps taps;
  position = move(position, size);
  if (interpolation == Interpolation::Nearest) {
    addTap(taps, math::RoundEvenOp::create(scalar.builder, position), size, {});
    return taps;
  }
  bool isLinear = interpolation == Interpolation::Linear;
  Value floor = math::FloorOp::create(scalar.builder, position);
  Value fraction = scalar.subtract(position, floor);
  double offset = isLinear ? 0 : -1;
  for (Value weight : isLinear ? getLinearWeights(fraction) : getCubicWeights(fraction))
    addTap(taps, scalar.affine(floor, 1, offset++), size, weight);
  return taps;
}

SmallVector<Value> Sampler::getLinearWeights(Value fraction) {
  return {scalar.affine(fraction, -1, 1), fraction};
}

/// Cubic convolution (R. G. Keys, 1981) with a = -0.75.
SmallVector<Value> Sampler::getCubicWeights(Value fraction) {
  constexpr double a = -0.75;
  auto near = [&](Value x) { // |x| <= 1: ((a + 2) x - (a + 3)) x² + 1
    Value inner = scalar.affine(x, a + 2, -(a + 3));
    return scalar.affine(scalar.multiply(scalar.multiply(inner, x), x), 1, 1);
  };
  auto far = [&](Value x) { // 1 < |x| < 2: ((a x - 5 a) x + 8 a) x - 4 a
    Value inner = scalar.affine(scalar.multiply(scalar.affine(x, a, -5 * a), x), 1, 8 * a);
    return scalar.affine(scalar.multiply(inner, x), 1, -4 * a);
  };
  Value rest = scalar.affine(fraction, -1, 1);
  return {far(scalar.affine(fraction, 1, 1)), near(fraction), near(rest),
          far(scalar.affine(rest, 1, 1))};
}

Value Sampler::limit(Value position, Value size) {
  // A NaN becomes the first element.
  position = arith::MaxNumFOp::create(scalar.builder, position, scalar.constant(0, position));
  return arith::MinNumFOp::create(scalar.builder, position, scalar.affine(size, 1, -1));
}

/// Mirrors at the ends of the tensor as often as it takes.
Value Sampler::reflect(Value position, Value size) {
  Value low = scalar.constant(alignsCorners ? 0 : -0.5, position);
  Value range = alignsCorners ? scalar.affine(size, 1, -1) : size;
  // A single element has no extent when corners are aligned.
  Value least = scalar.constant(0.5, range);
  range = scalar.select(scalar.less(range, least), least, range);
  Value period = scalar.affine(range, 2, 0);
  Value along = scalar.absolute(scalar.subtract(position, low));
  Value periods = math::FloorOp::create(scalar.builder, scalar.divide(along, period));
  along = scalar.subtract(along, scalar.multiply(periods, period));
  Value back = scalar.subtract(period, along);
  return scalar.add(low, scalar.select(scalar.less(range, along), back, along));
}

/// A position outside of the tensor is moved before it is interpolated, but for the border of a
/// cubic: there the position tells the weights, and each element that does not exist is the one at
/// the border. (So do PyTorch, whose models these are, and ONNX Runtime; ONNX's reference moves
/// it.)
Value Sampler::move(Value position, Value size) {
  switch (outside) {
  case Outside::Zeros:
    return position;
  case Outside::Border:
    return interpolation == Interpolation::Cubic ? position : limit(position, size);
  case Outside::Reflection:
    return reflect(position, size);
  }
  llvm_unreachable("no such padding");
}

void Sampler::addTap(Taps &taps, Value position, Value size, Value weight) {
  // Around a position near the end there are elements that do not exist.
  if (outside == Outside::Reflection)
    position = reflect(position, size);
  Value limited = limit(position, size);
  taps.isInside.push_back(outside == Outside::Zeros ? scalar.equal(limited, position) : Value());
  ImplicitLocOpBuilder &body = scalar.builder;
  Value integer = arith::FPToSIOp::create(body, body.getI64Type(), limited);
  taps.positions.push_back(arith::IndexCastOp::create(body, body.getIndexType(), integer));
  taps.weights.push_back(weight);
}

/// `source` is the position in the dimensions before those of `taps`; `isInside` whether it lies in
/// the tensor, null where it does.
static Value addUp(Scalar &scalar, Value input, SmallVectorImpl<Value> &source, Value isInside,
                   ArrayRef<Taps> taps, Type type) {
  ImplicitLocOpBuilder &body = scalar.builder;
  if (taps.empty()) {
    Value element = tensor::ExtractOp::create(body, input, source);
    element = convertScalar(body, element, type, scalar.isUnsigned, scalar.isUnsigned);
    return isInside ? scalar.select(isInside, element, scalar.constant(0, element)) : element;
  }
  Value sum;
  const Taps &here = taps.front();
  for (auto [position, weight, inside] :
       llvm::zip_equal(here.positions, here.weights, here.isInside)) {
    Value both = isInside && inside ? arith::AndIOp::create(body, isInside, inside).getResult()
                 : inside           ? inside
                                    : isInside;
    source.push_back(position);
    Value term = addUp(scalar, input, source, both, taps.drop_front(), type);
    source.pop_back();
    if (weight)
      term = scalar.multiply(term, weight);
    sum = sum ? scalar.add(sum, term) : term;
  }
  return sum;
}

Value lower::interpolate(Scalar &scalar, Value input, ArrayRef<Value> leading, ArrayRef<Taps> taps,
                         Type type) {
  SmallVector<Value> source(leading);
  return addUp(scalar, input, source, {}, taps, type);
}
