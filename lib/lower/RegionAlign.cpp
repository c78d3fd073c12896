// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RoiAlign: regions of images, given by boxes, pooled to one size. Each element of the result reads
// a grid of points of its part of the box, whose number may depend on the size of the box.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// The part of a box along one dimension that an element of the result stands for, and the
/// dimension of the image that it lies in.
struct Extent {
  Value begin, step; ///< of the points that are read
  Value count;       ///< index
  Value size;        ///< of the image, as a float
};

/// What a point between elements reads along one dimension.
struct Neighbours {
  Value low, high;             ///< index
  Value lowWeight, highWeight; ///< zero outside of the image
};

class BoxReader {
public:
  BoxReader(Scalar &scalar, onnx::RoiAlignOp op) : scalar(scalar), op(op), body(scalar.builder) {}

  Value toFloat(Value position, Type type) {
    Value integer = arith::IndexCastOp::create(body, body.getI64Type(), position);
    return convertScalar(body, integer, type, false, false);
  }

  /// `begin` and `end` as the box has them.
  Extent getExtent(Value begin, Value end, Value position, int64_t parts, Value size) {
    double offset = op.getCoordinateTransformationMode() == "half_pixel" ? -0.5 : 0;
    double scale = static_cast<double>(op.getSpatialScale());
    begin = scalar.affine(begin, scale, offset);
    end = scalar.affine(end, scale, offset);
    Value length = scalar.subtract(end, begin);
    // What ONNX calls the wrong way of old: boxes are one element wide at least.
    if (offset == 0)
      length = scalar.maximum(length, scalar.constant(1, length));
    Value part = scalar.divide(length, scalar.constant(static_cast<double>(parts), length));

    Extent extent;
    extent.size = size;
    Value count;
    if (op.getSamplingRatio() > 0) {
      extent.count = arith::ConstantIndexOp::create(body, op.getSamplingRatio());
      count = scalar.constant(static_cast<double>(op.getSamplingRatio()), part);
    } else {
      // One point per element of the image. The limit keeps a broken box from running for ever.
      count = math::CeilOp::create(body, part);
      count = arith::MaxNumFOp::create(body, count, scalar.constant(0, part));
      count = arith::MinNumFOp::create(body, count, scalar.constant(4096, part));
      extent.count = arith::IndexCastOp::create(
          body, body.getIndexType(), arith::FPToSIOp::create(body, body.getI64Type(), count));
    }
    extent.step = scalar.divide(part, scalar.maximum(count, scalar.constant(1, count)));
    Value first = scalar.add(begin, scalar.multiply(toFloat(position, part.getType()), part));
    extent.begin = scalar.add(first, scalar.affine(extent.step, 0.5, 0));
    return extent;
  }

  Neighbours getNeighbours(const Extent &extent, Value point) {
    Value position = scalar.add(
        extent.begin, scalar.multiply(toFloat(point, extent.begin.getType()), extent.step));
    Value zero = scalar.constant(0, position), one = scalar.constant(1, position);
    Value isOutside =
        arith::OrIOp::create(body, scalar.less(position, scalar.constant(-1, position)),
                             scalar.less(extent.size, position));
    Value last = scalar.affine(extent.size, 1, -1);
    position = arith::MaxNumFOp::create(body, position, zero);
    position = arith::MinNumFOp::create(body, position, last);
    Value low = math::FloorOp::create(body, position);
    Value high = scalar.minimum(scalar.add(low, one), last);
    Value fraction = scalar.subtract(position, low);
    auto toIndex = [&](Value value) {
      return arith::IndexCastOp::create(body, body.getIndexType(),
                                        arith::FPToSIOp::create(body, body.getI64Type(), value))
          .getResult();
    };
    return {toIndex(low), toIndex(high),
            scalar.select(isOutside, zero, scalar.subtract(one, fraction)),
            scalar.select(isOutside, zero, fraction)};
  }

private:
  Scalar &scalar;
  onnx::RoiAlignOp op;
  ImplicitLocOpBuilder &body;
};

