// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Attention.cpp - nn.attention ---------------------------------------===//
//
// The decomposition writes the scores of all heads out: [B, H, S, T]. A target that
// has room for less of them claims the operation instead.
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon::nn;
using namespace tenon::nn::detail;

LogicalResult AttentionOp::verify() {
  RankedTensorType query = getQuery().getType(), key = getKey().getType(),
                   value = getValue().getType();
  for (auto [name, type] : {std::pair("query", query), std::pair("key", key),
                            std::pair("value", value), std::pair("result", getType())}) {
    if (type.getRank() != 4)
      return emitOpError("needs a ") << name << " of rank 4, found " << type;
    if (type.getElementType() != query.getElementType())
      return emitOpError("needs a ")
             << name << " of the query's element type, found " << type << " and " << query;
  }
  auto agree = [](int64_t a, int64_t b) { return succeeded(verifyCompatibleShape({a}, {b})); };
  if (!agree(key.getDimSize(0), query.getDimSize(0)) ||
      !agree(key.getDimSize(3), query.getDimSize(3)))
    return emitOpError("has query ")
           << query << " and key " << key << ", which differ in batch or head size";
  if (failed(verifyCompatibleShape(key.getShape().drop_back(), value.getShape().drop_back())))
    return emitOpError("has key ")
           << key << " and value " << value << ", which differ before the head size";
  int64_t heads = query.getDimSize(1), keyHeads = key.getDimSize(1);
  if (heads != keyHeads &&
      (ShapedType::isDynamicShape({heads, keyHeads}) || keyHeads == 0 || heads % keyHeads != 0))
    return emitOpError("needs static heads of the query, a multiple of the key's, found ")
           << query << " and " << key;
  if (Value mask = getMask()) {
    auto type = cast<RankedTensorType>(mask.getType());
    int64_t scores[] = {query.getDimSize(0), heads, query.getDimSize(2), key.getDimSize(2)};
    bool aligned = type.getRank() <= 4;
    for (int64_t dim = 0; aligned && dim < type.getRank(); ++dim)
      aligned = type.getDimSize(dim) == 1 ||
                agree(type.getDimSize(dim), scores[4 - type.getRank() + dim]);
    if (!aligned)
      return emitOpError("needs a mask that is aligned with the scores ")
             << RankedTensorType::get(scores, query.getElementType()) << ", found " << type;
  }
  if (getCausalOffset() && !getCausal())
    return emitOpError("has a causal offset but is not causal");
  return verifyShape(*this, getType(),
                     {query.getDimSize(0), heads, query.getDimSize(2), value.getDimSize(3)});
}

LogicalResult AttentionOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyShape(b, getLoc(), getType(), [&](int64_t dim) {
    return tensor::getMixedSize(b, getLoc(), dim == 3 ? getValue() : getQuery(), dim);
  }));
  return success();
}

// Scales, caps and masks the scores of `op`.
static Value adjustScores(OpBuilder &b, AttentionOp op, Value scores) {
  Location loc = op.getLoc();
  auto scoresType = cast<RankedTensorType>(scores.getType());
  Type type = scoresType.getElementType();
  AffineMap identity = b.getMultiDimIdentityMap(4);
  SmallVector<Value> inputs{scores};
  SmallVector<AffineMap> maps{identity};
  if (Value mask = op.getMask()) {
    inputs.push_back(mask);
    maps.push_back(getBroadcastMap(cast<RankedTensorType>(mask.getType()), 4, b.getContext()));
  }
  maps.push_back(identity);
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, scores), type);
  return createGeneric(
      b, loc, inputs, empty, maps, iterators, [&](OpBuilder &b, Location loc, ValueRange elements) {
        Value score = elements[0];
        Value hidden = createConstant(b, loc, type, -std::numeric_limits<double>::infinity());
        score = arith::MulFOp::create(b, loc, score,
                                      createConstant(b, loc, type, op.getScale().convertToFloat()));
        if (float cap = op.getSoftcap().convertToFloat()) {
          Value limit = createConstant(b, loc, type, cap);
          Value ratio = math::TanhOp::create(b, loc, arith::DivFOp::create(b, loc, score, limit));
          score = arith::MulFOp::create(b, loc, ratio, limit);
        }
        if (op.getMask()) {
          if (elements[1].getType().isInteger(1))
            score = arith::SelectOp::create(b, loc, elements[1], score, hidden);
          else
            score = arith::AddFOp::create(b, loc, score, convert(b, loc, elements[1], type));
        }
        if (op.getCausal()) {
          Value last = linalg::IndexOp::create(b, loc, 2);
          if (op.getCausalOffset())
            last = arith::AddIOp::create(b, loc, last, op.getCausalOffset());
          Value visible = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle,
                                                linalg::IndexOp::create(b, loc, 3), last);
          score = arith::SelectOp::create(b, loc, visible, score, hidden);
        }
        return score;
      });
}

