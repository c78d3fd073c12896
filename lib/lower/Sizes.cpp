// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of dimensions: folding arithmetic on them, finding where they come from, and proving two of
// them equal.
//
// A size is followed through the operations that lowering creates to the value it was made from, so
// that in a chain of twenty operations all refer to one `plan.dim`, and equality is seen without
// running a canonicalizer in between.

#include "lib/lower/Lowering.h"

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value IndexBuilder::value(OpFoldResult size) {
  if (auto known = dyn_cast<Attribute>(size))
    return arith::ConstantIndexOp::create(builder, loc, cast<IntegerAttr>(known).getInt());
  return cast<Value>(size);
}

OpFoldResult IndexBuilder::add(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return constant(*x + *y);
  if (x == 0)
    return b;
  if (y == 0)
    return a;
  return builder.createOrFold<arith::AddIOp>(loc, value(a), value(b));
}

OpFoldResult IndexBuilder::subtract(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return constant(*x - *y);
  if (y == 0)
    return a;
  if (haveSameSize(a, b))
    return constant(0);
  return builder.createOrFold<arith::SubIOp>(loc, value(a), value(b));
}

OpFoldResult IndexBuilder::multiply(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return constant(*x * *y);
  if (x == 1 || y == 0)
    return b;
  if (y == 1 || x == 0)
    return a;
  return builder.createOrFold<arith::MulIOp>(loc, value(a), value(b));
}

OpFoldResult IndexBuilder::divide(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y && *y != 0)
    return constant(*x / *y);
  if (y == 1)
    return a;
  return builder.createOrFold<arith::DivUIOp>(loc, value(a), value(b));
}

OpFoldResult IndexBuilder::divideUp(OpFoldResult a, OpFoldResult b) {
  if (getConstantIntValue(b) == 1)
    return a;
  return divide(add(a, subtract(b, constant(1))), b);
}

OpFoldResult IndexBuilder::modulo(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y && *y != 0)
    return constant(*x % *y);
  if (y == 1)
    return constant(0);
  return builder.createOrFold<arith::RemUIOp>(loc, value(a), value(b));
}

OpFoldResult IndexBuilder::minimum(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return constant(std::min(*x, *y));
  if (haveSameSize(a, b))
    return a;
  return builder.createOrFold<arith::MinSIOp>(loc, value(a), value(b));
}

OpFoldResult IndexBuilder::maximum(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return constant(std::max(*x, *y));
  if (haveSameSize(a, b) || (y && *y <= 0 && isNotNegative(a)))
    return a;
  if (x && *x <= 0 && isNotNegative(b))
    return b;
  return builder.createOrFold<arith::MaxSIOp>(loc, value(a), value(b));
}

OpFoldResult IndexBuilder::select(arith::CmpIPredicate predicate, OpFoldResult a, OpFoldResult b,
                                  OpFoldResult yes, OpFoldResult no) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return arith::applyCmpPredicate(predicate, APInt(64, *x, true), APInt(64, *y, true)) ? yes : no;
  if (haveSameSize(yes, no))
    return yes;
  if (predicate == arith::CmpIPredicate::slt && y && *y <= 0 && isNotNegative(a))
    return no;
  if (predicate == arith::CmpIPredicate::eq && haveSameSize(a, b))
    return yes;
  Value condition = builder.createOrFold<arith::CmpIOp>(loc, predicate, value(a), value(b));
  return builder.createOrFold<arith::SelectOp>(loc, condition, value(yes), value(no));
}

OpFoldResult IndexBuilder::product(ArrayRef<OpFoldResult> factors) {
  OpFoldResult result = constant(1);
  for (OpFoldResult factor : factors)
    result = multiply(result, factor);
  return result;
}

//===----------------------------------------------------------------------===//
// Where a size comes from
//===----------------------------------------------------------------------===//

/// The named dimension of a function's argument, if it has one.
static FlatSymbolRefAttr getNamedDimension(BlockArgument argument, int64_t dim) {
  auto function = dyn_cast_or_null<func::FuncOp>(argument.getOwner()->getParentOp());
  if (!function || argument.getArgNumber() >= function.getNumArguments())
    return {};
  auto dims = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), plan::dimsAttribute);
  if (!dims || dim >= static_cast<int64_t>(dims.size()))
    return {};
  return dyn_cast<FlatSymbolRefAttr>(dims[dim]);
}

