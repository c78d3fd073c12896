// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conv, ConvTranspose and ConvInteger. The bias is added by an elementwise operation after the
// convolution: whoever fuses elementwise operations into convolutions fuses the bias too.

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
  if (ShapedType::isDynamicShape(kernel))
    return refuse(rewriter, op,
                  "a kernel whose size is known at run time only is not supported by lowering");
  if (kernelShape && ArrayRef(kernel) != *kernelShape)
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
  if (ShapedType::isDynamicShape({channels, filterType.getDimSize(0), filterType.getDimSize(1)}))
    return refuse(rewriter, op,
                  "groups of channels whose number is known at run time only are not "
                  "supported by lowering");
  if (filterType.getDimSize(0) % groups != 0)
    return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
      diagnostic << filterType.getDimSize(0) << " channels cannot be divided into " << groups
                 << " groups";
    });
  return success();
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
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
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
    FailureOr<Window> window =
        resolveWindow(rewriter, op, input,
                      {op.getAutoPad(), *kernel, op.getStrides(), op.getDilations(), op.getPads()});
    if (failed(window))
      return failure();
    Location loc = op.getLoc();
    input = subtractZeroPoint(rewriter, loc, input, adaptor.getXZeroPoint(),
                              isUnsigned(op.getX().getType()),
                              /*channelDim=*/1);
    filter = subtractZeroPoint(rewriter, loc, filter, adaptor.getWZeroPoint(),
                               isUnsigned(op.getW().getType()),
                               /*channelDim=*/0);
    input = applyDynamicPads(rewriter, loc, input, *window);
    Value result =
        nn::ConvOp::create(rewriter, loc, nn::Layout::ChannelsFirst, input, filter, window->strides,
                           window->dilations, window->pads, op.getGroup());
    rewriter.replaceOp(
        op, castTo(rewriter, loc, result, getTypeConverter()->convertType(op.getY().getType())));
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
    // `auto_pad` is about the output here, so only the rest is resolved in common.
    StringRef autoPad = op.getAutoPad();
    bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
    FailureOr<Window> window = resolveWindow(
        rewriter, op, input,
        {isSame ? "NOTSET" : autoPad, *kernel, op.getStrides(), op.getDilations(), op.getPads()});
    if (failed(window))
      return failure();
    int64_t spatialRank = kernel->size();
    SmallVector<int64_t> outputPads(spatialRank, 0);
    if (op.getOutputPadding())
      outputPads = SmallVector<int64_t>(*op.getOutputPadding());
    if (static_cast<int64_t>(outputPads.size()) != spatialRank ||
        llvm::any_of(outputPads, [](int64_t pad) { return pad < 0; }))
      return refuse(rewriter, op,
                    "output_padding needs one element of at least 0 per spatial dimension");
    if (op.getOutputShape() || isSame)
      if (failed(resolveOutputShape(rewriter, op, input, autoPad, *window, outputPads)))
        return failure();

    Location loc = op.getLoc();
    Value result = nn::ConvTransposeOp::create(rewriter, loc, nn::Layout::ChannelsFirst, input,
                                               filter, window->strides, window->dilations,
                                               window->pads, outputPads, op.getGroup());
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    rewriter.replaceOp(op, addBias(rewriter, loc, result, adaptor.getB(), resultType));
    return success();
  }

private:
  // Pads such that the output has the size asked for: `output_shape`, or the input's times the
  // stride. What is too much is cut off on both sides, the odd one at the end for SAME_UPPER and
  // else at the beginning, and what is missing is added at the end.
  static LogicalResult resolveOutputShape(ConversionPatternRewriter &rewriter,
                                          onnx::ConvTransposeOp op, Value input, StringRef autoPad,
                                          Window &window, SmallVectorImpl<int64_t> &outputPads) {
    auto type = cast<RankedTensorType>(input.getType());
    int64_t spatialRank = window.kernel.size();
    std::optional<ArrayRef<int64_t>> shape = op.getOutputShape();
    if (shape && static_cast<int64_t>(shape->size()) != spatialRank &&
        static_cast<int64_t>(shape->size()) != spatialRank + 2)
      return refuse(rewriter, op, "output_shape needs one element per spatial dimension");
    for (int64_t dim = 0; dim < spatialRank; ++dim) {
      int64_t stride = window.strides[dim], size = type.getDimSize(dim + 2);
      // How much larger the output is without pads than asked for. With SAME, the input's size
      // cancels out.
      int64_t excess = outputPads[dim] + window.getExtent(dim) - stride;
      if (shape) {
        if (ShapedType::isDynamic(size))
          return refuse(rewriter, op,
                        "output_shape for a size that is known at run time only is not "
                        "supported by lowering");
        excess += stride * size - shape->take_back(spatialRank)[dim];
      }
      if (excess < 0) {
        outputPads[dim] -= excess;
        excess = 0;
      }
      int64_t less = excess / 2, more = excess - less;
      window.pads[dim] = autoPad == "SAME_UPPER" ? less : more;
      window.pads[dim + spatialRank] = autoPad == "SAME_UPPER" ? more : less;
    }
    return success();
  }
};

} // namespace

void lower::populateConvolutionPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<ConvLowering, ConvIntegerLowering, ConvTransposeLowering>(converter,
                                                                         patterns.getContext());
}
