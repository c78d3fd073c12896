// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A row of packed elements is a row of bytes whose parts are an innermost dimension of their own:
//
//   tensor<64x128xi4> -> tensor<64x64xi8> -> tensor<64x64x2xi8> -> tensor<64x128xi8>
//      plan.reinterpret      linalg.generic      tensor.collapse_shape
//
// Where rows do not end with their last byte, the whole tensor is one row, cut off at its end. The
// reinterpretation is of no cost and stays outside of kernels, so that a weight is packed in the
// artifact and in memory, and unpacked by the kernel that uses it.

#include "lib/lower/PackedBorders.h"

#include "lib/lower/ElementTypes.h"

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

/// Whether a value of a function's signature is packed.
static bool isPackedTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isPacked(tensor.getElementType());
}

Type lower::getPackedElement(Type onnxElement) {
  return IntegerType::get(onnxElement.getContext(), onnxElement.getIntOrFloatBitWidth());
}

static Value createReinterpret(OpBuilder &builder, Location loc, Value source,
                               ArrayRef<OpFoldResult> sizes, Type element) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  return plan::ReinterpretOp::create(builder, loc, RankedTensorType::get(shape, element), source,
                                     dynamic);
}

namespace {
/// How the elements of one tensor lie in bytes.
struct Packing {
  /// For a tensor of `sizes`; `onnxElement` is packed.
  Packing(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type onnxElement)
      : bits(onnxElement.getIntOrFloatBitWidth()), parts(8 / bits),
        isSigned(isa<IntegerType>(onnxElement) && !isUnsigned(onnxElement)), rows(sizes) {
    IndexBuilder index(builder, loc);
    std::optional<int64_t> last = sizes.empty() ? std::nullopt : getConstantIntValue(sizes.back());
    if (!last || *last % parts != 0) {
      count = index.product(sizes);
      rows = {*count};
    }
    rows.back() = index.divideUp(rows.back(), index.constant(parts));
  }

  int64_t bits, parts;
  bool isSigned;
  /// The sizes in bytes.
  SmallVector<OpFoldResult> rows;
  /// The number of elements, where all of them are one row.
  std::optional<OpFoldResult> count;
};
} // namespace

/// The loops over bytes and their parts, and the maps of bytes and of parts.
static std::pair<AffineMap, AffineMap> getMaps(MLIRContext *context, const Packing &packing) {
  int64_t rank = packing.rows.size();
  AffineMap parts = AffineMap::getMultiDimIdentityMap(rank + 1, context);
  return {parts.dropResult(rank), parts};
}

/// `tensor` without its last dimension, which is merged into the one before.
static Value mergeParts(OpBuilder &builder, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim + 1 < type.getRank(); ++dim)
    groups.push_back({dim});
  groups.back().push_back(type.getRank() - 1);
  return tensor::CollapseShapeOp::create(builder, loc, tensor, groups);
}

static SmallVector<OpFoldResult> getPartSizes(OpBuilder &builder, const Packing &packing) {
  SmallVector<OpFoldResult> sizes(packing.rows);
  sizes.push_back(builder.getIndexAttr(packing.parts));
  return sizes;
}

Value lower::unpackElements(OpBuilder &builder, Location loc, Value packed, Type onnxElement) {
  SmallVector<OpFoldResult> sizes = getDims(builder, loc, packed);
  Packing packing(builder, loc, sizes, onnxElement);
  Type byte = builder.getI8Type();
  Value bytes = createReinterpret(builder, loc, packed, packing.rows, byte);
  auto [byteMap, partMap] = getMaps(builder.getContext(), packing);
  Value empty = createEmpty(builder, loc, getPartSizes(builder, packing), byte);
  SmallVector<utils::IteratorType> loops(partMap.getNumDims(), utils::IteratorType::parallel);
  auto extract = [&](OpBuilder &nested, Location loc, ValueRange elements) {
    auto constant = [&](int64_t value) { return createIntegerScalar(nested, loc, byte, value); };
    Value part = linalg::IndexOp::create(nested, loc, packing.rows.size());
    part = arith::IndexCastOp::create(nested, loc, byte, part);
    // To the upper end first, so that the sign is the byte's.
    Value position = arith::MulIOp::create(nested, loc, part, constant(packing.bits));
    Value left = arith::SubIOp::create(nested, loc, constant(8 - packing.bits), position);
    Value element = arith::ShLIOp::create(nested, loc, elements[0], left);
    Value right = constant(8 - packing.bits);
    element = packing.isSigned ? arith::ShRSIOp::create(nested, loc, element, right).getResult()
                               : arith::ShRUIOp::create(nested, loc, element, right).getResult();
    linalg::YieldOp::create(nested, loc, element);
  };
  Value parts = linalg::GenericOp::create(builder, loc, empty.getType(), bytes, empty,
                                          {byteMap, partMap}, loops, extract)
                    .getResult(0);
  Value merged = mergeParts(builder, loc, parts);
  if (packing.count) {
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    merged = tensor::ExtractSliceOp::create(builder, loc, merged, {zero}, {*packing.count}, {one});
    merged = createReshape(builder, loc, merged, sizes);
  }
  return castTo(builder, loc, merged, cast<RankedTensorType>(packed.getType()).clone(byte));
}

