// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that choose elements by their values: NonZero, Compress.
//
// How many there will be depends on data, so one kernel counts, the program reads the number back
// (tensor.extract outside of kernels), and a second kernel writes the positions, one after another,
// into a tensor of that size. What is asked for is then a function of these positions.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"
#include "lib/lower/Reduce.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// Whether an element counts.
Value isTrue(ImplicitLocOpBuilder &builder, Value element, bool isUnsigned) {
  return convertScalar(builder, element, builder.getI1Type(), isUnsigned, /*toUnsigned=*/true);
}

/// Where the vector is not zero: positions (i64) in order, as many as there are.
Value selectPositions(OpBuilder &builder, Location loc, Value vector, bool isUnsigned) {
  IndexBuilder index(builder, loc);
  OpFoldResult length = getDim(builder, loc, vector, 0);
  Type i64 = builder.getI64Type();
  Value ones =
      createElementwise(builder, loc, vector, cast<RankedTensorType>(vector.getType()).clone(i64),
                        [&](ImplicitLocOpBuilder &body, ValueRange x) {
                          return arith::ExtUIOp::create(body, i64, isTrue(body, x[0], isUnsigned));
                        });
  Value number = reduce(builder, loc, Reduction::Sum, ones, {0});
  OpFoldResult count = getScalarIndex(builder, loc, number);

  Value zero = index.value(index.constant(0)), one = index.value(index.constant(1));
  auto loop = scf::ForOp::create(
      builder, loc, zero, index.value(length), one,
      ValueRange{zero, createEmpty(builder, loc, count, i64)},
      [&](OpBuilder &inner, Location loc, Value position, ValueRange state) {
        ImplicitLocOpBuilder body(loc, inner);
        Value chosen = isTrue(body, tensor::ExtractOp::create(body, vector, position), isUnsigned);
        auto written = scf::IfOp::create(
            body, chosen,
            [&](OpBuilder &then, Location loc) {
              Value number = arith::IndexCastOp::create(then, loc, i64, position);
              scf::YieldOp::create(
                  then, loc,
                  tensor::InsertOp::create(then, loc, number, state[1], state[0]).getResult());
            },
            [&](OpBuilder &otherwise, Location loc) {
              scf::YieldOp::create(otherwise, loc, state[1]);
            });
        Value more = arith::IndexCastUIOp::create(body, body.getIndexType(), chosen);
        Value next = arith::AddIOp::create(body, state[0], more);
        scf::YieldOp::create(body, ValueRange{next, written.getResult(0)});
      });
  return loop.getResult(1);
}

/// All elements in row-major order.
Value flatten(OpBuilder &builder, Location loc, Value tensor) {
  IndexBuilder index(builder, loc);
  return createView(builder, loc, tensor, index.product(getDims(builder, loc, tensor)));
}

Value readPosition(ImplicitLocOpBuilder &body, Value positions, Value at) {
  return arith::IndexCastOp::create(body, body.getIndexType(),
                                    tensor::ExtractOp::create(body, positions, at));
}

struct NonZeroLowering : OpConversionPattern<onnx::NonZeroOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::NonZeroOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value x = adaptor.getX();
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, x);
    Value positions =
        selectPositions(rewriter, loc, flatten(rewriter, loc, x), isUnsigned(op.getX().getType()));
    SmallVector<OpFoldResult> sizes{rewriter.getIndexAttr(from.size()),
                                    getDim(rewriter, loc, positions, 0)};
    Value result = createFromPositions(
        rewriter, loc, sizes, rewriter.getI64Type(),
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> at) {
          IndexBuilder index(body, loc);
          // The coordinate of the dimension that this row is about.
          OpFoldResult rest = readPosition(body, positions, at[1]), coordinate = index.constant(0);
          for (int64_t dim = from.size() - 1; dim >= 0; --dim) {
            coordinate = index.select(arith::CmpIPredicate::eq, at[0], index.constant(dim),
                                      index.modulo(rest, from[dim]), coordinate);
            rest = index.divide(rest, from[dim]);
          }
          return arith::IndexCastOp::create(body, body.getI64Type(), index.value(coordinate));
        });
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

struct CompressLowering : OpConversionPattern<onnx::CompressOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::CompressOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getInput(), condition = adaptor.getCondition();
    int64_t axis = 0;
    if (std::optional<int64_t> given = op.getAxis()) {
      FailureOr<int64_t> normalized = normalizeAxis(*given, getRank(data));
      if (failed(normalized))
        return refuse(rewriter, op, "axis is out of range");
      axis = *normalized;
    } else {
      data = flatten(rewriter, loc, data);
    }
    // The condition may be shorter than the axis; what it does not tell about is not chosen.
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, data);
    IndexBuilder index(rewriter, loc);
    OpFoldResult length = getDim(rewriter, loc, condition, 0);
    OpFoldResult told = index.minimum(length, sizes[axis]);
    if (!haveSameSize(told, length))
      condition = tensor::ExtractSliceOp::create(rewriter, loc, condition, index.constant(0), told,
                                                 index.constant(1));
    Value positions = selectPositions(rewriter, loc, condition, /*isUnsigned=*/true);
    sizes[axis] = getDim(rewriter, loc, positions, 0);
    Value result = createFromPositions(rewriter, loc, sizes, getElementType(data),
                                       [&](ImplicitLocOpBuilder &body, ArrayRef<Value> at) {
                                         SmallVector<Value> where(at);
                                         where[axis] = readPosition(body, positions, at[axis]);
                                         return tensor::ExtractOp::create(body, data, where);
                                       });
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

} // namespace

void lower::populateSelectionPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<NonZeroLowering, CompressLowering>(converter, patterns.getContext());
}
