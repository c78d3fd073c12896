// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention and RotaryEmbedding.
//
// What ONNX's operator can say beyond nn.attention (windows, lengths per batch, a mask shorter than
// the keys) becomes one additive mask, and is paid for only where it is used. A cache that the
// operator updates is a concatenation.

#include "lib/lower/Lowering.h"
#include "lib/lower/Patterns.h"

#include "dialects/nn/Nn.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

/// [B, S, H * D] as [B, H, S, D]; what has rank 4 is that already. Null if the channels cannot be
/// divided.
static Value splitHeads(OpBuilder &builder, Location loc, Value input,
                        std::optional<int64_t> heads) {
  if (getRank(input) == 4)
    return input;
  SmallVector<OpFoldResult> sizes = getDims(builder, loc, input);
  IndexBuilder index(builder, loc);
  OpFoldResult count = index.constant(*heads);
  Value split = createReshape(builder, loc, input,
                              {sizes[0], sizes[1], count, index.divide(sizes[2], count)});
  return createTranspose(builder, loc, split, {0, 2, 1, 3});
}

/// The reverse of splitHeads for a result of rank 3.
static Value joinHeads(OpBuilder &builder, Location loc, Value heads) {
  Value rows = createTranspose(builder, loc, heads, {0, 2, 1, 3});
  SmallVector<OpFoldResult> sizes = getDims(builder, loc, rows);
  IndexBuilder index(builder, loc);
  return createReshape(builder, loc, rows,
                       {sizes[0], sizes[1], index.multiply(sizes[2], sizes[3])});
}

namespace {

struct AttentionLowering : OpConversionPattern<onnx::AttentionOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::AttentionOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (failed(checkOperands(op, rewriter)))
      return failure();
    Location loc = op.getLoc();
    Value query = splitHeads(rewriter, loc, adaptor.getQ(), op.getQNumHeads());
    Value key = splitHeads(rewriter, loc, adaptor.getK(), op.getKvNumHeads());
    Value value = splitHeads(rewriter, loc, adaptor.getV(), op.getKvNumHeads());
    auto queryType = cast<RankedTensorType>(query.getType());
    float scale = 1;
    if (op.getScale())
      scale = *op.getScale();
    else if (queryType.isDynamicDim(3))
      query = scaleByHeadSize(rewriter, loc, query);
    else
      scale = 1.0f / std::sqrt(static_cast<float>(queryType.getDimSize(3)));

    bool hasPast = !onnx::isAbsent(op.getPastKey());
    OpFoldResult offset = rewriter.getIndexAttr(0);
    if (hasPast) {
      offset = getDim(rewriter, loc, adaptor.getPastKey(), 2);
      key = appendTo(rewriter, loc, adaptor.getPastKey(), key);
      value = appendTo(rewriter, loc, adaptor.getPastValue(), value);
    }

    bool isCausal = op.getIsCausal() != 0;
    Value mask = onnx::isAbsent(op.getAttnMask()) ? Value() : adaptor.getAttnMask();
    OpFoldResult keys = getDim(rewriter, loc, key, 2);
    bool hasLengths = !onnx::isAbsent(op.getNonpadKvSeqlen());
    bool isShort = mask && !haveSameSize(getDim(rewriter, loc, mask, getRank(mask) - 1), keys) &&
                   !isUnitDim(mask, getRank(mask) - 1);
    if (hasLengths || op.getLeftWindowSize() >= 0 || op.getRightWindowSize() >= 0 || isShort) {
      mask = createMask(rewriter, op, query, keys, mask,
                        hasLengths ? adaptor.getNonpadKvSeqlen() : Value(), offset);
      isCausal = false;
    } else if (mask) {
      mask = broadcastUnknownDims(rewriter, loc, mask, getScoreSizes(rewriter, loc, query, keys));
    }
    IndexBuilder index(rewriter, loc);
    Value causalOffset;
    if (isCausal && getConstantIntValue(offset) != 0)
      causalOffset = index.value(offset);

