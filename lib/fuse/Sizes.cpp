// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sizes.cpp ----------------------------------------------------------===//

#include "lib/fuse/Sizes.h"

#include "dialects/plan/Alteration.h"
#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace tenon {

FailureOr<Value> SizeResolver::sizeOf(Value tensor, int64_t dim) {
  if (Value size = known.lookup({tensor, dim}))
    return size;
  auto type = cast<RankedTensorType>(tensor.getType());
  FailureOr<Value> size = failure();
  if (!type.isDynamicDim(dim)) {
    OpBuilder builder(function.getContext());
    builder.setInsertionPointToStart(&function.front());
    size = arith::ConstantIndexOp::create(builder, function.getLoc(), type.getDimSize(dim))
               .getResult();
  } else if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    size = sizeOfArgument(argument, dim);
  } else {
    size = sizeOfResult(cast<OpResult>(tensor), dim);
  }
  if (succeeded(size))
    known[{tensor, dim}] = *size;
  return size;
}

FailureOr<Value> SizeResolver::sizeOfArgument(BlockArgument argument, int64_t dim) {
  OpBuilder builder(function.getContext());
  builder.setInsertionPointToStart(argument.getOwner());
  if (argument.getOwner() == &function.front())
    if (auto dims =
            function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), plan::dimsAttribute))
      if (auto symbol = dyn_cast<FlatSymbolRefAttr>(dims[dim]))
        return plan::DimOp::create(builder, argument.getLoc(), builder.getIndexType(), symbol)
            .getResult();
  return tensor::DimOp::create(builder, argument.getLoc(), argument, dim).getResult();
}

FailureOr<Value> SizeResolver::sizeOfResult(OpResult result, int64_t dim) {
  Operation *op = result.getOwner();
  if (OpOperand *altered = plan::findAltered(result))
    return sizeOf(altered->get(), dim);
  // A kernel's own loop hands on tensors of one size.
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return sizeOf(loop.getTiedLoopInit(result)->get(), dim);
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return sizeOf(cast.getSource(), dim);

  // Ask the operation; what it says may name dimensions of its operands, which are resolved in
  // turn.
  auto reify = dyn_cast<ReifyRankedShapedTypeOpInterface>(op);
  if (!reify)
    return op->emitError("cannot tell the size of its result before it runs");
  OpBuilder builder(op);
  Operation *before = op->getPrevNode();
  ReifiedRankedShapedTypeDims shapes;
  if (failed(reify.reifyResultShapes(builder, shapes)))
    return op->emitError("cannot tell the size of its result before it runs");
  Value size =
      getValueOrCreateConstantIndexOp(builder, op->getLoc(), shapes[result.getResultNumber()][dim]);

  SmallVector<tensor::DimOp> asked;
  for (Operation *made = before ? before->getNextNode() : &op->getBlock()->front(); made != op;
       made = made->getNextNode())
    if (auto dimOp = dyn_cast<tensor::DimOp>(made))
      asked.push_back(dimOp);
  for (tensor::DimOp dimOp : asked) {
    std::optional<int64_t> index = dimOp.getConstantIndex();
    if (!index)
      return op->emitError("asks for a dimension that is not constant");
    FailureOr<Value> resolved = sizeOf(dimOp.getSource(), *index);
    if (failed(resolved))
      return failure();
    if (*resolved == dimOp.getResult())
      continue;
    if (size == dimOp.getResult())
      size = *resolved;
    dimOp.replaceAllUsesWith(*resolved);
    dimOp.erase();
  }
  return size;
}

void SizeResolver::replaced(Value from, Value to) {
  for (int64_t dim = 0, rank = cast<RankedTensorType>(from.getType()).getRank(); dim < rank; ++dim)
    if (auto entry = known.find({from, dim}); entry != known.end()) {
      Value size = entry->second;
      known.erase(entry);
      known[{to, dim}] = size;
    }
}

LogicalResult SizeResolver::resolveAll() {
  SmallVector<tensor::DimOp> dims;
  function.walk([&](tensor::DimOp op) { dims.push_back(op); });
  for (tensor::DimOp op : dims) {
    std::optional<int64_t> index = op.getConstantIndex();
    if (!index)
      return op.emitError("asks for a dimension that is not constant");
    FailureOr<Value> size = sizeOf(op.getSource(), *index);
    if (failed(size))
      return failure();
    if (*size == op.getResult())
      continue;
    op.replaceAllUsesWith(*size);
    op.erase();
  }
  return success();
}

} // namespace tenon
