// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.h - from dispatches to the runtime's program -------*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_PASSES_H
#define TENON_LIB_SCHEDULE_PASSES_H

#include "dialects/plan/Plan.h"
#include "dialects/rt/Rt.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon {

#define GEN_PASS_DECL
#include "lib/schedule/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/schedule/Passes.h.inc"

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_PASSES_H
