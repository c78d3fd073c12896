// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions, positions of extrema, global pooling and cumulative sums.
//
// A reduction is one linalg.generic without the reduced dimensions, followed by an elementwise step
// if the operator has one (mean, square root …) and a reshape that puts dimensions of size 1 back,
// which cancels against the reshape of a consumer that broadcasts along them.

#include "lib/lower/Reduce.h"

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

static bool isBool(Type type) { return type.isInteger(1); }

/// The element that changes nothing.
static TypedAttr getNeutral(Builder &builder, Reduction reduction, Type type, bool isUnsigned) {
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

/// What an element contributes.
static Value getTerm(Scalar &scalar, Reduction reduction, Value element) {
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

static Value combine(Scalar &scalar, Reduction reduction, Value accumulator, Value term) {
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

static SmallVector<OpFoldResult> getKeptSizes(OpBuilder &builder, Location loc, Value input,
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

namespace {

//===----------------------------------------------------------------------===//
// Reduce*
//===----------------------------------------------------------------------===//

/// An elementwise step after a reduction.
enum class Finish { None, Mean, SquareRoot, Log };

/// value -> finish(value), for a reduction of `count` elements each. Integers go through f64 where
/// a function needs it.
Value finish(OpBuilder &builder, Location loc, Finish finish, Value value, OpFoldResult count,
             bool isUnsigned) {
  if (finish == Finish::None)
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  Value divisor;
  if (finish == Finish::Mean && isa<Value>(count))
    divisor = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), cast<Value>(count));
  return createElementwise(
      builder, loc, value, type, [&](ImplicitLocOpBuilder &body, ValueRange x) -> Value {
        Scalar scalar(body, /*op=*/nullptr, isUnsigned);
        Type element = type.getElementType();
        if (finish == Finish::Mean) {
          Value number = divisor
                             ? convertScalar(body, divisor, element, false, false)
                             : createIntegerScalar(body, loc, element, *getConstantIntValue(count));
          return scalar.divide(x[0], number);
        }
        Value wide = isa<FloatType>(element)
                         ? x[0]
                         : convertScalar(body, x[0], body.getF64Type(), isUnsigned, isUnsigned);
        wide = finish == Finish::Log ? math::LogOp::create(body, wide).getResult()
                                     : math::SqrtOp::create(body, wide).getResult();
        return convertScalar(body, wide, element, isUnsigned, isUnsigned);
      });
}

OpFoldResult countElements(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> axes) {
  IndexBuilder index(builder, loc);
  OpFoldResult count = index.constant(1);
  for (int64_t axis : axes)
    count = index.multiply(count, getDim(builder, loc, input, axis));
  return count;
}

/// log(sum(exp(x))), with the maximum taken out so that nothing overflows.
Value reduceLogSumExp(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> axes) {
  Type type = getElementType(input);
  if (!isa<FloatType>(type))
    input = convertElements(builder, loc, input, builder.getF64Type());
  Value maximum = reduce(builder, loc, Reduction::Maximum, input, axes);
  // Infinite where all elements are, or there are none: nothing to take out then.
  maximum = createElementwise(builder, loc, maximum, cast<RankedTensorType>(maximum.getType()),
                              [](ImplicitLocOpBuilder &body, ValueRange x) {
                                Scalar scalar(body, /*op=*/nullptr, false);
                                Value isInfinite = scalar.equal(scalar.absolute(x[0]),
                                                                scalar.constant(INFINITY, x[0]));
                                return scalar.select(isInfinite, scalar.constant(0, x[0]), x[0]);
                              });
  auto wide = cast<RankedTensorType>(input.getType()).clone(getElementType(maximum));
  Value shifted = createElementwise(builder, loc, {input, addUnitDims(builder, loc, maximum, axes)},
                                    wide, [&](ImplicitLocOpBuilder &body, ValueRange x) -> Value {
                                      Value element = convertScalar(
                                          body, x[0], wide.getElementType(), false, false);
                                      return arith::SubFOp::create(body, element, x[1]);
                                    });
  Value sum = reduce(builder, loc, Reduction::SumOfExponentials, shifted, axes);
  return createElementwise(builder, loc, {sum, maximum}, cast<RankedTensorType>(sum.getType()),
                           [](ImplicitLocOpBuilder &body, ValueRange x) -> Value {
                             return arith::AddFOp::create(body, math::LogOp::create(body, x[0]),
                                                          x[1]);
                           });
}

/// `value`, which lacks the dimensions `axes`, as the result of an operator.
Value finishResult(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> axes,
                   bool keepDims, RankedTensorType resultType) {
  value = convertElements(builder, loc, value, resultType.getElementType());
  if (keepDims)
    value = addUnitDims(builder, loc, value, axes);
  return castTo(builder, loc, value, resultType);
}

/// Which dimensions a tensor of axes names, as conditions that the run evaluates.
struct MarkedDims {
  MarkedDims(OpBuilder &builder, Location loc, Value input, Value axesOperand)
      : from(getDims(builder, loc, input)) {
    IndexBuilder index(builder, loc);
    SmallVector<OpFoldResult> axes = *getIndices(builder, loc, axesOperand);
    count = index.constant(1);
    for (auto [dim, size] : llvm::enumerate(from)) {
      OpFoldResult mark = index.constant(0);
      for (OpFoldResult axis : axes) {
        OpFoldResult here = index.constant(dim), fromEnd = index.constant(dim - from.size());
        mark = index.select(arith::CmpIPredicate::eq, axis, here, index.constant(1), mark);
        mark = index.select(arith::CmpIPredicate::eq, axis, fromEnd, index.constant(1), mark);
      }
      marks.push_back(mark);
      kept.push_back(
          index.select(arith::CmpIPredicate::eq, mark, index.constant(1), index.constant(1), size));
      count = index.multiply(count, index.select(arith::CmpIPredicate::eq, mark, index.constant(1),
                                                 size, index.constant(1)));
    }
  }

  /// The sizes of the first `rank` dimensions that are not marked.
  SmallVector<OpFoldResult> getOtherSizes(OpBuilder &builder, Location loc, int64_t rank) const {
    IndexBuilder index(builder, loc);
    SmallVector<OpFoldResult> sizes(rank, index.constant(1));
    OpFoldResult position = index.constant(0);
    for (auto [mark, size] : llvm::zip_equal(marks, from)) {
      // Where this dimension stands among the others; nowhere if it is marked.
      OpFoldResult here = index.select(arith::CmpIPredicate::eq, mark, index.constant(1),
                                       index.constant(-1), position);
      for (int64_t dim = 0; dim < rank; ++dim)
        sizes[dim] =
            index.select(arith::CmpIPredicate::eq, here, index.constant(dim), size, sizes[dim]);
      position = index.add(position, index.subtract(index.constant(1), mark));
    }
    return sizes;
  }

  SmallVector<OpFoldResult> from, marks,
      kept;           ///< sizes; 1 where marked, else 0; sizes with 1 where marked
  OpFoldResult count; ///< elements that one element of the result is made from
};

/// As reduce, with the marked dimensions 1 in the result: each element loops over the marked
/// dimensions.
Value reduceMarked(OpBuilder &builder, Location loc, Reduction reduction, Value input,
                   const MarkedDims &marked, bool isUnsigned) {
  Type type = getAccumulatorType(getElementType(input));
  return createFromPositions(
      builder, loc, marked.kept, type, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
        IndexBuilder index(body, loc);
        SmallVector<Value> begins, ends, steps;
        for (auto [here, mark, size] : llvm::zip_equal(position, marked.marks, marked.from)) {
          OpFoldResult one = index.constant(1), zero = index.constant(0);
          begins.push_back(
              index.value(index.select(arith::CmpIPredicate::eq, mark, one, zero, here)));
          OpFoldResult next = index.add(OpFoldResult(here), one);
          ends.push_back(
              index.value(index.select(arith::CmpIPredicate::eq, mark, one, size, next)));
          steps.push_back(index.value(one));
        }
        Value init = arith::ConstantOp::create(body, getNeutral(body, reduction, type, isUnsigned));
        scf::LoopNest nest = scf::buildLoopNest(
            body, loc, begins, ends, steps, init,
            [&](OpBuilder &inner, Location loc, ValueRange where,
                ValueRange state) -> scf::ValueVector {
              ImplicitLocOpBuilder loop(loc, inner);
              Scalar scalar(loop, /*op=*/nullptr, isUnsigned);
              Value element = convertScalar(loop, tensor::ExtractOp::create(loop, input, where),
                                            type, isUnsigned, isUnsigned);
              return {
                  combine(scalar, reduction, state.front(), getTerm(scalar, reduction, element))};
            });
        return nest.results.empty() ? init : nest.results.front();
      });
}

/// The reductions all have the same operands and attributes.
template <typename Op>
struct ReduceLowering : OpConversionPattern<Op> {
  ReduceLowering(const TypeConverter &converter, MLIRContext *context, Reduction reduction,
                 Finish finish = Finish::None)
      : OpConversionPattern<Op>(converter, context), reduction(reduction), finishing(finish) {}

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getData();
    int64_t rank = getRank(input);
    std::optional<SmallVector<int64_t>> axes = getConstantIntegers(adaptor.getAxes());
    if (!axes)
      return reduceAnywhere(op, adaptor, rewriter);
    for (int64_t &axis : *axes) {
      FailureOr<int64_t> normalized = normalizeAxis(axis, rank);
      if (failed(normalized))
        return refuse(rewriter, op, "axis is out of range");
      axis = *normalized;
    }
    if (axes->empty() && !op.getNoopWithEmptyAxes())
      llvm::append_range(*axes, llvm::seq<int64_t>(0, rank));
    llvm::sort(*axes);
    axes->erase(llvm::unique(*axes), axes->end());

    auto resultType =
        this->getTypeConverter()->template convertType<RankedTensorType>(op.getReduced().getType());
    bool isUnsignedInput = isUnsigned(op.getData().getType());
    Value result;
    if constexpr (std::is_same_v<Op, onnx::ReduceLogSumExpOp>) {
      result = reduceLogSumExp(rewriter, loc, input, *axes);
    } else {
      result = reduce(rewriter, loc, reduction, input, *axes, isUnsignedInput);
      result = finish(rewriter, loc, finishing, result, countElements(rewriter, loc, input, *axes),
                      isUnsignedInput);
    }
    rewriter.replaceOp(op,
                       finishResult(rewriter, loc, result, *axes, op.getKeepdims(), resultType));
    return success();
  }

private:
  /// Axes that only the run knows.
  LogicalResult reduceAnywhere(Op op, typename Op::Adaptor adaptor,
                               ConversionPatternRewriter &rewriter) const {
    auto type = cast<RankedTensorType>(adaptor.getAxes().getType());
    if (!type.hasStaticShape())
      return refuse(rewriter, op, "axes of a number that is not known are not supported yet");
    Location loc = op.getLoc();
    auto resultType =
        this->getTypeConverter()->template convertType<RankedTensorType>(op.getReduced().getType());
    bool isUnsignedInput = isUnsigned(op.getData().getType());
    Value input = adaptor.getData();
    if (isLogarithmOfExponentials && !isa<FloatType>(getElementType(input)))
      input = convertElements(rewriter, loc, input, rewriter.getF64Type());
    MarkedDims marked(rewriter, loc, input, adaptor.getAxes());
    Value result = reduceMarked(rewriter, loc, reduction, input, marked, isUnsignedInput);
    result = finish(rewriter, loc, finishing, result, marked.count, isUnsignedInput);
    result = convertElements(rewriter, loc, result, resultType.getElementType());
    if (!op.getKeepdims())
      result = createView(rewriter, loc, result,
                          marked.getOtherSizes(rewriter, loc, resultType.getRank()));
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }

  static constexpr bool isLogarithmOfExponentials = std::is_same_v<Op, onnx::ReduceLogSumExpOp>;
  Reduction reduction;
  Finish finishing;
};

//===----------------------------------------------------------------------===//
// ArgMax, ArgMin
//===----------------------------------------------------------------------===//

template <typename Op>
struct PositionLowering : OpConversionPattern<Op> {
  PositionLowering(const TypeConverter &converter, MLIRContext *context, bool isMaximum)
      : OpConversionPattern<Op>(converter, context), isMaximum(isMaximum) {}

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(adaptor.getData()));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto resultType =
        this->getTypeConverter()->template convertType<RankedTensorType>(op.getReduced().getType());
    Value result = reducePosition(rewriter, op.getLoc(), adaptor.getData(), *axis, isMaximum,
                                  op.getSelectLastIndex(), isUnsigned(op.getData().getType()));
    rewriter.replaceOp(
        op, finishResult(rewriter, op.getLoc(), result, *axis, op.getKeepdims(), resultType));
    return success();
  }

  bool isMaximum;
};

