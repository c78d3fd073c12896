// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that keep all elements in their order: Reshape and its relatives.
//
// The -1 of a Reshape is resolved by cancelling factors first and dividing only what is left, so
// that the usual split and merge of heads stays a reshape that provably splits or merges.

#include "lib/lower/Lowering.h"
#include "lib/lower/MarkedAxes.h"
#include "lib/lower/Patterns.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// Removes the factors that both have, as far as they can be seen.
void cancelFactors(SmallVector<OpFoldResult> &numerator, SmallVector<OpFoldResult> &denominator) {
  llvm::erase_if(denominator, [&](OpFoldResult factor) {
    auto match =
        llvm::find_if(numerator, [&](OpFoldResult other) { return haveSameSize(factor, other); });
    if (match == numerator.end())
      return false;
    numerator.erase(match);
    return true;
  });
}

struct ReshapeLowering : OpConversionPattern<onnx::ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ReshapeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getReshaped().getType());
    auto shapeType = cast<RankedTensorType>(adaptor.getShape().getType());
    if (shapeType.getRank() != 1 || shapeType.isDynamicDim(0) ||
        shapeType.getDimSize(0) != resultType.getRank())
      return refuse(rewriter, op, "a shape whose length is not known is not supported yet");
    if (resultType.hasStaticShape()) {
      rewriter.replaceOp(
          op, createReshape(rewriter, loc, adaptor.getData(),
                            getAsIndexOpFoldResult(op.getContext(), resultType.getShape())));
      return success();
    }

    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, adaptor.getData());
    SmallVector<OpFoldResult> sizes = *getIndices(rewriter, loc, adaptor.getShape());
    SmallVector<int64_t> inferable;
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      bool isInput = dim < from.size();
      if (std::optional<int64_t> known = getConstantIntValue(size)) {
        if (*known == 0 && isInput && !op.getAllowzero())
          size = from[dim];
        else if (*known == -1)
          inferable.push_back(dim);
        continue;
      }
      if (!resultType.isDynamicDim(dim))
        size = rewriter.getIndexAttr(resultType.getDimSize(dim));
      else if (isNotNegative(size))
        // A size, which is 0 only where the dimension it would stand for has no elements either.
        continue;
      else if (isInput && !op.getAllowzero())
        size = index.select(arith::CmpIPredicate::eq, size, index.constant(0), from[dim], size);
      if (isa<Value>(size) && !isNotNegative(size))
        inferable.push_back(dim);
    }

    // The sizes that are what is left of the elements: for certain where -1 is a constant, else
    // where the run finds a -1.
    bool isCertain = inferable.size() == 1 && getConstantIntValue(sizes[inferable[0]]) == -1;
    if (isCertain) {
      SmallVector<OpFoldResult> numerator(from), denominator(sizes);
      denominator.erase(denominator.begin() + inferable[0]);
      cancelFactors(numerator, denominator);
      OpFoldResult known = index.product(denominator);
      sizes[inferable[0]] = index.divide(index.product(numerator), known);
    } else if (!inferable.empty()) {
      OpFoldResult known = index.constant(1);
      for (OpFoldResult size : sizes)
        known = index.multiply(known, index.select(arith::CmpIPredicate::slt, size,
                                                   index.constant(0), index.constant(1), size));
      OpFoldResult rest =
          index.divide(index.product(from), index.maximum(known, index.constant(1)));
      for (int64_t dim : inferable)
        sizes[dim] = index.select(arith::CmpIPredicate::slt, sizes[dim], index.constant(0), rest,
                                  sizes[dim]);
    }
    sizes = refineSizes(rewriter, sizes, resultType);
    Value result = createReshape(rewriter, loc, adaptor.getData(), sizes);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }
};

/// All operators whose result's sizes are a product of the operand's, known from the attributes.
struct FlattenLowering : OpConversionPattern<onnx::FlattenOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::FlattenOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = getRank(adaptor.getInput()),
            axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
    if (axis < 0 || axis > rank)
      return refuse(rewriter, op, "axis is out of range");
    IndexBuilder index(rewriter, op.getLoc());
    SmallVector<OpFoldResult> from = getDims(rewriter, op.getLoc(), adaptor.getInput());
    SmallVector<OpFoldResult> sizes = {index.product(ArrayRef(from).take_front(axis)),
                                       index.product(ArrayRef(from).drop_front(axis))};
    Value result = createReshape(rewriter, op.getLoc(), adaptor.getInput(), sizes);
    rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), result,
                                  getTypeConverter()->convertType(op.getOutput().getType())));
    return success();
  }
};

