// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See DirectConvolution.h. The loops are those of the result, and then of the channels of a group
// and of the kernel; the last have their sizes from a tensor that nothing reads.

#include "lib/lower/DirectConvolution.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

OpFoldResult DirectConvolution::getExtent(OpBuilder &builder, Location loc, int64_t dim) const {
  IndexBuilder index(builder, loc);
  OpFoldResult kernel = getDim(builder, loc, filter, dim + 2);
  return index.add(
      index.multiply(index.subtract(kernel, index.constant(1)), index.constant(dilations[dim])),
      index.constant(1));
}

void DirectConvolution::padSame(OpBuilder &builder, Location loc, bool isUpper) {
  IndexBuilder index(builder, loc);
  for (size_t dim = 0; dim < strides.size(); ++dim) {
    OpFoldResult size = getDim(builder, loc, input, dim + 2), stride = index.constant(strides[dim]);
    OpFoldResult last =
        index.multiply(index.subtract(index.divideUp(size, stride), index.constant(1)), stride);
    OpFoldResult total = index.maximum(
        index.subtract(index.add(last, getExtent(builder, loc, dim)), size), index.constant(0));
    OpFoldResult less = index.divide(total, index.constant(2)), more = index.subtract(total, less);
    padsBegin[dim] = isUpper ? less : more;
    padsEnd[dim] = isUpper ? more : less;
  }
}

/// The size of a transposed convolution without pads.
static OpFoldResult spread(IndexBuilder &index, OpFoldResult size, OpFoldResult extent,
                           int64_t stride, int64_t outputPad) {
  OpFoldResult last =
      index.multiply(index.subtract(size, index.constant(1)), index.constant(stride));
  return index.add(index.add(last, extent), index.constant(outputPad));
}

void DirectConvolution::padTo(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                              ArrayRef<int64_t> outputPads, bool isUpper) {
  IndexBuilder index(builder, loc);
  for (size_t dim = 0; dim < strides.size(); ++dim) {
    OpFoldResult whole = spread(index, getDim(builder, loc, input, dim + 2),
                                getExtent(builder, loc, dim), strides[dim], outputPads[dim]);
    OpFoldResult excess = index.subtract(whole, sizes[dim]);
    OpFoldResult cut = index.maximum(excess, index.constant(0));
    OpFoldResult less = index.divide(cut, index.constant(2)), more = index.subtract(cut, less);
    padsBegin[dim] = isUpper ? less : more;
    // Less than nothing where something is missing.
    padsEnd[dim] = index.add(isUpper ? more : less, index.minimum(excess, index.constant(0)));
  }
}

Value DirectConvolution::create(OpBuilder &builder, Location loc) const {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> sizes{getDim(builder, loc, input, 0), getDim(builder, loc, filter, 0)};
  for (size_t dim = 0; dim < strides.size(); ++dim) {
    OpFoldResult padded =
        index.add(index.add(getDim(builder, loc, input, dim + 2), padsBegin[dim]), padsEnd[dim]);
    OpFoldResult room = index.subtract(padded, getExtent(builder, loc, dim));
    // A window that does not fit has no position at all.
    OpFoldResult beyond =
        index.maximum(index.add(room, index.constant(strides[dim])), index.constant(0));
    sizes.push_back(index.divide(beyond, index.constant(strides[dim])));
  }
  return sum(builder, loc, sizes, /*isTransposed=*/false);
}

Value DirectConvolution::createTransposed(OpBuilder &builder, Location loc,
                                          ArrayRef<int64_t> outputPads) const {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> sizes{
      getDim(builder, loc, input, 0),
      index.multiply(getDim(builder, loc, filter, 1), index.constant(groups))};
  for (size_t dim = 0; dim < strides.size(); ++dim) {
    OpFoldResult whole = spread(index, getDim(builder, loc, input, dim + 2),
                                getExtent(builder, loc, dim), strides[dim], outputPads[dim]);
    OpFoldResult pads = index.add(padsBegin[dim], padsEnd[dim]);
    sizes.push_back(index.maximum(index.subtract(whole, pads), index.constant(0)));
  }
  return sum(builder, loc, sizes, /*isTransposed=*/true);
}

namespace {

/// Where an element of the input is read, and whether that is inside of it.
struct Reading {
  Value position, isInside;
};

} // namespace