//===----------------------------------------------------------------------===//
// Global pooling
//===----------------------------------------------------------------------===//

struct GlobalPoolLowering : ConversionPattern {
  GlobalPoolLowering(const TypeConverter &converter, MLIRContext *context, StringRef operation,
                     Reduction reduction, Finish finish)
      : ConversionPattern(converter, operation, /*benefit=*/1, context), reduction(reduction),
        finishing(finish) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = operands[0];
    if (getRank(input) < 2)
      return refuse(rewriter, op, "the input must have a batch and a channel dimension");
    SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, getRank(input)));
    Value result = reduce(rewriter, op->getLoc(), reduction, input, axes);
    result = finish(rewriter, op->getLoc(), finishing, result,
                    countElements(rewriter, op->getLoc(), input, axes), false);
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op->getResult(0).getType());
    rewriter.replaceOp(
        op, finishResult(rewriter, op->getLoc(), result, axes, /*keepDims=*/true, resultType));
    return success();
  }

  Reduction reduction;
  Finish finishing;
};

//===----------------------------------------------------------------------===//
// Cumulative sums and products
//===----------------------------------------------------------------------===//

/// A loop along the axis that carries the running value of all other dimensions.
template <typename Op>
struct CumulativeLowering : OpConversionPattern<Op> {
  CumulativeLowering(const TypeConverter &converter, MLIRContext *context, Reduction reduction)
      : OpConversionPattern<Op>(converter, context), reduction(reduction) {}

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getX();
    std::optional<SmallVector<int64_t>> axes = getConstantIntegers(adaptor.getAxis());
    if (!axes) {
      Value result = accumulateAnywhere(rewriter, loc, op, input, adaptor.getAxis());
      rewriter.replaceOp(op, castTo(rewriter, loc, result,
                                    this->getTypeConverter()->convertType(op.getY().getType())));
      return success();
    }
    if (axes->size() != 1)
      return refuse(rewriter, op, "axis must be a scalar");
    FailureOr<int64_t> axis = normalizeAxis(axes->front(), getRank(input));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");

    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input);
    Type type = getElementType(input), accumulator = getAccumulatorType(type);
    IndexBuilder index(rewriter, loc);
    Value zero = index.value(index.constant(0)), one = index.value(index.constant(1)),
          count = index.value(sizes[*axis]);
    SmallVector<OpFoldResult> rowSizes = getKeptSizes(rewriter, loc, input, *axis);
    Value running =
        createFilled(rewriter, loc, rowSizes, getNeutral(rewriter, reduction, accumulator, false));
    Value result = createEmpty(rewriter, loc, sizes, type);
    auto rowType = RankedTensorType::get(getShape(rowSizes), type);

    auto step = [&](OpBuilder &builder, Location loc, Value position, ValueRange state) {
      if (op.getReverse())
        position = arith::SubIOp::create(builder, loc,
                                         arith::SubIOp::create(builder, loc, count, one), position);
      SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0)),
          strides(sizes.size(), builder.getIndexAttr(1)), extents(sizes);
      offsets[*axis] = position;
      extents[*axis] = builder.getIndexAttr(1);
      Value row =
          tensor::ExtractSliceOp::create(builder, loc, rowType, input, offsets, extents, strides);
      Value next = createElementwise(
          builder, loc, {state[0], row}, cast<RankedTensorType>(running.getType()),
          [&](ImplicitLocOpBuilder &body, ValueRange x) {
            Scalar scalar(body, /*op=*/nullptr, false);
            Value term = convertScalar(body, x[1], accumulator, false, false);
            return reduction == Reduction::Product ? scalar.multiply(x[0], term)
                                                   : scalar.add(x[0], term);
          });
      Value written = convertElements(builder, loc, op.getExclusive() ? state[0] : next, type);
      Value inserted =
          tensor::InsertSliceOp::create(builder, loc, written, state[1], offsets, extents, strides);
      scf::YieldOp::create(builder, loc, ValueRange{next, inserted});
    };
    auto loop =
        scf::ForOp::create(rewriter, loc, zero, count, one, ValueRange{running, result}, step);
    rewriter.replaceOp(op, castTo(rewriter, loc, loop.getResult(1),
                                  this->getTypeConverter()->convertType(op.getY().getType())));
    return success();
  }

