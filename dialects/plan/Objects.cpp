// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Objects.cpp - the plan dialect's values of the host ----------------===//

#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace tenon::plan;

LogicalResult StringsOp::verify() {
  if (isa<DenseStringElementsAttr>(getValue()))
    return success();
  return emitOpError("holds strings, not ") << getValue().getShapedType().getElementType();
}

/// What an attribute of a call may be: the artifact has no more.
static bool isHostAttribute(Attribute value) {
  if (auto array = dyn_cast<ArrayAttr>(value))
    return llvm::all_of(array, llvm::IsaPred<StringAttr>);
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return integer.getType().isInteger(64);
  if (auto real = dyn_cast<FloatAttr>(value))
    return real.getType().isF32();
  return isa<StringAttr, DenseI64ArrayAttr, DenseF32ArrayAttr, DenseElementsAttr>(value);
}

LogicalResult HostOp::verify() {
  if (getFunction().empty())
    return emitOpError("calls a function without a name");
  for (NamedAttribute attribute : getParameters().value_or(DictionaryAttr::get(getContext())))
    if (!isHostAttribute(attribute.getValue()))
      return emitOpError("has an attribute ")
             << attribute.getName()
             << " that a host function cannot take: " << attribute.getValue();
  return success();
}

/// A tensor holds elements of ONNX's type `element` in as many bits, if in another type.
static LogicalResult verifyElement(Operation *op, Type tensor, Type element) {
  auto bitsOf = [](Type type) -> unsigned {
    if (auto complex = dyn_cast<ComplexType>(type))
      return 2 * complex.getElementType().getIntOrFloatBitWidth();
    return type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0;
  };
  Type held = cast<RankedTensorType>(tensor).getElementType();
  if (bitsOf(element) != 0 && bitsOf(element) == bitsOf(held))
    return success();
  return op->emitOpError("has elements of ") << element << " in " << tensor;
}

LogicalResult WrapOp::verify() { return verifyElement(*this, getSource().getType(), getElement()); }

LogicalResult UnwrapOp::verify() {
  auto type = cast<RankedTensorType>(getTensor().getType());
  if (getDims().size() != static_cast<size_t>(type.getNumDynamicDims()))
    return emitOpError("gives ") << getDims().size() << " dynamic dimensions of " << type;
  return verifyElement(*this, type, getElement());
}

LogicalResult UnwrapOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  auto type = cast<RankedTensorType>(getTensor().getType());
  SmallVector<OpFoldResult> &shape = shapes.emplace_back();
  auto next = getDims().begin();
  for (int64_t size : type.getShape())
    shape.push_back(ShapedType::isDynamic(size) ? OpFoldResult(*next++)
                                                : OpFoldResult(builder.getIndexAttr(size)));
  // The sizes beside it have none of their own.
  shapes.resize(getNumResults());
  return success();
}

LogicalResult ObjectDimOp::verify() {
  if (static_cast<int64_t>(getAxis()) >= 0 && getAxis() < getRank())
    return success();
  return emitOpError("asks for axis ")
         << static_cast<int64_t>(getAxis()) << " of " << static_cast<int64_t>(getRank());
}
