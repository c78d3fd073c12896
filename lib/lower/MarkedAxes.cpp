// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See MarkedAxes.h. Everything is arithmetic on sizes, which the program evaluates once, but for
// the kernel that spreads vectors of unknown length.

#include "lib/lower/MarkedAxes.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

using Predicate = arith::CmpIPredicate;

/// A vector that holds for each of `rank` dimensions what `choose` gives for the last element of
/// `inputs` that is for this dimension, else `preset`. `locate` tells which one an element is for.
static SmallVector<OpFoldResult> spread(
    OpBuilder &builder, Location loc, ValueRange inputs, int64_t rank, int64_t preset,
    llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange elements)> choose,
    llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange elements, Value position)> locate) {
  AffineMap ofDimension = AffineMap::get(2, 0, builder.getAffineDimExpr(0)),
            ofElement = AffineMap::get(2, 0, builder.getAffineDimExpr(1));
  SmallVector<AffineMap> maps(inputs.size(), ofElement);
  maps.push_back(ofDimension);
  Type type = builder.getI64Type();
  Value initial = createFilled(builder, loc, OpFoldResult(builder.getIndexAttr(rank)),
                               builder.getIntegerAttr(type, preset));
  auto generic = linalg::GenericOp::create(
      builder, loc, initial.getType(), inputs, initial, maps,
      {utils::IteratorType::parallel, utils::IteratorType::reduction},
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        ImplicitLocOpBuilder body(loc, nested);
        Value dimension = linalg::IndexOp::create(body, 0);
        Value named = locate(body, arguments.drop_back(), linalg::IndexOp::create(body, 1));
        Value isHere = arith::CmpIOp::create(body, Predicate::eq, named, dimension);
        Value chosen = convertScalar(body, choose(body, arguments.drop_back()), type,
                                     /*fromUnsigned=*/false, /*toUnsigned=*/false);
        Value result = arith::SelectOp::create(body, isHere, chosen, arguments.back());
        linalg::YieldOp::create(body, result);
      });
  SmallVector<OpFoldResult> read;
  for (int64_t dim = 0; dim < rank; ++dim) {
    Value position = arith::ConstantIndexOp::create(builder, loc, dim);
    Value element = tensor::ExtractOp::create(builder, loc, generic.getResult(0), position);
    read.push_back(builder.createOrFold<arith::IndexCastOp>(loc, builder.getIndexType(), element));
  }
  return read;
}

/// An axis as an index, counted from the front.
static Value fromFront(ImplicitLocOpBuilder &body, Value axis, int64_t rank) {
  Value index = arith::IndexCastOp::create(body, body.getIndexType(), axis);
  Value zero = arith::ConstantIndexOp::create(body, 0);
  Value isNegative = arith::CmpIOp::create(body, Predicate::slt, index, zero);
  Value moved =
      arith::AddIOp::create(body, index, arith::ConstantIndexOp::create(body, rank).getResult());
  return arith::SelectOp::create(body, isNegative, moved, index);
}

SmallVector<OpFoldResult> lower::spreadOverAxes(OpBuilder &builder, Location loc, Value values,
                                                Value axes, int64_t rank, int64_t preset,
                                                OpFoldResult shift) {
  auto choose = [](ImplicitLocOpBuilder &, ValueRange elements) { return elements[0]; };
  if (axes && !onnx::isAbsent(axes))
    return spread(builder, loc, {values, axes}, rank, preset, choose,
                  [&](ImplicitLocOpBuilder &body, ValueRange elements, Value) {
                    return fromFront(body, elements[1], rank);
                  });
  return spread(builder, loc, values, rank, preset, choose,
                [&](ImplicitLocOpBuilder &body, ValueRange, Value position) {
                  IndexBuilder index(body, loc);
                  return index.value(index.add(position, shift));
                });
}

SmallVector<OpFoldResult> lower::markAxes(OpBuilder &builder, Location loc, Value axes,
                                          int64_t rank) {
  FailureOr<SmallVector<OpFoldResult>> named = getIndices(builder, loc, axes);
  if (failed(named)) {
    auto one = [](ImplicitLocOpBuilder &body, ValueRange) -> Value {
      return arith::ConstantOp::create(body, body.getI64IntegerAttr(1));
    };
    return spread(builder, loc, axes, rank, /*preset=*/0, one,
                  [&](ImplicitLocOpBuilder &body, ValueRange elements, Value) {
                    return fromFront(body, elements[0], rank);
                  });
  }
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> marks(rank, index.constant(0));
  for (int64_t dim = 0; dim < rank; ++dim)
    for (OpFoldResult axis : *named)
      for (int64_t spelling : {dim, dim - rank})
        marks[dim] = index.select(Predicate::eq, axis, index.constant(spelling), index.constant(1),
                                  marks[dim]);
  return marks;
}

SmallVector<OpFoldResult> lower::selectMarked(OpBuilder &builder, Location loc,
                                              ArrayRef<OpFoldResult> marks,
                                              ArrayRef<OpFoldResult> marked,
                                              ArrayRef<OpFoldResult> other) {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> result;
  for (auto [mark, yes, no] : llvm::zip_equal(marks, marked, other))
    result.push_back(index.select(Predicate::eq, mark, index.constant(1), yes, no));
  return result;
}

SmallVector<OpFoldResult> lower::dropMarked(OpBuilder &builder, Location loc,
                                            ArrayRef<OpFoldResult> marks,
                                            ArrayRef<OpFoldResult> sizes, int64_t rank) {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> kept(rank, index.constant(1));
  OpFoldResult position = index.constant(0);
  for (auto [mark, size] : llvm::zip_equal(marks, sizes)) {
    // Where this dimension stands among the others; nowhere if it is marked.
    OpFoldResult here =
        index.select(Predicate::eq, mark, index.constant(1), index.constant(-1), position);
    for (int64_t dim = 0; dim < rank; ++dim)
      kept[dim] = index.select(Predicate::eq, here, index.constant(dim), size, kept[dim]);
    position = index.add(position, index.subtract(index.constant(1), mark));
  }
  return kept;
}

SmallVector<OpFoldResult> lower::insertMarked(OpBuilder &builder, Location loc,
                                              ArrayRef<OpFoldResult> marks,
                                              ArrayRef<OpFoldResult> sizes) {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> result;
  OpFoldResult position = index.constant(0);
  for (OpFoldResult mark : marks) {
    OpFoldResult size = index.constant(1);
    for (auto [dim, candidate] : llvm::enumerate(sizes))
      size = index.select(Predicate::eq, position, index.constant(dim), candidate, size);
    result.push_back(index.select(Predicate::eq, mark, index.constant(1), index.constant(1), size));
    position = index.add(position, index.subtract(index.constant(1), mark));
  }
  return result;
}
