// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.h - simpler models that mean the same --------------*- C++ -*-===//

#ifndef TENON_LIB_SIMPLIFY_PASSES_H
#define TENON_LIB_SIMPLIFY_PASSES_H

#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"

namespace tenon {

#define GEN_PASS_DECL
#include "lib/simplify/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/simplify/Passes.h.inc"

} // namespace tenon

#endif // TENON_LIB_SIMPLIFY_PASSES_H