    Value ownKey = key, ownValue = value;
    if (!haveKnownGroups(query, key)) {
      ownKey = repeatHeads(rewriter, loc, key, query);
      ownValue = repeatHeads(rewriter, loc, value, query);
    }
    SmallVector<int64_t> shape(queryType.getShape());
    shape[3] = cast<RankedTensorType>(value.getType()).getDimSize(3);
    Value result = nn::AttentionOp::create(rewriter, loc, queryType.clone(shape), query, ownKey,
                                           ownValue, mask, causalOffset, APFloat(scale),
                                           APFloat(op.getSoftcap()), isCausal);
    if (getRank(adaptor.getQ()) == 3)
      result = joinHeads(rewriter, loc, result);

    SmallVector<Value> results;
    for (auto [formal, actual] : {std::pair<Value, Value>(op.getY(), result),
                                  {op.getPresentKey(), key},
                                  {op.getPresentValue(), value},
                                  {op.getQkMatmulOutput(), Value()}}) {
      if (onnx::isAbsent(formal))
        results.push_back(onnx::NoValueOp::create(rewriter, loc));
      else
        results.push_back(
            castTo(rewriter, loc, actual, getTypeConverter()->convertType(formal.getType())));
    }
    rewriter.replaceOp(op, results);
    return success();
  }

