// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions, positions of extrema, global pooling and cumulative sums.
//
// A reduction is one linalg.generic without the reduced dimensions, followed by an elementwise step if the operator has
// one (mean, square root …) and a reshape that puts dimensions of size 1 back, which cancels against the reshape of a
// consumer that broadcasts along them.

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
      return builder.getFloatAttr(floating, APFloat::getInf(floating.getFloatSemantics(), /*Negative=*/isMaximum));
    return builder.getFloatAttr(floating, reduction == Reduction::Product ? 1.0 : 0.0);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  if (isExtremum && (isUnsigned || isBool(type)))
    return builder.getIntegerAttr(type, isMaximum ? APInt::getZero(width) : APInt::getMaxValue(width));
  if (isExtremum)
    return builder.getIntegerAttr(type, isMaximum ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
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
  constexpr arith::FastMathFlags reorder = arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;
  bool isFloat = scalar.isFloat(term);
  switch (reduction) {
  case Reduction::Maximum:
    return isBool(term.getType()) ? arith::OrIOp::create(builder, accumulator, term) : scalar.maximum(accumulator, term);
  case Reduction::Minimum:
    return isBool(term.getType()) ? arith::AndIOp::create(builder, accumulator, term) : scalar.minimum(accumulator, term);
  case Reduction::Product:
    return isFloat ? arith::MulFOp::create(builder, accumulator, term, reorder).getResult()
                   : arith::MulIOp::create(builder, accumulator, term).getResult();
  default:
    return isFloat ? arith::AddFOp::create(builder, accumulator, term, reorder).getResult()
                   : arith::AddIOp::create(builder, accumulator, term).getResult();
  }
}

/// The maps of a reduction (input, result) and its iterators.
static std::pair<AffineMap, SmallVector<utils::IteratorType>> getReducedMap(MLIRContext *context, int64_t rank,
                                                                          ArrayRef<int64_t> axes) {
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

static SmallVector<OpFoldResult> getKeptSizes(OpBuilder &builder, Location loc, Value input, ArrayRef<int64_t> axes) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < getRank(input); ++dim)
    if (!llvm::is_contained(axes, dim))
      sizes.push_back(getDim(builder, loc, input, dim));
  return sizes;
}

Value lower::reduce(OpBuilder &builder, Location loc, Reduction reduction, Value input, ArrayRef<int64_t> axes,
                    bool isUnsigned) {
  int64_t rank = getRank(input);
  Type type = getAccumulatorType(getElementType(input));
  auto [map, iterators] = getReducedMap(builder.getContext(), rank, axes);
  Value init = createFilled(builder, loc, getKeptSizes(builder, loc, input, axes),
                            getNeutral(builder, reduction, type, isUnsigned));
  auto addElement = [&](OpBuilder &inner, Location loc, ValueRange elements) {
    ImplicitLocOpBuilder body(loc, inner);
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    Value element = convertScalar(body, elements[0], type, isUnsigned, isUnsigned);
    linalg::YieldOp::create(body, combine(scalar, reduction, elements[1], getTerm(scalar, reduction, element)));
  };
  return linalg::GenericOp::create(builder, loc, init.getType(), input, init,
                                   {AffineMap::getMultiDimIdentityMap(rank, builder.getContext()), map}, iterators,
                                   addElement)
      .getResult(0);
}

