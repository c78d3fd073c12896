// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NodeName.h - which node of the model an operation is for --*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_NODENAME_H
#define TENON_LIB_SCHEDULE_NODENAME_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/SmallVector.h"

namespace tenon {

/// The name of the ONNX node that an operation at `location` comes from, the first of several;
/// empty where the location does not say. Lives as long as the context.
llvm::StringRef findNodeName(mlir::Location location);

/// The names of all nodes that an operation at `location` computes, in the order of the location; a
/// name may come twice. Live as long as the context.
llvm::SmallVector<llvm::StringRef> collectNodeNames(mlir::Location location);

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_NODENAME_H
