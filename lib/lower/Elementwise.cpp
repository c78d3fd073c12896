// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise computations with ONNX's broadcasting as one parallel linalg.generic.
//
// Broadcast dimensions of size 1 are dropped from the operand first (a reshape, which later cancels
// against the one that made them), so that all indexing maps are projected permutations and fusion
// and vectorization take them. Where only the run decides whether a dimension is 1, the operand is
// broadcast by an operation of its own.

#include "lib/lower/Elementwise.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

/// Whether `size` is `bound` limited by a constant: in a valid run they are equal, since 1 would
/// limit neither.
static bool isLimited(OpFoldResult size, OpFoldResult bound) {
  auto value = dyn_cast_if_present<Value>(size);
  auto minimum = value ? value.getDefiningOp<arith::MinSIOp>() : nullptr;
  if (!minimum)
    return false;
  std::optional<int64_t> limit = getConstantIntValue(minimum.getRhs());
  return limit && *limit >= 1 && haveSameSize(minimum.getLhs(), bound);
}

/// The different sizes, other than 1, that inputs have in dimension `dim` of the result (of rank
/// `rank`).
static SmallVector<OpFoldResult> getCandidates(ArrayRef<SmallVector<OpFoldResult>> inputSizes,
                                               int64_t rank, int64_t dim) {
  SmallVector<OpFoldResult> candidates;
  for (const SmallVector<OpFoldResult> &sizes : inputSizes) {
    int64_t position = dim - (rank - static_cast<int64_t>(sizes.size()));
    if (position < 0 || getConstantIntValue(sizes[position]) == 1)
      continue;
    if (llvm::none_of(candidates,
                      [&](OpFoldResult other) { return haveSameSize(other, sizes[position]); }))
      candidates.push_back(sizes[position]);
  }
  return candidates;
}

static int64_t getBroadcastRank(ArrayRef<SmallVector<OpFoldResult>> inputSizes) {
  size_t rank = 0;
  for (const SmallVector<OpFoldResult> &sizes : inputSizes)
    rank = std::max(rank, sizes.size());
  return rank;
}

SmallVector<OpFoldResult> lower::getBroadcastSizes(OpBuilder &builder, Location loc,
                                                   ArrayRef<SmallVector<OpFoldResult>> inputSizes) {
  IndexBuilder index(builder, loc);
  SmallVector<OpFoldResult> result;
  int64_t rank = getBroadcastRank(inputSizes);
  for (int64_t dim = 0; dim < rank; ++dim) {
    SmallVector<OpFoldResult> candidates = getCandidates(inputSizes, rank, dim);
    auto known = llvm::find_if(
        candidates, [](OpFoldResult size) { return getConstantIntValue(size).has_value(); });
    if (known != candidates.end()) {
      result.push_back(*known);
      continue;
    }
    SmallVector<OpFoldResult> all(candidates);
    llvm::erase_if(candidates, [&](OpFoldResult size) {
      return llvm::any_of(all, [&](OpFoldResult other) { return isLimited(size, other); });
    });
    OpFoldResult size = index.constant(1);
    for (OpFoldResult candidate : llvm::reverse(candidates))
      size = index.select(arith::CmpIPredicate::eq, candidate, index.constant(1), size, candidate);
    // A single candidate is the size, 1 or not.
    result.push_back(candidates.size() == 1 ? candidates.front() : size);
  }
  return result;
}

namespace {
/// How an input is read by loops over the result.
struct Access {
  SmallVector<int64_t> dropped;   ///< dimensions of the input that are 1 where the result's are not
  SmallVector<int64_t> ambiguous; ///< dimensions of the input of which the run decides
  AffineMap map;                  ///< from the loops to the dimensions that are not dropped
};
} // namespace

