// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.h - forming kernels --------------------------------*- C++ -*-===//

#ifndef TENON_LIB_FUSE_PASSES_H
#define TENON_LIB_FUSE_PASSES_H

#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Pass/Pass.h"

#include <functional>

namespace tenon {

#define GEN_PASS_DECL
#include "lib/fuse/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/fuse/Passes.h.inc"

/// `decompose-operations` for those operations for which `declined` holds.
std::unique_ptr<mlir::Pass>
createDecomposeOperations(std::function<bool(mlir::Operation *)> declined);

} // namespace tenon

#endif // TENON_LIB_FUSE_PASSES_H
