// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators whose elements are a function of their position: ConstantOfShape, Range, OneHot,
// EyeLike, Trilu; and those whose result are the sizes of a tensor: Shape, Size.

#include "lib/lower/ElementTypes.h"
#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

//===----------------------------------------------------------------------===//
// Shape, Size
//===----------------------------------------------------------------------===//

Value createSizeTensor(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                       RankedTensorType type) {
  IndexBuilder index(builder, loc);
  SmallVector<Value> elements;
  for (OpFoldResult size : sizes)
    elements.push_back(
        builder.createOrFold<arith::IndexCastOp>(loc, type.getElementType(), index.value(size)));
  auto exact =
      type.getRank() == 0 ? type : RankedTensorType::get(sizes.size(), type.getElementType());
  return castTo(builder, loc, tensor::FromElementsOp::create(builder, loc, exact, elements), type);
}

struct ShapeLowering : OpConversionPattern<onnx::ShapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ShapeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = getRank(adaptor.getData());
    auto clamp = [&](int64_t position) {
      return std::clamp<int64_t>(position < 0 ? position + rank : position, 0, rank);
    };
    int64_t start = clamp(op.getStart()), end = clamp(op.getEnd().value_or(rank));
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim = start; dim < end; ++dim)
      sizes.push_back(getDim(rewriter, op.getLoc(), adaptor.getData(), dim));
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getShape().getType());
    rewriter.replaceOp(op, createSizeTensor(rewriter, op.getLoc(), sizes, type));
    return success();
  }
};

struct SizeLowering : OpConversionPattern<onnx::SizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::SizeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    IndexBuilder index(rewriter, op.getLoc());
    OpFoldResult size = index.product(getDims(rewriter, op.getLoc(), adaptor.getData()));
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getSize().getType());
    rewriter.replaceOp(op, createSizeTensor(rewriter, op.getLoc(), size, type));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// ConstantOfShape, Range
//===----------------------------------------------------------------------===//

struct ConstantOfShapeLowering : OpConversionPattern<onnx::ConstantOfShapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ConstantOfShapeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    TypedAttr element = rewriter.getZeroAttr(type.getElementType());
    if (std::optional<ElementsAttr> value = op.getValue()) {
      auto elements = dyn_cast<DenseElementsAttr>(*value);
      if (!elements || elements.getNumElements() != 1)
        return refuse(rewriter, op, "value must have one element");
      element = cast<TypedAttr>(getStorageElements(elements).getSplatValue<Attribute>());
    }
    if (type.hasStaticShape()) {
      rewriter.replaceOpWithNewOp<arith::ConstantOp>(
          op, DenseElementsAttr::get(type, Attribute(element)));
      return success();
    }
    FailureOr<SmallVector<OpFoldResult>> sizes = getIndices(rewriter, loc, adaptor.getInput());
    if (failed(sizes))
      return refuse(rewriter, op, "a shape whose length is not known is not supported yet");
    Value result = createFilled(rewriter, loc, refineSizes(rewriter, *sizes, type), element);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

struct RangeLowering : OpConversionPattern<onnx::RangeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::RangeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Type element = type.getElementType(), wide = getAccumulatorType(element);
    SmallVector<OpFoldResult> sizes;
    if (type.hasStaticShape()) {
      sizes.push_back(rewriter.getIndexAttr(type.getDimSize(0)));
    } else if (isa<FloatType>(element)) {
      // A kernel counts the steps: the program computes with integers only.
      auto count = [](ImplicitLocOpBuilder &body, ValueRange elements) -> Value {
        SmallVector<Value, 3> wide;
        for (Value element : elements)
          wide.push_back(convertScalar(body, element, body.getF64Type(), false, false));
        Value length = arith::SubFOp::create(body, wide[1], wide[0]);
        Value steps = math::CeilOp::create(body, arith::DivFOp::create(body, length, wide[2]));
        return arith::FPToSIOp::create(body, body.getI64Type(), steps);
      };
      Value steps = createElementwise(rewriter, loc,
                                      {adaptor.getStart(), adaptor.getLimit(), adaptor.getDelta()},
                                      RankedTensorType::get({}, rewriter.getI64Type()), count);
      IndexBuilder index(rewriter, loc);
      sizes.push_back(index.maximum(getScalarIndex(rewriter, loc, steps), index.constant(0)));
    } else {
      sizes.push_back(countSteps(rewriter, loc, adaptor));
    }

    Value result = createFromPositions(
        rewriter, loc, sizes, element, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          Scalar scalar(body, op, false);
          Value here = arith::IndexCastOp::create(body, body.getI64Type(), position[0]);
          here = convertScalar(body, here, wide, false, false);
          Value start =
              convertScalar(body, readScalar(body, loc, adaptor.getStart()), wide, false, false);
          Value delta =
              convertScalar(body, readScalar(body, loc, adaptor.getDelta()), wide, false, false);
          return convertScalar(body, scalar.add(start, scalar.multiply(here, delta)), element,
                               false, false);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }

private:
  /// max(0, ceil((limit - start) / delta)) for integers.
  static OpFoldResult countSteps(OpBuilder &rewriter, Location loc, OpAdaptor adaptor) {
    IndexBuilder index(rewriter, loc);
    OpFoldResult start = getScalarIndex(rewriter, loc, adaptor.getStart());
    OpFoldResult limit = getScalarIndex(rewriter, loc, adaptor.getLimit());
    OpFoldResult delta = getScalarIndex(rewriter, loc, adaptor.getDelta());
    OpFoldResult zero = index.constant(0);
    OpFoldResult length = index.subtract(limit, start);
    length =
        index.select(arith::CmpIPredicate::slt, delta, zero, index.subtract(zero, length), length);
    OpFoldResult step =
        index.select(arith::CmpIPredicate::slt, delta, zero, index.subtract(zero, delta), delta);
    // A step of zero is an error in ONNX; here it must not trap.
    return index.divideUp(index.maximum(length, zero), index.maximum(step, index.constant(1)));
  }
};

