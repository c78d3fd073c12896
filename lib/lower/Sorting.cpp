// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TopK, by bringing positions into the order of the elements that they stand for.
//
// A few are kept sorted while the row is read: an element is compared with the last of them, and
// mostly that is all. Many are a merge sort of the whole row from the bottom up, between the two
// halves of a tensor that take turns, so that nothing is copied: one iteration merges runs of
// `width` into the second half and runs of twice that back into the first. Both keep the order of
// equal elements, which is what ONNX asks for, and write one tensor in place.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// The smallest number of iterations, of which each merges four runs into one, that sorts `size`
/// elements.
OpFoldResult countIterations(OpBuilder &builder, Location loc, OpFoldResult size) {
  IndexBuilder index(builder, loc);
  OpFoldResult count = index.constant(0);
  for (int64_t reach = 1, i = 1; i <= 31; reach *= 4, ++i)
    count = index.select(arith::CmpIPredicate::slt, index.constant(reach), size, index.constant(i),
                         count);
  return count;
}

/// Up to this many are kept sorted.
constexpr int64_t kMostKept = 128;

/// Sorts the rows of `keys` along `axis`: [rows..., positions] of i64.
class RowSorter {
public:
  RowSorter(OpBuilder &builder, Location loc, Value keys, int64_t axis, bool isLargestFirst,
            bool isUnsigned)
      : builder(builder), loc(loc), keys(keys), axis(axis), isLargestFirst(isLargestFirst),
        isUnsigned(isUnsigned), rows(getDims(builder, loc, keys)), length(rows[axis]) {
    rows.erase(rows.begin() + axis);
    IndexBuilder index(builder, loc);
    zero = index.value(index.constant(0));
    one = index.value(index.constant(1));
    size = index.value(length);
    last = index.value(index.subtract(length, index.constant(1)));
  }

  /// The first `count` positions, of at least 1.
  Value select(int64_t count) {
    // None yet.
    SmallVector<OpFoldResult> sizes(rows);
    sizes.push_back(builder.getIndexAttr(count));
    Value state = createFilled(builder, loc, sizes, builder.getI64IntegerAttr(-1));
    Value end = arith::ConstantIndexOp::create(builder, loc, count),
          worst = arith::ConstantIndexOp::create(builder, loc, count - 1);
    return loop(state, length,
                [&](ImplicitLocOpBuilder &body, ValueRange row, Value position, Value state) {
                  Value candidate = arith::IndexCastOp::create(body, body.getI64Type(), position);
                  Value isBetter = precedes(body, row, candidate, readAt(body, state, row, worst));
                  Value count = arith::SelectOp::create(body, isBetter, end, zero);
                  return insert(body, state, row, candidate, count);
                });
  }

