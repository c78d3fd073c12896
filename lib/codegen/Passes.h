// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.h - from kernels to machine code -------------------*- C++ -*-===//
//
// What each pass requires and leaves is documented in Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_PASSES_H
#define TENON_LIB_CODEGEN_PASSES_H

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace tenon {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/codegen/Passes.h.inc"

/// How a kernel's body becomes loops.
struct KernelPipelineOptions {
  /// Fuse, choose loop orders and groups. Off (`-O0`): each operation in plain loops, in one group.
  bool optimize = true;
  /// Compute what belongs together tile by tile.
  bool distribute = true;
  /// Trade time for memory: repeat producers instead of keeping what they compute.
  bool recompute = false;
};

/// From `plan.kernel` to a kernel function (KernelFunction.h) in loops. The module holds kernels
/// alone.
void buildKernelToLoopsPipeline(mlir::OpPassManager &passes, const KernelPipelineOptions &options);

/// What the lowering to LLVM must know of a chip.
struct MachineOptions {
  /// Fused multiply-add.
  bool fma = true;
  /// Conversions between f32 and f16, and from f32 to bf16.
  bool nativeF16 = false, nativeBf16 = false;
};

/// From kernel functions to the LLVM dialect with the machine's calling convention.
void buildKernelToLlvmPipeline(mlir::OpPassManager &passes, const MachineOptions &options);

/// Both pipelines under the names `kernel-to-loops` and `kernel-functions-to-llvm`.
void registerCodegenPipelines();

/// All dialects that kernels may hold, and the interfaces that code generation needs of them.
void registerCodegenDialects(mlir::DialectRegistry &registry);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_PASSES_H
