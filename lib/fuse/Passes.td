// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - forming kernels -----------------------------*- tablegen -*-===//

#ifndef TENON_LIB_FUSE_PASSES
#define TENON_LIB_FUSE_PASSES

include "mlir/Pass/PassBase.td"

def FuseElementwise : Pass<"fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "make one operation of a chain of elementwise operations";
  let description = [{
    An elementwise operation moves into its consumer, another elementwise
    operation or a reduction, where it is computed no more often than before:
    it has that one consumer, or it is only a cast, a broadcast or a comparison.
    Reshapes between elementwise operations are moved out of the way first, by
    giving the operation the shape of its neighbour.

    Precondition: linalg on tensors. Contractions stay as they are: what can be
    applied to their result is found by `form-kernels`.

    ```mlir
    %a = linalg.generic (add) ins(%x, %y)      -->   %b = linalg.generic (add, max) ins(%x, %y)
    %b = linalg.generic (max) ins(%a)
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def FormKernels : Pass<"form-kernels", "::mlir::ModuleOp"> {
  let summary = "group the operations of a model into kernels";
  let description = [{
    Every operation that works on tensors ends up in a `plan.kernel`, called by
    a `plan.dispatch`; equal kernels become one. A kernel is a root with what is
    fused into it:

    - a contraction, convolution or movement of data, followed by the
      elementwise operations that read its result and nothing else reads;
    - rows: elementwise operations, reductions over trailing dimensions, softmax
      and normalisation that share their leading dimensions, so that a row stays
      in the nearest cache from the first to the last.

    With `separate`, each operation becomes a kernel of its own (`-O0`).

    Precondition: linalg, nn and tensor operations on tensors, scalars for
    sizes. Afterwards the model consists of dispatches, reshapes, weights and
    scalar arithmetic; `verify-plan` checks that.
  }];
  let options = [Option<"separate", "separate", "bool", "false", "one kernel for each operation">];
  let dependentDialects = ["::tenon::plan::PlanDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // TENON_LIB_FUSE_PASSES