private:
  /// Along an axis that only the run knows: each element adds up what comes before it.
  Value accumulateAnywhere(OpBuilder &rewriter, Location loc, Op op, Value input,
                           Value axisOperand) const {
    using Predicate = arith::CmpIPredicate;
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input);
    Type type = getElementType(input), accumulator = getAccumulatorType(type);
    IndexBuilder index(rewriter, loc);
    int64_t rank = sizes.size();
    OpFoldResult axis = getScalarIndex(rewriter, loc, axisOperand);
    axis = index.select(Predicate::slt, axis, index.constant(0),
                        index.add(axis, index.constant(rank)), axis);
    return createFromPositions(
        rewriter, loc, sizes, type, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          IndexBuilder index(body, loc);
          OpFoldResult size = index.constant(1), here = index.constant(0), one = index.constant(1);
          for (int64_t dim = 0; dim < rank; ++dim) {
            size = index.select(Predicate::eq, axis, index.constant(dim), sizes[dim], size);
            here = index.select(Predicate::eq, axis, index.constant(dim), position[dim], here);
          }
          OpFoldResult next = index.add(here, one);
          OpFoldResult begin = index.constant(0), end = op.getExclusive() ? here : next;
          if (op.getReverse()) {
            begin = op.getExclusive() ? next : here;
            end = size;
          }
          Value init =
              arith::ConstantOp::create(body, getNeutral(body, reduction, accumulator, false));
          auto loop = scf::ForOp::create(
              body, index.value(begin), index.value(end), index.value(one), init,
              [&](OpBuilder &inner, Location loc, Value along, ValueRange state) {
                ImplicitLocOpBuilder step(loc, inner);
                IndexBuilder index(step, loc);
                SmallVector<Value> where;
                for (int64_t dim = 0; dim < rank; ++dim)
                  where.push_back(index.value(index.select(Predicate::eq, axis, index.constant(dim),
                                                           along, position[dim])));
                Scalar scalar(step, /*op=*/nullptr, false);
                Value term = convertScalar(step, tensor::ExtractOp::create(step, input, where),
                                           accumulator, false, false);
                scf::YieldOp::create(step, combine(scalar, reduction, state.front(), term));
              });
          return convertScalar(body, loop.getResult(0), type, false, false);
        });
  }

  Reduction reduction;
};

} // namespace

