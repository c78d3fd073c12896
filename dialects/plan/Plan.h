// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Plan.h - the plan dialect ---------------------------------*- C++ -*-===//
//
// What each operation means is documented in Plan.td.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_PLAN_PLAN_H
#define TENON_DIALECTS_PLAN_PLAN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/plan/PlanDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/plan/PlanTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.h.inc"

namespace tenon::plan {

/// Attributes of a model's arguments and results; see the dialect's description.
inline constexpr llvm::StringLiteral nameAttribute = "plan.name";
inline constexpr llvm::StringLiteral dimsAttribute = "plan.dims";
inline constexpr llvm::StringLiteral elementAttribute = "plan.element";

/// On a model's result: the number of the argument whose memory it may take.
inline constexpr llvm::StringLiteral inPlaceAttribute = "plan.in_place";

/// On a kernel's argument: how the target wants it packed where it is a weight.
inline constexpr llvm::StringLiteral packingAttribute = "plan.packing";

} // namespace tenon::plan

#endif // TENON_DIALECTS_PLAN_PLAN_H