Value lower::reducePosition(OpBuilder &builder, Location loc, Value input, int64_t axis, bool isMaximum, bool selectLast,
                            bool isUnsigned) {
  int64_t rank = getRank(input);
  Type type = getElementType(input);
  SmallVector<OpFoldResult> sizes = getKeptSizes(builder, loc, input, axis);
  auto [map, iterators] = getReducedMap(builder.getContext(), rank, axis);
  Reduction reduction = isMaximum ? Reduction::Maximum : Reduction::Minimum;
  Value best = createFilled(builder, loc, sizes, getNeutral(builder, reduction, type, isUnsigned));
  Value position = createFilled(builder, loc, sizes, builder.getI64IntegerAttr(0));
  // Of equal elements the position decides, not the order in which they are seen. The neutral element stands at position
  // 0, which is right also where all elements are equal to it.
  auto compare = [&](OpBuilder &inner, Location loc, ValueRange elements) {
    ImplicitLocOpBuilder body(loc, inner);
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    Value element = elements[0];
    Value here = arith::IndexCastOp::create(body, body.getI64Type(), linalg::IndexOp::create(body, axis));
    Value isBetter = isMaximum ? scalar.less(elements[1], element) : scalar.less(element, elements[1]);
    Value isPreferred = arith::CmpIOp::create(
        body, selectLast ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt, here, elements[2]);
    Value isTie = arith::AndIOp::create(body, scalar.equal(element, elements[1]), isPreferred);
    Value isChosen = arith::OrIOp::create(body, isBetter, isTie);
    linalg::YieldOp::create(body, ValueRange{scalar.select(isChosen, element, elements[1]),
                                             scalar.select(isChosen, here, elements[2])});
  };
  return linalg::GenericOp::create(builder, loc, TypeRange{best.getType(), position.getType()}, input,
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

/// value -> finish(value), for a reduction of `count` elements each. Integers go through f64 where a function needs it.
Value finish(OpBuilder &builder, Location loc, Finish finish, Value value, OpFoldResult count, bool isUnsigned) {
  if (finish == Finish::None)
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  Value divisor;
  if (finish == Finish::Mean && isa<Value>(count))
    divisor = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), cast<Value>(count));
  return createElementwise(builder, loc, value, type, [&](ImplicitLocOpBuilder &body, ValueRange x) -> Value {
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    Type element = type.getElementType();
    if (finish == Finish::Mean) {
      Value number = divisor ? convertScalar(body, divisor, element, false, false)
                             : createIntegerScalar(body, loc, element, *getConstantIntValue(count));
      return scalar.divide(x[0], number);
    }
    Value wide = isa<FloatType>(element) ? x[0] : convertScalar(body, x[0], body.getF64Type(), isUnsigned, isUnsigned);
    wide = finish == Finish::Log ? math::LogOp::create(body, wide).getResult() : math::SqrtOp::create(body, wide).getResult();
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
                                Value isInfinite = scalar.equal(scalar.absolute(x[0]), scalar.constant(INFINITY, x[0]));
                                return scalar.select(isInfinite, scalar.constant(0, x[0]), x[0]);
                              });
  auto wide = cast<RankedTensorType>(input.getType()).clone(getElementType(maximum));
  Value shifted = createElementwise(builder, loc, {input, addUnitDims(builder, loc, maximum, axes)}, wide,
                                    [&](ImplicitLocOpBuilder &body, ValueRange x) -> Value {
                                      Value element = convertScalar(body, x[0], wide.getElementType(), false, false);
                                      return arith::SubFOp::create(body, element, x[1]);
                                    });
  Value sum = reduce(builder, loc, Reduction::SumOfExponentials, shifted, axes);
  return createElementwise(builder, loc, {sum, maximum}, cast<RankedTensorType>(sum.getType()),
                           [](ImplicitLocOpBuilder &body, ValueRange x) -> Value {
                             return arith::AddFOp::create(body, math::LogOp::create(body, x[0]), x[1]);
                           });
}

/// `value`, which lacks the dimensions `axes`, as the result of an operator.
Value finishResult(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> axes, bool keepDims,
                   RankedTensorType resultType) {
  value = convertElements(builder, loc, value, resultType.getElementType());
  if (keepDims)
    value = addUnitDims(builder, loc, value, axes);
  return castTo(builder, loc, value, resultType);
}

