// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slice and Split: slices of the tensor dialect, which later phases can do without a copy.
//
// Positions count from the end where they are negative and are limited to the tensor. Reversed
// slices, and those of which only the run knows the axes or steps, read through computed positions.

#include "lib/lower/Lowering.h"
#include "lib/lower/MarkedAxes.h"
#include "lib/lower/Patterns.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

static SmallVector<OpFoldResult> repeat(OpBuilder &builder, int64_t value, size_t count) {
  return SmallVector<OpFoldResult>(count, builder.getIndexAttr(value));
}
/// `sizes.size()` elements in each dimension from `offsets` on.
static Value createSlice(OpBuilder &builder, Location loc, Value source,
                         ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                         ArrayRef<OpFoldResult> strides) {
  if (haveSameSizes(getDims(builder, loc, source), sizes) &&
      llvm::all_of(strides, [](OpFoldResult stride) { return getConstantIntValue(stride) == 1; }))
    return source;
  // An empty slice has its offset just past the end, which the verifier of a static slice refuses.
  SmallVector<OpFoldResult> starts(offsets);
  for (auto [start, size] : llvm::zip_equal(starts, sizes))
    if (getConstantIntValue(size) == 0)
      start = builder.getIndexAttr(0);
  return tensor::ExtractSliceOp::create(builder, loc, source, starts, sizes, strides);
}

