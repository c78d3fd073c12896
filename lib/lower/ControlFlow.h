// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// If, Loop and Scan as scf, before the operators in their subgraphs are lowered.
//
// Afterwards there is an `scf.if` or an `scf.while` whose regions hold the subgraph's operators,
// still of the onnx dialect and on its types. Sizes that may differ between branches or iterations
// are results and carried values of their own; `plan.sized` says of which tensor. What a Loop or
// Scan collects of each iteration grows by `plan.append`. A kernel's own loop is an `scf.for`, so
// that `scf.if` and `scf.while` between kernels are always the model's control flow.

#ifndef TENON_LIB_LOWER_CONTROLFLOW_H
#define TENON_LIB_LOWER_CONTROLFLOW_H

#include "mlir/IR/BuiltinOps.h"

namespace tenon::lower {

/// Rewrites all that can be; the others are left, and `refuse` is told why.
void structureControlFlow(
    mlir::ModuleOp module,
    llvm::function_ref<void(mlir::Operation *op, llvm::StringRef reason)> refuse);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_CONTROLFLOW_H