  /// All positions, in the first half of a tensor whose second half holds no result.
  Value sort() {
    IndexBuilder index(builder, loc);
    SmallVector<OpFoldResult> sizes(rows);
    sizes.push_back(index.multiply(length, index.constant(2)));
    Value state = createFromPositions(builder, loc, sizes, builder.getI64Type(),
                                      [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
                                        return arith::IndexCastOp::create(body, body.getI64Type(),
                                                                          position.back());
                                      });
    return loop(state, countIterations(builder, loc, length),
                [&](ImplicitLocOpBuilder &body, ValueRange row, Value iteration, Value state) {
                  Value two = arith::ConstantIndexOp::create(body, 2);
                  Value width =
                      arith::ShLIOp::create(body, one, arith::MulIOp::create(body, iteration, two));
                  state = merge(body, state, zero, size, row, width);
                  return merge(body, state, size, zero, row,
                               arith::MulIOp::create(body, width, two));
                });
  }

private:
  /// Runs `step` `count` times for each row, handing on one tensor.
  Value loop(Value state, OpFoldResult count,
             llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange, Value, Value)> step) {
    IndexBuilder index(builder, loc);
    SmallVector<Value> begins(rows.size() + 1, zero), ends, steps(rows.size() + 1, one);
    for (OpFoldResult row : rows)
      ends.push_back(index.value(row));
    ends.push_back(index.value(count));
    return scf::buildLoopNest(builder, loc, begins, ends, steps, state,
                              [&](OpBuilder &inner, Location loc, ValueRange at,
                                  ValueRange carried) -> scf::ValueVector {
                                ImplicitLocOpBuilder body(loc, inner);
                                return {step(body, at.drop_back(), at.back(), carried.front())};
                              })
        .results.front();
  }

  /// Puts `candidate` where it belongs among the first `count` of a row; the others move on, and
  /// the last one drops out.
  Value insert(ImplicitLocOpBuilder &builder, Value state, ValueRange row, Value candidate,
               Value count) {
    auto step = [&](OpBuilder &inner, Location loc, Value position, ValueRange carried) {
      ImplicitLocOpBuilder body(loc, inner);
      Value here = readAt(body, carried[0], row, position);
      Value isBefore = precedes(body, row, carried[1], here);
      Value first = arith::SelectOp::create(body, isBefore, carried[1], here),
            second = arith::SelectOp::create(body, isBefore, here, carried[1]);
      SmallVector<Value> where(row);
      where.push_back(position);
      Value written = tensor::InsertOp::create(body, first, carried[0], where);
      scf::YieldOp::create(body, ValueRange{written, second});
    };
    return scf::ForOp::create(builder, zero, count, one, ValueRange{state, candidate}, step)
        .getResult(0);
  }

  /// Merges each two neighbouring runs of `width` of a row, from the half of `state` that begins at
  /// `from` into the one that begins at `into`.
  Value merge(ImplicitLocOpBuilder &builder, Value state, Value from, Value into, ValueRange row,
              Value width) {
    Value mask = arith::SubIOp::create(builder, arith::AddIOp::create(builder, width, width), one);
    auto step = [&](OpBuilder &inner, Location loc, Value position, ValueRange carried) {
      ImplicitLocOpBuilder body(loc, inner);
      using Predicate = arith::CmpIPredicate;
      auto compare = [&](Predicate predicate, Value a, Value b) -> Value {
        return arith::CmpIOp::create(body, predicate, a, b);
      };
      auto add = [&](Value a, Value b) -> Value { return arith::AddIOp::create(body, a, b); };
      auto limit = [&](Value a, Value b) -> Value { return arith::MinSIOp::create(body, a, b); };
      Value within = arith::AndIOp::create(body, position, mask);
      Value start = arith::SubIOp::create(body, position, within);
      Value middle = limit(add(start, width), size), end = limit(add(middle, width), size);
      Value isStart = compare(Predicate::eq, within, zero);
      Value left = arith::SelectOp::create(body, isStart, start, carried[1]);
      Value right = arith::SelectOp::create(body, isStart, middle, carried[2]);

      Value leftPosition = readAt(body, carried[0], row, add(from, limit(left, last))),
            rightPosition = readAt(body, carried[0], row, add(from, limit(right, last)));
      Value isBetter =
          comesBefore(body, readKey(body, row, rightPosition), readKey(body, row, leftPosition));
      Value hasLeft = compare(Predicate::slt, left, middle),
            hasRight = compare(Predicate::slt, right, end);
      Value takesRight = arith::SelectOp::create(body, hasLeft, isBetter, hasRight);
      takesRight = arith::AndIOp::create(body, takesRight, hasRight);
      SmallVector<Value> where(row);
      where.push_back(add(into, position));
      Value written = tensor::InsertOp::create(
          body, arith::SelectOp::create(body, takesRight, rightPosition, leftPosition), carried[0],
          where);
      Value advance = arith::IndexCastUIOp::create(body, body.getIndexType(), takesRight);
      Value rest = arith::SubIOp::create(body, one, advance);
      scf::YieldOp::create(body, ValueRange{written, add(left, rest), add(right, advance)});
    };
    return scf::ForOp::create(builder, zero, size, one, ValueRange{state, zero, zero}, step)
        .getResult(0);
  }

  /// An entry of a row of positions.
  static Value readAt(ImplicitLocOpBuilder &body, Value positions, ValueRange row, Value at) {
    SmallVector<Value> where(row);
    where.push_back(at);
    return tensor::ExtractOp::create(body, positions, where);
  }

  /// The element that a position of a row stands for; the first one for none.
  Value readKey(ImplicitLocOpBuilder &body, ValueRange row, Value position) {
    Value at = arith::IndexCastOp::create(body, body.getIndexType(), position);
    SmallVector<Value> source(row);
    source.insert(source.begin() + axis, arith::MaxSIOp::create(body, at, zero).getResult());
    Value key = tensor::ExtractOp::create(body, keys, source);
    return convertScalar(body, key, getAccumulatorType(key.getType()), false, false);
  }

  /// Whether position `a` comes before `b`, which may be none.
  Value precedes(ImplicitLocOpBuilder &body, ValueRange row, Value a, Value b) {
    auto isLess = [&](Value x, Value y) -> Value {
      return arith::CmpIOp::create(body, arith::CmpIPredicate::slt, x, y);
    };
    Value keyOfA = readKey(body, row, a), keyOfB = readKey(body, row, b);
    Value none = createIntegerScalar(body, loc, body.getI64Type(), 0);
    Value exists = arith::CmpIOp::create(body, arith::CmpIPredicate::sge, a, none);
    // Of equal elements the first.
    Value result = arith::SelectOp::create(body, comesBefore(body, keyOfB, keyOfA),
                                           arith::ConstantOp::create(body, body.getBoolAttr(false)),
                                           isLess(a, b));
    result = arith::OrIOp::create(body, comesBefore(body, keyOfA, keyOfB), result);
    return arith::AndIOp::create(body, exists, arith::OrIOp::create(body, isLess(b, none), result));
  }

  /// NaNs are greater than all numbers, and equal to each other.
  Value comesBefore(ImplicitLocOpBuilder &body, Value a, Value b) {
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    if (!isLargestFirst)
      std::swap(a, b);
    Value isGreater = scalar.less(b, a);
    if (!scalar.isFloat(a))
      return isGreater;
    auto isNan = [&](arith::CmpFPredicate predicate, Value x) -> Value {
      return arith::CmpFOp::create(body, predicate, x, x);
    };
    Value onlyFirst = arith::AndIOp::create(body, isNan(arith::CmpFPredicate::UNO, a),
                                            isNan(arith::CmpFPredicate::ORD, b));
    return arith::OrIOp::create(body, isGreater, onlyFirst);
  }

  OpBuilder &builder;
  Location loc;
  Value keys;
  int64_t axis;
  bool isLargestFirst, isUnsigned;
  SmallVector<OpFoldResult> rows;
  OpFoldResult length;
  Value zero, one, size, last;
};