/// How an input of `sizes` is read to make a result of `resultSizes`. `isOnlySize(dim)` tells that
/// in dimension `dim` of the result no other size competes, so that an unknown size is the
/// result's.
static Access getAccess(MLIRContext *context, ArrayRef<OpFoldResult> sizes,
                        ArrayRef<OpFoldResult> resultSizes,
                        llvm::function_ref<bool(int64_t)> isOnlySize) {
  Access access;
  SmallVector<AffineExpr> positions;
  int64_t rank = resultSizes.size(), offset = rank - static_cast<int64_t>(sizes.size());
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    OpFoldResult resultSize = resultSizes[dim + offset];
    if (getConstantIntValue(size) == 1 && getConstantIntValue(resultSize) != 1) {
      access.dropped.push_back(dim);
      continue;
    }
    positions.push_back(getAffineDimExpr(dim + offset, context));
    if (!getConstantIntValue(size) && !haveSameSize(size, resultSize) && !isOnlySize(dim + offset))
      access.ambiguous.push_back(dim);
  }
  access.map = AffineMap::get(rank, 0, positions, context);
  return access;
}

static SmallVector<utils::IteratorType> getParallelIterators(size_t rank) {
  return SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel);
}

Value lower::broadcastTo(OpBuilder &builder, Location loc, Value source,
                         ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> from = getDims(builder, loc, source);
  if (haveSameSizes(from, sizes))
    return castTo(builder, loc, source,
                  RankedTensorType::get(getShape(sizes), getElementType(source)));
  MLIRContext *context = builder.getContext();
  Access access = getAccess(context, from, sizes, [](int64_t) { return false; });
  Value empty = createEmpty(builder, loc, sizes, getElementType(source));
  AffineMap identity = AffineMap::getMultiDimIdentityMap(sizes.size(), context);
  SmallVector<utils::IteratorType> iterators = getParallelIterators(sizes.size());

  if (access.ambiguous.empty()) {
    source = dropUnitDims(builder, loc, source, access.dropped);
    return linalg::GenericOp::create(builder, loc, empty.getType(), source, empty,
                                     {access.map, identity}, iterators,
                                     [](OpBuilder &body, Location loc, ValueRange elements) {
                                       linalg::YieldOp::create(body, loc, elements.front());
                                     })
        .getResult(0);
  }

  // The last position where the dimension ends early: always 0 where it is 1, and within bounds
  // whatever the run brings.
  IndexBuilder index(builder, loc);
  int64_t offset = sizes.size() - from.size();
  SmallVector<Value> last(from.size());
  for (int64_t dim : access.ambiguous)
    last[dim] = index.value(index.subtract(from[dim], index.constant(1)));
  auto readElement = [&](OpBuilder &body, Location loc, ValueRange) {
    SmallVector<Value> position;
    for (auto [dim, size] : llvm::enumerate(from)) {
      if (getConstantIntValue(size) == 1) {
        position.push_back(arith::ConstantIndexOp::create(body, loc, 0));
        continue;
      }
      Value here = linalg::IndexOp::create(body, loc, dim + offset);
      position.push_back(last[dim] ? arith::MinSIOp::create(body, loc, here, last[dim]).getResult()
                                   : here);
    }
    linalg::YieldOp::create(body, loc,
                            tensor::ExtractOp::create(body, loc, source, position).getResult());
  };
  return linalg::GenericOp::create(builder, loc, empty.getType(), ValueRange(), empty, identity,
                                   iterators, readElement)
      .getResult(0);
}

Value lower::createFromPositions(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                                 Type elementType, PositionFunction function) {
  Value empty = createEmpty(builder, loc, sizes, elementType);
  auto computeElement = [&](OpBuilder &body, Location loc, ValueRange) {
    ImplicitLocOpBuilder elementBuilder(loc, body);
    SmallVector<Value> position;
    for (size_t dim = 0; dim < sizes.size(); ++dim)
      position.push_back(linalg::IndexOp::create(body, loc, dim));
    linalg::YieldOp::create(body, loc, function(elementBuilder, position));
  };
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), ValueRange(), empty,
             AffineMap::getMultiDimIdentityMap(sizes.size(), builder.getContext()),
             getParallelIterators(sizes.size()), computeElement)
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// The one element that a constant has everywhere, or null.
static TypedAttr getSplat(Value input) {
  DenseElementsAttr elements = getConstant(input);
  if (!elements || !elements.isSplat())
    return {};
  return dyn_cast<TypedAttr>(elements.getSplatValue<Attribute>());
}