/// The input's position under element `out` of the result and element `k` of the kernel.
static Reading locate(ImplicitLocOpBuilder &body, Value out, Value k, OpFoldResult pad,
                      int64_t stride, int64_t dilation, OpFoldResult size, bool isTransposed) {
  using Predicate = arith::CmpIPredicate;
  IndexBuilder index(body, body.getLoc());
  OpFoldResult reach = index.multiply(k, index.constant(dilation)), at;
  Value zero = index.value(index.constant(0)), isInside;
  if (isTransposed) {
    at = index.subtract(index.add(out, pad), reach);
    // Division and remainder are for what is not negative.
    OpFoldResult some = index.maximum(at, index.constant(0));
    isInside = arith::CmpIOp::create(body, Predicate::sge, index.value(at), zero);
    Value rest = index.value(index.modulo(some, index.constant(stride)));
    Value isHit = arith::CmpIOp::create(body, Predicate::eq, rest, zero);
    isInside = arith::AndIOp::create(body, isInside, isHit);
    at = index.divide(some, index.constant(stride));
  } else {
    at = index.subtract(index.add(index.multiply(out, index.constant(stride)), reach), pad);
    isInside = arith::CmpIOp::create(body, Predicate::sge, index.value(at), zero);
  }
  Value isBefore = arith::CmpIOp::create(body, Predicate::slt, index.value(at), index.value(size));
  OpFoldResult last = index.subtract(size, index.constant(1));
  return {index.value(index.maximum(index.minimum(at, last), index.constant(0))),
          arith::AndIOp::create(body, isInside, isBefore)};
}

Value DirectConvolution::sum(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                             bool isTransposed) const {
  IndexBuilder index(builder, loc);
  MLIRContext *context = builder.getContext();
  int64_t spatialRank = strides.size(), rank = spatialRank + 2;
  Type element = getElementType(input), wide = getAccumulatorType(element);
  SmallVector<OpFoldResult> from = getDims(builder, loc, input);

  // Channels of a group on either side; 1 in place of 0, because they divide.
  auto perGroup = [&](OpFoldResult channels) {
    return index.maximum(index.divide(channels, index.constant(groups)), index.constant(1));
  };
  OpFoldResult inputs = index.divide(from[1], index.constant(groups)), outputs = perGroup(sizes[1]);
  SmallVector<OpFoldResult> summed{inputs};
  llvm::append_range(summed, ArrayRef(getDims(builder, loc, filter)).drop_front(2));
  Value measure = createEmpty(builder, loc, summed, wide);
  Value zeros = createFilled(builder, loc, sizes, cast<TypedAttr>(builder.getZeroAttr(wide)));

  SmallVector<AffineExpr> loops;
  for (int64_t loop = 0; loop < rank + 1 + spatialRank; ++loop)
    loops.push_back(builder.getAffineDimExpr(loop));
  ArrayRef<AffineExpr> all(loops);
  SmallVector<AffineMap> maps{AffineMap::get(loops.size(), 0, all.drop_front(rank), context),
                              AffineMap::get(loops.size(), 0, all.take_front(rank), context)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.append(1 + spatialRank, utils::IteratorType::reduction);

  auto generic = linalg::GenericOp::create(
      builder, loc, zeros.getType(), measure, zeros, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        ImplicitLocOpBuilder body(loc, nested);
        IndexBuilder inner(body, loc);
        SmallVector<Value> loop;
        for (size_t i = 0; i < loops.size(); ++i)
          loop.push_back(linalg::IndexOp::create(body, i));
        OpFoldResult group = inner.divide(loop[1], outputs);
        Value channel = inner.value(inner.add(inner.multiply(group, inputs), loop[rank]));
        SmallVector<Value> source{loop[0], channel}, weight{loop[1], loop[rank]};
        if (isTransposed)
          weight = {channel, inner.value(inner.modulo(loop[1], outputs))};
        Value isInside;
        for (int64_t dim = 0; dim < spatialRank; ++dim) {
          Value k = loop[rank + 1 + dim];
          Reading reading = locate(body, loop[2 + dim], k, padsBegin[dim], strides[dim],
                                   dilations[dim], from[2 + dim], isTransposed);
          source.push_back(reading.position);
          weight.push_back(k);
          isInside = isInside ? arith::AndIOp::create(body, isInside, reading.isInside).getResult()
                              : reading.isInside;
        }
        auto read = [&](Value tensor, ValueRange where) {
          return convertScalar(body, tensor::ExtractOp::create(body, tensor, where), wide,
                               /*fromUnsigned=*/false, /*toUnsigned=*/false);
        };
        Value outside = createScalar(body, loc, wide, 0);
        Value x = arith::SelectOp::create(body, isInside, read(input, source), outside);
        Value w = read(filter, weight), result;
        if (isa<FloatType>(wide))
          result = arith::AddFOp::create(body, arguments[1], arith::MulFOp::create(body, x, w));
        else
          result = arith::AddIOp::create(body, arguments[1], arith::MulIOp::create(body, x, w));
        linalg::YieldOp::create(body, result);
      });
  return convertElements(builder, loc, generic.getResult(0), element);
}
