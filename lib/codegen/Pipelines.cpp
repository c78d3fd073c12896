// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pipelines.cpp - the order of code generation ------------------------===//
//
// Read from top to bottom as the way of a kernel; each step says why it stands there.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Passes.h"

#include "dialects/nn/Nn.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/TilingInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorTilingInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {

void buildKernelToLoopsPipeline(OpPassManager &passes, const KernelPipelineOptions &options) {
  OpPassManager &kernels = passes.nest<plan::KernelOp>();
  kernels.addPass(createDecomposeNn());
  // Before tiling: what is one loop nest needs no temporary and no decision.
  GeneralizeKernelOptions generalize;
  generalize.fuse = options.optimize;
  generalize.recompute = options.recompute;
  kernels.addPass(createGeneralizeKernel(generalize));
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  if (options.distribute) {
    // While values are tensors: producers can still be pulled into a consumer's tile.
    kernels.addPass(createDistributeKernel());
    // Two consumers of one producer in one tile have each pulled in their own.
    kernels.addPass(createCanonicalizerPass());
    kernels.addPass(createCSEPass());
  }

  passes.addPass(createKernelToFunction());
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createBufferizeKernel());
  // After bufferization: only memory says which loops depend on each other. Before loops: linalg
  // says how much work a tile is.
  AssignGroupsOptions groups;
  groups.single = !options.optimize;
  functions.addPass(createAssignGroups(groups));
  LinalgToKernelLoopsOptions loops;
  loops.interchange = options.optimize;
  loops.reassociate = options.optimize;
  functions.addPass(createLinalgToKernelLoops(loops));
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

void buildKernelToLlvmPipeline(OpPassManager &passes, const MachineOptions &options) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  VectorTransferToSCFOptions transfers;
  transfers.enableFullUnroll();
  functions.addPass(createConvertVectorToSCFPass(transfers));
  ApproximateMathOptions math;
  math.fma = options.fma;
  math.nativeF16 = options.nativeF16;
  math.nativeBf16 = options.nativeBf16;
  functions.addPass(createApproximateMath(math));
  // Views become offsets and strides of the memory they view. Not upstream's folding of views into
  // accesses: that turns a collapsed index into divisions in the innermost loop.
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(affine::createAffineExpandIndexOpsPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createLoopInvariantCodeMotionPass());

  passes.addPass(createKernelEntry());
  passes.addPass(createSCFToControlFlowPass());
  KernelToLlvmOptions conversion;
  conversion.nativeBf16 = options.nativeBf16;
  passes.addPass(createKernelToLlvm(conversion));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

namespace {
/// `--kernel-to-loops='optimize=false'`.
struct LoopsOptions : PassPipelineOptions<LoopsOptions> {
  Option<bool> optimize{*this, "optimize", llvm::cl::desc("Fuse, tile and choose loop orders"),
                        llvm::cl::init(true)};
  Option<bool> distribute{*this, "distribute", llvm::cl::desc("Tile and fuse into tiles"),
                          llvm::cl::init(true)};
  Option<bool> recompute{*this, "recompute", llvm::cl::desc("Repeat producers"),
                         llvm::cl::init(false)};
};
struct LlvmOptions : PassPipelineOptions<LlvmOptions> {
  Option<bool> fma{*this, "fma", llvm::cl::desc("The chip has fused multiply-add"),
                   llvm::cl::init(true)};
  Option<bool> nativeF16{*this, "native-f16", llvm::cl::desc("The chip converts f16"),
                         llvm::cl::init(false)};
  Option<bool> nativeBf16{*this, "native-bf16", llvm::cl::desc("The chip converts to bf16"),
                          llvm::cl::init(false)};
};
} // namespace

void registerCodegenPipelines() {
  PassPipelineRegistration<LoopsOptions>(
      "kernel-to-loops", "From plan.kernel to kernel functions in loops",
      [](OpPassManager &passes, const LoopsOptions &options) {
        buildKernelToLoopsPipeline(passes,
                                   {options.optimize, options.distribute, options.recompute});
      });
  PassPipelineRegistration<LlvmOptions>(
      "kernel-functions-to-llvm", "From kernel functions to the LLVM dialect",
      [](OpPassManager &passes, const LlvmOptions &options) {
        buildKernelToLlvmPipeline(passes, {options.fma, options.nativeF16, options.nativeBf16});
      });
}

void registerCodegenDialects(DialectRegistry &registry) {
  registry.insert<affine::AffineDialect, amx::AMXDialect, arith::ArithDialect,
                  bufferization::BufferizationDialect, cf::ControlFlowDialect, func::FuncDialect,
                  index::IndexDialect, LLVM::LLVMDialect, linalg::LinalgDialect, math::MathDialect,
                  memref::MemRefDialect, nn::NnDialect, plan::PlanDialect, scf::SCFDialect,
                  tensor::TensorDialect, ub::UBDialect, vector::VectorDialect,
                  x86vector::X86VectorDialect>();
  affine::registerValueBoundsOpInterfaceExternalModels(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  arith::registerValueBoundsOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerSubsetOpInterfaceExternalModels(registry);
  linalg::registerTilingInterfaceExternalModels(registry);
  linalg::registerValueBoundsOpInterfaceExternalModels(registry);
  memref::registerValueBoundsOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  scf::registerValueBoundsOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
  tensor::registerTilingInterfaceExternalModels(registry);
  tensor::registerValueBoundsOpInterfaceExternalModels(registry);
  vector::registerBufferizableOpInterfaceExternalModels(registry);
  vector::registerValueBoundsOpInterfaceExternalModels(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

} // namespace tenon
