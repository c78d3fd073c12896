// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pipeline.cpp -------------------------------------------------------===//

#include "lib/driver/Pipeline.h"

#include "lib/fuse/Passes.h"
#include "lib/layout/Passes.h"
#include "lib/lower/Passes.h"
#include "lib/pack/Passes.h"
#include "lib/place/Passes.h"
#include "lib/schedule/EmitArtifact.h"
#include "lib/schedule/Passes.h"
#include "lib/simplify/EvaluateConstants.h"
#include "lib/simplify/Passes.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

LogicalResult Pipeline::run(llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(module.getContext());
  manager.enableVerifier(options.verifyEach);
  build(manager);
  if (failed(manager.run(module)))
    return failure();
  return options.verifyEach ? success() : verify(module);
}

/// Sizes make types precise, and precise types make sizes known: a rank lets a Shape be resolved
/// that a later Reshape waits for. Two rounds reach what exporters nest.
static void addShapePasses(OpPassManager &passes) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createResolveShapes());
  for (int round = 0; round < 2; ++round) {
    functions.addPass(createInferShapes());
    functions.addPass(createPinLengths());
    functions.addPass(createResolveShapes());
  }
}

LogicalResult Pipeline::simplify(ConstantEvaluator *evaluator) {
  if (failed(run([&](OpPassManager &passes) {
        // Elements of sequences that are known are tensors of a known rank.
        passes.addNestedPass<func::FuncOp>(createFoldSequences());
        // First shapes: what is computed from them is then known to be constant, or is gone.
        addShapePasses(passes);
        passes.addNestedPass<func::FuncOp>(createDecomposeQuantized());
        if (options.optimize)
          passes.addNestedPass<func::FuncOp>(createFoldBatchNormalization());
        passes.addPass(createCSEPass());
      })))
    return failure();
  if (!options.optimize || !evaluator)
    return success();
  if (failed(evaluateConstants(module, weights, *evaluator)))
    return failure();
  // Values that became constants may be shapes.
  if (failed(run([&](OpPassManager &passes) {
        passes.addNestedPass<func::FuncOp>(createFoldSequences());
        addShapePasses(passes);
        passes.addPass(createSymbolDCEPass());
      })))
    return failure();
  materializeWeights(module, weights);
  return success();
}

LogicalResult Pipeline::lower() {
  return run([&](OpPassManager &passes) {
    passes.addPass(createLowerOnnx());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
  });
}

LogicalResult Pipeline::layout() {
  if (!options.optimize)
    return success();
  return run([&](OpPassManager &passes) {
    passes.addNestedPass<func::FuncOp>(createAssignLayouts());
    passes.addPass(createCanonicalizerPass());
    passes.addNestedPass<func::FuncOp>(createPropagateTransposes());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
  });
}

LogicalResult Pipeline::fuse() {
  // The reference takes everything apart; otherwise what the target does not want whole.
  auto declined = [&](Operation *op) {
    return !options.optimize || target.claim(op).kind == Claim::Kind::Declined;
  };
  return run([&](OpPassManager &passes) {
    passes.addPass(createDecomposeOperations(declined));
    if (options.optimize) {
      passes.addNestedPass<func::FuncOp>(createFuseElementwise());
      passes.addPass(createCanonicalizerPass());
      passes.addPass(createCSEPass());
    }
    passes.addPass(createFormKernels({/*separate=*/!options.optimize}));
    // Sizes that kernels and dispatches asked for, once each.
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    // The level that all later phases work on begins here.
    passes.addPass(createVerifyPlan());
  });
}

LogicalResult Pipeline::place() {
  return run(
      [&](OpPassManager &passes) { passes.addPass(createPlaceKernels({target.getName()})); });
}

LogicalResult Pipeline::pack() {
  if (!options.optimize)
    return success();
  for (auto kernel : module.getOps<plan::KernelOp>())
    for (unsigned argument = 0, end = kernel.getNumTensorArguments(); argument != end; ++argument)
      if (std::optional<plan::PackingAttr> packing = target.packingFor(kernel, argument))
        kernel.setArgAttr(argument, plan::packingAttribute, *packing);
  return run([&](OpPassManager &passes) {
    passes.addPass(createPackWeights());
    passes.addPass(createCSEPass());
  });
}

LogicalResult Pipeline::codegen() {
  auto kernels = llvm::to_vector(module.getOps<plan::KernelOp>());
  TargetOptions targetOptions = options.target;
  targetOptions.optimize = options.optimize;
  FailureOr<TargetImage> compiled = target.compileKernels(kernels, targetOptions);
  if (failed(compiled))
    return failure();
  image = std::move(*compiled);
  for (auto [kernel, code] : llvm::zip_equal(kernels, image.kernels))
    entries[kernel.getSymName()] = code.entry;
  return success();
}

LogicalResult Pipeline::schedule() {
  return run([&](OpPassManager &passes) {
    passes.addPass(createMarkInPlace());
    // What follows takes the model apart, so what it relies upon is checked once more.
    passes.addPass(createVerifyPlan());
    passes.addPass(createScheduleProgram());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    passes.addNestedPass<rt::ProgramOp>(createPlanMemory());
  });
}

LogicalResult Pipeline::emit(artifact::Writer &writer) {
  return emitArtifact(module, image, entries, weights, writer);
}

} // namespace tenon
