// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ArtifactTypes.h - ONNX's types as the file says them ------*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_ARTIFACTTYPES_H
#define TENON_LIB_SCHEDULE_ARTIFACTTYPES_H

#include "lib/artifact/Program.h"

#include "mlir/IR/Types.h"

namespace tenon {

/// An ONNX element type, with its signedness; Undefined where the file has none.
artifact::ElementType artifactElementType(mlir::Type type);

/// Sets the containers of `value`, the key type of a map and the element type of what is in the
/// innermost. `type` is an ONNX type or an element type.
void describeType(mlir::Type type, artifact::Value &value);

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_ARTIFACTTYPES_H