void lower::populateReductionPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ReduceLowering<onnx::ReduceSumOp>>(converter, context, Reduction::Sum);
  patterns.add<ReduceLowering<onnx::ReduceMeanOp>>(converter, context, Reduction::Sum,
                                                   Finish::Mean);
  patterns.add<ReduceLowering<onnx::ReduceMaxOp>>(converter, context, Reduction::Maximum);
  patterns.add<ReduceLowering<onnx::ReduceMinOp>>(converter, context, Reduction::Minimum);
  patterns.add<ReduceLowering<onnx::ReduceProdOp>>(converter, context, Reduction::Product);
  patterns.add<ReduceLowering<onnx::ReduceL1Op>>(converter, context, Reduction::SumOfMagnitudes);
  patterns.add<ReduceLowering<onnx::ReduceL2Op>>(converter, context, Reduction::SumOfSquares,
                                                 Finish::SquareRoot);
  patterns.add<ReduceLowering<onnx::ReduceSumSquareOp>>(converter, context,
                                                        Reduction::SumOfSquares);
  patterns.add<ReduceLowering<onnx::ReduceLogSumOp>>(converter, context, Reduction::Sum,
                                                     Finish::Log);
  patterns.add<ReduceLowering<onnx::ReduceLogSumExpOp>>(converter, context,
                                                        Reduction::SumOfExponentials, Finish::Log);
  patterns.add<PositionLowering<onnx::ArgMaxOp>>(converter, context, /*isMaximum=*/true);
  patterns.add<PositionLowering<onnx::ArgMinOp>>(converter, context, /*isMaximum=*/false);
  patterns.add<GlobalPoolLowering>(converter, context,
                                   onnx::GlobalAveragePoolOp::getOperationName(), Reduction::Sum,
                                   Finish::Mean);
  patterns.add<GlobalPoolLowering>(converter, context, onnx::GlobalMaxPoolOp::getOperationName(),
                                   Reduction::Maximum, Finish::None);
  patterns.add<CumulativeLowering<onnx::CumSumOp>>(converter, context, Reduction::Sum);
  patterns.add<CumulativeLowering<onnx::CumProdOp>>(converter, context, Reduction::Product);
}
