// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RecognizeEpilogue.cpp - what is applied to the tile ----------------===//
//
// Follows the root's result through elementwise operations to the kernel's results.
// Every operand of these is either a tile, with each dimension in the same place, or
// an argument of the kernel (a leaf) that is read at the tile's coordinates.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Recognizer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

/// Whether a vector of this element can be loaded and stored as it lies in memory.
static bool isStorable(Type type) {
  return type.isIntOrFloat() && type.getIntOrFloatBitWidth() >= 8;
}

/// Looks through casts that change nothing but what is known of the shape.
static Value skipCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

/// The one value that all elements of `value`, a tensor or a scalar, have, or null.
static TypedAttr splatValue(Value value) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return {};
  if (auto elements = dyn_cast<DenseElementsAttr>(attribute))
    return elements.isSplat() ? cast<TypedAttr>(elements.getSplatValue<Attribute>()) : TypedAttr();
  return dyn_cast<TypedAttr>(attribute);
}

LogicalResult Recognizer::recognizeEpilogue() {
  for (Operation &op : kernel.getBody().front())
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
        linalgOp && &op != spec.root && !isa<linalg::FillOp>(op))
      if (failed(recognizeElementwise(linalgOp)))
        return failure();

  auto yield = cast<plan::YieldOp>(kernel.getBody().front().getTerminator());
  for (auto [position, yielded] : llvm::enumerate(yield.getValues())) {
    Value value = skipCasts(yielded);
    auto type = cast<RankedTensorType>(value.getType());
    auto mapping = tileMappings.find(value);
    if (mapping == tileMappings.end())
      return decline("a result of the kernel is not computed from the contraction elementwise");
    if (!isStorable(type.getElementType()))
      return decline("a result has elements narrower than a byte");
    outputs.push_back({kernel.getNumTensorArguments() + unsigned(position), type, mapping->second});
    spec.outputs.push_back({value, {}});
  }
  return success();
}

static LogicalResult isVectorizable(Operation &op) {
  if (isa<arith::ConstantOp>(op))
    return success(op.getResult(0).getType().isIntOrFloat());
  return success(OpTrait::hasElementwiseMappableTraits(&op) && op.getNumResults() == 1 &&
                 op.getResult(0).getType().isIntOrFloat());
}

LogicalResult Recognizer::recognizeElementwise(linalg::LinalgOp op) {
  Block &body = op->getRegion(0).front();
  for (Operation &payload : body.without_terminator()) {
    if (failed(isVectorizable(payload)))
      return decline("the epilogue holds " + payload.getName().getStringRef());
    for (Value operand : payload.getOperands())
      if (operand.getParentBlock() != &body && !operand.getDefiningOp<arith::ConstantOp>())
        return decline("the epilogue uses a value that is not a constant");
  }
  for (Value operand : body.getTerminator()->getOperands())
    if (operand.getParentBlock() != &body && !operand.getDefiningOp<arith::ConstantOp>())
      return decline("the epilogue uses a value that is not a constant");

  // A tile among the operands tells what each of the operation's own dimensions is.
  Mapping loops;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    auto mapping = tileMappings.find(skipCasts(operand->get()));
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (mapping == tileMappings.end())
      continue;
    if (!map.isPermutation())
      return decline("the epilogue reads the tile at other places than it writes");
    Mapping found(op.getNumLoops());
    for (auto [position, expression] : llvm::enumerate(map.getResults()))
      found[cast<AffineDimExpr>(expression).getPosition()] = mapping->second[position];
    if (!loops.empty() && loops != found)
      return decline("the epilogue combines elements of different places of the tile");
    loops = std::move(found);
  }
  if (loops.empty())
    return decline("the kernel has an elementwise operation before the contraction");

  auto mappingOf = [&](AffineMap map) -> FailureOr<Mapping> {
    Mapping mapping;
    for (AffineExpr expression : map.getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(expression))
        mapping.push_back(loops[dim.getPosition()]);
      else if (constantOf(expression) == 0)
        mapping.push_back({});
      else
        return failure();
    }
    return mapping;
  };
  auto readLeaf = [&](OpOperand &operand) -> LogicalResult {
    if (TypedAttr splat = splatValue(operand.get())) {
      spec.splatOf[&operand] = splat;
      return success();
    }
    if (!isa<RankedTensorType>(operand.get().getType()))
      return decline("the epilogue uses a scalar that is not a constant");
    FailureOr<Mapping> mapping = mappingOf(op.getMatchingIndexingMap(&operand));
    if (failed(mapping))
      return decline("the epilogue reads an operand at computed places");
    FailureOr<unsigned> leaf = addLeaf(operand.get(), *mapping);
    if (failed(leaf))
      return failure();
    spec.leafOf[&operand] = *leaf;
    return success();
  };
  for (OpOperand *operand : op.getDpsInputOperands())
    if (!tileMappings.contains(skipCasts(operand->get())) &&
        op.payloadUsesValueFromOperand(operand) && failed(readLeaf(*operand)))
      return failure();
  for (auto [position, init] : llvm::enumerate(op.getDpsInitsMutable())) {
    if (op.payloadUsesValueFromOperand(&init))
      return decline("the epilogue reads its destination");
    AffineMap map = op.getMatchingIndexingMap(&init);
    FailureOr<Mapping> mapping = mappingOf(map);
    if (!map.isPermutation() || failed(mapping))
      return decline("the epilogue does not write each element once");
    tileMappings[op->getResult(position)] = *mapping;
  }
  spec.epilogue.push_back(op);
  return success();
}

FailureOr<unsigned> Recognizer::addLeaf(Value value, const Mapping &mapping) {
  std::optional<unsigned> tensor = findTensor(value);
  auto type = cast<RankedTensorType>(value.getType());
  if (!tensor)
    return decline("an operand of the epilogue is not an argument of the kernel");
  if (!isStorable(type.getElementType()))
    return decline("an operand of the epilogue has elements narrower than a byte");
  leaves.push_back({*tensor, type, mapping});
  return leaves.size() - 1;
}