bool lower::canResolveDim(Value tensor, int64_t dim) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || dim < 0 || dim >= type.getRank())
    return false;
  if (!type.isDynamicDim(dim))
    return true;
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return getNamedDimension(argument, dim) != nullptr;
  Operation *producer = tensor.getDefiningOp();
  if (isa<tensor::CastOp, UnrealizedConversionCastOp>(producer))
    return producer->getNumOperands() == 1 &&
           isa<RankedTensorType>(producer->getOperand(0).getType());
  return isa<DestinationStyleOpInterface, tensor::EmptyOp, plan::ReshapeOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp, tensor::ExtractSliceOp, tensor::InsertSliceOp,
             tensor::InsertOp, tensor::ConcatOp, tensor::PadOp, scf::ForOp,
             ReifyRankedShapedTypeOpInterface>(producer);
}

/// A size that is `tensor.dim` of something may be known better than that.
static OpFoldResult resolveSize(OpBuilder &builder, Location loc, OpFoldResult size) {
  auto value = dyn_cast_if_present<Value>(size);
  if (!value)
    return size;
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return builder.getIndexAttr(*known);
  if (auto dim = value.getDefiningOp<tensor::DimOp>())
    if (std::optional<int64_t> position = dim.getConstantIndex())
      if (canResolveDim(dim.getSource(), *position))
        return getDim(builder, loc, dim.getSource(), *position);
  return size;
}

/// `dim` of a value whose producer tells its sizes, or null.
static OpFoldResult getDimFromProducer(OpBuilder &builder, Location loc, Value tensor,
                                       int64_t dim) {
  IndexBuilder index(builder, loc);
  Operation *producer = tensor.getDefiningOp();
  return TypeSwitch<Operation *, OpFoldResult>(producer)
      .Case([&](DestinationStyleOpInterface op) {
        return getDim(builder, loc, op.getTiedOpOperand(cast<OpResult>(tensor))->get(), dim);
      })
      .Case([&](tensor::EmptyOp op) { return resolveSize(builder, loc, op.getMixedSizes()[dim]); })
      .Case([&](tensor::CastOp op) -> OpFoldResult {
        if (!isa<RankedTensorType>(op.getSource().getType()))
          return {};
        return getDim(builder, loc, op.getSource(), dim);
      })
      .Case([&](UnrealizedConversionCastOp op) -> OpFoldResult {
        if (op.getInputs().size() != 1 || !isa<RankedTensorType>(op.getInputs()[0].getType()))
          return {};
        return getDim(builder, loc, op.getInputs()[0], dim);
      })
      .Case([&](plan::ReshapeOp op) {
        unsigned position =
            llvm::count_if(op.getType().getShape().take_front(dim), ShapedType::isDynamic);
        return resolveSize(builder, loc, op.getDims()[position]);
      })
      .Case([&](tensor::ExpandShapeOp op) {
        return resolveSize(builder, loc, op.getMixedOutputShape()[dim]);
      })
      .Case([&](tensor::CollapseShapeOp op) {
        OpFoldResult size = index.constant(1);
        ReassociationIndices sources = op.getReassociationIndices()[dim];
        for (int64_t source : sources)
          size = index.multiply(size, getDim(builder, loc, op.getSrc(), source));
        return size;
      })
      .Case([&](tensor::ExtractSliceOp op) {
        llvm::SmallBitVector dropped = op.getDroppedDims();
        int64_t position = -1;
        for (int64_t kept = -1; kept < dim;)
          kept += !dropped[++position];
        return resolveSize(builder, loc, op.getMixedSizes()[position]);
      })
      .Case([&](tensor::InsertSliceOp op) { return getDim(builder, loc, op.getDest(), dim); })
      .Case([&](tensor::InsertOp op) { return getDim(builder, loc, op.getDest(), dim); })
      .Case([&](tensor::ConcatOp op) {
        if (static_cast<int64_t>(op.getDim()) != dim)
          return getDim(builder, loc, op.getInputs()[0], dim);
        OpFoldResult size = index.constant(0);
        for (Value input : op.getInputs())
          size = index.add(size, getDim(builder, loc, input, dim));
        return size;
      })
      .Case([&](tensor::PadOp op) {
        OpFoldResult size = getDim(builder, loc, op.getSource(), dim);
        return index.add(index.add(op.getMixedLowPad()[dim], size), op.getMixedHighPad()[dim]);
      })
      .Case([&](scf::ForOp op) {
        return getDim(builder, loc, op.getTiedLoopInit(cast<OpResult>(tensor))->get(), dim);
      })
      .Case([&](ReifyRankedShapedTypeOpInterface op) -> OpFoldResult {
        ReifiedRankedShapedTypeDims shapes;
        if (failed(op.reifyResultShapes(builder, shapes)))
          return {};
        return resolveSize(builder, loc, shapes[cast<OpResult>(tensor).getResultNumber()][dim]);
      })
      .Default([](Operation *) { return OpFoldResult(); });
}

