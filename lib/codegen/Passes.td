// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - from kernels to machine code ----------------*- tablegen -*-===//
//
// In the order in which a kernel passes through them; Pipelines.cpp says why.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_PASSES_TD
#define TENON_LIB_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def DecomposeNn : Pass<"decompose-nn", "::tenon::plan::KernelOp"> {
  let summary = "Rewrite whole operations that no generator claimed into linalg";
  let description = [{
    Every `nn` operation, and every upstream operation with a decomposition of its own (`linalg.softmax`),
    becomes linalg, tensor, arith and math operations. None is left afterwards.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def GeneralizeKernel : Pass<"generalize-kernel", "::tenon::plan::KernelOp"> {
  let summary = "Bring a kernel's body to as few loop nests as it can have";
  let description = [{
    Named operations become `linalg.generic`; packing, padding and concatenation become loops and slices.
    With `fuse`, elementwise producers move into their consumers (repeated only where that is cheap) and
    adjacent loops that all operands walk alike become one. With `recompute`, producers move into all
    their consumers however much that repeats: the way out where a temporary has no bound.

    ```mlir
    %0 = linalg.add ins(%a, %b) outs(%e)       // one linalg.generic that computes max(a + b, 0)
    %1 = linalg.generic {max} ins(%0) ...
    ```
  }];
  let options = [Option<"fuse", "fuse", "bool", "true", "Fuse elementwise producers and collapse loops">,
                 Option<"recompute", "recompute", "bool", "false", "Fuse whatever the cost of repeating it">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"];
}

def DistributeKernel : Pass<"distribute-kernel", "::tenon::plan::KernelOp"> {
  let summary = "Tile the loops that a kernel's operations share and fuse the operations into one tile";
  let description = [{
    For each result that is not computed yet, its operation is tiled along those parallel loops along which
    no producer's reduction would be repeated, and its producers are fused into the tile. The loop over
    tiles is an `scf.forall`; what a tile needs beyond its results is small.

    A softmax over the last dimension of `tensor<?x?x128xf32>` becomes an `scf.forall` over rows that
    holds maximum, exponential, sum and division of `tensor<1x16x128xf32>`.
  }];
  let options = [Option<"tileElements", "tile-elements", "int64_t", "4096",
                        "Number of elements of the result that a tile should hold">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def KernelToFunction : Pass<"kernel-to-function", "::mlir::ModuleOp"> {
  let summary = "Turn each plan.kernel into a function on memory that still computes on tensors";
  let description = [{
    Arguments become read-only memrefs, results become memrefs that the body's tensors are materialised
    in (see KernelFunction.h). Reshapes of what is yielded become reshapes of the result's memory, so that
    they cost nothing. Uses of the kernel's symbol are left dangling: this runs in modules of kernels alone.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect"];
}

def BufferizeKernel : Pass<"bufferize-kernel", "::mlir::func::FuncOp"> {
  let summary = "Replace tensors by memory: results in place, temporaries on the stack";
  let description = [{
    Upstream's one-shot bufferization, after tensors that are merely destinations have been replaced by
    the memory they end in. A temporary becomes an `memref.alloca` of static size in the entry block. When
    one has no static bound, or all together exceed `stack-bytes`, the pass fails and reports
    `needs scratch`.
  }];
  let options = [Option<"stackBytes", "stack-bytes", "int64_t", "262144",
                        "Bytes of temporaries that a kernel may keep on the stack">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def AssignGroups : Pass<"assign-groups", "::mlir::func::FuncOp"> {
  let summary = "Replace the parallel loops of a kernel function by its group argument";
  let description = [{
    The tiles of all top-level `scf.forall` are numbered, consecutive tiles form groups of about
    `group-work` operations, and `count` is set to the number of groups. Top-level loops that do not
    depend on each other share the grid one after the other; where one depends on another, the kernel is
    one group that runs them in order.

    ```mlir
    scf.forall (%i) = (0) to (%n) step (32) {...}    // count = ()[s0] -> ((s0 ceildiv 32) ceildiv 4)
    // ->
    scf.for %t = %group * 4 to min(%group * 4 + 4, %n ceildiv 32) {... %i = %t * 32 ...}
    ```
  }];
  let options = [Option<"groupWork", "group-work", "int64_t", "16384",
                        "Number of scalar operations that a group should hold">,
                 Option<"single", "single", "bool", "false", "One group runs everything">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def LinalgToKernelLoops : Pass<"linalg-to-kernel-loops", "::mlir::func::FuncOp"> {
  let summary = "Lower linalg on memory to loops that LLVM vectorises well";
  let description = [{
    The innermost loop is the one along which most operands are contiguous; a reduction that ends up
    innermost keeps its accumulators in registers. With `reassociate`, sums and products of reductions may be
    computed in any order, without which they cannot be vectorised.
  }];
  let options = [Option<"interchange", "interchange", "bool", "true", "Choose the order of loops">,
                 Option<"reassociate", "reassociate", "bool", "true", "Allow reductions in any order">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def ApproximateMath : Pass<"approximate-math", "::mlir::func::FuncOp"> {
  let summary = "Compute elementary functions without calling a library";
  let description = [{
    Functions of f16 and bf16 are computed in f32, functions of f32 by upstream's polynomials, functions of
    f64 by range reduction and series of our own. No `math` operation is left that LLVM would turn into a call.
    Conversions of narrow floats that LLVM would call a function for become integer arithmetic.
  }];
  let options = [Option<"fma", "fma", "bool", "true", "The chip has fused multiply-add">,
                 Option<"nativeF16", "native-f16", "bool", "false", "The chip converts between f16 and f32">,
                 Option<"nativeBf16", "native-bf16", "bool", "false", "The chip converts f32 to bf16">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect"];
}

def KernelEntry : Pass<"kernel-entry", "::mlir::ModuleOp"> {
  let summary = "Give each kernel function the calling convention of machine code";
  let description = [{
    `@k` on memrefs becomes an internal `@k.body` on plain pointers and sizes, whose result pointers are
    `noalias`, and the exported

    ```mlir
    func.func @k(%buffers: !llvm.ptr, %sizes: !llvm.ptr, %group: i64)
    ```

    that loads them. The memrefs are rebuilt in the body from pointers and sizes.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def KernelToLlvm : Pass<"kernel-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert everything in a kernel's module to the LLVM dialect";
  let description = [{
    One conversion for scf-free functions of arith, math, cf, func, index, memref, ub, vector, amx and
    x86vector. Truth values are bytes in memory: loads and stores of i1 become those of i8, because LLVM does
    not vectorise memory of one-bit elements.

    Without `native-bf16` values of bf16 become integers: nothing computes with them any more, and LLVM, which
    computes in f32 where a processor has no bf16, would move them through f32 and call a function to come back.
  }];
  let options = [Option<"nativeBf16", "native-bf16", "bool", "false", "The chip converts f32 to bf16">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TENON_LIB_CODEGEN_PASSES_TD
