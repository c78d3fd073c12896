// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that copy elements to where they are known, from sizes alone, to belong: Transpose,
// Concat, Slice, Split, Pad, Expand, Tile, DepthToSpace, SpaceToDepth.
//
// They become the tensor dialect's slices and concatenations where these can say it, so that later
// phases can do them without a copy; reversed slices and the reflecting forms of Pad read through
// computed positions.

#include "lib/lower/Lowering.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

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

/// Axes as positions from the front, or failure; all of them where the operand is absent.
FailureOr<SmallVector<int64_t>> getAxes(Value operand, int64_t rank) {
  if (onnx::isAbsent(operand))
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::optional<SmallVector<int64_t>> axes = getConstantIntegers(operand);
  if (!axes)
    return failure();
  for (int64_t &axis : *axes) {
    FailureOr<int64_t> normalized = normalizeAxis(axis, rank);
    if (failed(normalized))
      return failure();
    axis = *normalized;
  }
  return *axes;
}

//===----------------------------------------------------------------------===//
// Transpose, Concat
//===----------------------------------------------------------------------===//

struct TransposeLowering : OpConversionPattern<onnx::TransposeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::TransposeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = getRank(adaptor.getData());
    SmallVector<int64_t> permutation;
    if (std::optional<ArrayRef<int64_t>> given = op.getPerm())
      llvm::append_range(permutation, *given);
    else
      permutation = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
    for (int64_t &dim : permutation)
      dim += dim < 0 ? rank : 0;
    if (static_cast<int64_t>(permutation.size()) != rank || !isPermutationVector(permutation))
      return refuse(rewriter, op, "perm is not a permutation of the dimensions");
    Value result = createTranspose(rewriter, op.getLoc(), adaptor.getData(), permutation);
    rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), result,
                                  getTypeConverter()->convertType(op.getTransposed().getType())));
    return success();
  }
};

struct ConcatLowering : OpConversionPattern<onnx::ConcatOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ConcatOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType =
        getTypeConverter()->convertType<RankedTensorType>(op.getConcatResult().getType());
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), resultType.getRank());
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    ValueRange inputs = adaptor.getInputs();
    Value result = inputs.size() == 1
                       ? inputs.front()
                       : tensor::ConcatOp::create(rewriter, op.getLoc(), *axis, inputs).getResult();
    rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), result, resultType));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Slice, Split
//===----------------------------------------------------------------------===//

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
    auto countType = cast<RankedTensorType>(adaptor.getStarts().getType());
    if (!countType.hasStaticShape() || countType.getRank() != 1)
      return refuse(rewriter, op, "starts of a length that is not known are not supported yet");
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
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    if (failed(axes) || !steps) {
      sliceAnywhere(rewriter, loc, adaptor, starts, ends, offsets, sizes, strides);
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
  /// Axes or steps that only the run knows: each dimension selects its own from the lists.
  static void sliceAnywhere(OpBuilder &builder, Location loc, OpAdaptor adaptor,
                            ArrayRef<OpFoldResult> starts, ArrayRef<OpFoldResult> ends,
                            SmallVector<OpFoldResult> &offsets, SmallVector<OpFoldResult> &sizes,
                            SmallVector<OpFoldResult> &strides) {
    using Predicate = arith::CmpIPredicate;
    IndexBuilder index(builder, loc);
    int64_t rank = sizes.size();
    OpFoldResult zero = index.constant(0);
    SmallVector<OpFoldResult> axes, steps;
    for (int64_t i = 0, count = starts.size(); i < count; ++i) {
      axes.push_back(index.constant(i));
      steps.push_back(index.constant(1));
    }
    if (!onnx::isAbsent(adaptor.getAxes()))
      axes = *getIndices(builder, loc, adaptor.getAxes());
    if (!onnx::isAbsent(adaptor.getSteps()))
      steps = *getIndices(builder, loc, adaptor.getSteps());
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

//===----------------------------------------------------------------------===//
// Expand, Tile
//===----------------------------------------------------------------------===//

struct ExpandLowering : OpConversionPattern<onnx::ExpandOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ExpandOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    FailureOr<SmallVector<OpFoldResult>> shape = getIndices(rewriter, loc, adaptor.getShape());
    if (failed(shape))
      return refuse(rewriter, op, "a shape whose length is not known is not supported yet");
    SmallVector<OpFoldResult> sizes =
        getBroadcastSizes(rewriter, loc, {getDims(rewriter, loc, adaptor.getInput()), *shape});
    Value result =
        broadcastTo(rewriter, loc, adaptor.getInput(), refineSizes(rewriter, sizes, resultType));
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }
};

