// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between element types.

#include "lib/lower/ElementTypes.h"
#include "lib/lower/Patterns.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {
/// Cast and CastLike: the result's type says it all.
template <typename Op>
struct CastLowering : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getOperands().front();
    Type from = getElementTypeOrSelf(op->getOperand(0).getType()),
         to = getElementTypeOrSelf(op->getResult(0).getType());
    auto resultType = this->getTypeConverter()->template convertType<RankedTensorType>(
        op->getResult(0).getType());
    // The bits of signed and unsigned integers are the same.
    bool sameBits = isa<IntegerType>(from) && isa<IntegerType>(to) && !isPacked(from) &&
                    from.getIntOrFloatBitWidth() == to.getIntOrFloatBitWidth();
    // An infinity is beyond the largest number even where the types are the same.
    bool mayStay = from == to && !(isa<Float8E5M2Type>(to) && op.getSaturate());
    if (mayStay || sameBits) {
      rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), input, resultType));
      return success();
    }
    std::optional<CastMode::Round> round =
        llvm::StringSwitch<std::optional<CastMode::Round>>(op.getRoundMode())
            .Case("up", CastMode::Round::Up)
            .Case("down", CastMode::Round::Down)
            .Case("nearest", CastMode::Round::Nearest)
            .Default(std::nullopt);
    if (!round)
      return refuse(rewriter, op,
                    "expected 'up', 'down' or 'nearest' as round_mode, found '" +
                        op.getRoundMode() + "'");
    CastMode mode{op.getSaturate() != 0, *round};
    rewriter.replaceOp(op,
                       createElementwise(rewriter, op.getLoc(), input, resultType,
                                         [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
                                           return castElement(builder, elements[0], from, to, mode);
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
    auto reinterpret = [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
      // A truth value is a byte in memory, but one bit here.
      Value bits = elements[0];
      if (bits.getType().isInteger(1))
        bits = arith::ExtUIOp::create(builder, builder.getI8Type(), bits);
      Type wanted = element.isInteger(1) ? builder.getI8Type() : element;
      if (bits.getType() != wanted)
        bits = arith::BitcastOp::create(builder, wanted, bits);
      return convertScalar(builder, bits, element, true, true);
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), adaptor.getInput(), resultType, reinterpret));
    return success();
  }
};
} // namespace

void lower::populateCastPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  // CastLike reads the type of its second operand alone.
  patterns.add<CastLowering<onnx::CastOp>, CastLowering<onnx::CastLikeOp>>(converter, context);
  patterns.add<BitCastLowering>(converter, context);
}
