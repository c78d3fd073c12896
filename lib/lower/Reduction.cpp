// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that reduce: Reduce*, ArgMax, ArgMin, global pooling.
//
// A reduction is followed by an elementwise step if the operator has one (mean, square root …) and
// by a reshape that puts dimensions of size 1 back, which cancels against the reshape of a consumer
// that broadcasts along them.

#include "lib/lower/MarkedAxes.h"
#include "lib/lower/Patterns.h"
#include "lib/lower/Reduce.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

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

/// As reduce, with the marked dimensions 1 in the result: each element loops over the marked
/// dimensions.
Value reduceMarked(OpBuilder &builder, Location loc, Reduction reduction, Value input,
                   ArrayRef<OpFoldResult> marks, bool isUnsigned) {
  Type type = getAccumulatorType(getElementType(input));
  SmallVector<OpFoldResult> from = getDims(builder, loc, input),
                            ones(from.size(), builder.getIndexAttr(1));
  return createFromPositions(
      builder, loc, selectMarked(builder, loc, marks, ones, from), type,
      [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
        IndexBuilder index(body, loc);
        SmallVector<Value> begins, ends, steps;
        for (auto [here, mark, size] : llvm::zip_equal(position, marks, from)) {
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
    Location loc = op.getLoc();
    Value input = adaptor.getData();
    auto axesType = cast<RankedTensorType>(adaptor.getAxes().getType());
    SmallVector<OpFoldResult> marks = markAxes(rewriter, loc, adaptor.getAxes(), getRank(input));
    if (axesType.isDynamicDim(0) && !op.getNoopWithEmptyAxes()) {
      // No axes are all axes.
      IndexBuilder index(rewriter, loc);
      OpFoldResult count = getDim(rewriter, loc, adaptor.getAxes(), 0);
      for (OpFoldResult &mark : marks)
        mark = index.select(arith::CmpIPredicate::eq, count, index.constant(0), index.constant(1),
                            mark);
    }
    auto resultType =
        this->getTypeConverter()->template convertType<RankedTensorType>(op.getReduced().getType());
    bool isUnsignedInput = isUnsigned(op.getData().getType());
    if (isLogarithmOfExponentials && !isa<FloatType>(getElementType(input)))
      input = convertElements(rewriter, loc, input, rewriter.getF64Type());
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, input),
                              ones(from.size(), rewriter.getIndexAttr(1));
    Value result = reduceMarked(rewriter, loc, reduction, input, marks, isUnsignedInput);
    OpFoldResult count =
        IndexBuilder(rewriter, loc).product(selectMarked(rewriter, loc, marks, from, ones));
    result = finish(rewriter, loc, finishing, result, count, isUnsignedInput);
    result = convertElements(rewriter, loc, result, resultType.getElementType());
    if (!op.getKeepdims())
      result = createView(rewriter, loc, result,
                          dropMarked(rewriter, loc, marks, from, resultType.getRank()));
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
}
