// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a prepared model (newest opset, functions inlined, weights detached, shapes inferred) to the
// module.

#ifndef TENON_LIB_IMPORT_MODULEBUILDER_H
#define TENON_LIB_IMPORT_MODULEBUILDER_H

#include "lib/import/DetachWeights.h"
#include "lib/import/Diagnostics.h"
#include "lib/import/Import.h"

#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringSet.h"

namespace tenon::import {

/// Builds the module that Import.h describes. `dimensions` are the names of dimensions that the
/// model's author gave, in the order of the signature; other symbols come from shape inference and
/// mean nothing. Inputs of the graph that are in `detached` become weights or splat constants; a
/// weight that nothing uses is left out.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
buildModule(const proto::ModelProto &model, const DetachedTensors &detached,
            llvm::ArrayRef<std::string> dimensions, const ImportOptions &options,
            Diagnostics &diagnostics, mlir::MLIRContext &context);

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_MODULEBUILDER_H
