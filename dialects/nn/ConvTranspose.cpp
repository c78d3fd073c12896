// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ConvTranspose.cpp - nn.conv_transpose ------------------------------===//
//
// Two decompositions. Where the kernel tiles the result (kernel = stride, the usual
// upsampling layer), every element of the result has one source: a contraction
// into [.., in, kernel, ..] whose pairs of dimensions are then joined. Otherwise the
// input is spread out over zeros, and a convolution with the mirrored kernel
// gathers from it; unlike scattering, that writes each element of the result once.
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Window.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon::nn;
using namespace tenon::nn::detail;

// What is added to stride * (in - 1) to get the size of the result.
static int64_t getConstantExtent(int64_t kernel, int64_t dilation, int64_t pads,
                                 int64_t outputPad) {
  return outputPad + dilation * (kernel - 1) + 1 - pads;
}

SmallVector<int64_t>
ConvTransposeOp::inferResultShape(Layout layout, RankedTensorType input, RankedTensorType filter,
                                  ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                                  ArrayRef<int64_t> pads, ArrayRef<int64_t> outputPads,
                                  int64_t groups) {
  SmallVector<int64_t> shape{input.getDimSize(0)};
  int64_t spatialRank = input.getRank() - 2;
  for (int64_t dim = 0; dim < spatialRank; ++dim) {
    int64_t size = input.getDimSize(dim + (layout == Layout::ChannelsLast ? 1 : 2)),
            kernel = filter.getDimSize(dim + 2);
    bool dynamic = ShapedType::isDynamicShape({size, kernel});
    shape.push_back(dynamic ? ShapedType::kDynamic
                            : strides[dim] * (size - 1) +
                                  getConstantExtent(kernel, dilations[dim],
                                                    pads[dim] + pads[dim + spatialRank],
                                                    outputPads[dim]));
  }
  int64_t channels = filter.getDimSize(1);
  shape.insert(layout == Layout::ChannelsLast ? shape.end() : shape.begin() + 1,
               ShapedType::isDynamic(channels) ? channels : channels * groups);
  return shape;
}

void ConvTransposeOp::build(OpBuilder &builder, OperationState &state, Layout layout, Value input,
                            Value filter, ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                            ArrayRef<int64_t> pads, ArrayRef<int64_t> outputPads, int64_t groups) {
  auto inputType = cast<RankedTensorType>(input.getType());
  auto type =
      inputType.clone(inferResultShape(layout, inputType, cast<RankedTensorType>(filter.getType()),
                                       strides, dilations, pads, outputPads, groups));
  build(builder, state, type, layout, input, filter, strides, dilations, pads, outputPads, groups);
}

LogicalResult ConvTransposeOp::verify() {
  RankedTensorType input = getInput().getType(), filter = getFilter().getType();
  if (failed(verifyWindow(*this, input, getStrides(), getDilations(), getPads())) ||
      failed(verifyFilter(*this, input, filter, getGroups())))
    return failure();
  if (static_cast<int64_t>(getOutputPads().size()) != getSpatialRank() ||
      llvm::any_of(getOutputPads(), [](int64_t pad) { return pad < 0; }))
    return emitOpError("needs ") << getSpatialRank() << " output_pads of at least 0";
  int64_t channels = input.getDimSize(getChannelPosition()), groups = getGroups();
  if (failed(verifyCompatibleShape({channels}, {filter.getDimSize(0)})))
    return emitOpError("has ") << channels << " input channels, but the filter has "
                               << filter.getDimSize(0);
  if (groups > 1) {
    if (ShapedType::isDynamicShape({channels, filter.getDimSize(0), filter.getDimSize(1)}))
      return emitOpError("with groups needs static channels, found input ")
             << input << " and filter " << filter;
    if (channels % groups != 0)
      return emitOpError("cannot divide ")
             << channels << " input channels into " << groups << " groups";
  }
  if (filter.getElementType() != input.getElementType() ||
      getType().getElementType() != input.getElementType())
    return emitOpError("needs input, filter and result of one element type, found ")
           << input.getElementType() << ", " << filter.getElementType() << " and "
           << getType().getElementType();
  SmallVector<int64_t> shape = inferResultShape(getLayout(), input, filter, getStrides(),
                                                getDilations(), getPads(), getOutputPads(), groups);
  for (int64_t size : shape)
    if (!ShapedType::isDynamic(size) && size < 0)
      return emitOpError("pads more than the result has");
  return verifyShape(*this, getType(), shape);
}

