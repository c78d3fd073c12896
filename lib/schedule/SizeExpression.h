// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SizeExpression.h - affine sizes as arithmetic -------------*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_SIZEEXPRESSION_H
#define TENON_LIB_SCHEDULE_SIZEEXPRESSION_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

namespace tenon {

/// An affine expression as arith on index values, folded where its operands are known.
mlir::Value emitSize(mlir::OpBuilder &builder, mlir::Location location, mlir::AffineExpr expression,
                     mlir::ValueRange dims, mlir::ValueRange symbols);

/// What affine.apply, affine.min or affine.max (`op`) compute of `operands`, as arith.
mlir::Value emitAffineOperation(mlir::OpBuilder &builder, mlir::Operation &op,
                                mlir::ValueRange operands);

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_SIZEEXPRESSION_H
