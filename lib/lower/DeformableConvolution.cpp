// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DeformConv: a convolution whose windows read where a tensor of offsets says. What the windows
// read is written out, and the rest is a contraction with the weights.

#include "lib/lower/Interpolation.h"
#include "lib/lower/Patterns.h"
#include "lib/lower/Spatial.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

struct DeformConvLowering : OpConversionPattern<onnx::DeformConvOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::DeformConvOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getX(), weights = adaptor.getW();
    auto weightType = cast<RankedTensorType>(weights.getType());
    int64_t spatialRank = getRank(input) - 2;
    if (weightType.getRank() != getRank(input) || !weightType.hasStaticShape() ||
        getRank(adaptor.getOffset()) != getRank(input))
      return refuse(rewriter, op, "weights of unknown size are not supported yet");
    FailureOr<Window> window =
        resolveWindow(rewriter, op, input,
                      {"NOTSET", SmallVector<int64_t>(weightType.getShape().drop_front(2)),
                       op.getStrides(), op.getDilations(), op.getPads(), false});
    if (failed(window))
      return failure();
    int64_t groups = op.getGroup(), outputs = weightType.getDimSize(0),
            inputs = weightType.getDimSize(1), offsetGroups = op.getOffsetGroup();
    if (groups < 1 || outputs % groups != 0 || offsetGroups < 1 ||
        (groups * inputs) % offsetGroups != 0)
      return refuse(rewriter, op, "group or offset_group does not divide the channels");

    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    Type wide = getAccumulatorType(type.getElementType());
    // Offsets tell the size of the result, and are always there.
    SmallVector<OpFoldResult> positions = getDims(rewriter, loc, adaptor.getOffset());
    positions.erase(positions.begin(), positions.begin() + 2);
    Value columns = createColumns(rewriter, op, adaptor, *window, groups, inputs, positions, wide);

    // [N, group, output, position...] += [group, output, input, k...] [N, group, input, k..., ...]
    SmallVector<OpFoldResult> kernel,
        grouped{rewriter.getIndexAttr(groups), rewriter.getIndexAttr(outputs / groups),
                rewriter.getIndexAttr(inputs)};
    for (int64_t size : window->kernel)
      kernel.push_back(rewriter.getIndexAttr(size));
    llvm::append_range(grouped, kernel);
    weights = convertElements(rewriter, loc, createReshape(rewriter, loc, weights, grouped), wide);
    OpFoldResult batch = getDim(rewriter, loc, input, 0);
    SmallVector<OpFoldResult> sizes{batch, grouped[0], grouped[1]};
    llvm::append_range(sizes, positions);
    Value init = createFilled(rewriter, loc, sizes, cast<TypedAttr>(rewriter.getZeroAttr(wide)));
    Value product = contract(rewriter, loc, weights, columns, init, spatialRank);

    SmallVector<OpFoldResult> resultSizes{batch, rewriter.getIndexAttr(outputs)};
    llvm::append_range(resultSizes, positions);
    Value result = createReshape(rewriter, loc, product, resultSizes);
    if (!onnx::isAbsent(adaptor.getB()))
      result = createChannelwise(
          rewriter, loc, result, adaptor.getB(), cast<RankedTensorType>(result.getType()),
          [&](ImplicitLocOpBuilder &body, ValueRange x) {
            Scalar scalar(body, op, false);
            return scalar.add(x[0], convertScalar(body, x[1], wide, false, false));
          });
    result = convertElements(rewriter, loc, result, type.getElementType());
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }

