// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Nn.h - the nn dialect -------------------------------------*- C++ -*-===//
//
// What each operation means is documented in Nn.td. Each operation's verifier,
// shapes and decomposition are in the file of its name.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_NN_NN_H
#define TENON_DIALECTS_NN_NN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/nn/NnDialect.h.inc"
#include "dialects/nn/NnEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/nn/NnAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/nn/NnOps.h.inc"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace tenon::nn {

/// Rewrites every nn operation into linalg, tensor, arith and math (see AggregatedOpInterface).
void populateDecomposeNnPatterns(mlir::RewritePatternSet &patterns);

} // namespace tenon::nn

#endif // TENON_DIALECTS_NN_NN_H
