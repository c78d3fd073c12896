// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CumSum and CumProd: a loop along the axis that carries the running value of all other dimensions.

#include "lib/lower/Patterns.h"
#include "lib/lower/Reduce.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// A loop along the axis that carries the running value of all other dimensions.
template <typename Op>
struct CumulativeLowering : OpConversionPattern<Op> {
  CumulativeLowering(const TypeConverter &converter, MLIRContext *context, Reduction reduction)
      : OpConversionPattern<Op>(converter, context), reduction(reduction) {}

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getX();
    std::optional<SmallVector<int64_t>> axes = getConstantIntegers(adaptor.getAxis());
    if (!axes) {
      Value result = accumulateAnywhere(rewriter, loc, op, input, adaptor.getAxis());
      rewriter.replaceOp(op, castTo(rewriter, loc, result,
                                    this->getTypeConverter()->convertType(op.getY().getType())));
      return success();
    }
    if (axes->size() != 1)
      return refuse(rewriter, op, "axis must be a scalar");
    FailureOr<int64_t> axis = normalizeAxis(axes->front(), getRank(input));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");

    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input);
    Type type = getElementType(input), accumulator = getAccumulatorType(type);
    IndexBuilder index(rewriter, loc);
    Value zero = index.value(index.constant(0)), one = index.value(index.constant(1)),
          count = index.value(sizes[*axis]);
    SmallVector<OpFoldResult> rowSizes = getKeptSizes(rewriter, loc, input, *axis);
    Value running =
        createFilled(rewriter, loc, rowSizes, getNeutral(rewriter, reduction, accumulator, false));
    Value result = createEmpty(rewriter, loc, sizes, type);
    auto rowType = RankedTensorType::get(getShape(rowSizes), type);

    auto step = [&](OpBuilder &builder, Location loc, Value position, ValueRange state) {
      if (op.getReverse())
        position = arith::SubIOp::create(builder, loc,
                                         arith::SubIOp::create(builder, loc, count, one), position);
      SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0)),
          strides(sizes.size(), builder.getIndexAttr(1)), extents(sizes);
      offsets[*axis] = position;
      extents[*axis] = builder.getIndexAttr(1);
      Value row =
          tensor::ExtractSliceOp::create(builder, loc, rowType, input, offsets, extents, strides);
      Value place = tensor::ExtractSliceOp::create(builder, loc, rowType, state[1], offsets,
                                                   extents, strides);
      // The sum so far is altered where it lies, and the result written where it belongs.
      SmallVector<AffineMap> maps(
          3, AffineMap::getMultiDimIdentityMap(rowType.getRank(), builder.getContext()));
      SmallVector<utils::IteratorType> parallel(rowType.getRank(), utils::IteratorType::parallel);
      auto addTerm = [&](OpBuilder &inner, Location loc, ValueRange x) {
        ImplicitLocOpBuilder body(loc, inner);
        Scalar scalar(body, /*op=*/nullptr, false);
        Value term = convertScalar(body, x[0], accumulator, false, false);
        Value sum = combine(scalar, reduction, x[1], term);
        Value written = convertScalar(body, op.getExclusive() ? x[1] : sum, type, false, false);
        linalg::YieldOp::create(body, ValueRange{sum, written});
      };
      auto sums =
          linalg::GenericOp::create(builder, loc, TypeRange{running.getType(), rowType}, row,
                                    ValueRange{state[0], place}, maps, parallel, addTerm);
      Value inserted = tensor::InsertSliceOp::create(builder, loc, sums.getResult(1), state[1],
                                                     offsets, extents, strides);
      scf::YieldOp::create(builder, loc, ValueRange{sums.getResult(0), inserted});
    };
    auto loop =
        scf::ForOp::create(rewriter, loc, zero, count, one, ValueRange{running, result}, step);
    rewriter.replaceOp(op, castTo(rewriter, loc, loop.getResult(1),
                                  this->getTypeConverter()->convertType(op.getY().getType())));
    return success();
  }

private:
  /// Along an axis that only the run knows: each element adds up what comes before it.
  Value accumulateAnywhere(OpBuilder &rewriter, Location loc, Op op, Value input,
                           Value axisOperand) const {
    using Predicate = arith::CmpIPredicate;
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input);
    Type type = getElementType(input), accumulator = getAccumulatorType(type);
    IndexBuilder index(rewriter, loc);
    int64_t rank = sizes.size();
    OpFoldResult axis = getScalarIndex(rewriter, loc, axisOperand);
    axis = index.select(Predicate::slt, axis, index.constant(0),
                        index.add(axis, index.constant(rank)), axis);
    return createFromPositions(
        rewriter, loc, sizes, type, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
          IndexBuilder index(body, loc);
          OpFoldResult size = index.constant(1), here = index.constant(0), one = index.constant(1);
          for (int64_t dim = 0; dim < rank; ++dim) {
            size = index.select(Predicate::eq, axis, index.constant(dim), sizes[dim], size);
            here = index.select(Predicate::eq, axis, index.constant(dim), position[dim], here);
          }
          OpFoldResult next = index.add(here, one);
          OpFoldResult begin = index.constant(0), end = op.getExclusive() ? here : next;
          if (op.getReverse()) {
            begin = op.getExclusive() ? next : here;
            end = size;
          }
          Value init =
              arith::ConstantOp::create(body, getNeutral(body, reduction, accumulator, false));
          auto loop = scf::ForOp::create(
              body, index.value(begin), index.value(end), index.value(one), init,
              [&](OpBuilder &inner, Location loc, Value along, ValueRange state) {
                ImplicitLocOpBuilder step(loc, inner);
                IndexBuilder index(step, loc);
                SmallVector<Value> where;
                for (int64_t dim = 0; dim < rank; ++dim)
                  where.push_back(index.value(index.select(Predicate::eq, axis, index.constant(dim),
                                                           along, position[dim])));
                Scalar scalar(step, /*op=*/nullptr, false);
                Value term = convertScalar(step, tensor::ExtractOp::create(step, input, where),
                                           accumulator, false, false);
                scf::YieldOp::create(step, combine(scalar, reduction, state.front(), term));
              });
          return convertScalar(body, loop.getResult(0), type, false, false);
        });
  }

  Reduction reduction;
};

} // namespace

void lower::populateCumulativePatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<CumulativeLowering<onnx::CumSumOp>>(converter, context, Reduction::Sum);
  patterns.add<CumulativeLowering<onnx::CumProdOp>>(converter, context, Reduction::Product);
}