struct SqueezeLowering : OpConversionPattern<onnx::SqueezeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::SqueezeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData();
    auto type = cast<RankedTensorType>(data.getType());
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getSqueezed().getType());
    if (std::optional<SmallVector<int64_t>> axes = getKnownAxes(adaptor.getAxes(), type)) {
      for (int64_t &axis : *axes) {
        FailureOr<int64_t> normalized = normalizeAxis(axis, type.getRank());
        if (failed(normalized))
          return refuse(rewriter, op, "axis is out of range");
        axis = *normalized;
      }
      Value result = dropUnitDims(rewriter, loc, data, *axes);
      rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
      return success();
    }
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, data);
    SmallVector<OpFoldResult> marks;
    if (onnx::isAbsent(adaptor.getAxes())) {
      IndexBuilder index(rewriter, loc);
      for (OpFoldResult size : from)
        marks.push_back(index.select(arith::CmpIPredicate::eq, size, index.constant(1),
                                     index.constant(1), index.constant(0)));
    } else {
      marks = markAxes(rewriter, loc, adaptor.getAxes(), type.getRank());
    }
    SmallVector<OpFoldResult> sizes = refineSizes(
        rewriter, dropMarked(rewriter, loc, marks, from, resultType.getRank()), resultType);
    rewriter.replaceOp(
        op, castTo(rewriter, loc, createReshape(rewriter, loc, data, sizes), resultType));
    return success();
  }

private:
  /// The axes that are squeezed, as far as they do not depend on the run.
  static std::optional<SmallVector<int64_t>> getKnownAxes(Value operand, RankedTensorType type) {
    if (!onnx::isAbsent(operand))
      return getConstantIntegers(operand);
    if (!type.hasStaticShape())
      return std::nullopt;
    SmallVector<int64_t> axes;
    for (auto [dim, size] : llvm::enumerate(type.getShape()))
      if (size == 1)
        axes.push_back(dim);
    return axes;
  }
};

struct UnsqueezeLowering : OpConversionPattern<onnx::UnsqueezeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::UnsqueezeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getExpanded().getType());
    if (std::optional<SmallVector<int64_t>> axes = getConstantIntegers(adaptor.getAxes())) {
      FailureOr<SmallVector<int64_t>> known = getAxes(adaptor.getAxes(), resultType.getRank());
      if (failed(known))
        return refuse(rewriter, op, "axis is out of range");
      Value result = addUnitDims(rewriter, loc, data, *known);
      rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
      return success();
    }
    SmallVector<OpFoldResult> marks =
        markAxes(rewriter, loc, adaptor.getAxes(), resultType.getRank());
    SmallVector<OpFoldResult> sizes = refineSizes(
        rewriter, insertMarked(rewriter, loc, marks, getDims(rewriter, loc, data)), resultType);
    rewriter.replaceOp(
        op, castTo(rewriter, loc, createReshape(rewriter, loc, data, sizes), resultType));
    return success();
  }
};

/// Operators that do nothing at inference.
struct IdentityLowering : ConversionPattern {
  IdentityLowering(const TypeConverter &converter, StringRef operation, MLIRContext *context)
      : ConversionPattern(converter, operation, /*benefit=*/1, context) {}
  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, castTo(rewriter, op->getLoc(), operands[0],
                                  getTypeConverter()->convertType(op->getResult(0).getType())));
    return success();
  }
};

struct DropoutLowering : OpConversionPattern<onnx::DropoutOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::DropoutOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!onnx::isAbsent(adaptor.getTrainingMode())) {
      std::optional<SmallVector<int64_t>> training = getConstantIntegers(adaptor.getTrainingMode());
      DenseElementsAttr ratio = onnx::isAbsent(adaptor.getRatio())
                                    ? DenseElementsAttr()
                                    : getConstant(adaptor.getRatio());
      bool dropsNothing = ratio && ratio.isSplat() && ratio.getSplatValue<APFloat>().isZero();
      if (!dropsNothing &&
          (!training || llvm::any_of(*training, [](int64_t mode) { return mode != 0; })))
        return refuse(rewriter, op, "training mode is not supported");
    }
    const TypeConverter &converter = *getTypeConverter();
    SmallVector<Value> results = {castTo(rewriter, op.getLoc(), adaptor.getData(),
                                         converter.convertType(op.getOutput().getType()))};
    if (onnx::isAbsent(op.getMask())) {
      results.push_back({});
    } else {
      SmallVector<OpFoldResult> sizes = getDims(rewriter, op.getLoc(), adaptor.getData());
      Value mask = createFilled(rewriter, op.getLoc(), sizes, rewriter.getBoolAttr(true));
      results.push_back(
          castTo(rewriter, op.getLoc(), mask, converter.convertType(op.getMask().getType())));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void lower::populateReshapingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns
      .add<ReshapeLowering, FlattenLowering, SqueezeLowering, UnsqueezeLowering, DropoutLowering>(
          converter, context);
  patterns.add<IdentityLowering>(converter, onnx::IdentityOp::getOperationName(), context);
}