OpFoldResult lower::getDim(OpBuilder &builder, Location loc, Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return builder.getIndexAttr(type.getDimSize(dim));
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    if (FlatSymbolRefAttr dimension = getNamedDimension(argument, dim))
      return plan::DimOp::create(builder, loc, builder.getIndexType(), dimension).getResult();
  } else if (OpFoldResult size = getDimFromProducer(builder, loc, tensor, dim)) {
    return size;
  }
  return tensor::DimOp::create(builder, loc, tensor, dim).getResult();
}

SmallVector<OpFoldResult> lower::getDims(OpBuilder &builder, Location loc, Value tensor) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < getRank(tensor); ++dim)
    sizes.push_back(getDim(builder, loc, tensor, dim));
  return sizes;
}

//===----------------------------------------------------------------------===//
// Equality
//===----------------------------------------------------------------------===//

/// Whether two values are computed in the same way from the same values. `budget` bounds the
/// comparisons, which would otherwise be exponential where expressions share parts; sizes worth
/// proving equal are shallow.
static bool isSameComputation(Value a, Value b, unsigned &budget) {
  if (a == b)
    return true;
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (!x || !y || budget == 0 || x->getName() != y->getName() || !isPure(x) ||
      cast<OpResult>(a).getResultNumber() != cast<OpResult>(b).getResultNumber())
    return false;
  --budget;
  auto compare = [&](Value left, Value right) { return isSameComputation(left, right, budget); };
  if (isa<arith::AddIOp, arith::MulIOp>(x)) {
    Value left = x->getOperand(0), right = x->getOperand(1);
    return (compare(left, y->getOperand(0)) && compare(right, y->getOperand(1))) ||
           (compare(left, y->getOperand(1)) && compare(right, y->getOperand(0)));
  }
  return OperationEquivalence::isEquivalentTo(
      x, y, [&](Value left, Value right) { return success(compare(left, right)); },
      /*markEquivalent=*/nullptr, OperationEquivalence::IgnoreLocations);
}

bool lower::haveSameSize(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x || y)
    return x == y;
  unsigned budget = 64;
  return isSameComputation(cast<Value>(a), cast<Value>(b), budget);
}

bool lower::isNotNegative(OpFoldResult size) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return *known >= 0;
  Operation *producer = cast<Value>(size).getDefiningOp();
  if (!producer)
    return false;
  auto isOperandNotNegative = [&](unsigned i) { return isNotNegative(producer->getOperand(i)); };
  if (isa<plan::DimOp, tensor::DimOp>(producer))
    return true;
  if (isa<arith::AddIOp, arith::MulIOp, arith::MinSIOp, arith::DivUIOp, arith::RemUIOp>(producer))
    return isOperandNotNegative(0) && isOperandNotNegative(1);
  if (isa<arith::MaxSIOp>(producer))
    return isOperandNotNegative(0) || isOperandNotNegative(1);
  if (isa<arith::IndexCastOp>(producer))
    return isOperandNotNegative(0);
  return false;
}

bool lower::haveSameSizes(ArrayRef<OpFoldResult> a, ArrayRef<OpFoldResult> b) {
  return llvm::equal(a, b, haveSameSize);
}

