// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - forming kernels -----------------------------*- tablegen -*-===//

#ifndef TENON_LIB_FUSE_PASSES
#define TENON_LIB_FUSE_PASSES

include "mlir/Pass/PassBase.td"

def DecomposeOperations : Pass<"decompose-operations", "::mlir::ModuleOp"> {
  let summary = "take whole operations apart that the target does not want whole";
  let description = [{
    Every operation with a decomposition of its own (linalg's
    AggregatedOpInterface: convolution, attention, softmax, ...) that the target
    declines becomes the linalg, tensor, arith and math operations it is made of.
    Here each part can still be a kernel of its own, with temporaries that the
    memory plan knows; inside a kernel it cannot (`decompose-nn` does that).

    Alone, without a target, all are taken apart: the reference (`-O0`).
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def FuseElementwise : Pass<"fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "make one operation of a chain of elementwise operations";
  let description = [{
    An elementwise operation moves into its consumer, another elementwise
    operation or a reduction, where it is computed no more often than before:
    it has that one consumer, or it is only a cast, a broadcast or a comparison.
    A contraction reads its operands many times and is given nothing to compute,
    but transposes of its operands and of its result become part of its maps.
    A reshape between two operations keeps them apart.

    Precondition: linalg on tensors. What can be applied to the result of a
    contraction is found by `form-kernels`.

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

    In branches and loops of the model (`scf.if`, `scf.while`) kernels are formed
    as outside of them; no kernel reaches across their borders.

    Precondition: linalg, nn and tensor operations on tensors, scalars for
    sizes. Afterwards the model consists of dispatches, reshapes, weights, control
    flow and scalar arithmetic; `verify-plan` checks that.
  }];
  let options = [Option<"separate", "separate", "bool", "false", "one kernel for each operation">];
  let dependentDialects = ["::tenon::plan::PlanDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def VerifyPlan : Pass<"verify-plan", "::mlir::ModuleOp"> {
  let summary = "check what a model consists of once its kernels are formed";
  let description = [{
    What the operations' own verifiers cannot see, and what every later phase relies upon:

    - the model is one block of operations of this dialect, constants, `tensor.dim` of an argument,
      `tensor.extract` of an integer, and scalar `arith` and `affine` operations, under `scf.if` and `scf.while`;
    - its arguments and results are ranked tensors that carry `plan.name`, `plan.dims` and `plan.element`, and
      each name in `plan.dims` is a `plan.dimension`.

    It changes nothing. A violation is a mistake of the pass before, never of the user.
  }];
}

#endif // TENON_LIB_FUSE_PASSES
