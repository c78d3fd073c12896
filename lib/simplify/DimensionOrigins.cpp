// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DimensionOrigins.cpp -----------------------------------------------===//

#include "lib/simplify/DimensionOrigins.h"

#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

using Place = DimensionOrigins::Place;

/// Whether two dimensions are named alike at the model's border.
static bool areSameDimension(Place a, Place b) {
  auto nameOf = [](Place place) -> Attribute {
    auto argument = dyn_cast<BlockArgument>(place.first);
    auto function =
        argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
    auto dims = function ? function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                                plan::dimsAttribute)
                         : ArrayAttr();
    return dims ? dyn_cast<FlatSymbolRefAttr>(dims[place.second]) : FlatSymbolRefAttr();
  };
  Attribute name = nameOf(a);
  return name && name == nameOf(b);
}

Place DimensionOrigins::find(Value tensor, int64_t dim) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  Operation *op = tensor.getDefiningOp();
  if (!op || !type || !type.isDynamicDim(dim))
    return {tensor, dim};
  if (auto known = found.find({tensor, dim}); known != found.end())
    return known->second;
  Place result{tensor, dim}, next = handedOn(op, type.getRank(), dim);
  auto source = next.first ? dyn_cast<RankedTensorType>(next.first.getType()) : RankedTensorType();
  if (source && next.second >= 0 && next.second < source.getRank())
    result = find(next.first, next.second);
  found[{tensor, dim}] = result;
  return result;
}

/// Of the operands that have the dimension at all, every one has to be 1 or come from the same
/// place; one that is dynamic might be 1, so all dynamic ones have to agree.
Place DimensionOrigins::handedOnByBroadcast(Operation *op, int64_t rank, int64_t dim) {
  Place common;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (!type)
      return {};
    int64_t position = dim - (rank - type.getRank());
    if (position < 0 || type.getDimSize(position) == 1)
      continue;
    Place from = find(operand, position);
    if (common.first && common != from && !areSameDimension(common, from))
      return {};
    common = from;
  }
  return common;
}

/// The operand dimension that dimension `dim` of the result of `op` (of rank `rank`) is, or a null
/// value.
Place DimensionOrigins::handedOn(Operation *op, int64_t rank, int64_t dim) {
  return llvm::TypeSwitch<Operation *, Place>(op)
      .Case<onnx::CastOp, onnx::LayerNormalizationOp, onnx::SoftmaxOp, onnx::ReluOp, onnx::ErfOp,
            onnx::TanhOp, onnx::SqrtOp, onnx::SigmoidOp, onnx::GeluOp, onnx::NegOp, onnx::NotOp,
            onnx::RMSNormalizationOp>([&](auto) { return Place(op->getOperand(0), dim); })
      .Case<onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::DivOp, onnx::PowOp, onnx::AndOp,
            onnx::OrOp, onnx::WhereOp>([&](auto) { return handedOnByBroadcast(op, rank, dim); })
      .Case([&](onnx::GatherOp gather) {
        auto data = dyn_cast<RankedTensorType>(gather.getData().getType());
        auto indices = dyn_cast<RankedTensorType>(gather.getIndices().getType());
        if (!data || !indices)
          return Place();
        int64_t axis = gather.getAxis() < 0 ? gather.getAxis() + data.getRank() : gather.getAxis();
        if (dim < axis)
          return Place(gather.getData(), dim);
        if (dim < axis + indices.getRank())
          return Place(gather.getIndices(), dim - axis);
        return Place(gather.getData(), dim - indices.getRank() + 1);
      })
      .Case([&](onnx::MatMulOp product) {
        auto a = dyn_cast<RankedTensorType>(product.getA().getType());
        if (!a || a.getRank() != rank)
          return Place();
        if (dim == rank - 1)
          return Place(product.getB(),
                       cast<RankedTensorType>(product.getB().getType()).getRank() - 1);
        return dim == rank - 2 || cast<RankedTensorType>(product.getB().getType()).getRank() == 2
                   ? Place(product.getA(), dim)
                   : Place();
      })
      .Case([&](onnx::TransposeOp transpose) {
        auto perm = transpose.getPerm();
        return Place(transpose.getData(), perm ? (*perm)[dim] : rank - 1 - dim);
      })
      .Default([](Operation *) { return Place(); });
}

} // namespace tenon
