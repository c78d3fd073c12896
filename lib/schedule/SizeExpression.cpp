// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SizeExpression.cpp -------------------------------------------------===//

#include "lib/schedule/SizeExpression.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExprVisitor.h"

using namespace mlir;

namespace tenon {
namespace {

/// Emits a size expression as arith.
class SizeExpression : public AffineExprVisitor<SizeExpression, Value> {
public:
  SizeExpression(OpBuilder &builder, Location location, ValueRange dims, ValueRange symbols)
      : builder(builder), location(location), dims(dims), symbols(symbols) {}

  Value visitAddExpr(AffineBinaryOpExpr expr) { return binary<arith::AddIOp>(expr); }
  Value visitMulExpr(AffineBinaryOpExpr expr) { return binary<arith::MulIOp>(expr); }
  /// Affine's modulo has the sign of the divisor.
  Value visitModExpr(AffineBinaryOpExpr expr) {
    Value lhs = visit(expr.getLHS()), rhs = visit(expr.getRHS());
    Value quotient = builder.createOrFold<arith::FloorDivSIOp>(location, lhs, rhs);
    Value floor = builder.createOrFold<arith::MulIOp>(location, quotient, rhs);
    return builder.createOrFold<arith::SubIOp>(location, lhs, floor);
  }
  Value visitFloorDivExpr(AffineBinaryOpExpr expr) { return binary<arith::FloorDivSIOp>(expr); }
  Value visitCeilDivExpr(AffineBinaryOpExpr expr) { return binary<arith::CeilDivSIOp>(expr); }
  Value visitConstantExpr(AffineConstantExpr expr) {
    return arith::ConstantIndexOp::create(builder, location, expr.getValue());
  }
  Value visitDimExpr(AffineDimExpr expr) { return dims[expr.getPosition()]; }
  Value visitSymbolExpr(AffineSymbolExpr expr) { return symbols[expr.getPosition()]; }

private:
  template <typename Op>
  Value binary(AffineBinaryOpExpr expr) {
    Value lhs = visit(expr.getLHS()), rhs = visit(expr.getRHS());
    return builder.createOrFold<Op>(location, lhs, rhs);
  }

  OpBuilder &builder;
  Location location;
  ValueRange dims, symbols;
};

} // namespace

Value emitSize(OpBuilder &builder, Location location, AffineExpr expression, ValueRange dims,
               ValueRange symbols) {
  return SizeExpression(builder, location, dims, symbols).visit(expression);
}

Value emitAffineOperation(OpBuilder &builder, Operation &op, ValueRange operands) {
  AffineMap map = cast<AffineMapAttr>(op.getAttr("map")).getValue();
  Value size;
  for (AffineExpr result : map.getResults()) {
    Value next = emitSize(builder, op.getLoc(), result, operands.take_front(map.getNumDims()),
                          operands.drop_front(map.getNumDims()));
    if (!size)
      size = next;
    else if (isa<affine::AffineMinOp>(op))
      size = builder.createOrFold<arith::MinSIOp>(op.getLoc(), size, next);
    else
      size = builder.createOrFold<arith::MaxSIOp>(op.getLoc(), size, next);
  }
  return size;
}

} // namespace tenon
