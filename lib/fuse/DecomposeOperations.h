// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DecomposeOperations.h - whole operations into their parts -*- C++ -*-===//

#ifndef TENON_LIB_FUSE_DECOMPOSEOPERATIONS_H
#define TENON_LIB_FUSE_DECOMPOSEOPERATIONS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace tenon {

/// What the pass `decompose-operations` does, for those operations of `module` for which `declined`
/// holds. Fails, with an error on the operation, where one has no decomposition after all.
mlir::LogicalResult decomposeOperations(mlir::ModuleOp module,
                                        llvm::function_ref<bool(mlir::Operation *)> declined);

} // namespace tenon

#endif // TENON_LIB_FUSE_DECOMPOSEOPERATIONS_H
