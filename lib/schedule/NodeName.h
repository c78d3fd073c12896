// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NodeName.h - which node of the model an operation is for --*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_NODENAME_H
#define TENON_LIB_SCHEDULE_NODENAME_H

#include "mlir/IR/Location.h"

namespace tenon {

/// The name of the ONNX node that an operation at `location` comes from, the first of several;
/// empty where the location does not say. Lives as long as the context.
llvm::StringRef findNodeName(mlir::Location location);

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_NODENAME_H
