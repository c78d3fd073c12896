// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading a tensor between its elements, at coordinates in [-1, 1] that stand in another one:
// AffineGrid makes them, GridSample reads there.

#include "lib/lower/Interpolation.h"
#include "lib/lower/Patterns.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

struct AffineGridLowering : OpConversionPattern<onnx::AffineGridOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::AffineGridOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value theta = adaptor.getTheta();
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getGrid().getType());
    int64_t spatialRank = type.getRank() - 2;
    FailureOr<SmallVector<OpFoldResult>> size = getIndices(rewriter, loc, adaptor.getSize());
    if (failed(size) || static_cast<int64_t>(size->size()) != type.getRank() || spatialRank < 2)
      return refuse(rewriter, op, "size must have the elements N, C, H, W or N, C, D, H, W");

    // [N, spatial..., which coordinate], the last spatial dimension's being the first of them.
    SmallVector<OpFoldResult> sizes{(*size)[0]};
    llvm::append_range(sizes, ArrayRef(*size).drop_front(2));
    sizes.push_back(rewriter.getIndexAttr(spatialRank));
    sizes = refineSizes(rewriter, sizes, type);
    Type wide = getAccumulatorType(type.getElementType());
    Value result =
        createFromPositions(rewriter, loc, sizes, type.getElementType(),
                            [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
                              Scalar scalar(body, op, false);
                              auto readTheta = [&](int64_t column) {
                                Value at = arith::ConstantIndexOp::create(body, column);
                                Value element = tensor::ExtractOp::create(
                                    body, theta, ValueRange{position.front(), position.back(), at});
                                return convertScalar(body, element, wide, false, false);
                              };
                              Value sum = readTheta(spatialRank);
                              for (int64_t column = 0; column < spatialRank; ++column) {
                                int64_t dim = spatialRank - column;
                                Value center = getCenter(scalar, position[dim], sizes[dim], wide);
                                sum = scalar.add(sum, scalar.multiply(readTheta(column), center));
                              }
                              return convertScalar(body, sum, type.getElementType(), false, false);
                            });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }

private:
  /// Where the element `position` of `size` lies in [-1, 1].
  static Value getCenter(Scalar &scalar, Value position, OpFoldResult size, Type type) {
    auto op = cast<onnx::AffineGridOp>(scalar.op);
    ImplicitLocOpBuilder &body = scalar.builder;
    IndexBuilder index(body, body.getLoc());
    auto toFloat = [&](OpFoldResult value) {
      Value integer =
          arith::IndexCastOp::create(body, body.getI64Type(), index.value(value)).getResult();
      return convertScalar(body, integer, type, false, false);
    };
    OpFoldResult one = index.constant(1), two = index.constant(2);
    // A single element stands at the left end.
    OpFoldResult steps =
        op.getAlignCorners() ? index.maximum(index.subtract(size, one), one) : size;
    OpFoldResult twice = index.multiply(position, two);
    if (!op.getAlignCorners())
      twice = index.add(twice, one);
    return scalar.affine(scalar.divide(toFloat(twice), toFloat(steps)), 1, -1);
  }
};

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

struct GridSampleLowering : OpConversionPattern<onnx::GridSampleOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::GridSampleOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getX(), grid = adaptor.getGrid();
    int64_t spatialRank = getRank(input) - 2;
    auto gridType = cast<RankedTensorType>(grid.getType());
    if (spatialRank < 1 || gridType.getRank() != spatialRank + 2 ||
        gridType.getShape().back() != spatialRank)
      return refuse(rewriter, op,
                    "the grid must have as many coordinates as the input has spatial dimensions");
    std::optional<Interpolation> interpolation =
        llvm::StringSwitch<std::optional<Interpolation>>(op.getMode())
            .Case("nearest", Interpolation::Nearest)
            .Case("linear", Interpolation::Linear)
            .Case("cubic", Interpolation::Cubic)
            .Default(std::nullopt);
    std::optional<Outside> outside = llvm::StringSwitch<std::optional<Outside>>(op.getPaddingMode())
                                         .Case("zeros", Outside::Zeros)
                                         .Case("border", Outside::Border)
                                         .Case("reflection", Outside::Reflection)
                                         .Default(std::nullopt);
    if (!interpolation || !outside)
      return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
        diagnostic << "unknown mode '" << op.getMode() << "' or padding_mode '"
                   << op.getPaddingMode() << "'";
      });

    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    Type element = type.getElementType(), wide = getAccumulatorType(gridType.getElementType());
    if (element.isF64())
      wide = element;
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, input),
                              gridSizes = getDims(rewriter, loc, grid);
    SmallVector<OpFoldResult> sizes{from[0], from[1]};
    llvm::append_range(sizes, ArrayRef(gridSizes).drop_front().drop_back());
    SmallVector<Value> limits;
    for (OpFoldResult size : ArrayRef(from).drop_front(2)) {
      ImplicitLocOpBuilder builder(loc, rewriter);
      Value integer = arith::IndexCastOp::create(builder, builder.getI64Type(),
                                                 IndexBuilder(rewriter, loc).value(size));
      limits.push_back(convertScalar(builder, integer, wide, false, false));
    }
    Value result = createFromPositions(
        rewriter, loc, refineSizes(rewriter, sizes, type), element,
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          Scalar scalar(body, op, isUnsigned(op.getX().getType()));
          Sampler sampler(scalar, *interpolation, *outside, op.getAlignCorners() != 0);
          SmallVector<Value> where{position[0]};
          llvm::append_range(where, position.drop_front(2));
          where.push_back({});
          SmallVector<Taps> taps;
          for (int64_t dim = 0; dim < spatialRank; ++dim) {
            // The first coordinate is about the last dimension.
            where.back() = arith::ConstantIndexOp::create(body, spatialRank - 1 - dim);
            Value coordinate = convertScalar(body, tensor::ExtractOp::create(body, grid, where),
                                             wide, false, false);
            taps.push_back(sampler.getTapsOfCoordinate(coordinate, limits[dim]));
          }
          Value sum = interpolate(scalar, input, position.take_front(2), taps,
                                  *interpolation == Interpolation::Nearest ? element : wide);
          return convertScalar(body, sum, element, false, scalar.isUnsigned);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

} // namespace

void lower::populateSamplingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<AffineGridLowering, GridSampleLowering>(converter, patterns.getContext());
}
