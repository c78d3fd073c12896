// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax stays whole (linalg.softmax); LogSoftmax and Hardmax are reductions and elementwise
// operations.

#include "lib/lower/Patterns.h"
#include "lib/lower/Reduce.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

struct SoftmaxLowering : OpConversionPattern<onnx::SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::SoftmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(adaptor.getInput()));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Type accumulator = getAccumulatorType(resultType.getElementType());
    Value input = convertElements(rewriter, loc, adaptor.getInput(), accumulator);
    Value init = createEmpty(rewriter, loc, getDims(rewriter, loc, input), accumulator);
    Value result = linalg::SoftmaxOp::create(rewriter, loc, TypeRange(init.getType()), input, init,
                                             static_cast<uint64_t>(*axis))
                       ->getResult(0);
    result = convertElements(rewriter, loc, result, resultType.getElementType());
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }
};

/// x - max - log(sum(exp(x - max)))
struct LogSoftmaxLowering : OpConversionPattern<onnx::LogSoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::LogSoftmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(adaptor.getInput()));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Type accumulator = getAccumulatorType(resultType.getElementType());
    Value input = convertElements(rewriter, loc, adaptor.getInput(), accumulator);
    Value maximum =
        addUnitDims(rewriter, loc, reduce(rewriter, loc, Reduction::Maximum, input, *axis), *axis);
    Value shifted =
        createElementwise(rewriter, loc, {input, maximum}, cast<RankedTensorType>(input.getType()),
                          [](ImplicitLocOpBuilder &builder, ValueRange x) -> Value {
                            return arith::SubFOp::create(builder, x[0], x[1]);
                          });
    Value sum = addUnitDims(
        rewriter, loc, reduce(rewriter, loc, Reduction::SumOfExponentials, shifted, *axis), *axis);
    rewriter.replaceOp(op, createElementwise(rewriter, loc, {shifted, sum}, resultType,
                                             [&](ImplicitLocOpBuilder &builder, ValueRange x) {
                                               Value log = math::LogOp::create(builder, x[1]);
                                               Value y = arith::SubFOp::create(builder, x[0], log);
                                               return convertScalar(builder, y,
                                                                    resultType.getElementType(),
                                                                    false, false);
                                             }));
    return success();
  }
};

/// 1 at the first maximum, else 0.
struct HardmaxLowering : OpConversionPattern<onnx::HardmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::HardmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(adaptor.getInput()));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Value position = reducePosition(rewriter, loc, adaptor.getInput(), *axis, /*isMaximum=*/true,
                                    /*selectLast=*/false,
                                    /*isUnsigned=*/false);
    position = addUnitDims(rewriter, loc, position, *axis);
    // The input takes part so that the result has its shape; its elements are not read.
    rewriter.replaceOp(
        op, createElementwise(
                rewriter, loc, {adaptor.getInput(), position}, resultType,
                [&](ImplicitLocOpBuilder &builder, ValueRange x) {
                  Value here = linalg::IndexOp::create(builder, static_cast<uint64_t>(*axis));
                  here = arith::IndexCastOp::create(builder, x[1].getType(), here);
                  Value isHere =
                      arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, here, x[1]);
                  return convertScalar(builder, isHere, resultType.getElementType(), true, false);
                }));
    return success();
  }
};

} // namespace

void lower::populateSoftmaxPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<SoftmaxLowering, LogSoftmaxLowering, HardmaxLowering>(converter,
                                                                     patterns.getContext());
}
