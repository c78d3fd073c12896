// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Registration.cpp ---------------------------------------------------===//

#include "lib/driver/Registration.h"

#include "dialects/nn/Nn.h"
#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"
#include "dialects/rt/Rt.h"
#include "lib/codegen/Passes.h"
#include "lib/driver/Evaluator.h"
#include "lib/fuse/Passes.h"
#include "lib/layout/Passes.h"
#include "lib/lower/Passes.h"
#include "lib/pack/Passes.h"
#include "lib/place/Passes.h"
#include "lib/schedule/Passes.h"
#include "lib/simplify/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"

using namespace mlir;

namespace tenon {

void registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<nn::NnDialect, onnx::OnnxDialect, plan::PlanDialect, rt::RtDialect>();
}

void registerPasses() {
  registerTenonSimplifyPasses();
  registerTenonLowerPasses();
  registerTenonLayoutPasses();
  registerTenonFusePasses();
  registerTenonPlacePasses();
  registerTenonPackPasses();
  registerTenonCodegenPasses();
  registerTenonSchedulePasses();
  mlir::registerPass(createEvaluateConstantsPass);
  registerCodegenPipelines();
}

} // namespace tenon
