// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize: every element is a weighted sum of the elements around a position in the input.
//
// The weights of a position are a product over the axes, so that linear and cubic interpolation are
// done one axis after the other; nearest reads one element and does all axes at once. Positions are
// computed in f64, where the result of rounding them is what the definition says; scales may be
// known only at run time.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// An axis that is resized. Its scale and region are computed anew in each body that needs them,
/// from `operand`s that are constants or tensors.
struct ResizedAxis {
  int64_t dim;      ///< in the input
  int64_t position; ///< in scales, sizes and roi
  OpFoldResult inputSize, outputSize;
};

/// Everything about one Resize.
class ResizeBuilder {
public:
  ResizeBuilder(OpBuilder &builder, onnx::ResizeOp op, onnx::ResizeOp::Adaptor adaptor)
      : builder(builder), op(op), adaptor(adaptor), index(builder, op.getLoc()), loc(op.getLoc()),
        mode(op.getMode()), transformation(op.getCoordinateTransformationMode()) {}

  Value create(ArrayRef<int64_t> axes, RankedTensorType resultType);

private:
  using Body = ImplicitLocOpBuilder;

  Value number(Body &body, double value) {
    return createScalar(body, loc, body.getF64Type(), value);
  }
  Value number(Body &body, OpFoldResult size) {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      return number(body, static_cast<double>(*known));
    Value integer = arith::IndexCastOp::create(body, body.getI64Type(), cast<Value>(size));
    return arith::SIToFPOp::create(body, body.getF64Type(), integer);
  }
  Value element(Body &body, Value tensor, int64_t position);
  /// The ratio that sizes ask for before the aspect ratio is considered.
  Value sizeRatio(Body &body, Value size, OpFoldResult inputSize) {
    return arith::DivFOp::create(body, size, number(body, inputSize));
  }
  Value scale(Body &body, const ResizedAxis &axis);
  OpFoldResult computeOutputSize(const ResizedAxis &axis);
  /// The position in the input that an output position comes from, and whether it lies outside (or
  /// null).
  std::pair<Value, Value> source(Body &body, const ResizedAxis &axis, Value outputPosition);
  Value clampToInput(Body &body, const ResizedAxis &axis, Value position);
  bool isUnchanged(const ResizedAxis &axis);

  Value createNearest(Value input, ArrayRef<OpFoldResult> sizes, Type elementType);
  Value createInterpolated(Value input, const ResizedAxis &axis, ArrayRef<OpFoldResult> sizes);
  Value weight(Body &body, Value distance);

  OpBuilder &builder;
  onnx::ResizeOp op;
  onnx::ResizeOp::Adaptor adaptor;
  IndexBuilder index;
  Location loc;
  StringRef mode, transformation;
  SmallVector<ResizedAxis> axes;
};

Value ResizeBuilder::element(Body &body, Value tensor, int64_t position) {
  Type f64 = body.getF64Type();
  if (DenseElementsAttr known = getConstant(tensor)) {
    if (isa<FloatType>(known.getElementType()))
      return number(body, (*(known.value_begin<FloatAttr>() + position)).getValueAsDouble());
    return number(body,
                  static_cast<double>((*(known.value_begin<APInt>() + position)).getSExtValue()));
  }
  Value where = arith::ConstantIndexOp::create(body, position);
  return convertScalar(body, body.createOrFold<tensor::ExtractOp>(tensor, where), f64, false,
                       false);
}

Value ResizeBuilder::scale(Body &body, const ResizedAxis &axis) {
  if (!onnx::isAbsent(adaptor.getScales()))
    return element(body, adaptor.getScales(), axis.position);
  StringRef policy = op.getKeepAspectRatioPolicy();
  if (policy == "stretch")
    return arith::DivFOp::create(body, number(body, axis.outputSize), number(body, axis.inputSize));
  Scalar scalar(body, op, false);
  Value chosen;
  for (const ResizedAxis &other : axes) {
    Value ratio =
        sizeRatio(body, element(body, adaptor.getSizes(), other.position), other.inputSize);
    if (!chosen)
      chosen = ratio;
    else
      chosen =
          policy == "not_larger" ? scalar.minimum(chosen, ratio) : scalar.maximum(chosen, ratio);
  }
  return chosen;
}

