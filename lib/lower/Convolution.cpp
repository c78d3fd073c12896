// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conv, ConvTranspose and ConvInteger. The bias is added by an elementwise operation after the
// convolution: whoever fuses elementwise operations into convolutions fuses the bias too.

#include "lib/lower/DirectConvolution.h"
#include "lib/lower/Patterns.h"
#include "lib/lower/Spatial.h"

#include "dialects/nn/Nn.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

/// The kernel's sizes: `kernel_shape`, checked against the filter's type, or that type's own.
static FailureOr<SmallVector<int64_t>> getKernel(ConversionPatternRewriter &rewriter, Operation *op,
                                                 Value input, Value filter,
                                                 std::optional<ArrayRef<int64_t>> kernelShape) {
  auto type = cast<RankedTensorType>(filter.getType());
  if (type.getRank() != getRank(input) || type.getRank() < 3)
    return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
      diagnostic << "input " << input.getType() << " and filter " << type
                 << " need one rank of at least 3";
    });
  SmallVector<int64_t> kernel(type.getShape().drop_front(2));
  if (kernelShape && failed(verifyCompatibleShape(kernel, *kernelShape)))
    return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
      diagnostic << "kernel_shape does not agree with the filter's type " << type;
    });
  return kernel;
}

/// Why channels and groups do not fit, if they do not. `inputChannels` is the filter's dimension
/// that is the input's channels, of one group or of all as `perGroup` says.
static LogicalResult checkChannels(ConversionPatternRewriter &rewriter, Operation *op, Value input,
                                   Value filter, int64_t groups, unsigned inputChannels,
                                   bool perGroup) {
  auto inputType = cast<RankedTensorType>(input.getType()),
       filterType = cast<RankedTensorType>(filter.getType());
  int64_t channels = inputType.getDimSize(1), expected = filterType.getDimSize(inputChannels);
  if (groups < 1)
    return refuse(rewriter, op, "group is not positive");
  if (perGroup && !ShapedType::isDynamic(expected))
    expected *= groups;
  if (failed(verifyCompatibleShape(ArrayRef(channels), ArrayRef(expected))))
    return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
      diagnostic << "the input has " << channels << " channels, but the filter is for " << expected;
    });
  if (groups == 1)
    return success();
  if (!filterType.isDynamicDim(0) && filterType.getDimSize(0) % groups != 0)
    return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
      diagnostic << filterType.getDimSize(0) << " channels cannot be divided into " << groups
                 << " groups";
    });
  return success();
}

static bool isSamePad(StringRef autoPad) {
  return autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
}

/// Whether sizes are not known that nn.conv and nn.conv_transpose need.
static bool isDirect(Value input, Value filter, int64_t groups) {
  auto inputType = cast<RankedTensorType>(input.getType()),
       filterType = cast<RankedTensorType>(filter.getType());
  return ShapedType::isDynamicShape(filterType.getShape().drop_front(2)) ||
         (groups > 1 &&
          ShapedType::isDynamicShape(
              {inputType.getDimSize(1), filterType.getDimSize(0), filterType.getDimSize(1)}));
}

/// The convolution of `op`, without what SAME pads. Makes no operations.
template <typename Op>
static FailureOr<DirectConvolution> getDirect(ConversionPatternRewriter &rewriter, Op op,
                                              Value input, Value filter) {
  StringRef autoPad = isSamePad(op.getAutoPad()) ? "NOTSET" : op.getAutoPad();
  int64_t spatialRank = getRank(input) - 2;
  // Of any kernel: its size is in none of these.
  SmallVector<int64_t> kernel(spatialRank, 1);
  FailureOr<Window> window = resolveWindow(
      rewriter, op, input, {autoPad, kernel, op.getStrides(), op.getDilations(), op.getPads()});
  if (failed(window))
    return failure();
  DirectConvolution direct{input, filter, window->strides, window->dilations, {}, {}, 1};
  direct.groups = op.getGroup();
  for (int64_t dim = 0; dim < spatialRank; ++dim) {
    direct.padsBegin.push_back(rewriter.getIndexAttr(window->pads[dim]));
    direct.padsEnd.push_back(rewriter.getIndexAttr(window->pads[dim + spatialRank]));
  }
  return direct;
}