/// The reductions all have the same operands and attributes.
template <typename Op> struct ReduceLowering : OpConversionPattern<Op> {
  ReduceLowering(const TypeConverter &converter, MLIRContext *context, Reduction reduction, Finish finish = Finish::None)
      : OpConversionPattern<Op>(converter, context), reduction(reduction), finishing(finish) {}

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getData();
    int64_t rank = getRank(input);
    std::optional<SmallVector<int64_t>> axes = getConstantIntegers(adaptor.getAxes());
    if (!axes)
      return refuse(rewriter, op, "axes that are not constant are not supported by lowering yet");
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

    auto resultType = this->getTypeConverter()->template convertType<RankedTensorType>(op.getReduced().getType());
    bool isUnsignedInput = isUnsigned(op.getData().getType());
    Value result;
    if constexpr (std::is_same_v<Op, onnx::ReduceLogSumExpOp>) {
      result = reduceLogSumExp(rewriter, loc, input, *axes);
    } else {
      result = reduce(rewriter, loc, reduction, input, *axes, isUnsignedInput);
      result = finish(rewriter, loc, finishing, result, countElements(rewriter, loc, input, *axes), isUnsignedInput);
    }
    rewriter.replaceOp(op, finishResult(rewriter, loc, result, *axes, op.getKeepdims(), resultType));
    return success();
  }

  Reduction reduction;
  Finish finishing;
};

//===----------------------------------------------------------------------===//
// ArgMax, ArgMin
//===----------------------------------------------------------------------===//

template <typename Op> struct PositionLowering : OpConversionPattern<Op> {
  PositionLowering(const TypeConverter &converter, MLIRContext *context, bool isMaximum)
      : OpConversionPattern<Op>(converter, context), isMaximum(isMaximum) {}

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(adaptor.getData()));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto resultType = this->getTypeConverter()->template convertType<RankedTensorType>(op.getReduced().getType());
    Value result = reducePosition(rewriter, op.getLoc(), adaptor.getData(), *axis, isMaximum, op.getSelectLastIndex(),
                                  isUnsigned(op.getData().getType()));
    rewriter.replaceOp(op, finishResult(rewriter, op.getLoc(), result, *axis, op.getKeepdims(), resultType));
    return success();
  }

  bool isMaximum;
};

//===----------------------------------------------------------------------===//
// Global pooling
//===----------------------------------------------------------------------===//

struct GlobalPoolLowering : ConversionPattern {
  GlobalPoolLowering(const TypeConverter &converter, MLIRContext *context, StringRef operation, Reduction reduction,
                     Finish finish)
      : ConversionPattern(converter, operation, /*benefit=*/1, context), reduction(reduction), finishing(finish) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = operands[0];
    if (getRank(input) < 2)
      return refuse(rewriter, op, "the input must have a batch and a channel dimension");
    SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, getRank(input)));
    Value result = reduce(rewriter, op->getLoc(), reduction, input, axes);
    result = finish(rewriter, op->getLoc(), finishing, result, countElements(rewriter, op->getLoc(), input, axes), false);
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op->getResult(0).getType());
    rewriter.replaceOp(op, finishResult(rewriter, op->getLoc(), result, axes, /*keepDims=*/true, resultType));
    return success();
  }

  Reduction reduction;
  Finish finishing;
};

//===----------------------------------------------------------------------===//
// Cumulative sums and products
//===----------------------------------------------------------------------===//

