// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that copy elements to where they are known, from sizes alone, to belong: Transpose,
// Concat, Expand, Tile, DepthToSpace, SpaceToDepth.

#include "lib/lower/Lowering.h"
#include "lib/lower/MarkedAxes.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

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

/// A concatenation of more than this many tensors is one of concatenations: the time to compile a
/// kernel grows with the square of how many pieces it moves.
constexpr size_t mostPieces = 32;

Value concatenate(OpBuilder &builder, Location loc, int64_t axis, SmallVector<Value> pieces) {
  while (pieces.size() > 1) {
    SmallVector<Value> joined;
    for (ArrayRef<Value> rest = pieces; !rest.empty();) {
      ArrayRef<Value> chunk = rest.take_front(mostPieces);
      rest = rest.drop_front(chunk.size());
      joined.push_back(chunk.size() == 1
                           ? chunk.front()
                           : tensor::ConcatOp::create(builder, loc, axis, chunk).getResult());
    }
    pieces = std::move(joined);
  }
  return pieces.front();
}

struct ConcatLowering : OpConversionPattern<onnx::ConcatOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ConcatOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType =
        getTypeConverter()->convertType<RankedTensorType>(op.getConcatResult().getType());
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), resultType.getRank());
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    Value result = concatenate(rewriter, op.getLoc(), *axis, adaptor.getInputs());
    rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), result, resultType));
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
    if (failed(shape)) {
      // As many ones in front as are missing.
      IndexBuilder index(rewriter, loc);
      OpFoldResult missing = index.subtract(index.constant(resultType.getRank()),
                                            getDim(rewriter, loc, adaptor.getShape(), 0));
      shape = spreadOverAxes(rewriter, loc, adaptor.getShape(), /*axes=*/Value(),
                             resultType.getRank(), /*preset=*/1, missing);
    }
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
  patterns.add<TransposeLowering, ConcatLowering, ExpandLowering, TileLowering,
               DepthToSpaceLowering, SpaceToDepthLowering>(converter, patterns.getContext());
}
