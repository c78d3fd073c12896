// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SizeExpressions.cpp - index values as functions of sizes ------------===//
//
// A recursive walk over index arithmetic; whatever it does not know is "not a
// function of sizes", which only ever costs parallelism, never correctness.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/SizeExpressions.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

SizeExpressions::SizeExpressions(func::FuncOp function) : function(function) {
  for (BlockArgument argument : function.getArguments().drop_back()) {
    if (auto type = dyn_cast<MemRefType>(argument.getType())) {
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (type.isDynamicDim(dim))
          symbols.emplace_back(argument.getArgNumber(), dim);
    } else {
      symbols.emplace_back(argument.getArgNumber(), -1);
    }
  }
}

SmallVector<Value> SizeExpressions::materializeSizes(OpBuilder &builder) {
  SmallVector<Value> values;
  for (auto [argument, dim] : symbols) {
    Value value = function.getArgument(argument);
    values.push_back(
        dim < 0 ? value
                : memref::DimOp::create(builder, function.getLoc(), value, dim).getResult());
  }
  return values;
}

AffineExpr SizeExpressions::get(OpFoldResult value) {
  MLIRContext *context = function.getContext();
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return getAffineConstantExpr(*constant, context);
  auto index = dyn_cast<Value>(value);
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    if (argument.getOwner() != &function.getBody().front())
      return {};
    for (auto [position, symbol] : llvm::enumerate(symbols))
      if (symbol == std::pair<unsigned, int64_t>(argument.getArgNumber(), -1))
        return getAffineSymbolExpr(position, context);
    return {};
  }

  auto operands = [&](Operation *op) -> std::optional<SmallVector<AffineExpr>> {
    SmallVector<AffineExpr> expressions;
    for (Value operand : op->getOperands()) {
      expressions.push_back(get(operand));
      if (!expressions.back())
        return std::nullopt;
    }
    return expressions;
  };
  auto binary = [&](Operation *op,
                    function_ref<AffineExpr(AffineExpr, AffineExpr)> combine) -> AffineExpr {
    auto expressions = operands(op);
    return expressions ? combine((*expressions)[0], (*expressions)[1]) : AffineExpr();
  };
  return TypeSwitch<Operation *, AffineExpr>(index.getDefiningOp())
      .Case([&](memref::DimOp op) -> AffineExpr {
        std::optional<int64_t> dim = op.getConstantIndex();
        return dim ? getDim(op.getSource(), *dim) : AffineExpr();
      })
      .Case([&](affine::AffineApplyOp op) -> AffineExpr {
        auto expressions = operands(op);
        if (!expressions)
          return {};
        ArrayRef<AffineExpr> all(*expressions);
        unsigned dims = op.getAffineMap().getNumDims();
        return op.getAffineMap().getResult(0).replaceDimsAndSymbols(all.take_front(dims),
                                                                    all.drop_front(dims));
      })
      .Case([&](affine::AffineMinOp op) -> AffineExpr {
        // The bound that does not change from tile to tile.
        for (AffineExpr result : op.getAffineMap().getResults())
          if (isa<AffineConstantExpr>(result))
            return result;
        return {};
      })
      .Case([&](arith::AddIOp op) {
        return binary(op, [](AffineExpr a, AffineExpr b) { return a + b; });
      })
      .Case([&](arith::SubIOp op) {
        return binary(op, [](AffineExpr a, AffineExpr b) { return a - b; });
      })
      .Case([&](arith::MulIOp op) {
        return binary(op, [](AffineExpr a, AffineExpr b) { return a * b; });
      })
      .Case<arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp>([&](Operation *op) {
        return binary(op, [](AffineExpr a, AffineExpr b) {
          // Dividing by a size would divide by zero where a tensor is empty.
          auto divisor = dyn_cast<AffineConstantExpr>(b);
          return divisor && divisor.getValue() > 0 ? a.floorDiv(b) : AffineExpr();
        });
      })
      .Default([](Operation *) { return AffineExpr(); });
}

AffineExpr SizeExpressions::getDim(Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  MLIRContext *context = function.getContext();
  if (!type.isDynamicDim(dim))
    return getAffineConstantExpr(type.getDimSize(dim), context);
  if (auto argument = dyn_cast<BlockArgument>(memref)) {
    for (auto [position, symbol] : llvm::enumerate(symbols))
      if (argument.getOwner() == &function.getBody().front() &&
          symbol == std::pair<unsigned, int64_t>(argument.getArgNumber(), dim))
        return getAffineSymbolExpr(position, context);
    return {};
  }
  return TypeSwitch<Operation *, AffineExpr>(memref.getDefiningOp())
      .Case([&](memref::SubViewOp op) -> AffineExpr {
        llvm::SmallBitVector dropped = op.getDroppedDims();
        SmallVector<OpFoldResult> sizes;
        for (auto [position, size] : llvm::enumerate(op.getMixedSizes()))
          if (!dropped.test(position))
            sizes.push_back(size);
        return get(sizes[dim]);
      })
      .Case([&](memref::ViewOp op) { return get(op.getSizes()[type.getDynamicDimIndex(dim)]); })
      .Case([&](memref::ExpandShapeOp op) { return get(op.getMixedOutputShape()[dim]); })
      .Case([&](memref::CollapseShapeOp op) {
        AffineExpr product = getAffineConstantExpr(1, context);
        ReassociationIndices sources = op.getReassociationIndices()[dim];
        for (int64_t source : sources) {
          AffineExpr size = getDim(op.getSrc(), source);
          if (!size)
            return AffineExpr();
          product = product * size;
        }
        return product;
      })
      .Case([&](memref::CastOp op) { return getDim(op.getSource(), dim); })
      .Default([](Operation *) { return AffineExpr(); });
}

} // namespace tenon
