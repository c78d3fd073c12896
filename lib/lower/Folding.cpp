// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Col2Im: the sum of overlapping blocks. Each pixel collects from the blocks that cover it, so that
// all pixels are independent of each other.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

struct Col2ImLowering : OpConversionPattern<onnx::Col2ImOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::Col2ImOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getInput();
    FailureOr<SmallVector<OpFoldResult>> image = getIndices(rewriter, loc, adaptor.getImageShape()),
                                         block = getIndices(rewriter, loc, adaptor.getBlockShape());
    if (failed(image) || failed(block) || image->size() != block->size() || image->empty() ||
        getRank(input) != 3)
      return refuse(rewriter, op,
                    "the input must have 3 dimensions, and image_shape and block_shape as many "
                    "elements as each other");
    int64_t spatialRank = image->size();
    auto fill = [&](std::optional<ArrayRef<int64_t>> values, int64_t count, int64_t preset) {
      return values ? SmallVector<int64_t>(*values) : SmallVector<int64_t>(count, preset);
    };
    SmallVector<int64_t> strides = fill(op.getStrides(), spatialRank, 1),
                         dilations = fill(op.getDilations(), spatialRank, 1),
                         pads = fill(op.getPads(), 2 * spatialRank, 0);
    if (static_cast<int64_t>(strides.size()) != spatialRank ||
        static_cast<int64_t>(dilations.size()) != spatialRank ||
        static_cast<int64_t>(pads.size()) != 2 * spatialRank ||
        llvm::any_of(strides, [](int64_t stride) { return stride < 1; }))
      return refuse(rewriter, op, "strides, dilations or pads do not fit image_shape");

    IndexBuilder index(rewriter, loc);
    OpFoldResult channels = index.divide(getDim(rewriter, loc, input, 1), index.product(*block));
    // How many blocks there are along each dimension.
    SmallVector<OpFoldResult> blocks;
    for (int64_t dim = 0; dim < spatialRank; ++dim) {
      OpFoldResult reach =
          index.add(index.multiply(index.constant(dilations[dim]),
                                   index.subtract((*block)[dim], index.constant(1))),
                    index.constant(1));
      OpFoldResult padded =
          index.add((*image)[dim], index.constant(pads[dim] + pads[dim + spatialRank]));
      blocks.push_back(
          index.add(index.divide(index.subtract(padded, reach), index.constant(strides[dim])),
                    index.constant(1)));
    }

    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Type element = type.getElementType(), wide = getAccumulatorType(element);
    SmallVector<OpFoldResult> sizes{getDim(rewriter, loc, input, 0), channels};
    llvm::append_range(sizes, *image);
    sizes = refineSizes(rewriter, sizes, type);
    // Which block has its element `within` at `position`, and where it stands in the input; whether
    // there is such a block.
    auto findBlock = [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position, ValueRange within) {
      IndexBuilder index(body, loc);
      Value covers;
      auto require = [&](arith::CmpIPredicate predicate, OpFoldResult a, OpFoldResult b) {
        Value holds = arith::CmpIOp::create(body, predicate, index.value(a), index.value(b));
        covers = covers ? arith::AndIOp::create(body, covers, holds).getResult() : holds;
      };
      OpFoldResult row = position[1], column = index.constant(0);
      for (int64_t dim = 0; dim < spatialRank; ++dim) {
        OpFoldResult zero = index.constant(0), stride = index.constant(strides[dim]);
        row = index.add(index.multiply(row, (*block)[dim]), OpFoldResult(within[dim]));
        // Where the block would begin, in the padded image.
        OpFoldResult begin = index.subtract(
            index.add(OpFoldResult(position[dim + 2]), index.constant(pads[dim])),
            index.multiply(OpFoldResult(within[dim]), index.constant(dilations[dim])));
        require(arith::CmpIPredicate::sge, begin, zero);
        begin = index.maximum(begin, zero);
        OpFoldResult number = index.divide(begin, stride);
        require(arith::CmpIPredicate::eq, index.modulo(begin, stride), zero);
        require(arith::CmpIPredicate::slt, number, blocks[dim]);
        number = index.minimum(number, index.subtract(blocks[dim], index.constant(1)));
        column = index.add(index.multiply(column, blocks[dim]), number);
      }
      return std::tuple(covers, index.value(row), index.value(column));
    };
    SmallVector<Value> begins(spatialRank, index.value(index.constant(0))), ends,
        steps(spatialRank, index.value(index.constant(1)));
    for (OpFoldResult size : *block)
      ends.push_back(index.value(size));
    Value result = createFromPositions(
        rewriter, loc, sizes, element, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          Value zero = createScalar(body, loc, wide, 0);
          auto addBlock = [&](OpBuilder &inner, Location loc, ValueRange within,
                              ValueRange sum) -> scf::ValueVector {
            ImplicitLocOpBuilder step(loc, inner);
            Scalar scalar(step, op, isUnsigned(op.getInput().getType()));
            auto [covers, row, column] = findBlock(step, position, within);
            Value found =
                tensor::ExtractOp::create(step, input, ValueRange{position[0], row, column});
            found = convertScalar(step, found, wide, scalar.isUnsigned, scalar.isUnsigned);
            return {scalar.add(sum.front(), scalar.select(covers, found, zero))};
          };
          Value sum =
              scf::buildLoopNest(body, loc, begins, ends, steps, zero, addBlock).results.front();
          return convertScalar(body, sum, element, false, false);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

} // namespace

void lower::populateFoldingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<Col2ImLowering>(converter, patterns.getContext());
}