// Reduces each row of `scores` into `init`.
static Value reduceScores(OpBuilder &b, Location loc, Value scores, Value init,
                          function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  AffineMap identity = b.getMultiDimIdentityMap(4);
  SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  return createGeneric(b, loc, scores, init, {identity, identity.getMajorSubMap(3)}, iterators,
                       body);
}

FailureOr<SmallVector<Value>> AttentionOp::decomposeOperation(OpBuilder &b) {
  Location loc = getLoc();
  MLIRContext *context = b.getContext();
  Value query = getQuery(), key = getKey(), value = getValue();
  int64_t heads = getQuery().getType().getDimSize(1), keyHeads = getKey().getType().getDimSize(1);
  bool grouped = heads != keyHeads;
  Type type = getAccumulatorType(getQuery().getType().getElementType());

  // lhs is [B, H, M, R], rhs as `rhsExprs` says; the result is [B, H, M, N] with R summed. With
  // grouped heads, H is [K, H / K] meanwhile and rhs is not indexed by the second.
  auto contract = [&](Value lhs, Value rhs, OpFoldResult columns, Type element,
                      bool rhsTransposed) -> Value {
    unsigned count = 0;
    auto loop = [&] { return getAffineDimExpr(count++, context); };
    SmallVector<AffineExpr> outer{loop(), loop()}, rhsOuter = outer;
    if (grouped) {
      lhs = splitDimension(b, loc, lhs, 1, keyHeads);
      outer.push_back(loop());
    }
    AffineExpr row = loop(), column = loop(), sum = loop();
    auto map = [&](SmallVector<AffineExpr> exprs, AffineExpr first, AffineExpr second) {
      exprs.append({first, second});
      return AffineMap::get(count, 0, exprs, context);
    };
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, lhs);
    sizes.back() = columns;
    Value result =
        createContraction(b, loc, lhs, rhs, sizes, element,
                          {map(outer, row, sum),
                           rhsTransposed ? map(rhsOuter, column, sum) : map(rhsOuter, sum, column),
                           map(outer, row, column)});
    return grouped ? joinDimensions(b, loc, result, 1) : result;
  };

  Value scores =
      contract(query, key, tensor::getMixedSize(b, loc, key, 2), type, /*rhsTransposed=*/true);
  scores = adjustScores(b, *this, scores);

  // The softmax is divided by its sum after it has been applied to the values, which are fewer than
  // the scores.
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, scores);
  SmallVector<OpFoldResult> rows(ArrayRef(sizes).drop_back());
  bool mayHideAll = getMask() || getCausalOffset();
  double lowest = -std::numeric_limits<double>::infinity();
  Value largest =
      reduceScores(b, loc, scores, createFilled(b, loc, rows, createConstant(b, loc, type, lowest)),
                   [](OpBuilder &b, Location loc, ValueRange elements) -> Value {
                     return arith::MaxNumFOp::create(b, loc, elements[0], elements[1]);
                   });
  AffineMap identity = b.getMultiDimIdentityMap(4), perRow = identity.getMajorSubMap(3);
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  Value weights = createGeneric(
      b, loc, {scores, largest}, tensor::EmptyOp::create(b, loc, sizes, type),
      {identity, perRow, identity}, iterators,
      [&](OpBuilder &b, Location loc, ValueRange elements) -> Value {
        Value subtrahend = elements[1];
        if (mayHideAll) {
          // -inf - -inf is not a number; -inf - 0 has the exponential 0.
          Value isHidden = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, subtrahend,
                                                 createConstant(b, loc, type, lowest));
          subtrahend = arith::SelectOp::create(b, loc, isHidden, createConstant(b, loc, type, 0),
                                               subtrahend);
        }
        return math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, elements[0], subtrahend));
      });
  Value sums =
      reduceScores(b, loc, weights, createFilled(b, loc, rows, createConstant(b, loc, type, 0)),
                   [](OpBuilder &b, Location loc, ValueRange elements) -> Value {
                     return arith::AddFOp::create(b, loc, elements[1], elements[0],
                                                  arith::FastMathFlags::reassoc);
                   });
  Value weighted = contract(weights, value, tensor::getMixedSize(b, loc, value, 3), type,
                            /*rhsTransposed=*/false);
  Type element = getType().getElementType();
  Value empty = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, weighted), element);
  Value result = createGeneric(
      b, loc, {weighted, sums}, empty, {identity, perRow, identity}, iterators,
      [&](OpBuilder &b, Location loc, ValueRange elements) -> Value {
        Value divisor = elements[1];
        if (mayHideAll) {
          Value isZero = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, divisor,
                                               createConstant(b, loc, type, 0));
          divisor =
              arith::SelectOp::create(b, loc, isZero, createConstant(b, loc, type, 1), divisor);
        }
        return convert(b, loc, arith::DivFOp::create(b, loc, elements[0], divisor), element);
      });
  return SmallVector<Value>{result};
}