Value lower::createElementwise(OpBuilder &builder, Location loc, ValueRange inputs,
                               RankedTensorType resultType, ElementFunction function) {
  MLIRContext *context = builder.getContext();
  SmallVector<SmallVector<OpFoldResult>> inputSizes;
  for (Value input : inputs)
    inputSizes.push_back(getDims(builder, loc, input));
  SmallVector<OpFoldResult> sizes =
      refineSizes(builder, getBroadcastSizes(builder, loc, inputSizes), resultType);
  int64_t rank = sizes.size();
  auto isOnlySize = [&](int64_t dim) { return getCandidates(inputSizes, rank, dim).size() <= 1; };

  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  SmallVector<TypedAttr> splats;
  for (auto [input, from] : llvm::zip_equal(inputs, inputSizes)) {
    if (splats.emplace_back(getSplat(input)))
      continue;
    Access access = getAccess(context, from, sizes, isOnlySize);
    Value operand = input;
    if (!access.ambiguous.empty()) {
      // Only along the dimensions in question: the others are broadcast by the map, without a copy.
      SmallVector<OpFoldResult> repeated(from);
      for (int64_t dim : access.ambiguous)
        repeated[dim] = sizes[dim + rank - static_cast<int64_t>(from.size())];
      operand = broadcastTo(builder, loc, operand, repeated);
    }
    operands.push_back(dropUnitDims(builder, loc, operand, access.dropped));
    maps.push_back(access.map);
  }
  maps.push_back(AffineMap::getMultiDimIdentityMap(rank, context));

  auto computeElement = [&](OpBuilder &body, Location loc, ValueRange arguments) {
    ImplicitLocOpBuilder elementBuilder(loc, body);
    SmallVector<Value> elements;
    for (TypedAttr splat : splats) {
      if (splat) {
        elements.push_back(arith::ConstantOp::create(body, loc, splat));
        continue;
      }
      elements.push_back(arguments.front());
      arguments = arguments.drop_front();
    }
    linalg::YieldOp::create(body, loc, function(elementBuilder, elements));
  };
  Value empty = createEmpty(builder, loc, sizes, resultType.getElementType());
  Value result = linalg::GenericOp::create(builder, loc, empty.getType(), operands, empty, maps,
                                           getParallelIterators(rank), computeElement)
                     .getResult(0);
  return castTo(builder, loc, result, resultType);
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value lower::createScalar(OpBuilder &builder, Location loc, Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, value));
  return createIntegerScalar(builder, loc, type, static_cast<int64_t>(value));
}

Value lower::createIntegerScalar(OpBuilder &builder, Location loc, Type type, int64_t value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(builder, loc,
                                     builder.getFloatAttr(type, static_cast<double>(value)));
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return arith::ConstantOp::create(
      builder, loc,
      builder.getIntegerAttr(type, APInt(width, value, /*isSigned=*/true, /*implicitTrunc=*/true)));
}

static Value convertFloatToInteger(ImplicitLocOpBuilder &builder, Value value, IntegerType to,
                                   bool toUnsigned) {
  if (value.getType().getIntOrFloatBitWidth() < 32)
    value = arith::ExtFOp::create(builder, builder.getF32Type(), value);
  if (toUnsigned && to.getWidth() == 64)
    return arith::FPToUIOp::create(builder, to, value);
  // A wider signed conversion and then dropping bits wraps around, as on the machines that ONNX
  // models were tested on; a direct conversion of what is out of range would be undefined.
  unsigned width = to.getWidth() < 32 ? 32 : to.getWidth() == 32 && toUnsigned ? 64 : to.getWidth();
  Value wide = arith::FPToSIOp::create(builder, builder.getIntegerType(width), value);
  return width == to.getWidth() ? wide : arith::TruncIOp::create(builder, to, wide).getResult();
}