OpFoldResult ResizeBuilder::computeOutputSize(const ResizedAxis &axis) {
  Body body(loc, builder);
  bool hasScales = !onnx::isAbsent(adaptor.getScales());
  if (!hasScales && op.getKeepAspectRatioPolicy() == "stretch")
    return (*getIndices(builder, loc, adaptor.getSizes()))[axis.position];
  Value size = arith::MulFOp::create(body, scale(body, axis), number(body, axis.inputSize));
  if (!hasScales)
    size = arith::AddFOp::create(body, size, number(body, 0.5));
  size = math::FloorOp::create(body, size);
  return arith::IndexCastOp::create(body, body.getIndexType(),
                                    arith::FPToSIOp::create(body, body.getI64Type(), size))
      .getResult();
}

std::pair<Value, Value> ResizeBuilder::source(Body &body, const ResizedAxis &axis,
                                              Value outputPosition) {
  Scalar scalar(body, op, false);
  Value x = number(body, OpFoldResult(outputPosition)), half = number(body, 0.5),
        one = number(body, 1.0);
  Value length = number(body, axis.inputSize), factor = scale(body, axis);
  Value last = scalar.subtract(length, one);
  Value width = scalar.multiply(factor, length); // of the output, before it is rounded
  Value isSingle = scalar.equal(width, one);
  auto halfPixel = [&] {
    return scalar.subtract(scalar.divide(scalar.add(x, half), factor), half);
  };
  auto stretch = [&](Value extent) {
    Value divisor = scalar.select(isSingle, one, scalar.subtract(width, one));
    return scalar.divide(scalar.multiply(x, extent), divisor);
  };

  if (transformation == "asymmetric")
    return {scalar.divide(x, factor), {}};
  if (transformation == "align_corners")
    return {scalar.select(isSingle, number(body, 0.0), stretch(last)), {}};
  if (transformation == "pytorch_half_pixel")
    return {scalar.select(isSingle, number(body, -0.5), halfPixel()), {}};
  if (transformation == "half_pixel_symmetric") {
    Value adjustment = scalar.divide(number(body, axis.outputSize), width);
    Value offset = scalar.multiply(scalar.multiply(length, half), scalar.subtract(one, adjustment));
    return {scalar.add(offset, halfPixel()), {}};
  }
  if (transformation == "tf_crop_and_resize") {
    Value start = element(body, adaptor.getRoi(), axis.position);
    Value end = element(body, adaptor.getRoi(), axis.position + axes.size());
    Value extent = scalar.multiply(scalar.subtract(end, start), last);
    Value inside = scalar.select(isSingle, scalar.multiply(extent, half), stretch(extent));
    Value result = scalar.add(inside, scalar.multiply(start, last));
    Value isOutside = arith::OrIOp::create(body, scalar.less(result, number(body, 0.0)),
                                           scalar.less(last, result));
    return {result, isOutside};
  }
  return {halfPixel(), {}};
}

Value ResizeBuilder::clampToInput(Body &body, const ResizedAxis &axis, Value position) {
  IndexBuilder inner(body, loc);
  OpFoldResult last = inner.subtract(axis.inputSize, inner.constant(1));
  return inner.value(inner.maximum(inner.minimum(position, last), inner.constant(0)));
}

static Value toIndex(ImplicitLocOpBuilder &body, Value whole) {
  return arith::IndexCastOp::create(body, body.getIndexType(),
                                    arith::FPToSIOp::create(body, body.getI64Type(), whole));
}

Value ResizeBuilder::createNearest(Value input, ArrayRef<OpFoldResult> sizes, Type elementType) {
  StringRef rounding = op.getNearestMode();
  return createFromPositions(
      builder, loc, sizes, elementType, [&](Body &body, ArrayRef<Value> position) -> Value {
        Scalar scalar(body, op, false);
        SmallVector<Value> where(position);
        Value isOutside;
        for (const ResizedAxis &axis : axes) {
          auto [x, outside] = source(body, axis, position[axis.dim]);
          Value half = number(body, 0.5);
          if (rounding == "floor")
            x = math::FloorOp::create(body, x);
          else if (rounding == "ceil")
            x = math::CeilOp::create(body, x);
          else if (rounding == "round_prefer_ceil")
            x = math::FloorOp::create(body, scalar.add(x, half));
          else
            x = math::CeilOp::create(body, scalar.subtract(x, half));
          where[axis.dim] = clampToInput(body, axis, toIndex(body, x));
          if (outside)
            isOutside =
                isOutside ? arith::OrIOp::create(body, isOutside, outside).getResult() : outside;
        }
        Value value = tensor::ExtractOp::create(body, input, where);
        if (!isOutside)
          return value;
        return scalar.select(
            isOutside, createScalar(body, loc, elementType, op.getExtrapolationValue()), value);
      });
}