struct RoiAlignLowering : OpConversionPattern<onnx::RoiAlignOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::RoiAlignOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value images = adaptor.getX(), boxes = adaptor.getRois(), which = adaptor.getBatchIndices();
    if (getRank(images) != 4 || getRank(boxes) != 2 || getRank(which) != 1)
      return refuse(rewriter, op, "X must have 4 dimensions, rois 2 and batch_indices 1");
    if (op.getMode() != "avg" && op.getMode() != "max")
      return refuse(rewriter, op, "mode must be 'avg' or 'max'");
    if (op.getOutputHeight() < 1 || op.getOutputWidth() < 1)
      return refuse(rewriter, op, "output_height and output_width must be positive");
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    Type element = type.getElementType(), wide = getAccumulatorType(element);
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, images);
    SmallVector<OpFoldResult> sizes{getDim(rewriter, loc, boxes, 0), from[1],
                                    rewriter.getIndexAttr(op.getOutputHeight()),
                                    rewriter.getIndexAttr(op.getOutputWidth())};
    IndexBuilder outside(rewriter, loc);
    Value batches = outside.value(from[0]), height = outside.value(from[2]),
          width = outside.value(from[3]);

    Value result = createFromPositions(
        rewriter, loc, refineSizes(rewriter, sizes, type), element,
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          Scalar scalar(body, op, false);
          BoxReader reader(scalar, op);
          auto readBox = [&](int64_t column) {
            Value at = arith::ConstantIndexOp::create(body, column);
            return convertScalar(
                body, tensor::ExtractOp::create(body, boxes, ValueRange{position[0], at}), wide,
                false, false);
          };
          Extent rows = reader.getExtent(readBox(1), readBox(3), position[2], op.getOutputHeight(),
                                         reader.toFloat(height, wide));
          Extent columns = reader.getExtent(readBox(0), readBox(2), position[3],
                                            op.getOutputWidth(), reader.toFloat(width, wide));
          Value zero = arith::ConstantIndexOp::create(body, 0),
                one = arith::ConstantIndexOp::create(body, 1);
          Value image = arith::IndexCastOp::create(
              body, body.getIndexType(), tensor::ExtractOp::create(body, which, position[0]));
          image = arith::MaxSIOp::create(
              body, arith::MinSIOp::create(body, image, arith::SubIOp::create(body, batches, one)),
              zero);

          bool isAverage = op.getMode() == "avg";
          Value init = createScalar(body, loc, wide, isAverage ? 0 : -INFINITY);
          auto addPoint = [&](OpBuilder &inner, Location loc, ValueRange point,
                              ValueRange state) -> scf::ValueVector {
            ImplicitLocOpBuilder step(loc, inner);
            Scalar scalar(step, op, false);
            BoxReader reader(scalar, op);
            Neighbours row = reader.getNeighbours(rows, point[0]),
                       column = reader.getNeighbours(columns, point[1]);
            Value value = state.front();
            Value sum;
            for (auto [y, rowWeight] :
                 {std::pair(row.low, row.lowWeight), std::pair(row.high, row.highWeight)})
              for (auto [x, columnWeight] : {std::pair(column.low, column.lowWeight),
                                             std::pair(column.high, column.highWeight)}) {
                Value pixel =
                    tensor::ExtractOp::create(step, images, ValueRange{image, position[1], y, x});
                Value term = scalar.multiply(scalar.multiply(rowWeight, columnWeight),
                                             convertScalar(step, pixel, wide, false, false));
                // The maximum is over the weighted neighbours, not over the points.
                if (!isAverage)
                  value = scalar.maximum(value, term);
                sum = sum ? scalar.add(sum, term) : term;
              }
            return {isAverage ? scalar.add(value, sum) : value};
          };
          Value value = scf::buildLoopNest(body, loc, {zero, zero}, {rows.count, columns.count},
                                           {one, one}, init, addPoint)
                            .results.front();
          Value count = arith::MulIOp::create(body, rows.count, columns.count);
          if (isAverage)
            value = scalar.divide(value,
                                  reader.toFloat(arith::MaxSIOp::create(body, count, one), wide));
          // An empty box has no point.
          Value isEmpty = arith::CmpIOp::create(body, arith::CmpIPredicate::eq, count, zero);
          value = scalar.select(isEmpty, createScalar(body, loc, wide, 0), value);
          return convertScalar(body, value, element, false, false);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

} // namespace

void lower::populateRegionAlignPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<RoiAlignLowering>(converter, patterns.getContext());
}
