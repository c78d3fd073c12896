// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FloatArithmetic.h - writing formulas as operations --------*- C++ -*-===//
//
// So that the code of a function of f64 reads like the formula it stands for. Works
// on scalars and on vectors alike: constants take the shape of what they meet.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_FLOATARITHMETIC_H
#define TENON_LIB_CODEGEN_FLOATARITHMETIC_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

namespace tenon {

/// Emits arithmetic on values of one type: f64, or vectors of it.
class FloatArithmetic {
public:
  FloatArithmetic(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type)
      : builder(builder), loc(loc), type(type) {}

  using Value = mlir::Value;
  using Predicate = mlir::arith::CmpFPredicate;

  Value number(double value) {
    mlir::FloatAttr scalar = builder.getF64FloatAttr(value);
    return constant(type, scalar);
  }
  Value integer(int64_t value) { return constant(integerType(), builder.getI64IntegerAttr(value)); }

  Value add(Value a, Value b) { return mlir::arith::AddFOp::create(builder, loc, a, b); }
  Value add(Value a, double b) { return add(a, number(b)); }
  Value sub(Value a, Value b) { return mlir::arith::SubFOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return mlir::arith::MulFOp::create(builder, loc, a, b); }
  Value mul(Value a, double b) { return mul(a, number(b)); }
  Value div(Value a, Value b) { return mlir::arith::DivFOp::create(builder, loc, a, b); }
  Value fma(Value a, Value b, Value c) { return mlir::math::FmaOp::create(builder, loc, a, b, c); }
  Value neg(Value a) { return mlir::arith::NegFOp::create(builder, loc, a); }
  Value abs(Value a) { return mlir::math::AbsFOp::create(builder, loc, a); }
  Value sqrt(Value a) { return mlir::math::SqrtOp::create(builder, loc, a); }
  Value floor(Value a) { return mlir::math::FloorOp::create(builder, loc, a); }
  Value copySign(Value magnitude, Value sign) {
    return mlir::math::CopySignOp::create(builder, loc, magnitude, sign);
  }
  Value min(Value a, double b) {
    return mlir::arith::MinNumFOp::create(builder, loc, a, number(b));
  }
  Value max(Value a, double b) {
    return mlir::arith::MaxNumFOp::create(builder, loc, a, number(b));
  }
  Value compare(Predicate predicate, Value a, Value b) {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, a, b);
  }
  Value compare(Predicate predicate, Value a, double b) { return compare(predicate, a, number(b)); }
  Value select(Value condition, Value a, Value b) {
    return mlir::arith::SelectOp::create(builder, loc, condition, a, b);
  }
  Value both(Value a, Value b) { return mlir::arith::AndIOp::create(builder, loc, a, b); }

  Value bits(Value a) { return mlir::arith::BitcastOp::create(builder, loc, integerType(), a); }
  Value fromBits(Value a) { return mlir::arith::BitcastOp::create(builder, loc, type, a); }
  Value addInteger(Value a, Value b) { return mlir::arith::AddIOp::create(builder, loc, a, b); }
  Value subInteger(Value a, Value b) { return mlir::arith::SubIOp::create(builder, loc, a, b); }
  Value andInteger(Value a, int64_t b) {
    return mlir::arith::AndIOp::create(builder, loc, a, integer(b));
  }
  Value shiftLeft(Value a, int64_t b) {
    return mlir::arith::ShLIOp::create(builder, loc, a, integer(b));
  }
  Value shiftRight(Value a, int64_t b) {
    return mlir::arith::ShRSIOp::create(builder, loc, a, integer(b));
  }
  Value isEqualInteger(Value a, int64_t b) {
    return mlir::arith::CmpIOp::create(builder, loc, mlir::arith::CmpIPredicate::eq, a, integer(b));
  }

  /// c[0] + x * (c[1] + x * (...)).
  Value polynomial(Value x, llvm::ArrayRef<double> coefficients) {
    Value result = number(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      result = fma(result, x, number(coefficient));
    return result;
  }

private:
  mlir::Type integerType() {
    mlir::Type i64 = builder.getI64Type();
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
      return vector.clone(i64);
    return i64;
  }
  Value constant(mlir::Type of, mlir::TypedAttr scalar) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(of))
      return mlir::arith::ConstantOp::create(
          builder, loc, mlir::DenseElementsAttr::get(vector, mlir::Attribute(scalar)));
    return mlir::arith::ConstantOp::create(builder, loc, scalar);
  }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type type;
};

} // namespace tenon

#endif // TENON_LIB_CODEGEN_FLOATARITHMETIC_H
