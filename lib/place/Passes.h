// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.h - which device runs which kernel ----------------*- C++ -*-===//

#ifndef TENON_LIB_PLACE_PASSES_H
#define TENON_LIB_PLACE_PASSES_H

#include "dialects/plan/Plan.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon {

#define GEN_PASS_DECL
#include "lib/place/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/place/Passes.h.inc"

} // namespace tenon

#endif // TENON_LIB_PLACE_PASSES_H
