// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Evaluator.h - constants computed by our own compiler ------*- C++ -*-===//

#ifndef TENON_LIB_DRIVER_EVALUATOR_H
#define TENON_LIB_DRIVER_EVALUATOR_H

#include "lib/target/Target.h"
#include "lib/weights/WeightTable.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace tenon {

/// Compiles with `-O0` for the baseline of this machine's architecture and runs the result in this
/// process. `-O0` rounds alike on every chip, so constants, and with them artifacts, are the same
/// wherever they are compiled. `weights` are those that the modules to evaluate refer to; they must
/// outlive the evaluator.
std::unique_ptr<ConstantEvaluator> createEvaluator(const WeightTable &weights);

/// `evaluate-constants`: what simplification does with constants, as a pass for tenon-opt. Its
/// weight table begins empty and goes with the pass, so it can evaluate what is made from
/// constants, not from weights.
std::unique_ptr<mlir::Pass> createEvaluateConstantsPass();

} // namespace tenon

#endif // TENON_LIB_DRIVER_EVALUATOR_H