private:
  /// What the windows read: [N, group, input, k..., position...].
  static Value createColumns(OpBuilder &builder, onnx::DeformConvOp op, OpAdaptor adaptor,
                             const Window &window, int64_t groups, int64_t inputs,
                             ArrayRef<OpFoldResult> positions, Type type) {
    Location loc = op.getLoc();
    Value input = adaptor.getX();
    auto spatialRank = static_cast<int64_t>(window.kernel.size());
    SmallVector<OpFoldResult> sizes{getDim(builder, loc, input, 0), builder.getIndexAttr(groups),
                                    builder.getIndexAttr(inputs)};
    for (int64_t size : window.kernel)
      sizes.push_back(builder.getIndexAttr(size));
    llvm::append_range(sizes, positions);
    int64_t perOffset = groups * inputs / op.getOffsetGroup();

    return createFromPositions(
        builder, loc, sizes, type, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          IndexBuilder index(body, loc);
          Scalar scalar(body, op, false);
          auto toFloat = [&](OpFoldResult value) {
            return convertScalar(
                body,
                arith::IndexCastOp::create(body, body.getI64Type(), index.value(value)).getResult(),
                type, false, false);
          };
          ArrayRef<Value> within = position.slice(3, spatialRank),
                          where = position.drop_front(3 + spatialRank);
          OpFoldResult channel =
              index.add(index.multiply(OpFoldResult(position[1]), index.constant(inputs)),
                        OpFoldResult(position[2]));
          // The position within the window as one number, after that of the offset group.
          OpFoldResult number = index.divide(channel, index.constant(perOffset));
          for (auto [here, size] : llvm::zip_equal(within, window.kernel))
            number = index.add(index.multiply(number, index.constant(size)), OpFoldResult(here));
          auto read = [&](Value from, OpFoldResult row) {
            SmallVector<Value> source{position[0], index.value(row)};
            llvm::append_range(source, where);
            return convertScalar(body, tensor::ExtractOp::create(body, from, source), type, false,
                                 false);
          };
          Sampler sampler(scalar, Interpolation::Linear, Outside::Zeros, false);
          SmallVector<Taps> taps;
          for (int64_t dim = 0; dim < spatialRank; ++dim) {
            OpFoldResult at =
                index.multiply(OpFoldResult(where[dim]), index.constant(window.strides[dim]));
            at = index.add(at, index.multiply(OpFoldResult(within[dim]),
                                              index.constant(window.dilations[dim])));
            at = index.subtract(at, index.constant(window.pads[dim]));
            OpFoldResult row =
                index.add(index.multiply(number, index.constant(spatialRank)), index.constant(dim));
            Value moved = scalar.add(toFloat(at), read(adaptor.getOffset(), row));
            taps.push_back(sampler.getTaps(moved, toFloat(getDim(body, loc, input, dim + 2))));
          }
          Value element =
              interpolate(scalar, input, {position[0], index.value(channel)}, taps, type);
          if (onnx::isAbsent(adaptor.getMask()))
            return element;
          return scalar.multiply(element, read(adaptor.getMask(), number));
        });
  }

  static Value contract(OpBuilder &builder, Location loc, Value weights, Value columns, Value init,
                        int64_t spatialRank) {
    // Loops: N, group, output, position..., input, k...
    MLIRContext *context = builder.getContext();
    SmallVector<AffineExpr> ofInit, ofWeights, ofColumns;
    auto dim = [&](int64_t position) { return getAffineDimExpr(position, context); };
    int64_t first = 3 + spatialRank, count = first + 1 + spatialRank;
    for (int64_t i = 0; i < first; ++i)
      ofInit.push_back(dim(i));
    ofWeights = {dim(1), dim(2)};
    ofColumns = {dim(0), dim(1)};
    for (int64_t i = first; i < count; ++i) {
      ofWeights.push_back(dim(i));
      ofColumns.push_back(dim(i));
    }
    for (int64_t i = 3; i < first; ++i)
      ofColumns.push_back(dim(i));
    SmallVector<AffineMap> maps{AffineMap::get(count, 0, ofWeights, context),
                                AffineMap::get(count, 0, ofColumns, context),
                                AffineMap::get(count, 0, ofInit, context)};
    SmallVector<utils::IteratorType> iterators(first, utils::IteratorType::parallel);
    iterators.append(1 + spatialRank, utils::IteratorType::reduction);
    return linalg::GenericOp::create(
               builder, loc, init.getType(), ValueRange{weights, columns}, init, maps, iterators,
               [](OpBuilder &inner, Location loc, ValueRange x) {
                 Value product = arith::MulFOp::create(inner, loc, x[0], x[1]);
                 Value sum = arith::AddFOp::create(inner, loc, x[2], product);
                 linalg::YieldOp::create(inner, loc, sum);
               })
        .getResult(0);
  }
};

} // namespace

void lower::populateDeformableConvolutionPatterns(const TypeConverter &converter,
                                                  RewritePatternSet &patterns) {
  patterns.add<DeformConvLowering>(converter, patterns.getContext());
}