/// A Conv or ConvInteger.
static Value convolveDirectly(OpBuilder &builder, Location loc, DirectConvolution direct,
                              StringRef autoPad) {
  if (isSamePad(autoPad))
    direct.padSame(builder, loc, autoPad == "SAME_UPPER");
  return direct.create(builder, loc);
}

/// Pads that are computed at run time become a tensor.pad with zeros.
static Value applyDynamicPads(OpBuilder &builder, Location loc, Value input, const Window &window) {
  if (window.dynamicPads.empty())
    return input;
  return padSpatially(builder, loc, input, window.dynamicPads,
                      createScalar(builder, loc, getElementType(input), 0));
}

static Value addBias(OpBuilder &builder, Location loc, Value convolution, Value bias,
                     RankedTensorType resultType) {
  if (onnx::isAbsent(bias))
    return castTo(builder, loc, convolution, resultType);
  return createChannelwise(builder, loc, convolution, bias, resultType,
                           [](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
                             return arith::AddFOp::create(builder, elements[0], elements[1]);
                           });
}

namespace {

struct ConvLowering : OpConversionPattern<onnx::ConvOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ConvOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getX(), filter = adaptor.getW();
    FailureOr<SmallVector<int64_t>> kernel =
        getKernel(rewriter, op, input, filter, op.getKernelShape());
    if (failed(kernel) ||
        failed(checkChannels(rewriter, op, input, filter, op.getGroup(), 1, /*perGroup=*/true)))
      return failure();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    if (isDirect(input, filter, op.getGroup())) {
      FailureOr<DirectConvolution> direct = getDirect(rewriter, op, input, filter);
      if (failed(direct))
        return failure();
      Value result = convolveDirectly(rewriter, op.getLoc(), *direct, op.getAutoPad());
      rewriter.replaceOp(op, addBias(rewriter, op.getLoc(), result, adaptor.getB(), resultType));
      return success();
    }
    FailureOr<Window> window =
        resolveWindow(rewriter, op, input,
                      {op.getAutoPad(), *kernel, op.getStrides(), op.getDilations(), op.getPads()});
    if (failed(window))
      return failure();
    Location loc = op.getLoc();
    input = applyDynamicPads(rewriter, loc, input, *window);
    Value result =
        nn::ConvOp::create(rewriter, loc, nn::Layout::ChannelsFirst, input, filter, window->strides,
                           window->dilations, window->pads, op.getGroup());
    rewriter.replaceOp(op, addBias(rewriter, loc, result, adaptor.getB(), resultType));
    return success();
  }
};

/// ConvInteger: the zero points are subtracted first, so that padding is zero. That makes the
/// operands 32 bits wide; a target that multiplies bytes claims the operation before it is lowered.
struct ConvIntegerLowering : OpConversionPattern<onnx::ConvIntegerOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ConvIntegerOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getX(), filter = adaptor.getW();
    FailureOr<SmallVector<int64_t>> kernel =
        getKernel(rewriter, op, input, filter, op.getKernelShape());
    if (failed(kernel) ||
        failed(checkChannels(rewriter, op, input, filter, op.getGroup(), 1, /*perGroup=*/true)))
      return failure();
    Location loc = op.getLoc();
    auto resultType = getTypeConverter()->convertType(op.getY().getType());
    auto subtractZeroPoints = [&] {
      input = subtractZeroPoint(rewriter, loc, input, adaptor.getXZeroPoint(),
                                isUnsigned(op.getX().getType()), /*channelDim=*/1);
      filter = subtractZeroPoint(rewriter, loc, filter, adaptor.getWZeroPoint(),
                                 isUnsigned(op.getW().getType()), /*channelDim=*/0);
    };
    if (isDirect(input, filter, op.getGroup())) {
      FailureOr<DirectConvolution> direct = getDirect(rewriter, op, input, filter);
      if (failed(direct))
        return failure();
      subtractZeroPoints();
      direct->input = input;
      direct->filter = filter;
      Value result = convolveDirectly(rewriter, loc, *direct, op.getAutoPad());
      rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
      return success();
    }
    FailureOr<Window> window =
        resolveWindow(rewriter, op, input,
                      {op.getAutoPad(), *kernel, op.getStrides(), op.getDilations(), op.getPads()});
    if (failed(window))
      return failure();
    subtractZeroPoints();
    input = applyDynamicPads(rewriter, loc, input, *window);
    Value result =
        nn::ConvOp::create(rewriter, loc, nn::Layout::ChannelsFirst, input, filter, window->strides,
                           window->dilations, window->pads, op.getGroup());
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }

private:
  // A zero point is a scalar or has one element per channel.
  static Value subtractZeroPoint(OpBuilder &builder, Location loc, Value tensor, Value zeroPoint,
                                 bool isUnsigned, int64_t channelDim) {
    auto type = cast<RankedTensorType>(tensor.getType()).clone(builder.getI32Type());
    SmallVector<Value> inputs{tensor};
    if (!onnx::isAbsent(zeroPoint)) {
      if (getRank(zeroPoint) == 1) {
        SmallVector<int64_t> trailing =
            llvm::to_vector(llvm::seq<int64_t>(1, type.getRank() - channelDim));
        zeroPoint = addUnitDims(builder, loc, zeroPoint, trailing);
      }
      inputs.push_back(zeroPoint);
    }
    return createElementwise(
        builder, loc, inputs, type, [&](ImplicitLocOpBuilder &builder, ValueRange elements) {
          Value value =
              convertScalar(builder, elements[0], builder.getI32Type(), isUnsigned, false);
          if (elements.size() == 1)
            return value;
          Value zero = convertScalar(builder, elements[1], builder.getI32Type(), isUnsigned, false);
          return arith::SubIOp::create(builder, value, zero).getResult();
        });
  }
};

struct ConvTransposeLowering : OpConversionPattern<onnx::ConvTransposeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ConvTransposeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getX(), filter = adaptor.getW();
    FailureOr<SmallVector<int64_t>> kernel =
        getKernel(rewriter, op, input, filter, op.getKernelShape());
    if (failed(kernel) ||
        failed(checkChannels(rewriter, op, input, filter, op.getGroup(), 0, /*perGroup=*/false)))
      return failure();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    if (isDirect(input, filter, op.getGroup()) || isCutToSize(op, input)) {
      FailureOr<Value> direct = transposeDirectly(rewriter, op, input, filter);
      if (failed(direct))
        return failure();
      rewriter.replaceOp(op, addBias(rewriter, op.getLoc(), *direct, adaptor.getB(), resultType));
      return success();
    }
    // `auto_pad` is about the output here, so only the rest is resolved in common.
    StringRef autoPad = op.getAutoPad();
    bool isSame = isSamePad(autoPad);
    FailureOr<Window> window = resolveWindow(
        rewriter, op, input,
        {isSame ? "NOTSET" : autoPad, *kernel, op.getStrides(), op.getDilations(), op.getPads()});
    if (failed(window))
      return failure();
    FailureOr<SmallVector<int64_t>> outputPads = getOutputPads(rewriter, op, kernel->size());
    if (failed(outputPads) || failed(checkOutputShape(rewriter, op, kernel->size())))
      return failure();
    if (op.getOutputShape() || isSame)
      resolveOutputShape(op, input, autoPad, *window, *outputPads);

    Location loc = op.getLoc();
    Value result = nn::ConvTransposeOp::create(rewriter, loc, nn::Layout::ChannelsFirst, input,
                                               filter, window->strides, window->dilations,
                                               window->pads, *outputPads, op.getGroup());
    rewriter.replaceOp(op, addBias(rewriter, loc, result, adaptor.getB(), resultType));
    return success();
  }

