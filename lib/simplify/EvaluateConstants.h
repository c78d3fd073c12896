// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EvaluateConstants.h - constants by compiled code ----------*- C++ -*-===//

#ifndef TENON_LIB_SIMPLIFY_EVALUATECONSTANTS_H
#define TENON_LIB_SIMPLIFY_EVALUATECONSTANTS_H

#include "lib/target/Target.h"
#include "lib/weights/WeightTable.h"

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

/// Replaces what the model computes from constants alone by its value: small
/// results become attributes, others weights (added to `weights`). All such
/// computations of the model are one function for `evaluator`.
/// Works on the onnx dialect.
mlir::LogicalResult evaluateConstants(mlir::ModuleOp module, WeightTable &weights, ConstantEvaluator &evaluator);

/// Gives large splats that contractions and convolutions use as weights their
/// bytes, since packed weights are made from bytes.
void materializeSplatWeights(mlir::ModuleOp module, WeightTable &weights);

} // namespace tenon

#endif // TENON_LIB_SIMPLIFY_EVALUATECONSTANTS_H
