// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelFunction.cpp - a kernel as a function on memory ---------------===//
//
// Types and sizes of the function form; the invariants are in the header.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/KernelFunction.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace tenon {

/// Tensor arguments and then results.
static SmallVector<RankedTensorType> kernelTensors(plan::KernelOp kernel) {
  SmallVector<RankedTensorType> tensors;
  for (Type type : kernel.getArgumentTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      tensors.push_back(tensor);
  for (Type type : kernel.getResultTypes())
    tensors.push_back(cast<RankedTensorType>(type));
  return tensors;
}

func::FuncOp createKernelFunction(plan::KernelOp kernel, AffineMap count) {
  OpBuilder builder(kernel);
  SmallVector<Type> types;
  for (RankedTensorType tensor : kernelTensors(kernel))
    types.push_back(MemRefType::get(tensor.getShape(), tensor.getElementType()));
  unsigned indices = kernel.getArgumentTypes().size() - kernel.getNumTensorArguments();
  types.append(indices + 1, builder.getIndexType());

  auto function = func::FuncOp::create(builder, kernel.getLoc(), kernel.getSymName(),
                                       builder.getFunctionType(types, {}));
  function->setAttr(kernelFunctionAttribute, builder.getUnitAttr());
  if (count)
    setKernelCount(function, count);
  builder.setInsertionPointToEnd(function.addEntryBlock());
  func::ReturnOp::create(builder, kernel.getLoc());
  return function;
}

KernelFunctionArguments getKernelFunctionArguments(plan::KernelOp kernel, func::FuncOp function) {
  ValueRange arguments = function.getArguments();
  unsigned inputs = kernel.getNumTensorArguments(), outputs = kernel.getResultTypes().size();
  return {arguments.take_front(inputs), arguments.slice(inputs, outputs),
          arguments.slice(inputs + outputs, arguments.size() - inputs - outputs - 1),
          arguments.back()};
}

AffineExpr getSizeExpression(plan::KernelOp kernel, unsigned tensor, unsigned dim) {
  RankedTensorType type = kernelTensors(kernel)[tensor];
  if (!type.isDynamicDim(dim))
    return getAffineConstantExpr(type.getDimSize(dim), kernel.getContext());
  return getAffineSymbolExpr(kernel.getSizePosition(tensor, dim), kernel.getContext());
}

AffineMap getKernelCount(func::FuncOp function) {
  auto attribute = function->getAttrOfType<AffineMapAttr>(kernelCountAttribute);
  return attribute ? attribute.getValue() : AffineMap();
}

void setKernelCount(func::FuncOp function, AffineMap count) {
  function->setAttr(kernelCountAttribute, AffineMapAttr::get(count));
}

} // namespace tenon