private:
  static FailureOr<SmallVector<int64_t>> getOutputPads(ConversionPatternRewriter &rewriter,
                                                       onnx::ConvTransposeOp op,
                                                       int64_t spatialRank) {
    SmallVector<int64_t> pads(spatialRank, 0);
    if (op.getOutputPadding())
      pads = SmallVector<int64_t>(*op.getOutputPadding());
    if (static_cast<int64_t>(pads.size()) != spatialRank ||
        llvm::any_of(pads, [](int64_t pad) { return pad < 0; }))
      return refuse(rewriter, op,
                    "output_padding needs one element of at least 0 per spatial dimension");
    return pads;
  }

  static LogicalResult checkOutputShape(ConversionPatternRewriter &rewriter,
                                        onnx::ConvTransposeOp op, int64_t spatialRank) {
    std::optional<ArrayRef<int64_t>> shape = op.getOutputShape();
    if (shape && static_cast<int64_t>(shape->size()) != spatialRank &&
        static_cast<int64_t>(shape->size()) != spatialRank + 2)
      return refuse(rewriter, op, "output_shape needs one element per spatial dimension");
    return success();
  }

  // Whether the pads follow from a size of the input that only the run knows.
  static bool isCutToSize(onnx::ConvTransposeOp op, Value input) {
    auto shape = cast<RankedTensorType>(input.getType()).getShape();
    return op.getOutputShape() && ShapedType::isDynamicShape(shape.drop_front(2));
  }

  static FailureOr<Value> transposeDirectly(ConversionPatternRewriter &rewriter,
                                            onnx::ConvTransposeOp op, Value input, Value filter) {
    Location loc = op.getLoc();
    int64_t spatialRank = getRank(input) - 2;
    StringRef autoPad = op.getAutoPad();
    FailureOr<SmallVector<int64_t>> outputPads = getOutputPads(rewriter, op, spatialRank);
    if (failed(outputPads) || failed(checkOutputShape(rewriter, op, spatialRank)))
      return failure();
    FailureOr<DirectConvolution> direct = getDirect(rewriter, op, input, filter);
    if (failed(direct))
      return failure();
    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim = 0; dim < spatialRank; ++dim)
      sizes.push_back(op.getOutputShape()
                          ? index.constant(op.getOutputShape()->take_back(spatialRank)[dim])
                          : index.multiply(getDim(rewriter, loc, input, dim + 2),
                                           index.constant(direct->strides[dim])));
    if (op.getOutputShape() || isSamePad(autoPad))
      direct->padTo(rewriter, loc, sizes, *outputPads, autoPad == "SAME_UPPER");
    return direct->createTransposed(rewriter, loc, *outputPads);
  }

  // Pads such that the output has the size asked for: `output_shape`, or the input's times the
  // stride. What is too much is cut off on both sides, the odd one at the end for SAME_UPPER and
  // else at the beginning, and what is missing is added at the end.
  static void resolveOutputShape(onnx::ConvTransposeOp op, Value input, StringRef autoPad,
                                 Window &window, SmallVectorImpl<int64_t> &outputPads) {
    auto type = cast<RankedTensorType>(input.getType());
    int64_t spatialRank = window.kernel.size();
    std::optional<ArrayRef<int64_t>> shape = op.getOutputShape();
    for (int64_t dim = 0; dim < spatialRank; ++dim) {
      int64_t stride = window.strides[dim], size = type.getDimSize(dim + 2);
      // How much larger the output is without pads than asked for. With SAME, the input's size
      // cancels out.
      int64_t excess = outputPads[dim] + window.getExtent(dim) - stride;
      if (shape)
        excess += stride * size - shape->take_back(spatialRank)[dim];
      if (excess < 0) {
        outputPads[dim] -= excess;
        excess = 0;
      }
      int64_t less = excess / 2, more = excess - less;
      window.pads[dim] = autoPad == "SAME_UPPER" ? less : more;
      window.pads[dim + spatialRank] = autoPad == "SAME_UPPER" ? more : less;
    }
  }
};

} // namespace

void lower::populateConvolutionPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<ConvLowering, ConvIntegerLowering, ConvTransposeLowering>(converter,
                                                                         patterns.getContext());
}