/// The weight of an element at a distance, before it is divided by the sum of all.
Value ResizeBuilder::weight(Body &body, Value distance) {
  Scalar scalar(body, op, false);
  Value d = scalar.absolute(distance), zero = number(body, 0.0), one = number(body, 1.0);
  if (mode == "linear")
    return scalar.maximum(scalar.subtract(one, d), zero);
  double a = op.getCubicCoeffA();
  // ((a + 2) d - (a + 3)) d^2 + 1 up to 1; ((a d - 5 a) d + 8 a) d - 4 a up to 2.
  Value square = scalar.multiply(d, d);
  Value near = scalar.add(scalar.multiply(scalar.affine(d, a + 2, -(a + 3)), square), one);
  Value far = scalar.affine(d, a, -5 * a);
  far = scalar.add(scalar.multiply(far, d), number(body, 8 * a));
  far = scalar.add(scalar.multiply(far, d), number(body, -4 * a));
  Value isNear = arith::CmpFOp::create(body, arith::CmpFPredicate::OLE, d, one);
  return scalar.select(isNear, near, scalar.select(scalar.less(d, number(body, 2.0)), far, zero));
}

Value ResizeBuilder::createInterpolated(Value input, const ResizedAxis &axis,
                                        ArrayRef<OpFoldResult> sizes) {
  Type type = getElementType(input);
  bool antialias = op.getAntialias() != 0;
  int64_t radius = mode == "linear" ? 1 : 2;
  return createFromPositions(
      builder, loc, sizes, type, [&](Body &body, ArrayRef<Value> position) -> Value {
        Scalar scalar(body, op, false);
        auto [x, isOutside] = source(body, axis, position[axis.dim]);
        // The element before the position, so that the position lies within (base, base + 1].
        Value base = scalar.subtract(math::CeilOp::create(body, x), number(body, 1.0));
        Value fraction = scalar.subtract(x, base), baseIndex = toIndex(body, base);
        Value shrink = antialias ? scalar.minimum(scale(body, axis), number(body, 1.0)) : Value();

        // Adds one element, `offset` after the base, to the sums of weighted elements and of
        // weights.
        auto addTap = [&](Body &body, Value offset, ValueRange sums) -> SmallVector<Value, 2> {
          Scalar scalar(body, op, false);
          Value distance = scalar.subtract(number(body, OpFoldResult(offset)), fraction);
          Value w = weight(body, shrink ? scalar.multiply(distance, shrink) : distance);
          Value here = arith::AddIOp::create(body, baseIndex, offset);
          SmallVector<Value> where(position);
          where[axis.dim] = clampToInput(body, axis, here);
          if (op.getExcludeOutside())
            w = scalar.select(scalar.equal(here, where[axis.dim]), w, number(body, 0.0));
          Value value = convertScalar(body, tensor::ExtractOp::create(body, input, where),
                                      body.getF64Type(), false, false);
          return {scalar.add(sums[0], scalar.multiply(value, w)), scalar.add(sums[1], w)};
        };
        SmallVector<Value, 2> sums = {number(body, 0.0), number(body, 0.0)};
        if (antialias) {
          // The window grows as the result shrinks.
          Value reach = math::FloorOp::create(
              body, scalar.divide(number(body, -static_cast<double>(radius)), shrink));
          Value first =
              scalar.add(toIndex(body, reach), arith::ConstantIndexOp::create(body, 1).getResult());
          Value end = scalar.subtract(arith::ConstantIndexOp::create(body, 2).getResult(), first);
          auto loop = scf::ForOp::create(
              body, first, end, arith::ConstantIndexOp::create(body, 1).getResult(),
              ValueRange(sums), [&](OpBuilder &inner, Location loc, Value offset, ValueRange sums) {
                Body loopBody(loc, inner);
                scf::YieldOp::create(loopBody, ValueRange(addTap(loopBody, offset, sums)));
              });
          llvm::copy(loop.getResults(), sums.begin());
        } else {
          for (int64_t offset = 1 - radius; offset <= radius; ++offset)
            sums = addTap(body, arith::ConstantIndexOp::create(body, offset), sums);
        }
        bool addsUpToOne = !antialias && !op.getExcludeOutside();
        Value result = convertScalar(body, addsUpToOne ? sums[0] : scalar.divide(sums[0], sums[1]),
                                     type, false, false);
        if (isOutside)
          result = scalar.select(isOutside,
                                 createScalar(body, loc, type, op.getExtrapolationValue()), result);
        return result;
      });
}

