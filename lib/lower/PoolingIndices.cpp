// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a maximum was found: the output Indices of MaxPool. An operation of its own beside the one
// that finds the values, since few models ask for it.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Spatial.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

Value lower::createMaximumIndices(OpBuilder &builder, Location loc, Value input,
                                  const Window &window, ArrayRef<OpFoldResult> sizes,
                                  bool isColumnMajor, bool isUnsigned) {
  auto spatialRank = static_cast<int64_t>(window.kernel.size()), rank = spatialRank + 2;
  SmallVector<OpFoldResult> from = getDims(builder, loc, input);
  SmallVector<OpFoldResult> pads = window.dynamicPads;
  if (pads.empty())
    pads = getAsIndexOpFoldResult(builder.getContext(), window.pads);

  Type type = getElementType(input);
  Value best = createFilled(builder, loc, sizes, cast<TypedAttr>(builder.getZeroAttr(type)));
  Value where = createFilled(builder, loc, sizes, builder.getI64IntegerAttr(-1));
  // The loops: the result's dimensions, then those of the window, which a tensor without contents
  // gives their sizes.
  Value shape =
      createEmpty(builder, loc, getAsIndexOpFoldResult(builder.getContext(), window.kernel), type);
  MLIRContext *context = builder.getContext();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank + spatialRank, context);
  SmallVector<AffineMap> maps{identity.getMinorSubMap(spatialRank), identity.getMajorSubMap(rank),
                              identity.getMajorSubMap(rank)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.append(spatialRank, utils::IteratorType::reduction);

  auto compare = [&](OpBuilder &inner, Location loc, ValueRange elements) {
    using Predicate = arith::CmpIPredicate;
    ImplicitLocOpBuilder body(loc, inner);
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    IndexBuilder index(body, loc);
    auto combine = [&](Value a, Value b) -> Value { return arith::AndIOp::create(body, a, b); };
    auto holds = [&](Predicate predicate, Value a, Value b) -> Value {
      return arith::CmpIOp::create(body, predicate, a, b);
    };
    SmallVector<Value> position{linalg::IndexOp::create(body, 0), linalg::IndexOp::create(body, 1)};
    Value isInside;
    for (int64_t dim = 0; dim < spatialRank; ++dim) {
      OpFoldResult outer = linalg::IndexOp::create(body, dim + 2).getResult(),
                   within = linalg::IndexOp::create(body, dim + rank).getResult();
      OpFoldResult at =
          index.subtract(index.add(index.multiply(outer, index.constant(window.strides[dim])),
                                   index.multiply(within, index.constant(window.dilations[dim]))),
                         pads[dim]);
      OpFoldResult last = index.subtract(from[dim + 2], index.constant(1));
      Value limited = index.value(index.maximum(index.minimum(at, last), index.constant(0)));
      Value isHere = holds(Predicate::eq, index.value(at), limited);
      isInside = isInside ? combine(isInside, isHere) : isHere;
      position.push_back(limited);
    }
    OpFoldResult flat = index.add(index.multiply(position[0], from[1]), OpFoldResult(position[1]));
    for (int64_t i = 0; i < spatialRank; ++i)
      flat = index.multiply(flat, from[i + 2]);
    OpFoldResult spatial = index.constant(0);
    for (int64_t i = 0; i < spatialRank; ++i) {
      int64_t dim = isColumnMajor ? rank - 1 - i : i + 2;
      spatial = index.add(index.multiply(spatial, from[dim]), OpFoldResult(position[dim]));
    }
    Value here =
        arith::IndexCastOp::create(body, body.getI64Type(), index.value(index.add(flat, spatial)));

    // Of equal elements the first in the order of the input, in whatever order they are seen.
    Value element = tensor::ExtractOp::create(body, input, position);
    Value isFirst =
        holds(Predicate::slt, elements[2], createIntegerScalar(body, loc, body.getI64Type(), 0));
    Value isTie =
        combine(scalar.equal(element, elements[1]), holds(Predicate::slt, here, elements[2]));
    Value isBetter = arith::OrIOp::create(body, scalar.less(elements[1], element), isTie);
    Value isChosen = combine(isInside, arith::OrIOp::create(body, isFirst, isBetter));
    linalg::YieldOp::create(body, ValueRange{scalar.select(isChosen, element, elements[1]),
                                             scalar.select(isChosen, here, elements[2])});
  };
  return linalg::GenericOp::create(builder, loc, TypeRange{best.getType(), where.getType()}, shape,
                                   ValueRange{best, where}, maps, iterators, compare)
      .getResult(1);
}