Value lower::packElements(OpBuilder &builder, Location loc, Value elements, Type onnxElement,
                          RankedTensorType type) {
  if (!type)
    type = cast<RankedTensorType>(elements.getType()).clone(getPackedElement(onnxElement));
  SmallVector<OpFoldResult> sizes = refineSizes(builder, getDims(builder, loc, elements), type);
  Packing packing(builder, loc, sizes, onnxElement);
  Type byte = builder.getI8Type();
  SmallVector<OpFoldResult> partSizes = getPartSizes(builder, packing);
  if (packing.count) {
    IndexBuilder index(builder, loc);
    elements = createReshape(builder, loc, elements, *packing.count);
    Value zeros =
        createFilled(builder, loc, index.multiply(packing.rows[0], index.constant(packing.parts)),
                     builder.getIntegerAttr(byte, 0));
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    elements = tensor::InsertSliceOp::create(builder, loc, elements, zeros, {zero},
                                             {*packing.count}, {one});
  }
  elements = createReshape(builder, loc, elements, partSizes);

  auto [byteMap, partMap] = getMaps(builder.getContext(), packing);
  SmallVector<utils::IteratorType> loops(partMap.getNumDims(), utils::IteratorType::parallel);
  loops.back() = utils::IteratorType::reduction;
  Value none = createFilled(builder, loc, packing.rows, builder.getIntegerAttr(byte, 0));
  auto insert = [&](OpBuilder &nested, Location loc, ValueRange arguments) {
    auto constant = [&](int64_t value) { return createIntegerScalar(nested, loc, byte, value); };
    Value part = linalg::IndexOp::create(nested, loc, packing.rows.size());
    part = arith::IndexCastOp::create(nested, loc, byte, part);
    Value position = arith::MulIOp::create(nested, loc, part, constant(packing.bits));
    Value mask = constant((1 << packing.bits) - 1);
    Value code = arith::AndIOp::create(nested, loc, arguments[0], mask);
    code = arith::ShLIOp::create(nested, loc, code, position);
    linalg::YieldOp::create(nested, loc,
                            arith::OrIOp::create(nested, loc, arguments[1], code).getResult());
  };
  Value bytes = linalg::GenericOp::create(builder, loc, none.getType(), elements, none,
                                          {partMap, byteMap}, loops, insert)
                    .getResult(0);
  Value packed = createReinterpret(builder, loc, bytes, sizes, type.getElementType());
  return castTo(builder, loc, packed, type);
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

PackedBorders::PackedBorders(ModuleOp module) : module(module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    FunctionType type = function.getFunctionType();
    if (llvm::any_of(type.getInputs(), isPackedTensor) ||
        llvm::any_of(type.getResults(), isPackedTensor))
      functions[function.getSymName()] = type;
  }
  for (auto weight : module.getOps<plan::WeightOp>())
    if (isPackedTensor(weight.getType()))
      weights[weight.getSymName()] = getElementTypeOrSelf(weight.getType());
}

static RankedTensorType getPackedType(Type held, Type onnxElement) {
  return cast<RankedTensorType>(held).clone(getPackedElement(onnxElement));
}

void PackedBorders::unpack() {
  for (auto weight : module.getOps<plan::WeightOp>())
    if (Type element = weights.lookup(weight.getSymName()))
      weight.setType(getPackedType(weight.getType(), element));
  module.walk([&](plan::GetWeightOp op) {
    Type element = weights.lookup(op.getWeight());
    if (!element)
      return;
    OpBuilder builder(op);
    Value packed = plan::GetWeightOp::create(
        builder, op.getLoc(), getPackedType(op.getType(), element), op.getWeightAttr());
    op.replaceAllUsesWith(unpackElements(builder, op.getLoc(), packed, element));
    op.erase();
  });
  for (auto function : module.getOps<func::FuncOp>()) {
    auto known = functions.find(function.getSymName());
    if (known == functions.end() || function.isExternal())
      continue;
    FunctionType onnxType = known->second;
    SmallVector<Type> inputs(function.getArgumentTypes()), results(function.getResultTypes());
    for (auto [argument, type, input] :
         llvm::zip_equal(function.getArguments(), onnxType.getInputs(), inputs)) {
      if (!isPackedTensor(type))
        continue;
      input = getPackedType(input, getElementTypeOrSelf(type));
      // Uses so far are of the elements, or of sizes, which are those of the argument.
      SmallVector<OpOperand *> uses;
      for (OpOperand &use : argument.getUses())
        if (!isa<tensor::DimOp>(use.getOwner()))
          uses.push_back(&use);
      argument.setType(input);
      if (uses.empty())
        continue;
      OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
      Value elements =
          unpackElements(builder, argument.getLoc(), argument, getElementTypeOrSelf(type));
      for (OpOperand *use : uses)
        use->set(elements);
    }
    Operation *returned = function.front().getTerminator();
    for (auto [operand, type, result] :
         llvm::zip_equal(returned->getOpOperands(), onnxType.getResults(), results)) {
      if (!isPackedTensor(type))
        continue;
      Type element = getElementTypeOrSelf(type);
      RankedTensorType packed = getPackedType(result, element);
      result = packed;
      OpBuilder builder(returned);
      operand.set(packElements(builder, returned->getLoc(), operand.get(), element, packed));
    }
    function.setFunctionType(FunctionType::get(function.getContext(), inputs, results));
  }
}
