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
mlir::LogicalResult evaluateConstants(mlir::ModuleOp module, WeightTable &weights,
                                      ConstantEvaluator &evaluator);

/// Makes weights of the constants that contractions and convolutions multiply by,
/// since packed weights are made from bytes; small splats are left, as they need
/// no memory at all.
void materializeWeights(mlir::ModuleOp module, WeightTable &weights);

} // namespace tenon

#endif // TENON_LIB_SIMPLIFY_EVALUATECONSTANTS_H
