// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SizeExpressions.h - index values as functions of sizes ----*- C++ -*-===//
//
// The grid of a kernel is a formula over the sizes it is called with. This reads
// such formulas back from the index arithmetic of a kernel function.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_SIZEEXPRESSIONS_H
#define TENON_LIB_CODEGEN_SIZEEXPRESSIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExpr.h"

namespace tenon {

/// Reads sizes in one kernel function (KernelFunction.h). Symbols are the entries of `sizes`.
class SizeExpressions {
public:
  explicit SizeExpressions(mlir::func::FuncOp function);

  /// `value` as an expression over sizes, or null where it depends on anything else.
  mlir::AffineExpr get(mlir::OpFoldResult value);
  /// The size of a dimension of a memref, through views; null where it is not a function of sizes.
  /// An upper bound where the size is the smaller of several (a last tile).
  mlir::AffineExpr getDim(mlir::Value memref, int64_t dim);
  /// The number of symbols: entries of `sizes`.
  unsigned getNumSizes() const { return symbols.size(); }
  /// The values of all symbols, made at `builder`'s insertion point, which the function's arguments
  /// dominate.
  llvm::SmallVector<mlir::Value> materializeSizes(mlir::OpBuilder &builder);

private:
  mlir::func::FuncOp function;
  /// For each entry of `sizes` the argument, and the dimension, or -1 for an index argument.
  llvm::SmallVector<std::pair<unsigned, int64_t>> symbols;
};

} // namespace tenon

#endif // TENON_LIB_CODEGEN_SIZEEXPRESSIONS_H