LogicalResult ConvTransposeOp::reifyResultShapes(OpBuilder &b,
                                                 ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyShape(b, getLoc(), getType(), [&](int64_t position) {
    if (position == 0)
      return tensor::getMixedSize(b, getLoc(), getInput(), 0);
    if (position == getChannelPosition())
      return mapSize(b, getLoc(), getFilter(), 1,
                     [&](AffineExpr size) { return size * getGroups(); });
    int64_t dim = position - getSpatialPosition(0);
    return mapSize(b, getLoc(), getInput(), position, [&](AffineExpr size) {
      return (size - 1) * getStrides()[dim] +
             getConstantExtent(getKernel(dim), getDilations()[dim],
                               getPadsBegin()[dim] + getPadsEnd()[dim], getOutputPads()[dim]);
    });
  }));
  return success();
}

// The input with stride - 1 zeros between elements of each spatial dimension, and borders such that
// a window of the dilated kernel fits as often as the result has elements.
static Value spreadInput(OpBuilder &b, ConvTransposeOp op) {
  Location loc = op.getLoc();
  Value input = op.getInput();
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<OpFoldResult> inputSizes = tensor::getMixedSizes(b, loc, input);
  SmallVector<OpFoldResult> spreadSizes = inputSizes, offsets(type.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> cropOffsets = offsets, cropSizes = inputSizes;
  SmallVector<OpFoldResult> ones(type.getRank(), b.getIndexAttr(1)), strides = ones;
  bool cropped = false;
  for (int64_t dim = 0; dim < op.getSpatialRank(); ++dim) {
    int64_t position = op.getSpatialPosition(dim),
            reach = op.getDilations()[dim] * (op.getKernel(dim) - 1);
    int64_t low = reach - op.getPadsBegin()[dim],
            high = reach - op.getPadsEnd()[dim] + op.getOutputPads()[dim];
    // A negative border is cut off afterwards.
    cropped |= low < 0 || high < 0;
    auto sizeWith = [&](int64_t border) {
      return mapSize(b, loc, input, position, [&](AffineExpr size) {
        return (size - 1) * op.getStrides()[dim] + 1 + border;
      });
    };
    spreadSizes[position] = sizeWith(std::max<int64_t>(low, 0) + std::max<int64_t>(high, 0));
    cropSizes[position] = sizeWith(low + high);
    offsets[position] = b.getIndexAttr(std::max<int64_t>(low, 0));
    cropOffsets[position] = b.getIndexAttr(std::max<int64_t>(-low, 0));
    strides[position] = b.getIndexAttr(op.getStrides()[dim]);
  }
  Value zeros = createFilled(b, loc, spreadSizes, createConstant(b, loc, type.getElementType(), 0));
  Value spread = tensor::InsertSliceOp::create(b, loc, input, zeros, offsets, inputSizes, strides);
  if (!cropped)
    return spread;
  return tensor::ExtractSliceOp::create(b, loc, spread, cropOffsets, cropSizes, ones);
}

FailureOr<SmallVector<Value>> ConvTransposeOp::decomposeOperation(OpBuilder &b) {
  Location loc = getLoc();
  MLIRContext *context = b.getContext();
  int64_t spatialRank = getSpatialRank(), groups = getGroups(),
          channelPosition = getChannelPosition();
  bool tiles = !hasPads() && llvm::all_of(llvm::seq(spatialRank), [&](int64_t dim) {
    return getDilations()[dim] == 1 && getOutputPads()[dim] == 0 &&
           getKernel(dim) == getStrides()[dim];
  });

  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes)))
    return failure();
  SmallVector<OpFoldResult> resultSizes = shapes[0];
  Value input = tiles ? getInput() : spreadInput(b, *this), filter = getFilter();

  // Loops in this order: batch, spatial, group, output channel | input channel, kernel. The
  // channels are always split into [groups, channels per group] here and joined at the end; a
  // single group is split off as a unit dimension only where there are more.
  bool grouped = groups > 1;
  if (grouped) {
    input = splitDimension(b, loc, input, channelPosition, groups);
    filter = splitDimension(b, loc, filter, 0, groups);
    resultSizes[channelPosition] = b.getIndexAttr(getType().getDimSize(channelPosition) / groups);
    resultSizes.insert(resultSizes.begin() + channelPosition, b.getIndexAttr(groups));
  }
  unsigned loopCount = 0;
  auto loops = [&](int64_t count) {
    SmallVector<AffineExpr> exprs;
    while (count-- > 0)
      exprs.push_back(getAffineDimExpr(loopCount++, context));
    return exprs;
  };
  SmallVector<AffineExpr> batch = loops(1), spatial = loops(spatialRank), window, group, output,
                          channel;
  if (tiles)
    window = loops(spatialRank);
  group = loops(grouped);
  output = loops(1);
  channel = loops(1);
  if (!tiles)
    window = loops(spatialRank);

  SmallVector<AffineExpr> read = spatial, written;
  SmallVector<OpFoldResult> writtenSizes;
  for (int64_t dim = 0; dim < spatialRank; ++dim) {
    written.push_back(spatial[dim]);
    if (tiles) {
      written.push_back(window[dim]);
      writtenSizes.push_back(tensor::getMixedSize(b, loc, getInput(), getSpatialPosition(dim)));
      writtenSizes.push_back(b.getIndexAttr(getKernel(dim)));
    } else {
      // The mirrored kernel: its last element meets the first of the window.
      int64_t dilation = getDilations()[dim];
      read[dim] = spatial[dim] + dilation * (getKernel(dim) - 1) - window[dim] * dilation;
      writtenSizes.push_back(resultSizes[(isChannelsLast() ? 1 : 2 + grouped) + dim]);
    }
  }
  auto concat = [](std::initializer_list<ArrayRef<AffineExpr>> parts) {
    SmallVector<AffineExpr> exprs;
    for (ArrayRef<AffineExpr> part : parts)
      llvm::append_range(exprs, part);
    return exprs;
  };
  auto arrange = [&](ArrayRef<AffineExpr> channels, ArrayRef<AffineExpr> positions) {
    return isChannelsLast() ? concat({batch, positions, channels})
                            : concat({batch, channels, positions});
  };
  SmallVector<AffineMap> maps;
  for (ArrayRef<AffineExpr> exprs :
       {arrange(concat({group, channel}), read), concat({group, channel, output, window}),
        arrange(concat({group, output}), written)})
    maps.push_back(AffineMap::get(loopCount, 0, exprs, context));
  ArrayRef<OpFoldResult> channelSizes = ArrayRef(resultSizes).slice(channelPosition, 1 + grouped);
  SmallVector<OpFoldResult> sizes{resultSizes[0]};
  sizes.append(isChannelsLast() ? writtenSizes : SmallVector<OpFoldResult>(channelSizes));
  sizes.append(isChannelsLast() ? SmallVector<OpFoldResult>(channelSizes) : writtenSizes);

  Value result = createContraction(b, loc, input, filter, sizes, getType().getElementType(), maps);
  for (int64_t dim = 0; tiles && dim < spatialRank; ++dim)
    result = joinDimensions(b, loc, result, (isChannelsLast() ? 1 : 2 + grouped) + dim);
  if (grouped)
    result = joinDimensions(b, loc, result, channelPosition);
  return SmallVector<Value>{result};
}
