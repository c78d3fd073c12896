// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Normalize.cpp - nn.normalize ---------------------------------------===//
//
// The decomposition centres before it squares: the one-pass formula
// mean(x^2) - mean(x)^2 cancels catastrophically for rows far from zero.
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon::nn;
using namespace tenon::nn::detail;

LogicalResult NormalizeOp::verify() {
  RankedTensorType input = getInput().getType(), result = getType();
  int64_t rank = input.getRank(), axis = getAxis();
  if (axis < 0 || axis >= rank)
    return emitOpError("needs an axis in [0, ") << rank << "), found " << axis;
  for (auto [name, operand] : {std::pair("scale", getScale()), std::pair("bias", getBias())}) {
    if (!operand)
      continue;
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getElementType() != result.getElementType())
      return emitOpError("needs a ")
             << name << " of the result's elements, found " << type << " and " << result;
    bool aligned = type.getRank() <= rank;
    for (int64_t dim = 0; aligned && dim < type.getRank(); ++dim) {
      int64_t size = type.getDimSize(dim), expected = input.getDimSize(rank - type.getRank() + dim);
      aligned = size == 1 || succeeded(verifyCompatibleShape({size}, {expected}));
    }
    if (!aligned)
      return emitOpError("needs a ")
             << name << " that is aligned with the input's trailing dimensions, found " << type
             << " and " << input;
  }
  return verifyShape(*this, result, input.getShape());
}

LogicalResult NormalizeOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(reifyShape(b, getLoc(), getType(), [&](int64_t dim) {
    return tensor::getMixedSize(b, getLoc(), getInput(), dim);
  }));
  return success();
}

// The number of elements of a row, in `type`.
static Value countRow(OpBuilder &b, Location loc, Value input, int64_t axis, Type type) {
  auto inputType = cast<RankedTensorType>(input.getType());
  ArrayRef<int64_t> row = inputType.getShape().drop_front(axis);
  if (!ShapedType::isDynamicShape(row))
    return createConstant(b, loc, type, ShapedType::getNumElements(row));
  Value count = arith::ConstantIndexOp::create(b, loc, 1);
  for (int64_t dim = axis; dim < inputType.getRank(); ++dim)
    count = arith::MulIOp::create(b, loc, count, tensor::DimOp::create(b, loc, input, dim));
  return arith::SIToFPOp::create(b, loc, type,
                                 arith::IndexCastOp::create(b, loc, b.getI64Type(), count));
}

FailureOr<SmallVector<Value>> NormalizeOp::decomposeOperation(OpBuilder &b) {
  Location loc = getLoc();
  Value input = getInput();
  int64_t rank = getInput().getType().getRank(), axis = getAxis();
  Type type = getAccumulatorType(getInput().getType().getElementType()),
       element = getType().getElementType();
  AffineMap whole = b.getMultiDimIdentityMap(rank);
  AffineMap outer = AffineMap::get(rank, 0, whole.getResults().take_front(axis), b.getContext());
  AffineMap outerOnly = b.getMultiDimIdentityMap(axis);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, input);
  ArrayRef<OpFoldResult> outerSizes = ArrayRef(sizes).take_front(axis);
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  SmallVector<utils::IteratorType> reduction(axis, utils::IteratorType::parallel);
  reduction.append(rank - axis, utils::IteratorType::reduction);
  Value count = countRow(b, loc, input, axis, type);
  auto sumFlags = arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;

  // The rows' sums of `term`, then put through `finish`: one value per row.
  auto reduceRows = [&](ValueRange inputs, ArrayRef<AffineMap> inputMaps,
                        function_ref<Value(OpBuilder &, Location, ValueRange)> term,
                        function_ref<Value(OpBuilder &, Location, Value)> finish) {
    SmallVector<AffineMap> maps(inputMaps);
    maps.push_back(outer);
    Value zero = createFilled(b, loc, outerSizes, createConstant(b, loc, type, 0));
    Value sum = createGeneric(b, loc, inputs, zero, maps, reduction,
                              [&](OpBuilder &b, Location loc, ValueRange elements) -> Value {
                                return arith::AddFOp::create(b, loc, elements.back(),
                                                             term(b, loc, elements), sumFlags);
                              });
    Value empty = tensor::EmptyOp::create(b, loc, outerSizes, type);
    return createGeneric(b, loc, sum, empty, {outerOnly, outerOnly},
                         ArrayRef(parallel).take_front(axis),
                         [&](OpBuilder &b, Location loc, ValueRange elements) {
                           return finish(b, loc, elements[0]);
                         });
  };

  SmallVector<Value> inputs{input};
  SmallVector<AffineMap> maps{whole};
  bool centred = getKind() == NormalizeKind::Layer;
  if (centred) {
    Value mean = reduceRows(
        inputs, maps,
        [&](OpBuilder &b, Location loc, ValueRange elements) {
          return convert(b, loc, elements[0], type);
        },
        [&](OpBuilder &b, Location loc, Value sum) -> Value {
          return arith::DivFOp::create(b, loc, sum, count);
        });
    inputs.push_back(mean);
    maps.push_back(outer);
  }
  auto centre = [&](OpBuilder &b, Location loc, ValueRange elements) -> Value {
    Value x = convert(b, loc, elements[0], type);
    return centred ? arith::SubFOp::create(b, loc, x, elements[1]).getResult() : x;
  };
  Value scaling = reduceRows(
      inputs, maps,
      [&](OpBuilder &b, Location loc, ValueRange elements) -> Value {
        Value x = centre(b, loc, elements);
        return arith::MulFOp::create(b, loc, x, x, sumFlags);
      },
      [&](OpBuilder &b, Location loc, Value sum) -> Value {
        Value epsilon = createConstant(b, loc, type, getEpsilon().convertToFloat());
        Value meanSquare = arith::DivFOp::create(b, loc, sum, count);
        Value root =
            math::SqrtOp::create(b, loc, arith::AddFOp::create(b, loc, meanSquare, epsilon));
        return arith::DivFOp::create(b, loc, createConstant(b, loc, type, 1), root);
      });
  inputs.push_back(scaling);
  maps.push_back(outer);
  unsigned scalingPosition = inputs.size() - 1;
  for (Value operand : {getScale(), getBias()}) {
    if (!operand)
      continue;
    inputs.push_back(operand);
    maps.push_back(
        getBroadcastMap(cast<RankedTensorType>(operand.getType()), rank, b.getContext()));
  }
  maps.push_back(whole);

  Value empty = tensor::EmptyOp::create(b, loc, sizes, element);
  Value result = createGeneric(
      b, loc, inputs, empty, maps, parallel, [&](OpBuilder &b, Location loc, ValueRange elements) {
        auto contract = arith::FastMathFlags::contract;
        Value x = centre(b, loc, elements);
        x = arith::MulFOp::create(b, loc, x, elements[scalingPosition], contract);
        unsigned next = scalingPosition + 1;
        if (getScale())
          x = arith::MulFOp::create(b, loc, x, convert(b, loc, elements[next++], type), contract);
        if (getBias())
          x = arith::AddFOp::create(b, loc, x, convert(b, loc, elements[next], type), contract);
        return convert(b, loc, x, element);
      });
  return SmallVector<Value>{result};
}