private:
  static LogicalResult checkOperands(onnx::AttentionOp op, ConversionPatternRewriter &rewriter) {
    if (!onnx::isAbsent(op.getQkMatmulOutput()))
      return refuse(rewriter, op, "the output qk_matmul_output of Attention is not supported yet");
    Type element = getElementTypeOrSelf(op.getQ().getType());
    for (Value operand : {op.getQ(), op.getK(), op.getV()}) {
      int64_t rank = getRank(operand);
      if (rank != 3 && rank != 4)
        return refuse(rewriter, op, "Q, K and V need rank 3 or 4");
      if (getElementTypeOrSelf(operand.getType()) != element || !isa<FloatType>(element))
        return refuse(rewriter, op,
                      "Q, K and V of different or integer types are not supported by lowering");
      std::optional<int64_t> heads = operand == op.getQ() ? op.getQNumHeads() : op.getKvNumHeads();
      int64_t channels = cast<RankedTensorType>(operand.getType()).getDimSize(rank - 1);
      if (rank == 3 && (!heads || *heads < 1))
        return refuse(rewriter, op,
                      "operands of rank 3 need the attributes q_num_heads and kv_num_heads");
      if (rank == 3 && !ShapedType::isDynamic(channels) && channels % *heads != 0)
        return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
          diagnostic << channels << " channels cannot be divided into " << *heads << " heads";
        });
    }
    if (onnx::isAbsent(op.getPastKey()) != onnx::isAbsent(op.getPastValue()))
      return refuse(rewriter, op, "past_key and past_value are used together only");
    return success();
  }

  static bool isUnitDim(Value tensor, int64_t dim) {
    return cast<RankedTensorType>(tensor.getType()).getDimSize(dim) == 1;
  }

  // Whether it is known how many heads of the query share one of the key.
  static bool haveKnownGroups(Value query, Value key) {
    int64_t heads = cast<RankedTensorType>(query.getType()).getDimSize(1),
            keyHeads = cast<RankedTensorType>(key.getType()).getDimSize(1);
    return !ShapedType::isDynamic(heads) && !ShapedType::isDynamic(keyHeads);
  }

  // Each head of the key as often as there are heads of the query that share it.
  static Value repeatHeads(OpBuilder &builder, Location loc, Value key, Value query) {
    OpFoldResult heads = getDim(builder, loc, query, 1), keyHeads = getDim(builder, loc, key, 1);
    if (haveSameSize(heads, keyHeads))
      return key;
    IndexBuilder index(builder, loc);
    // Of no heads nothing is read; the division must not trap.
    OpFoldResult group = index.maximum(
        index.divide(heads, index.maximum(keyHeads, index.constant(1))), index.constant(1));
    SmallVector<OpFoldResult> sizes = getDims(builder, loc, key);
    sizes[1] = heads;
    return createFromPositions(builder, loc, sizes, getElementType(key),
                               [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
                                 SmallVector<Value> from(position);
                                 IndexBuilder inner(body, loc);
                                 from[1] = inner.value(inner.divide(position[1], group));
                                 return tensor::ExtractOp::create(body, key, from);
                               });
  }

  // query / sqrt(head size), which the standard lets us round to the query's type, too.
  static Value scaleByHeadSize(OpBuilder &builder, Location loc, Value query) {
    OpFoldResult size = getDim(builder, loc, query, 3);
    ImplicitLocOpBuilder outer(loc, builder);
    Value count = arith::IndexCastOp::create(outer, outer.getI64Type(),
                                             IndexBuilder(builder, loc).value(size));
    Type type = getAccumulatorType(getElementType(query));
    Value root = math::SqrtOp::create(outer, convertScalar(outer, count, type, false, false));
    return createElementwise(builder, loc, query, cast<RankedTensorType>(query.getType()),
                             [&](ImplicitLocOpBuilder &body, ValueRange elements) {
                               Value wide = convertScalar(body, elements[0], type, false, false);
                               return convertScalar(body, arith::DivFOp::create(body, wide, root),
                                                    elements[0].getType(), false, false);
                             });
  }

  // `past` and then `next` along the sequence.
  static Value appendTo(OpBuilder &builder, Location loc, Value past, Value next) {
    return tensor::ConcatOp::create(builder, loc, /*dim=*/2, ValueRange{past, next});
  }

  // [B, H, S, T]
  static SmallVector<OpFoldResult> getScoreSizes(OpBuilder &builder, Location loc, Value query,
                                                 OpFoldResult keys) {
    SmallVector<OpFoldResult> sizes = getDims(builder, loc, query);
    sizes[3] = keys;
    return sizes;
  }

  // Dimensions of the mask that are neither 1 nor provably the scores' may turn out to be 1: those
  // are repeated.
  static Value broadcastUnknownDims(OpBuilder &builder, Location loc, Value mask,
                                    ArrayRef<OpFoldResult> scores) {
    SmallVector<OpFoldResult> sizes = getDims(builder, loc, mask);
    bool isKnown = true;
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      OpFoldResult wanted = scores[4 - sizes.size() + dim];
      if (getConstantIntValue(size) == 1 || haveSameSize(size, wanted))
        continue;
      isKnown = false;
      size = wanted;
    }
    return isKnown ? mask : broadcastTo(builder, loc, mask, sizes);
  }

  // An additive mask [B, 1 or H, S, T] of everything that hides keys. `offset` is where the queries
  // start among the keys; with `lengths`, that is per batch what a length leaves before them.
  static Value createMask(OpBuilder &builder, onnx::AttentionOp op, Value query, OpFoldResult keys,
                          Value mask, Value lengths, OpFoldResult offset) {
    Location loc = op.getLoc();
    Type type = getAccumulatorType(getElementType(query));
    SmallVector<OpFoldResult> sizes = getScoreSizes(builder, loc, query, keys);
    OpFoldResult queries = sizes[2];
    if (!mask || getRank(mask) < 3 || isUnitDim(mask, getRank(mask) - 3))
      sizes[1] = builder.getIndexAttr(1);
    bool isPast = !onnx::isAbsent(op.getPastKey());
    Value empty = createEmpty(builder, loc, sizes, type);
    AffineMap identity = builder.getMultiDimIdentityMap(4);
    SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
    // Values that the body reads from outside.
    IndexBuilder outer(builder, loc);
    Value offsetValue = outer.value(offset), queriesValue = outer.value(queries),
          zero = outer.value(outer.constant(0));
    SmallVector<Value> maskSizes;
    if (mask)
      for (OpFoldResult size : getDims(builder, loc, mask))
        maskSizes.push_back(outer.value(size));

    auto computeElement = [&](ImplicitLocOpBuilder &builder) -> Value {
      Value hidden = createScalar(builder, loc, type, -std::numeric_limits<double>::infinity());
      Value score = createScalar(builder, loc, type, 0), visible;
      SmallVector<Value> position;
      for (int64_t dim = 0; dim < 4; ++dim)
        position.push_back(linalg::IndexOp::create(builder, dim));
      auto require = [&](arith::CmpIPredicate predicate, Value a, Value b) {
        Value condition = arith::CmpIOp::create(builder, predicate, a, b);
        visible =
            visible ? arith::AndIOp::create(builder, visible, condition).getResult() : condition;
      };
      Value row = position[2], column = position[3];
      if (mask) {
        // Beyond the end of the mask nothing is visible; the index is kept in bounds all the same.
        SmallVector<Value> indices;
        for (auto [dim, size] : llvm::enumerate(maskSizes)) {
          Value index = position[4 - maskSizes.size() + dim];
          bool isUnit = isUnitDim(mask, dim);
          Value last =
              arith::SubIOp::create(builder, size, arith::ConstantIndexOp::create(builder, 1));
          if (dim + 1 == maskSizes.size() && !isUnit)
            require(arith::CmpIPredicate::slt, index, size);
          indices.push_back(isUnit ? zero
                                   : arith::MinSIOp::create(builder, index, last).getResult());
        }
        Value element = tensor::ExtractOp::create(builder, mask, indices);
        score = element.getType().isInteger(1)
                    ? arith::SelectOp::create(builder, element, score, hidden).getResult()
                    : convertScalar(builder, element, type, false, false);
      }
      Value start = offsetValue;
      if (lengths) {
        Value length = tensor::ExtractOp::create(builder, lengths, position[0]);
        length = arith::IndexCastOp::create(builder, builder.getIndexType(), length);
        require(arith::CmpIPredicate::slt, column, length);
        if (!isPast)
          start = arith::SubIOp::create(builder, length, queriesValue);
      }
      Value diagonal = arith::AddIOp::create(builder, row, start);
      if (op.getIsCausal())
        require(arith::CmpIPredicate::sle, column, diagonal);
      if (op.getRightWindowSize() >= 0)
        require(arith::CmpIPredicate::sle, column,
                arith::AddIOp::create(
                    builder, diagonal,
                    arith::ConstantIndexOp::create(builder, op.getRightWindowSize())));
      if (op.getLeftWindowSize() >= 0)
        require(
            arith::CmpIPredicate::sge, column,
            arith::SubIOp::create(builder, diagonal,
                                  arith::ConstantIndexOp::create(builder, op.getLeftWindowSize())));
      return visible ? arith::SelectOp::create(builder, visible, score, hidden).getResult() : score;
    };
    return linalg::GenericOp::create(builder, loc, empty.getType(), ValueRange{}, empty, identity,
                                     iterators,
                                     [&](OpBuilder &body, Location loc, ValueRange) {
                                       ImplicitLocOpBuilder builder(loc, body);
                                       linalg::YieldOp::create(builder, computeElement(builder));
                                     })
        .getResult(0);
  }
};