SmallVector<int64_t> lower::getShape(ArrayRef<OpFoldResult> sizes) {
  return llvm::map_to_vector(sizes, [](OpFoldResult size) {
    return getConstantIntValue(size).value_or(ShapedType::kDynamic);
  });
}

SmallVector<OpFoldResult> lower::refineSizes(OpBuilder &builder, ArrayRef<OpFoldResult> sizes,
                                             RankedTensorType type) {
  SmallVector<OpFoldResult> refined(sizes);
  for (auto [dim, size] : llvm::enumerate(refined))
    if (!type.isDynamicDim(dim))
      size = builder.getIndexAttr(type.getDimSize(dim));
  return refined;
}

//===----------------------------------------------------------------------===//
// Operands with meaning
//===----------------------------------------------------------------------===//

DenseElementsAttr lower::getConstant(Value operand) {
  DenseElementsAttr elements;
  matchPattern(operand, m_Constant(&elements));
  return elements;
}

/// The integer that a scalar is made from, whatever it has been cast through, as an index.
static OpFoldResult getIndex(OpBuilder &builder, Location loc, Value scalar) {
  APInt known;
  if (matchPattern(scalar, m_ConstantInt(&known)))
    return builder.getIndexAttr(known.getSExtValue());
  if (auto cast = scalar.getDefiningOp<arith::IndexCastOp>();
      cast && cast.getIn().getType().isIndex())
    return resolveSize(builder, loc, cast.getIn());
  if (scalar.getType().isIndex())
    return resolveSize(builder, loc, scalar);
  return builder.createOrFold<arith::IndexCastOp>(loc, builder.getIndexType(), scalar);
}

std::optional<SmallVector<int64_t>> lower::getConstantIntegers(Value operand) {
  SmallVector<int64_t> result;
  if (onnx::isAbsent(operand))
    return result;
  if (auto type = dyn_cast<RankedTensorType>(operand.getType());
      type && type.hasStaticShape() && type.getNumElements() == 0)
    return result;
  if (DenseElementsAttr elements = getConstant(operand);
      elements && elements.getElementType().isIntOrIndex()) {
    for (const APInt &element : elements.getValues<APInt>())
      result.push_back(element.getSExtValue());
    return result;
  }
  auto elements = operand.getDefiningOp<tensor::FromElementsOp>();
  if (!elements)
    return std::nullopt;
  for (Value element : elements.getElements()) {
    APInt known;
    if (!matchPattern(element, m_ConstantInt(&known)))
      return std::nullopt;
    result.push_back(known.getSExtValue());
  }
  return result;
}

FailureOr<SmallVector<OpFoldResult>> lower::getIndices(OpBuilder &builder, Location loc,
                                                       Value operand) {
  SmallVector<OpFoldResult> result;
  if (std::optional<SmallVector<int64_t>> known = getConstantIntegers(operand)) {
    for (int64_t value : *known)
      result.push_back(builder.getIndexAttr(value));
    return result;
  }
  auto type = cast<RankedTensorType>(operand.getType());
  if (!type.hasStaticShape() || type.getRank() > 1 || !type.getElementType().isIntOrIndex())
    return failure();
  if (auto elements = operand.getDefiningOp<tensor::FromElementsOp>()) {
    for (Value element : elements.getElements())
      result.push_back(getIndex(builder, loc, element));
    return result;
  }
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    SmallVector<Value, 1> position;
    if (type.getRank() == 1)
      position.push_back(arith::ConstantIndexOp::create(builder, loc, i));
    Value element = builder.createOrFold<tensor::ExtractOp>(loc, operand, position);
    result.push_back(getIndex(builder, loc, element));
  }
  return result;
}

OpFoldResult lower::getScalarIndex(OpBuilder &builder, Location loc, Value operand) {
  return getIndex(builder, loc, readScalar(builder, loc, operand));
}

FailureOr<SmallVector<int64_t>> lower::getAxes(Value operand, int64_t rank) {
  if (onnx::isAbsent(operand))
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::optional<SmallVector<int64_t>> axes = getConstantIntegers(operand);
  if (!axes)
    return failure();
  for (int64_t &axis : *axes) {
    FailureOr<int64_t> normalized = normalizeAxis(axis, rank);
    if (failed(normalized))
      return failure();
    axis = *normalized;
  }
  return *axes;
}