/// Broadcast along a new dimension before each, and merged with it.
struct TileLowering : OpConversionPattern<onnx::TileOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::TileOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t rank = getRank(adaptor.getInput());
    FailureOr<SmallVector<OpFoldResult>> repeats = getIndices(rewriter, loc, adaptor.getRepeats());
    if (failed(repeats) || static_cast<int64_t>(repeats->size()) != rank)
      return refuse(rewriter, op, "repeats must have one element for each dimension");
    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, adaptor.getInput()), wide, sizes;
    SmallVector<int64_t> added;
    for (int64_t dim = 0; dim < rank; ++dim) {
      sizes.push_back(index.multiply((*repeats)[dim], from[dim]));
      if (getConstantIntValue((*repeats)[dim]) != 1) {
        added.push_back(wide.size());
        wide.push_back((*repeats)[dim]);
      }
      wide.push_back(from[dim]);
    }
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Value result = addUnitDims(rewriter, loc, adaptor.getInput(), added);
    result = createReshape(rewriter, loc, broadcastTo(rewriter, loc, result, wide), sizes);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

struct PadLowering : OpConversionPattern<onnx::PadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::PadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData();
    int64_t rank = getRank(data);
    FailureOr<SmallVector<int64_t>> axes = getAxes(adaptor.getAxes(), rank);
    if (failed(axes))
      return refuse(rewriter, op, "axes that are not constant and in range are not supported yet");
    if (!llvm::is_contained({"constant", "reflect", "edge", "wrap"}, op.getMode()))
      return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
        diagnostic << "unknown mode '" << op.getMode() << "'";
      });
    FailureOr<SmallVector<OpFoldResult>> pads = getIndices(rewriter, loc, adaptor.getPads());
    if (failed(pads) || pads->size() != 2 * axes->size())
      return refuse(rewriter, op, "pads must have two elements for each axis");

    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, data), sizes(from);
    SmallVector<OpFoldResult> low = repeat(rewriter, 0, rank), high = repeat(rewriter, 0, rank);
    bool onlyAdds = true;
    for (auto [i, axis] : llvm::enumerate(*axes)) {
      low[axis] = (*pads)[i];
      high[axis] = (*pads)[i + axes->size()];
      sizes[axis] = index.add(index.add(from[axis], low[axis]), high[axis]);
      onlyAdds &= getConstantIntValue(low[axis]).value_or(-1) >= 0 &&
                  getConstantIntValue(high[axis]).value_or(-1) >= 0;
    }
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    sizes = refineSizes(rewriter, sizes, resultType);

    Type element = resultType.getElementType();
    bool hasFill = op.getMode() == "constant";
    bool isFillKnown =
        onnx::isAbsent(adaptor.getConstantValue()) || getConstant(adaptor.getConstantValue());
    Value result;
    if (hasFill && isFillKnown && onlyAdds) {
      auto type = RankedTensorType::get(getShape(sizes), element);
      Value fill = getFill(rewriter, loc, adaptor.getConstantValue(), element);
      result = tensor::PadOp::create(rewriter, loc, type, data, low, high, fill);
    } else {
      // A value that only the run knows is read where it is needed, by the kernel.
      result = createFromPositions(
          rewriter, loc, sizes, element, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
            Value fill;
            if (hasFill)
              fill = getFill(body, loc, adaptor.getConstantValue(), element);
            return readPadded(body, loc, data, from, low, position, op.getMode(), fill);
          });
    }
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }

private:
  static Value getFill(OpBuilder &builder, Location loc, Value operand, Type type) {
    if (onnx::isAbsent(operand))
      return createScalar(builder, loc, type, 0);
    return readScalar(builder, loc, operand);
  }

  /// The element at `position` of the result, read from the data at the position that the mode maps
  /// it to.
  static Value readPadded(OpBuilder &body, Location loc, Value data, ArrayRef<OpFoldResult> from,
                          ArrayRef<OpFoldResult> low, ArrayRef<Value> position, StringRef mode,
                          Value fill) {
    IndexBuilder index(body, loc);
    SmallVector<Value> source;
    Value isInside;
    for (auto [dim, here] : llvm::enumerate(position)) {
      OpFoldResult size = from[dim], last = index.subtract(size, index.constant(1));
      OpFoldResult at = index.subtract(here, low[dim]);
      OpFoldResult clamped = index.maximum(index.minimum(at, last), index.constant(0));
      if (mode == "wrap") {
        at = wrap(body, loc, index, at, size);
      } else if (mode == "reflect") {
        // A period is there and back again, without repeating the ends; it is 1 where there is one
        // element.
        OpFoldResult period =
            index.maximum(index.multiply(last, index.constant(2)), index.constant(1));
        OpFoldResult there = wrap(body, loc, index, at, period);
        at = index.minimum(there, index.subtract(period, there));
        at = index.minimum(at, last);
      } else {
        if (fill) {
          Value matches = body.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq,
                                                           index.value(at), index.value(clamped));
          isInside = isInside ? body.createOrFold<arith::AndIOp>(loc, isInside, matches) : matches;
        }
        at = clamped;
      }
      source.push_back(index.value(at));
    }
    Value element = tensor::ExtractOp::create(body, loc, data, source);
    return isInside ? arith::SelectOp::create(body, loc, isInside, element, fill).getResult()
                    : element;
  }

  /// `at` modulo `period`, not negative.
  static OpFoldResult wrap(OpBuilder &body, Location loc, IndexBuilder &index, OpFoldResult at,
                           OpFoldResult period) {
    Value remainder = body.createOrFold<arith::RemSIOp>(loc, index.value(at), index.value(period));
    return index.select(arith::CmpIPredicate::slt, remainder, index.constant(0),
                        index.add(remainder, period), remainder);
  }
};

//===----------------------------------------------------------------------===//
// DepthToSpace, SpaceToDepth
//===----------------------------------------------------------------------===//

struct DepthToSpaceLowering : OpConversionPattern<onnx::DepthToSpaceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::DepthToSpaceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (getRank(adaptor.getInput()) != 4)
      return refuse(rewriter, op, "the input must have four dimensions");
    Location loc = op.getLoc();
    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, adaptor.getInput());
    OpFoldResult block = index.constant(op.getBlocksize()), batch = from[0], height = from[2],
                 width = from[3];
    OpFoldResult depth = index.divide(from[1], index.multiply(block, block));
    bool isDepthFirst = op.getMode() == "DCR";
    SmallVector<OpFoldResult> split = {batch, block, block, depth, height, width};
    if (!isDepthFirst)
      split = {batch, depth, block, block, height, width};
    Value result = createView(rewriter, loc, adaptor.getInput(), split);
    result = createTranspose(rewriter, loc, result,
                             isDepthFirst ? ArrayRef<int64_t>{0, 3, 4, 1, 5, 2}
                                          : ArrayRef<int64_t>{0, 1, 4, 2, 5, 3});
    result =
        createView(rewriter, loc, result,
                   {batch, depth, index.multiply(height, block), index.multiply(width, block)});
    rewriter.replaceOp(op, castTo(rewriter, loc, result,
                                  getTypeConverter()->convertType(op.getOutput().getType())));
    return success();
  }
};

struct SpaceToDepthLowering : OpConversionPattern<onnx::SpaceToDepthOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::SpaceToDepthOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (getRank(adaptor.getInput()) != 4)
      return refuse(rewriter, op, "the input must have four dimensions");
    Location loc = op.getLoc();
    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, adaptor.getInput());
    OpFoldResult block = index.constant(op.getBlocksize()), batch = from[0], depth = from[1];
    OpFoldResult height = index.divide(from[2], block), width = index.divide(from[3], block);
    Value result =
        createView(rewriter, loc, adaptor.getInput(), {batch, depth, height, block, width, block});
    result = createTranspose(rewriter, loc, result,
                             op.getMode() == "DCR" ? ArrayRef<int64_t>{0, 3, 5, 1, 2, 4}
                                                   : ArrayRef<int64_t>{0, 1, 3, 5, 2, 4});
    result = createView(rewriter, loc, result,
                        {batch, index.product({depth, block, block}), height, width});
    rewriter.replaceOp(op, castTo(rewriter, loc, result,
                                  getTypeConverter()->convertType(op.getOutput().getType())));
    return success();
  }
};

} // namespace

void lower::populateDataMovementPatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  patterns.add<TransposeLowering, ConcatLowering, SliceLowering, SplitLowering, ExpandLowering,
               TileLowering, PadLowering, DepthToSpaceLowering, SpaceToDepthLowering>(
      converter, patterns.getContext());
}