/// A loop along the axis that carries the running value of all other dimensions.
template <typename Op> struct CumulativeLowering : OpConversionPattern<Op> {
  CumulativeLowering(const TypeConverter &converter, MLIRContext *context, Reduction reduction)
      : OpConversionPattern<Op>(converter, context), reduction(reduction) {}

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getX();
    std::optional<SmallVector<int64_t>> axes = getConstantIntegers(adaptor.getAxis());
    if (!axes || axes->size() != 1)
      return refuse(rewriter, op, "an axis that is not constant is not supported by lowering yet");
    FailureOr<int64_t> axis = normalizeAxis(axes->front(), getRank(input));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");

    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input);
    Type type = getElementType(input), accumulator = getAccumulatorType(type);
    IndexBuilder index(rewriter, loc);
    Value zero = index.value(index.constant(0)), one = index.value(index.constant(1)), count = index.value(sizes[*axis]);
    SmallVector<OpFoldResult> rowSizes = getKeptSizes(rewriter, loc, input, *axis);
    Value running = createFilled(rewriter, loc, rowSizes, getNeutral(rewriter, reduction, accumulator, false));
    Value result = createEmpty(rewriter, loc, sizes, type);
    auto rowType = RankedTensorType::get(getShape(rowSizes), type);

    auto step = [&](OpBuilder &builder, Location loc, Value position, ValueRange state) {
      if (op.getReverse())
        position = arith::SubIOp::create(builder, loc, arith::SubIOp::create(builder, loc, count, one), position);
      SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0)), strides(sizes.size(), builder.getIndexAttr(1)),
          extents(sizes);
      offsets[*axis] = position;
      extents[*axis] = builder.getIndexAttr(1);
      Value row = tensor::ExtractSliceOp::create(builder, loc, rowType, input, offsets, extents, strides);
      Value next = createElementwise(builder, loc, {state[0], row}, cast<RankedTensorType>(running.getType()),
                                     [&](ImplicitLocOpBuilder &body, ValueRange x) {
                                       Scalar scalar(body, /*op=*/nullptr, false);
                                       Value term = convertScalar(body, x[1], accumulator, false, false);
                                       return reduction == Reduction::Product ? scalar.multiply(x[0], term)
                                                                              : scalar.add(x[0], term);
                                     });
      Value written = convertElements(builder, loc, op.getExclusive() ? state[0] : next, type);
      Value inserted = tensor::InsertSliceOp::create(builder, loc, written, state[1], offsets, extents, strides);
      scf::YieldOp::create(builder, loc, ValueRange{next, inserted});
    };
    auto loop = scf::ForOp::create(rewriter, loc, zero, count, one, ValueRange{running, result}, step);
    rewriter.replaceOp(op, castTo(rewriter, loc, loop.getResult(1),
                                  this->getTypeConverter()->convertType(op.getY().getType())));
    return success();
  }

  Reduction reduction;
};

} // namespace

void lower::populateReductionPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ReduceLowering<onnx::ReduceSumOp>>(converter, context, Reduction::Sum);
  patterns.add<ReduceLowering<onnx::ReduceMeanOp>>(converter, context, Reduction::Sum, Finish::Mean);
  patterns.add<ReduceLowering<onnx::ReduceMaxOp>>(converter, context, Reduction::Maximum);
  patterns.add<ReduceLowering<onnx::ReduceMinOp>>(converter, context, Reduction::Minimum);
  patterns.add<ReduceLowering<onnx::ReduceProdOp>>(converter, context, Reduction::Product);
  patterns.add<ReduceLowering<onnx::ReduceL1Op>>(converter, context, Reduction::SumOfMagnitudes);
  patterns.add<ReduceLowering<onnx::ReduceL2Op>>(converter, context, Reduction::SumOfSquares, Finish::SquareRoot);
  patterns.add<ReduceLowering<onnx::ReduceSumSquareOp>>(converter, context, Reduction::SumOfSquares);
  patterns.add<ReduceLowering<onnx::ReduceLogSumOp>>(converter, context, Reduction::Sum, Finish::Log);
  patterns.add<ReduceLowering<onnx::ReduceLogSumExpOp>>(converter, context, Reduction::SumOfExponentials, Finish::Log);
  patterns.add<PositionLowering<onnx::ArgMaxOp>>(converter, context, /*isMaximum=*/true);
  patterns.add<PositionLowering<onnx::ArgMinOp>>(converter, context, /*isMaximum=*/false);
  patterns.add<GlobalPoolLowering>(converter, context, onnx::GlobalAveragePoolOp::getOperationName(), Reduction::Sum,
                                   Finish::Mean);
  patterns.add<GlobalPoolLowering>(converter, context, onnx::GlobalMaxPoolOp::getOperationName(), Reduction::Maximum,
                                   Finish::None);
  patterns.add<CumulativeLowering<onnx::CumSumOp>>(converter, context, Reduction::Sum);
  patterns.add<CumulativeLowering<onnx::CumProdOp>>(converter, context, Reduction::Product);
}
