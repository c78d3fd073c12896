// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Alteration.h - tensors that are altered versions of others *- C++ -*-===//
//
// In SSA a tensor of which a few elements are overwritten is a new tensor. What it is
// a version of tells its size, and whose memory it may have.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_PLAN_ALTERATION_H
#define TENON_DIALECTS_PLAN_ALTERATION_H

#include "mlir/IR/Value.h"

namespace tenon::plan {

/// The operand of which `value` is a version: its elements, but for those that the operation
/// overwrites. Destinations, and what loops carry when every turn only alters it. Null for other
/// values.
mlir::OpOperand *findAltered(mlir::Value value);

/// The first operand of the chain of versions that ends in `value`; null where it has no other.
mlir::OpOperand *findFirstAltered(mlir::Value value);

} // namespace tenon::plan

#endif // TENON_DIALECTS_PLAN_ALTERATION_H