namespace {

/// One dimension of a slice.
struct SliceBounds {
  OpFoldResult offset, size;
};

/// A position as Slice counts it (from the end where negative), limited to [low, high].
OpFoldResult clampPosition(IndexBuilder &index, OpFoldResult position, OpFoldResult size,
                           int64_t low, OpFoldResult high) {
  if (std::optional<int64_t> known = getConstantIntValue(position)) {
    // What exporters write for "to the end" and "from the start", where the size is not known.
    if (*known >= std::numeric_limits<int32_t>::max())
      return high;
    if (*known <= std::numeric_limits<int32_t>::min())
      return index.constant(low);
    if (*known == 0 && low == 0)
      return position;
    if (*known < 0)
      return index.maximum(index.add(size, position), index.constant(low));
    return index.minimum(position, high);
  }
  if (!haveSameSize(position, size)) {
    position = index.select(arith::CmpIPredicate::slt, position, index.constant(0),
                            index.add(position, size), position);
    position = index.maximum(position, index.constant(low));
  }
  return index.minimum(position, high);
}

SliceBounds getSliceBounds(IndexBuilder &index, OpFoldResult start, OpFoldResult end, int64_t step,
                           OpFoldResult size) {
  if (step > 0) {
    OpFoldResult first = clampPosition(index, start, size, 0, size);
    OpFoldResult last = clampPosition(index, end, size, 0, size);
    OpFoldResult length = index.subtract(last, first);
    if (getConstantIntValue(first) != 0)
      length = index.maximum(length, index.constant(0));
    return {first, index.divideUp(length, index.constant(step))};
  }
  OpFoldResult highest = index.subtract(size, index.constant(1));
  OpFoldResult first = clampPosition(index, start, size, -1, highest);
  OpFoldResult last = clampPosition(index, end, size, -1, highest);
  OpFoldResult length = index.maximum(index.subtract(first, last), index.constant(0));
  return {first, index.divideUp(length, index.constant(-step))};
}

/// Reads `offset + position * step` in each dimension; steps may be negative.
Value readSteps(OpBuilder &builder, Location loc, Value data, ArrayRef<OpFoldResult> offsets,
                ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> steps) {
  return createFromPositions(
      builder, loc, sizes, getElementType(data),
      [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
        IndexBuilder inner(body, loc);
        SmallVector<Value> source;
        for (auto [dim, here] : llvm::enumerate(position))
          source.push_back(inner.value(inner.add(offsets[dim], inner.multiply(here, steps[dim]))));
        return tensor::ExtractOp::create(body, data, source);
      });
}

struct SliceLowering : OpConversionPattern<onnx::SliceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::SliceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData();
    int64_t rank = getRank(data);
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    auto countType = cast<RankedTensorType>(adaptor.getStarts().getType());
    if (countType.getRank() != 1)
      return refuse(rewriter, op, "starts must be a vector");
    if (!countType.hasStaticShape()) {
      sliceByLists(rewriter, op, adaptor, resultType);
      return success();
    }
    int64_t count = countType.getNumElements();
    for (Value operand : {adaptor.getEnds(), adaptor.getAxes(), adaptor.getSteps()})
      if (auto type = dyn_cast<RankedTensorType>(operand.getType());
          type && (type.getRank() != 1 || type.getDimSize(0) != count))
        return refuse(rewriter, op, "starts, ends, axes and steps must have one length");
    FailureOr<SmallVector<int64_t>> axes =
        getAxes(adaptor.getAxes(), onnx::isAbsent(adaptor.getAxes()) ? count : rank);
    std::optional<SmallVector<int64_t>> steps = getConstantIntegers(adaptor.getSteps());
    if (steps && steps->empty())
      steps->assign(count, 1);
    if ((failed(axes) && getConstantIntegers(adaptor.getAxes())) ||
        (succeeded(axes) && count > rank))
      return refuse(rewriter, op, "axis is out of range");
    if (steps && llvm::is_contained(*steps, 0))
      return refuse(rewriter, op, "a step is zero");

    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> starts = *getIndices(rewriter, loc, adaptor.getStarts());
    SmallVector<OpFoldResult> ends = *getIndices(rewriter, loc, adaptor.getEnds());
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, data), sizes(from);
    SmallVector<OpFoldResult> offsets = repeat(rewriter, 0, rank),
                              strides = repeat(rewriter, 1, rank);
    if (failed(axes) || !steps) {
      SmallVector<OpFoldResult> axisList, stepList = repeat(rewriter, 1, count);
      for (int64_t i = 0; i < count; ++i)
        axisList.push_back(index.constant(i));
      if (!onnx::isAbsent(adaptor.getAxes()))
        axisList = *getIndices(rewriter, loc, adaptor.getAxes());
      if (!onnx::isAbsent(adaptor.getSteps()))
        stepList = *getIndices(rewriter, loc, adaptor.getSteps());
      sliceAnywhere(rewriter, loc, axisList, stepList, starts, ends, offsets, sizes, strides);
      Value result = readSteps(rewriter, loc, data, offsets,
                               refineSizes(rewriter, sizes, resultType), strides);
      rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
      return success();
    }
    for (auto [axis, start, end, step] : llvm::zip_equal(*axes, starts, ends, *steps)) {
      SliceBounds bounds = getSliceBounds(index, start, end, step, from[axis]);
      offsets[axis] = bounds.offset;
      sizes[axis] = bounds.size;
      strides[axis] = index.constant(step);
    }
    sizes = refineSizes(rewriter, sizes, resultType);
    bool isReversed = llvm::any_of(*steps, [](int64_t step) { return step < 0; });
    Value result = isReversed ? readSteps(rewriter, loc, data, offsets, sizes, strides)
                              : createSlice(rewriter, loc, data, offsets, sizes, strides);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }

private:
  /// Lists of a length that only the run knows become lists with an entry for each dimension.
  static void sliceByLists(ConversionPatternRewriter &rewriter, onnx::SliceOp op, OpAdaptor adaptor,
                           RankedTensorType resultType) {
    Location loc = op.getLoc();
    IndexBuilder index(rewriter, loc);
    Value data = adaptor.getData();
    int64_t rank = getRank(data);
    auto spread = [&](Value list, int64_t preset) {
      return onnx::isAbsent(list) ? repeat(rewriter, preset, rank)
                                  : spreadOverAxes(rewriter, loc, list, adaptor.getAxes(), rank,
                                                   preset, index.constant(0));
    };
    SmallVector<OpFoldResult> starts = spread(adaptor.getStarts(), 0),
                              ends = spread(adaptor.getEnds(), std::numeric_limits<int64_t>::max()),
                              steps = spread(adaptor.getSteps(), 1), axes;
    for (int64_t dim = 0; dim < rank; ++dim)
      axes.push_back(index.constant(dim));
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, data),
                              offsets = repeat(rewriter, 0, rank),
                              strides = repeat(rewriter, 1, rank);
    sliceAnywhere(rewriter, loc, axes, steps, starts, ends, offsets, sizes, strides);
    Value result =
        readSteps(rewriter, loc, data, offsets, refineSizes(rewriter, sizes, resultType), strides);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
  }

  /// Axes or steps that only the run knows: each dimension selects its own from the lists.
  static void sliceAnywhere(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> axes,
                            ArrayRef<OpFoldResult> steps, ArrayRef<OpFoldResult> starts,
                            ArrayRef<OpFoldResult> ends, SmallVector<OpFoldResult> &offsets,
                            SmallVector<OpFoldResult> &sizes, SmallVector<OpFoldResult> &strides) {
    using Predicate = arith::CmpIPredicate;
    IndexBuilder index(builder, loc);
    int64_t rank = sizes.size();
    OpFoldResult zero = index.constant(0);
    for (int64_t dim = 0; dim < rank; ++dim) {
      OpFoldResult size = sizes[dim], start = zero, end = size, step = index.constant(1);
      for (auto [axis, axisStart, axisEnd, axisStep] : llvm::zip_equal(axes, starts, ends, steps)) {
        OpFoldResult front =
            index.select(Predicate::slt, axis, zero, index.add(axis, index.constant(rank)), axis);
        auto choose = [&](OpFoldResult yes, OpFoldResult no) {
          return index.select(Predicate::eq, front, index.constant(dim), yes, no);
        };
        start = choose(axisStart, start);
        end = choose(axisEnd, end);
        step = choose(axisStep, step);
      }
      OpFoldResult low = index.select(Predicate::slt, step, zero, index.constant(-1), zero);
      OpFoldResult high =
          index.select(Predicate::slt, step, zero, index.subtract(size, index.constant(1)), size);
      auto clamp = [&](OpFoldResult position) {
        position =
            index.select(Predicate::slt, position, zero, index.add(position, size), position);
        return index.minimum(index.maximum(position, low), high);
      };
      start = clamp(start);
      end = clamp(end);
      OpFoldResult length = index.select(Predicate::slt, step, zero, index.subtract(start, end),
                                         index.subtract(end, start));
      OpFoldResult stride =
          index.select(Predicate::slt, step, zero, index.subtract(zero, step), step);
      // A step of zero is an error in ONNX; here it must not trap.
      stride = index.maximum(stride, index.constant(1));
      offsets[dim] = start;
      strides[dim] = step;
      sizes[dim] = index.divideUp(index.maximum(length, zero), stride);
    }
  }
};

struct SplitLowering : OpConversionPattern<onnx::SplitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::SplitOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getInput();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(input));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    int64_t count = op->getNumResults();
    if (!onnx::isAbsent(adaptor.getSplit())) {
      auto type = cast<RankedTensorType>(adaptor.getSplit().getType());
      if (!type.hasStaticShape() || type.getNumElements() != count)
        return refuse(rewriter, op, "split must have one element for each output");
    }

    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, input), lengths;
    if (onnx::isAbsent(adaptor.getSplit())) {
      // Equal lengths, of which the last may be shorter.
      OpFoldResult length = index.divideUp(from[*axis], index.constant(count));
      lengths.assign(count - 1, length);
      OpFoldResult last =
          index.subtract(from[*axis], index.multiply(length, index.constant(count - 1)));
      lengths.push_back(index.maximum(last, index.constant(0)));
    } else {
      lengths = *getIndices(rewriter, loc, adaptor.getSplit());
    }
    SmallVector<Value> results;
    OpFoldResult offset = index.constant(0);
    for (auto [output, length] : llvm::zip_equal(op.getOutputs(), lengths)) {
      auto type = getTypeConverter()->convertType<RankedTensorType>(output.getType());
      SmallVector<OpFoldResult> offsets = repeat(rewriter, 0, from.size()), sizes(from);
      offsets[*axis] = offset;
      sizes[*axis] = length;
      sizes = refineSizes(rewriter, sizes, type);
      Value slice =
          createSlice(rewriter, loc, input, offsets, sizes, repeat(rewriter, 1, from.size()));
      results.push_back(castTo(rewriter, loc, slice, type));
      offset = index.add(offset, length);
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void lower::populateSlicingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<SliceLowering, SplitLowering>(converter, patterns.getContext());
}
