// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decompose.h - whole operations into their parts -----------*- C++ -*-===//

#ifndef TENON_LIB_FUSE_DECOMPOSE_H
#define TENON_LIB_FUSE_DECOMPOSE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace tenon {

/// Replaces every whole operation (linalg's AggregatedOpInterface: convolution,
/// softmax, ...) of `module` for which `declined` holds by the operations it is
/// made of. Before kernels are formed each part can still be a kernel of its
/// own, with temporaries that the memory plan knows; inside a kernel it cannot.
mlir::LogicalResult decomposeOperations(mlir::ModuleOp module, llvm::function_ref<bool(mlir::Operation *)> declined);

} // namespace tenon

#endif // TENON_LIB_FUSE_DECOMPOSE_H
