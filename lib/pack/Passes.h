// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.h - physical encodings -----------------------------*- C++ -*-===//

#ifndef TENON_LIB_PACK_PASSES_H
#define TENON_LIB_PACK_PASSES_H

#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon {

#define GEN_PASS_DECL
#include "lib/pack/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/pack/Passes.h.inc"

} // namespace tenon

#endif // TENON_LIB_PACK_PASSES_H
