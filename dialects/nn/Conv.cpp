// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Conv.cpp - nn.conv -------------------------------------------------===//
//
// The decomposition is one contraction whose maps hold strides and dilations; the
// input is padded before it, so that its body has no condition.
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Window.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon::nn;
using namespace tenon::nn::detail;

SmallVector<int64_t> ConvOp::inferResultShape(Layout layout, RankedTensorType input,
                                              RankedTensorType filter, ArrayRef<int64_t> strides,
                                              ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads) {
  SmallVector<int64_t> shape{input.getDimSize(0)};
  int64_t spatialRank = input.getRank() - 2;
  for (int64_t dim = 0; dim < spatialRank; ++dim)
    shape.push_back(countWindows(input.getDimSize(dim + (layout == Layout::ChannelsLast ? 1 : 2)),
                                 filter.getDimSize(dim + 2), strides[dim], dilations[dim],
                                 pads[dim] + pads[dim + spatialRank]));
  shape.insert(layout == Layout::ChannelsLast ? shape.end() : shape.begin() + 1,
               filter.getDimSize(0));
  return shape;
}

void ConvOp::build(OpBuilder &builder, OperationState &state, Layout layout, Value input,
                   Value filter, ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                   ArrayRef<int64_t> pads, int64_t groups) {
  auto inputType = cast<RankedTensorType>(input.getType());
  auto type = inputType.clone(inferResultShape(
      layout, inputType, cast<RankedTensorType>(filter.getType()), strides, dilations, pads));
  build(builder, state, type, layout, input, filter, strides, dilations, pads, groups);
}

LogicalResult ConvOp::verify() {
  RankedTensorType input = getInput().getType(), filter = getFilter().getType(), result = getType();
  if (failed(verifyWindow(*this, input, getStrides(), getDilations(), getPads())) ||
      failed(verifyFilter(*this, input, filter, getGroups())))
    return failure();
  int64_t groups = getGroups(), channels = input.getDimSize(getChannelPosition());
  int64_t channelsPerGroup = filter.getDimSize(1), outputs = filter.getDimSize(0);
  if (groups > 1) {
    if (ShapedType::isDynamicShape({channels, channelsPerGroup, outputs}))
      return emitOpError("with groups needs static channels, found input ")
             << input << " and filter " << filter;
    if (outputs % groups != 0)
      return emitOpError("cannot divide the filter's ")
             << outputs << " output channels into " << groups << " groups";
  }
  if (failed(verifyCompatibleShape({channels}, {ShapedType::isDynamic(channelsPerGroup)
                                                    ? channelsPerGroup
                                                    : channelsPerGroup * groups})))
    return emitOpError("has ") << channels << " input channels, but the filter has "
                               << channelsPerGroup << " in " << groups << " groups";
  Type element = input.getElementType(), resultElement = result.getElementType();
  if (filter.getElementType() != element)
    return emitOpError("needs input and filter of one element type, found ")
           << element << " and " << filter.getElementType();
  bool wider = isa<IntegerType>(element) && isa<IntegerType>(resultElement) &&
               resultElement.getIntOrFloatBitWidth() >= element.getIntOrFloatBitWidth();
  if (resultElement != element && !wider)
    return emitOpError("cannot have elements ") << resultElement << " from operands of " << element;
  return verifyShape(
      *this, result,
      inferResultShape(getLayout(), input, filter, getStrides(), getDilations(), getPads()));
}

LogicalResult ConvOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyShape(b, getLoc(), getType(), [&](int64_t position) {
    if (position == 0)
      return tensor::getMixedSize(b, getLoc(), getInput(), 0);
    if (position == getChannelPosition())
      return tensor::getMixedSize(b, getLoc(), getFilter(), 0);
    int64_t dim = position - getSpatialPosition(0);
    return mapSize(b, getLoc(), getInput(), position, [&](AffineExpr size) {
      int64_t extent = getDilations()[dim] * (getKernel(dim) - 1) + 1;
      return (size + getPadsBegin()[dim] + getPadsEnd()[dim] - extent).floorDiv(getStrides()[dim]) +
             1;
    });
  }));
  return success();
}

bool ConvOp::isDepthwise() {
  RankedTensorType filter = getFilter().getType();
  return filter.getDimSize(1) == 1 && filter.getDimSize(0) == static_cast<int64_t>(getGroups());
}

FailureOr<SmallVector<Value>> ConvOp::decomposeOperation(OpBuilder &b) {
  Location loc = getLoc();
  int64_t spatialRank = getSpatialRank(), groups = getGroups();
  bool depthwise = isDepthwise(), grouped = groups > 1 && !depthwise;

  Value zero = createConstant(b, loc, getInput().getType().getElementType(), 0);
  Value input =
      padDimensions(b, loc, getInput(), getSpatialPosition(0), getPadsBegin(), getPadsEnd(), zero);
  Value filter = getFilter();
  if (depthwise)
    filter = joinDimensions(b, loc, filter, 0);
  if (grouped) {
    input = splitDimension(b, loc, input, getChannelPosition(), groups);
    filter = splitDimension(b, loc, filter, 0, groups);
  }

  // The loops, in the order of the result's dimensions and then of the sums: the innermost of each
  // are the fastest in memory. A depthwise convolution has one loop over channels, a grouped one
  // has two over output channels.
  unsigned loopCount = 0;
  auto loops = [&](int64_t count) {
    SmallVector<AffineExpr> exprs;
    while (count-- > 0)
      exprs.push_back(b.getAffineDimExpr(loopCount++));
    return exprs;
  };
  SmallVector<AffineExpr> batch = loops(1), spatial, group, output, channel, window;
  auto channelLoops = [&] {
    group = loops(grouped || depthwise);
    output = loops(!depthwise);
  };
  if (isChannelsLast()) {
    spatial = loops(spatialRank);
    channelLoops();
    window = loops(spatialRank);
    channel = loops(!depthwise);
  } else {
    channelLoops();
    spatial = loops(spatialRank);
    channel = loops(!depthwise);
    window = loops(spatialRank);
  }
  SmallVector<AffineExpr> read;
  for (int64_t dim = 0; dim < spatialRank; ++dim)
    read.push_back(spatial[dim] * getStrides()[dim] + window[dim] * getDilations()[dim]);

  auto concat = [](std::initializer_list<ArrayRef<AffineExpr>> parts) {
    SmallVector<AffineExpr> exprs;
    for (ArrayRef<AffineExpr> part : parts)
      llvm::append_range(exprs, part);
    return exprs;
  };
  bool last = isChannelsLast();
  SmallVector<SmallVector<AffineExpr>> exprs = {
      last ? concat({batch, read, group, channel}) : concat({batch, group, channel, read}),
      concat({group, output, channel, window}),
      last ? concat({batch, spatial, group, output}) : concat({batch, group, output, spatial})};
  SmallVector<AffineMap> maps;
  for (ArrayRef<AffineExpr> results : exprs)
    maps.push_back(AffineMap::get(loopCount, 0, results, b.getContext()));

  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes)))
    return failure();
  SmallVector<OpFoldResult> sizes = shapes[0];
  if (grouped) {
    int64_t position = getChannelPosition();
    sizes[position] = b.getIndexAttr(getType().getDimSize(position) / groups);
    sizes.insert(sizes.begin() + position, b.getIndexAttr(groups));
  }
  Value result = createContraction(b, loc, input, filter, sizes, getType().getElementType(), maps);
  if (grouped)
    result = joinDimensions(b, loc, result, getChannelPosition());
  return SmallVector<Value>{result};
}