bool ResizeBuilder::isUnchanged(const ResizedAxis &axis) {
  if (transformation == "tf_crop_and_resize" || !haveSameSize(axis.inputSize, axis.outputSize))
    return false;
  if (onnx::isAbsent(adaptor.getScales()))
    return true;
  DenseElementsAttr scales = getConstant(adaptor.getScales());
  return scales && (*(scales.value_begin<FloatAttr>() + axis.position)).getValueAsDouble() == 1.0;
}

Value ResizeBuilder::create(ArrayRef<int64_t> dims, RankedTensorType resultType) {
  Value input = adaptor.getX();
  SmallVector<OpFoldResult> from = getDims(builder, loc, input), sizes(from);
  for (auto [position, dim] : llvm::enumerate(dims))
    axes.push_back({dim, static_cast<int64_t>(position), from[dim], {}});
  for (ResizedAxis &axis : axes) {
    axis.outputSize = resultType.isDynamicDim(axis.dim)
                          ? computeOutputSize(axis)
                          : OpFoldResult(builder.getIndexAttr(resultType.getDimSize(axis.dim)));
    sizes[axis.dim] = axis.outputSize;
  }
  if (mode == "nearest")
    return castTo(builder, loc, createNearest(input, sizes, resultType.getElementType()),
                  resultType);

  Type type = resultType.getElementType();
  Value result = convertElements(
      builder, loc, input, isa<FloatType>(type) ? getAccumulatorType(type) : builder.getF32Type());
  SmallVector<OpFoldResult> current(from);
  for (const ResizedAxis &axis : axes) {
    if (isUnchanged(axis))
      continue;
    current[axis.dim] = axis.outputSize;
    result = createInterpolated(result, axis, current);
  }
  return castTo(builder, loc, convertElements(builder, loc, result, type), resultType);
}

struct ResizeLowering : OpConversionPattern<onnx::ResizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ResizeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = getRank(adaptor.getX());
    SmallVector<int64_t> dims;
    if (std::optional<ArrayRef<int64_t>> axes = op.getAxes())
      llvm::append_range(dims, *axes);
    else
      llvm::append_range(dims, llvm::seq<int64_t>(0, rank));
    for (int64_t &dim : dims) {
      FailureOr<int64_t> normalized = normalizeAxis(dim, rank);
      if (failed(normalized))
        return refuse(rewriter, op, "axis is out of range");
      dim = *normalized;
    }
    auto hasLength = [&](Value operand, size_t length) {
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      return type && type.hasStaticShape() && type.getNumElements() == static_cast<int64_t>(length);
    };
    if (!hasLength(adaptor.getScales(), dims.size()) && !hasLength(adaptor.getSizes(), dims.size()))
      return refuse(rewriter, op, "scales or sizes must have one element for each axis");
    if (!llvm::is_contained({"nearest", "linear", "cubic"}, op.getMode()))
      return refuse(rewriter, op, "unknown mode '" + op.getMode() + "'");
    if (op.getCoordinateTransformationMode() == "tf_crop_and_resize" &&
        !hasLength(adaptor.getRoi(), 2 * dims.size()))
      return refuse(rewriter, op, "roi must have two elements for each axis");
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    rewriter.replaceOp(op, ResizeBuilder(rewriter, op, adaptor).create(dims, type));
    return success();
  }
};

} // namespace

void lower::populateResizePatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ResizeLowering>(converter, patterns.getContext());
}