struct TopKLowering : OpConversionPattern<onnx::TopKOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::TopKOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getX();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(input));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getValues().getType());
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input);
    OpFoldResult length = sizes[*axis];
    sizes[*axis] = type.isDynamicDim(*axis)
                       ? getScalarIndex(rewriter, loc, adaptor.getK())
                       : OpFoldResult(rewriter.getIndexAttr(type.getDimSize(*axis)));
    if (std::optional<int64_t> k = getConstantIntValue(sizes[*axis]),
        size = getConstantIntValue(length);
        k && size && (*k < 0 || *k > *size))
      return refuse(rewriter, op, [&](Diagnostic &diagnostic) {
        diagnostic << "K is " << *k << ", expected 0 to " << *size << ", the size of the axis";
      });

    RowSorter sorter(rewriter, loc, input, *axis, op.getLargest() != 0,
                     isUnsigned(op.getX().getType()));
    std::optional<int64_t> count = getConstantIntValue(sizes[*axis]);
    Value order =
        count && *count >= 1 && *count <= kMostKept ? sorter.select(*count) : sorter.sort();
    auto readOrder = [&](OpBuilder &builder, ArrayRef<Value> position) -> Value {
      SmallVector<Value> where(position);
      where.erase(where.begin() + *axis);
      where.push_back(position[*axis]);
      return tensor::ExtractOp::create(builder, loc, order, where);
    };
    Value values =
        createFromPositions(rewriter, loc, sizes, type.getElementType(),
                            [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
                              SmallVector<Value> source(position);
                              source[*axis] = arith::IndexCastOp::create(body, body.getIndexType(),
                                                                         readOrder(body, position));
                              return tensor::ExtractOp::create(body, input, source);
                            });
    Value indices =
        createFromPositions(rewriter, loc, sizes, rewriter.getI64Type(),
                            [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
                              return readOrder(body, position);
                            });
    rewriter.replaceOp(op, {castTo(rewriter, loc, values, type),
                            castTo(rewriter, loc, indices,
                                   getTypeConverter()->convertType(op.getIndices().getType()))});
    return success();
  }
};

} // namespace

void lower::populateSortingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<TopKLowering>(converter, patterns.getContext());
}