//===----------------------------------------------------------------------===//
// OneHot, EyeLike, Trilu
//===----------------------------------------------------------------------===//

struct OneHotLowering : OpConversionPattern<onnx::OneHotOp> {
  using OpConversionPattern::OpConversionPattern;
  /// A float is rounded towards zero, as by a Cast.
  static OpFoldResult readDepth(OpBuilder &builder, Location loc, Value depth) {
    if (getElementType(depth).isIntOrIndex())
      return getScalarIndex(builder, loc, depth);
    ImplicitLocOpBuilder body(loc, builder);
    Value number = arith::FPToSIOp::create(body, body.getI64Type(), readScalar(body, loc, depth));
    return OpFoldResult(arith::IndexCastOp::create(body, body.getIndexType(), number).getResult());
  }
  LogicalResult matchAndRewrite(onnx::OneHotOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), type.getRank());
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, adaptor.getIndices());
    OpFoldResult depth = type.isDynamicDim(*axis)
                             ? readDepth(rewriter, loc, adaptor.getDepth())
                             : OpFoldResult(rewriter.getIndexAttr(type.getDimSize(*axis)));
    sizes.insert(sizes.begin() + *axis, depth);
    Value indices = addUnitDims(rewriter, loc, adaptor.getIndices(), *axis);
    bool isUnsignedIndex = isUnsigned(op.getIndices().getType());

    MLIRContext *context = rewriter.getContext();
    SmallVector<AffineExpr> read;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (dim != *axis)
        read.push_back(getAffineDimExpr(dim, context));
    indices = dropUnitDims(rewriter, loc, indices, *axis);
    Value empty = createEmpty(rewriter, loc, sizes, type.getElementType());
    Value depthValue = IndexBuilder(rewriter, loc).value(depth);
    auto compare = [&](OpBuilder &inner, Location loc, ValueRange elements) {
      ImplicitLocOpBuilder body(loc, inner);
      Value wanted = convertScalar(body, elements[0], body.getI64Type(), isUnsignedIndex, false);
      wanted = arith::IndexCastOp::create(body, body.getIndexType(), wanted);
      Value zero = arith::ConstantIndexOp::create(body, 0);
      Value isNegative = arith::CmpIOp::create(body, arith::CmpIPredicate::slt, wanted, zero);
      wanted = arith::SelectOp::create(body, isNegative,
                                       arith::AddIOp::create(body, wanted, depthValue), wanted);
      Value isHere = arith::CmpIOp::create(body, arith::CmpIPredicate::eq, wanted,
                                           linalg::IndexOp::create(body, *axis));
      Value off = tensor::ExtractOp::create(body, adaptor.getValues(), zero);
      Value on = tensor::ExtractOp::create(body, adaptor.getValues(),
                                           arith::ConstantIndexOp::create(body, 1).getResult());
      linalg::YieldOp::create(body, arith::SelectOp::create(body, isHere, on, off).getResult());
    };
    SmallVector<AffineMap> maps = {AffineMap::get(type.getRank(), 0, read, context),
                                   AffineMap::getMultiDimIdentityMap(type.getRank(), context)};
    SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
    Value result = linalg::GenericOp::create(rewriter, loc, empty.getType(), indices, empty, maps,
                                             iterators, compare)
                       .getResult(0);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

struct EyeLikeLowering : OpConversionPattern<onnx::EyeLikeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::EyeLikeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Value result = createFromPositions(
        rewriter, loc, getDims(rewriter, loc, adaptor.getInput()), type.getElementType(),
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          Value diagonal = arith::AddIOp::create(body, position[0],
                                                 arith::ConstantIndexOp::create(body, op.getK()));
          Value isHere =
              arith::CmpIOp::create(body, arith::CmpIPredicate::eq, position[1], diagonal);
          return convertScalar(body, isHere, type.getElementType(), true, false);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

struct TriluLowering : OpConversionPattern<onnx::TriluOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::TriluOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    if (type.getRank() < 2)
      return refuse(rewriter, op, "the input must have two dimensions at least");
    IndexBuilder index(rewriter, loc);
    OpFoldResult diagonal = index.constant(0);
    if (!onnx::isAbsent(adaptor.getK()))
      diagonal = getScalarIndex(rewriter, loc, adaptor.getK());
    Value offset = index.value(diagonal);
    bool isUpper = op.getUpper();
    Value result = createElementwise(
        rewriter, loc, adaptor.getInput(), type,
        [&](ImplicitLocOpBuilder &body, ValueRange elements) -> Value {
          Value row = linalg::IndexOp::create(body, type.getRank() - 2);
          Value column = linalg::IndexOp::create(body, type.getRank() - 1);
          Value isKept = arith::CmpIOp::create(
              body, isUpper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle, column,
              arith::AddIOp::create(body, row, offset));
          return arith::SelectOp::create(body, isKept, elements[0],
                                         createScalar(body, loc, type.getElementType(), 0));
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void lower::populateGenerationPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<ShapeLowering, SizeLowering, ConstantOfShapeLowering, RangeLowering, OneHotLowering,
               EyeLikeLowering, TriluLowering>(converter, patterns.getContext());
}
