// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Elements.h - small tensors, element by element -----------*- C++ -*-===//
//
// A small tensor whose elements are scalars of the program: how shape arithmetic
// is evaluated. Integers are index values, truth values i1, floats f32. Scalars
// fold as they are built, so what is constant stays constant.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_SIMPLIFY_ELEMENTS_H
#define TENON_LIB_SIMPLIFY_ELEMENTS_H

#include "mlir/IR/Builders.h"

#include <optional>

namespace tenon {

struct Elements {
  /// Tensors of more elements than this are data, not shapes.
  static constexpr int64_t most = 64;

  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<mlir::Value> values; ///< row-major

  bool isVector() const { return shape.size() <= 1; }
};

/// The elements of a tensor, where they are known.
using Known = std::optional<Elements>;

/// The elements that an elementwise operation (arithmetic, comparison, logic, selection) gives,
/// where `lookup` knows those of all operands. New scalars are made with `builder`, at its
/// insertion point. Nothing where the operation is no such one, or could fail (an integer divisor
/// that may be zero).
Known evaluateElementwise(mlir::Operation &op, llvm::function_ref<Known(mlir::Value)> lookup,
                          mlir::OpBuilder &builder, mlir::Location location);

} // namespace tenon

#endif // TENON_LIB_SIMPLIFY_ELEMENTS_H
