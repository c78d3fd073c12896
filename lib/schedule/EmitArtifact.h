// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EmitArtifact.h - the rt dialect into an artifact ----------*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_EMITARTIFACT_H
#define TENON_LIB_SCHEDULE_EMITARTIFACT_H

#include "lib/artifact/Writer.h"
#include "lib/target/Target.h"
#include "lib/weights/WeightTable.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace tenon {

/// Fills `writer` from the module's rt.program: signature, slots, registers and
/// instructions, constants and weights. `weights` must outlive the writer's
/// write(), which packs one weight at a time. Fails with a diagnostic on
/// what the runtime's program cannot express. `entries` says where in the
/// image each kernel begins, by its symbol.
mlir::LogicalResult emitArtifact(mlir::ModuleOp module, const TargetImage &image,
                                 const llvm::StringMap<uint64_t> &entries,
                                 const WeightTable &weights, artifact::Writer &writer);

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_EMITARTIFACT_H