Value lower::convertScalar(ImplicitLocOpBuilder &builder, Value value, Type to, bool fromUnsigned,
                           bool toUnsigned) {
  Type from = value.getType();
  if (from == to)
    return value;
  auto fromFloat = dyn_cast<FloatType>(from), toFloat = dyn_cast<FloatType>(to);
  if (to.isInteger(1)) {
    // Not every narrow float has a zero to compare with.
    if (fromFloat && fromFloat.getWidth() < 32) {
      from = builder.getF32Type();
      value = arith::ExtFOp::create(builder, from, value);
    }
    Value zero = createScalar(builder, builder.getLoc(), from, 0);
    if (fromFloat)
      return arith::CmpFOp::create(builder, arith::CmpFPredicate::UNE, value, zero);
    return arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, value, zero);
  }
  fromUnsigned |= from.isInteger(1);
  if (fromFloat && toFloat) {
    if (fromFloat.getWidth() == toFloat.getWidth())
      value = arith::ExtFOp::create(builder, builder.getF32Type(), value);
    if (value.getType().getIntOrFloatBitWidth() < toFloat.getWidth())
      return arith::ExtFOp::create(builder, to, value);
    return arith::TruncFOp::create(builder, to, value);
  }
  if (toFloat) {
    Type wide = getAccumulatorType(to);
    value = fromUnsigned ? arith::UIToFPOp::create(builder, wide, value).getResult()
                         : arith::SIToFPOp::create(builder, wide, value).getResult();
    return wide == to ? value : arith::TruncFOp::create(builder, to, value).getResult();
  }
  if (fromFloat)
    return convertFloatToInteger(builder, value, cast<IntegerType>(to), toUnsigned);
  if (from.getIntOrFloatBitWidth() > to.getIntOrFloatBitWidth())
    return arith::TruncIOp::create(builder, to, value);
  if (fromUnsigned)
    return arith::ExtUIOp::create(builder, to, value);
  return arith::ExtSIOp::create(builder, to, value);
}

Value lower::convertElements(OpBuilder &builder, Location loc, Value tensor, Type elementType) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getElementType() == elementType)
    return tensor;
  return createElementwise(builder, loc, tensor, type.clone(elementType),
                           [&](ImplicitLocOpBuilder &body, ValueRange elements) {
                             return convertScalar(body, elements[0], elementType, false, false);
                           });
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

namespace {
class ElementwiseLowering : public ConversionPattern {
public:
  ElementwiseLowering(const TypeConverter &converter, StringRef operation, ElementPayload payload,
                      MLIRContext *context)
      : ConversionPattern(converter, operation, /*benefit=*/1, context), payload(payload) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op->getResult(0).getType());
    SmallVector<Value> inputs;
    llvm::copy_if(operands, std::back_inserter(inputs),
                  [](Value operand) { return !onnx::isAbsent(operand); });

    auto computeElement = [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
      SmallVector<Value> arguments;
      for (Value operand : operands) {
        if (onnx::isAbsent(operand)) {
          arguments.push_back({});
          continue;
        }
        Type type = elements.front().getType();
        arguments.push_back(
            convertScalar(builder, elements.front(), getAccumulatorType(type), false, false));
        elements = elements.drop_front();
      }
      Scalar scalar(builder, op, isUnsigned(op->getOperand(0).getType()));
      return convertScalar(builder, payload(scalar, arguments), resultType.getElementType(), false,
                           false);
    };
    rewriter.replaceOp(
        op, createElementwise(rewriter, op->getLoc(), inputs, resultType, computeElement));
    return success();
  }

private:
  ElementPayload payload;
};
} // namespace

void lower::addElementwise(const TypeConverter &converter, RewritePatternSet &patterns,
                           StringRef operation, ElementPayload payload) {
  patterns.add<ElementwiseLowering>(converter, operation, payload, patterns.getContext());
}
