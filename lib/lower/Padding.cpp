// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pad: tensor.pad where it only adds a constant, else reads through computed positions.

#include "lib/lower/Lowering.h"
#include "lib/lower/MarkedAxes.h"
#include "lib/lower/Patterns.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

static SmallVector<OpFoldResult> repeat(OpBuilder &builder, int64_t value, size_t count) {
  return SmallVector<OpFoldResult>(count, builder.getIndexAttr(value));
}

namespace {

struct PadLowering : OpConversionPattern<onnx::PadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::PadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData();
    int64_t rank = getRank(data);
    if (!llvm::is_contained({"constant", "reflect", "edge", "wrap"}, op.getMode()))
      return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
        diagnostic << "unknown mode '" << op.getMode() << "'";
      });
    IndexBuilder index(rewriter, loc);
    FailureOr<SmallVector<OpFoldResult>> pads = getIndices(rewriter, loc, adaptor.getPads());
    FailureOr<SmallVector<OpFoldResult>> axes = getAxisList(rewriter, loc, adaptor.getAxes(), rank);
    SmallVector<OpFoldResult> low = repeat(rewriter, 0, rank), high = repeat(rewriter, 0, rank);
    if (failed(pads) || failed(axes)) {
      std::tie(low, high) = spreadPads(rewriter, loc, adaptor, rank);
    } else if (pads->size() != 2 * axes->size()) {
      return refuse(rewriter, op, "pads must have two elements for each axis");
    } else {
      for (int64_t dim = 0; dim < rank; ++dim)
        for (auto [i, axis] : llvm::enumerate(*axes))
          for (int64_t spelling : {dim, dim - rank}) {
            auto isHere = [&](OpFoldResult pad, OpFoldResult otherwise) {
              return index.select(arith::CmpIPredicate::eq, axis, index.constant(spelling), pad,
                                  otherwise);
            };
            low[dim] = isHere((*pads)[i], low[dim]);
            high[dim] = isHere((*pads)[i + axes->size()], high[dim]);
          }
    }

    SmallVector<OpFoldResult> from = getDims(rewriter, loc, data), sizes(from);
    bool onlyAdds = true;
    for (int64_t dim = 0; dim < rank; ++dim) {
      sizes[dim] = index.add(index.add(from[dim], low[dim]), high[dim]);
      onlyAdds &= getConstantIntValue(low[dim]).value_or(-1) >= 0 &&
                  getConstantIntValue(high[dim]).value_or(-1) >= 0;
    }
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    sizes = refineSizes(rewriter, sizes, resultType);

    Type element = resultType.getElementType();
    bool hasFill = op.getMode() == "constant";
    bool isFillKnown =
        onnx::isAbsent(adaptor.getConstantValue()) || getConstant(adaptor.getConstantValue());
    Value result;
    if (hasFill && isFillKnown && onlyAdds) {
      auto type = RankedTensorType::get(getShape(sizes), element);
      Value fill = getFill(rewriter, loc, adaptor.getConstantValue(), element);
      result = tensor::PadOp::create(rewriter, loc, type, data, low, high, fill);
    } else {
      // A value that only the run knows is read where it is needed, by the kernel.
      result = createFromPositions(
          rewriter, loc, sizes, element, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
            Value fill;
            if (hasFill)
              fill = getFill(body, loc, adaptor.getConstantValue(), element);
            return readPadded(body, loc, data, from, low, position, op.getMode(), fill);
          });
    }
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }

private:
  /// Of a number of axes that only the run knows: what is added before and after each dimension.
  static std::pair<SmallVector<OpFoldResult>, SmallVector<OpFoldResult>>
  spreadPads(OpBuilder &builder, Location loc, OpAdaptor adaptor, int64_t rank) {
    IndexBuilder index(builder, loc);
    Value pads = adaptor.getPads();
    OpFoldResult half = index.divide(getDim(builder, loc, pads, 0), index.constant(2));
    auto spread = [&](OpFoldResult first) {
      Value list =
          tensor::ExtractSliceOp::create(builder, loc, pads, first, half, index.constant(1));
      return spreadOverAxes(builder, loc, list, adaptor.getAxes(), rank, /*preset=*/0,
                            index.constant(0));
    };
    SmallVector<OpFoldResult> low = spread(index.constant(0));
    return {low, spread(half)};
  }

  /// All axes where the operand is absent.
  static FailureOr<SmallVector<OpFoldResult>> getAxisList(OpBuilder &builder, Location loc,
                                                          Value operand, int64_t rank) {
    if (!onnx::isAbsent(operand))
      return getIndices(builder, loc, operand);
    SmallVector<OpFoldResult> all;
    for (int64_t dim = 0; dim < rank; ++dim)
      all.push_back(builder.getIndexAttr(dim));
    return all;
  }

  static Value getFill(OpBuilder &builder, Location loc, Value operand, Type type) {
    if (onnx::isAbsent(operand))
      return createScalar(builder, loc, type, 0);
    return readScalar(builder, loc, operand);
  }

  /// The element at `position` of the result, read from the data at the position that the mode maps
  /// it to.
  static Value readPadded(OpBuilder &body, Location loc, Value data, ArrayRef<OpFoldResult> from,
                          ArrayRef<OpFoldResult> low, ArrayRef<Value> position, StringRef mode,
                          Value fill) {
    IndexBuilder index(body, loc);
    SmallVector<Value> source;
    Value isInside;
    for (auto [dim, here] : llvm::enumerate(position)) {
      OpFoldResult size = from[dim], last = index.subtract(size, index.constant(1));
      OpFoldResult at = index.subtract(here, low[dim]);
      OpFoldResult clamped = index.maximum(index.minimum(at, last), index.constant(0));
      if (mode == "wrap") {
        at = wrap(body, loc, index, at, size);
      } else if (mode == "reflect") {
        // A period is there and back again, without repeating the ends; it is 1 where there is one
        // element.
        OpFoldResult period =
            index.maximum(index.multiply(last, index.constant(2)), index.constant(1));
        OpFoldResult there = wrap(body, loc, index, at, period);
        at = index.minimum(there, index.subtract(period, there));
        at = index.minimum(at, last);
      } else {
        if (fill) {
          Value matches = body.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq,
                                                           index.value(at), index.value(clamped));
          isInside = isInside ? body.createOrFold<arith::AndIOp>(loc, isInside, matches) : matches;
        }
        at = clamped;
      }
      source.push_back(index.value(at));
    }
    Value element = tensor::ExtractOp::create(body, loc, data, source);
    return isInside ? arith::SelectOp::create(body, loc, isInside, element, fill).getResult()
                    : element;
  }

  /// `at` modulo `period`, not negative.
  static OpFoldResult wrap(OpBuilder &body, Location loc, IndexBuilder &index, OpFoldResult at,
                           OpFoldResult period) {
    Value remainder = body.createOrFold<arith::RemSIOp>(loc, index.value(at), index.value(period));
    return index.select(arith::CmpIPredicate::slt, remainder, index.constant(0),
                        index.add(remainder, period), remainder);
  }
};

} // namespace

void lower::populatePaddingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<PadLowering>(converter, patterns.getContext());
}