/// Pairs of channels are rotated by an angle that depends on the position in the sequence. The two
/// halves of the pairs are slices of the input (its first and second half, or every other channel),
/// and the result is the input with both written over, which keeps the channels that are not
/// rotated.
struct RotaryEmbeddingLowering : OpConversionPattern<onnx::RotaryEmbeddingOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::RotaryEmbeddingOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getX();
    int64_t rank = getRank(input);
    std::optional<int64_t> heads = op.getNumHeads();
    if (rank != 4 && (rank != 3 || !heads || *heads < 1))
      return refuse(rewriter, op,
                    "needs an input of rank 4, or one of rank 3 and the attribute num_heads");
    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input), original = sizes;
    OpFoldResult channels = sizes[rank - 1];
    OpFoldResult headSize = rank == 3 ? index.divide(channels, index.constant(*heads)) : channels;
    OpFoldResult rotated =
        op.getRotaryEmbeddingDim() == 0 ? headSize : index.constant(op.getRotaryEmbeddingDim());
    std::optional<int64_t> knownChannels = getConstantIntValue(channels),
                           knownSize = getConstantIntValue(headSize),
                           knownRotated = getConstantIntValue(rotated);
    if ((knownRotated && *knownRotated % 2 != 0) ||
        (knownRotated && knownSize && *knownRotated > *knownSize) ||
        (rank == 3 && knownChannels && *knownChannels % *heads != 0))
      return refuse(rewriter, op,
                    "an even number of channels of each head can be rotated, at most all");
    OpFoldResult half = index.divide(rotated, index.constant(2));
    bool hasPositions = !onnx::isAbsent(op.getPositionIds());
    if (getRank(adaptor.getCosCache()) != (hasPositions ? 2 : 3))
      return refuse(rewriter, op, "the caches need rank 2 with position_ids and rank 3 without");

    // Rank 4 with the sequence before or after the heads.
    int64_t sequenceDim = rank == 3 ? 1 : 2;
    if (rank == 3) {
      sizes = {sizes[0], sizes[1], index.constant(*heads), headSize};
      input = createReshape(rewriter, loc, input, sizes);
    }
    bool interleaved = op.getInterleaved() != 0;
    SmallVector<OpFoldResult> halfSizes = sizes, strides(4, rewriter.getIndexAttr(1));
    halfSizes[3] = half;
    strides[3] = rewriter.getIndexAttr(interleaved ? 2 : 1);
    SmallVector<OpFoldResult> firstOffsets(4, rewriter.getIndexAttr(0)),
        secondOffsets = firstOffsets;
    secondOffsets[3] = interleaved ? index.constant(1) : half;
    Value first =
        tensor::ExtractSliceOp::create(rewriter, loc, input, firstOffsets, halfSizes, strides);
    Value second =
        tensor::ExtractSliceOp::create(rewriter, loc, input, secondOffsets, halfSizes, strides);

    Value cosines = adaptor.getCosCache(), sines = adaptor.getSinCache();
    if (hasPositions) {
      cosines = gatherRows(rewriter, loc, cosines, adaptor.getPositionIds());
      sines = gatherRows(rewriter, loc, sines, adaptor.getPositionIds());
    }
    // first * a + second * b
    auto combine = [&](Value a, Value b, bool isDifference) {
      AffineMap identity = rewriter.getMultiDimIdentityMap(4);
      AffineMap angles =
          AffineMap::get(4, 0,
                         {rewriter.getAffineDimExpr(0), rewriter.getAffineDimExpr(sequenceDim),
                          rewriter.getAffineDimExpr(3)},
                         rewriter.getContext());
      SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
      Value empty = createEmpty(rewriter, loc, halfSizes, getElementType(input));
      return linalg::GenericOp::create(
                 rewriter, loc, empty.getType(), ValueRange{first, second, a, b}, empty,
                 ArrayRef<AffineMap>{identity, identity, angles, angles, identity}, iterators,
                 [&](OpBuilder &builder, Location loc, ValueRange elements) {
                   Value left = arith::MulFOp::create(builder, loc, elements[0], elements[2]);
                   Value right = arith::MulFOp::create(builder, loc, elements[1], elements[3]);
                   Value result =
                       isDifference ? arith::SubFOp::create(builder, loc, left, right).getResult()
                                    : arith::AddFOp::create(builder, loc, left, right).getResult();
                   linalg::YieldOp::create(builder, loc, result);
                 })
          .getResult(0);
    };
    Value real = combine(cosines, sines, /*isDifference=*/true),
          imaginary = combine(sines, cosines, false);
    Value result =
        tensor::InsertSliceOp::create(rewriter, loc, real, input, firstOffsets, halfSizes, strides);
    result = tensor::InsertSliceOp::create(rewriter, loc, imaginary, result, secondOffsets,
                                           halfSizes, strides);
    if (rank == 3)
      result = createReshape(rewriter, loc, result, original);
    rewriter.replaceOp(
        op, castTo(rewriter, loc, result, getTypeConverter()->convertType(op.getY().getType())));
    return success();
  }

private:
  // cache[positions[b, s], :]
  static Value gatherRows(OpBuilder &builder, Location loc, Value cache, Value positions) {
    SmallVector<OpFoldResult> sizes = getDims(builder, loc, positions);
    sizes.push_back(getDim(builder, loc, cache, 1));
    Value empty = createEmpty(builder, loc, sizes, getElementType(cache));
    AffineMap identity = builder.getMultiDimIdentityMap(3);
    SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               builder, loc, empty.getType(), positions, empty,
               ArrayRef<AffineMap>{identity.getMajorSubMap(2), identity}, iterators,
               [&](OpBuilder &builder, Location loc, ValueRange elements) {
                 Value row =
                     arith::IndexCastOp::create(builder, loc, builder.getIndexType(), elements[0]);
                 Value column = linalg::IndexOp::create(builder, loc, 2);
                 Value element =
                     tensor::ExtractOp::create(builder, loc, cache, ValueRange{row, column});
                 linalg::YieldOp::create(builder, loc, element);
               })
        .getResult(0);
  }
};

} // namespace

void lower::populateAttentionPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<AttentionLowering, RotaryEmbeddingLowering>(converter, patterns.getContext());
}
