// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions along dimensions, as one linalg.generic without the reduced dimensions.
//
// Sums and products of floats may be reassociated, so that they can be vectorized.

#include "lib/lower/Reduce.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

static bool isBool(Type type) { return type.isInteger(1); }

TypedAttr lower::getNeutral(Builder &builder, Reduction reduction, Type type, bool isUnsigned) {
  bool isExtremum = reduction == Reduction::Maximum || reduction == Reduction::Minimum;
  bool isMaximum = reduction == Reduction::Maximum;
  if (auto floating = dyn_cast<FloatType>(type)) {
    if (isExtremum)
      return builder.getFloatAttr(
          floating, APFloat::getInf(floating.getFloatSemantics(), /*Negative=*/isMaximum));
    return builder.getFloatAttr(floating, reduction == Reduction::Product ? 1.0 : 0.0);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  if (isExtremum && (isUnsigned || isBool(type)))
    return builder.getIntegerAttr(type,
                                  isMaximum ? APInt::getZero(width) : APInt::getMaxValue(width));
  if (isExtremum)
    return builder.getIntegerAttr(type, isMaximum ? APInt::getSignedMinValue(width)
                                                  : APInt::getSignedMaxValue(width));
  return builder.getIntegerAttr(type, reduction == Reduction::Product ? 1 : 0);
}

Value lower::getTerm(Scalar &scalar, Reduction reduction, Value element) {
  switch (reduction) {
  case Reduction::SumOfMagnitudes:
    return scalar.absolute(element);
  case Reduction::SumOfSquares:
    return scalar.multiply(element, element);
  case Reduction::SumOfExponentials:
    return scalar.exp(element);
  default:
    return element;
  }
}

Value lower::combine(Scalar &scalar, Reduction reduction, Value accumulator, Value term) {
  ImplicitLocOpBuilder &builder = scalar.builder;
  constexpr arith::FastMathFlags reorder =
      arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;
  bool isFloat = scalar.isFloat(term);
  switch (reduction) {
  case Reduction::Maximum:
    return isBool(term.getType()) ? arith::OrIOp::create(builder, accumulator, term)
                                  : scalar.maximum(accumulator, term);
  case Reduction::Minimum:
    return isBool(term.getType()) ? arith::AndIOp::create(builder, accumulator, term)
                                  : scalar.minimum(accumulator, term);
  case Reduction::Product:
    return isFloat ? arith::MulFOp::create(builder, accumulator, term, reorder).getResult()
                   : arith::MulIOp::create(builder, accumulator, term).getResult();
  default:
    return isFloat ? arith::AddFOp::create(builder, accumulator, term, reorder).getResult()
                   : arith::AddIOp::create(builder, accumulator, term).getResult();
  }
}

/// The maps of a reduction (input, result) and its iterators.
static std::pair<AffineMap, SmallVector<utils::IteratorType>>
getReducedMap(MLIRContext *context, int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (llvm::is_contained(axes, dim))
      iterators[dim] = utils::IteratorType::reduction;
    else
      kept.push_back(getAffineDimExpr(dim, context));
  }
  return {AffineMap::get(rank, 0, kept, context), iterators};
}

SmallVector<OpFoldResult> lower::getKeptSizes(OpBuilder &builder, Location loc, Value input,
                                              ArrayRef<int64_t> axes) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < getRank(input); ++dim)
    if (!llvm::is_contained(axes, dim))
      sizes.push_back(getDim(builder, loc, input, dim));
  return sizes;
}

Value lower::reduce(OpBuilder &builder, Location loc, Reduction reduction, Value input,
                    ArrayRef<int64_t> axes, bool isUnsigned) {
  int64_t rank = getRank(input);
  Type type = getAccumulatorType(getElementType(input));
  auto [map, iterators] = getReducedMap(builder.getContext(), rank, axes);
  Value init = createFilled(builder, loc, getKeptSizes(builder, loc, input, axes),
                            getNeutral(builder, reduction, type, isUnsigned));
  auto addElement = [&](OpBuilder &inner, Location loc, ValueRange elements) {
    ImplicitLocOpBuilder body(loc, inner);
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    Value element = convertScalar(body, elements[0], type, isUnsigned, isUnsigned);
    linalg::YieldOp::create(
        body, combine(scalar, reduction, elements[1], getTerm(scalar, reduction, element)));
  };
  return linalg::GenericOp::create(
             builder, loc, init.getType(), input, init,
             {AffineMap::getMultiDimIdentityMap(rank, builder.getContext()), map}, iterators,
             addElement)
      .getResult(0);
}

Value lower::reducePosition(OpBuilder &builder, Location loc, Value input, int64_t axis,
                            bool isMaximum, bool selectLast, bool isUnsigned) {
  int64_t rank = getRank(input);
  Type type = getElementType(input);
  SmallVector<OpFoldResult> sizes = getKeptSizes(builder, loc, input, axis);
  auto [map, iterators] = getReducedMap(builder.getContext(), rank, axis);
  Reduction reduction = isMaximum ? Reduction::Maximum : Reduction::Minimum;
  Value best = createFilled(builder, loc, sizes, getNeutral(builder, reduction, type, isUnsigned));
  Value position = createFilled(builder, loc, sizes, builder.getI64IntegerAttr(0));
  // Of equal elements the position decides, not the order in which they are seen. The neutral
  // element stands at position 0, which is right also where all elements are equal to it.
  auto compare = [&](OpBuilder &inner, Location loc, ValueRange elements) {
    ImplicitLocOpBuilder body(loc, inner);
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    Value element = elements[0];
    Value here =
        arith::IndexCastOp::create(body, body.getI64Type(), linalg::IndexOp::create(body, axis));
    Value isBetter =
        isMaximum ? scalar.less(elements[1], element) : scalar.less(element, elements[1]);
    Value isPreferred = arith::CmpIOp::create(
        body, selectLast ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt, here,
        elements[2]);
    Value isTie = arith::AndIOp::create(body, scalar.equal(element, elements[1]), isPreferred);
    Value isChosen = arith::OrIOp::create(body, isBetter, isTie);
    linalg::YieldOp::create(body, ValueRange{scalar.select(isChosen, element, elements[1]),
                                             scalar.select(isChosen, here, elements[2])});
  };
  return linalg::GenericOp::create(
             builder, loc, TypeRange{best.getType(), position.getType()}, input,
             ValueRange{best, position},
             {AffineMap::getMultiDimIdentityMap(rank, builder.getContext()), map, map}, iterators,
             compare)
      .getResult(1);
}
