// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between element types.

#include "lib/lower/Lowering.h"
#include "lib/lower/Patterns.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {
/// Cast and CastLike: the result's type says it all. (`saturate` and `round_mode` are about types
/// below 16 bits.)
struct CastLowering : ConversionPattern {
  CastLowering(const TypeConverter &converter, StringRef operation, MLIRContext *context)
      : ConversionPattern(converter, operation, /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op->getResult(0).getType());
    Type element = resultType.getElementType();
    bool fromUnsigned = isUnsigned(op->getOperand(0).getType()),
         toUnsigned = isUnsigned(op->getResult(0).getType());
    if (getElementType(operands[0]) == element) {
      rewriter.replaceOp(op, castTo(rewriter, op->getLoc(), operands[0], resultType));
      return success();
    }
    rewriter.replaceOp(op,
                       createElementwise(rewriter, op->getLoc(), operands[0], resultType,
                                         [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                                           return convertScalar(builder, elements[0], element,
                                                                fromUnsigned, toUnsigned);
                                         }));
    return success();
  }
};

struct BitCastLowering : OpConversionPattern<onnx::BitCastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::BitCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Type element = resultType.getElementType();
    if (getElementType(adaptor.getInput()) == element) {
      rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), adaptor.getInput(), resultType));
      return success();
    }
    // One byte for a boolean in memory, but one bit here.
    if (element.isInteger(1) || getElementType(adaptor.getInput()).isInteger(1))
      return refuse(rewriter, op, "BitCast from or to bool is not supported yet");
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), adaptor.getInput(), resultType,
                              [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
                                return arith::BitcastOp::create(builder, element, elements[0]);
                              }));
    return success();
  }
};
} // namespace

void lower::populateCastPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<CastLowering>(converter, onnx::CastOp::getOperationName(), context);
  // CastLike reads the type of its second operand alone.
  patterns.add<CastLowering>(converter, onnx::CastLikeOp::getOperationName(), context);
  patterns.add<BitCastLowering>(converter, context);
}
