// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that take a model from ONNX's operators to structured operations on tensors.

#ifndef TENON_LIB_LOWER_PASSES_TD
#define TENON_LIB_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerOnnx : Pass<"lower-onnx", "::mlir::ModuleOp"> {
  let summary = "onnx to linalg, tensor, arith, math, scf and nn";
  let description = [{
    Every `onnx` operation becomes structured operations on tensors of signless types; whole
    operations that deserve a kernel of their own (convolution, attention, normalisation) become
    `nn` operations. Signedness of integers ends here: it is decided once, by the ONNX type, and is
    from then on in the operations (`arith.divui`).

    Precondition: shape arithmetic has been simplified, so that shapes, axes, starts … are
    constants or `tensor.from_elements` of scalars; anything else still works through
    `tensor.extract`.

    ```mlir
    %y = onnx.Relu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
    becomes
    ```mlir
    %y = linalg.generic {indexing_maps = [#id, #id],
                         iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<?x8xf32>) outs(%empty : tensor<?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        %0 = arith.cmpf olt, %in, %zero : f32
        %1 = arith.select %0, %zero, %in : f32
        linalg.yield %1 : f32
    }
    ```

    If, Loop and Scan become `scf.if` and `scf.while`, whose regions hold what their subgraphs
    become. Tensors whose dynamic sizes may differ between branches or iterations are handed on
    together with these sizes, and `plan.sized` binds them; what is collected of each iteration
    grows by `plan.append`. (An `scf.for` is part of what will be one kernel.)

    ```mlir
    %y:2 = onnx.Loop %n, none, %x : (...) -> (tensor<?xf32>, tensor<?x?xf32>) {...}
    ```
    becomes
    ```mlir
    %r:7 = scf.while (%i = %c0, %go = %true, %a = %x, %all = %nothing, %d0 = ..., %d1 = ...,
                      %d2 = ...) {
      %left = arith.cmpi slt, %i, %n
      ...
    } do {
      %b = plan.sized %a dims(%d0) : tensor<?xf32>
      ...
    }
    ```

    All operations that cannot be lowered are reported, each with its operator and the reason, at
    the location of its ONNX node.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::tenon::nn::NnDialect",
    "::tenon::plan::PlanDialect"];
}

#endif // TENON_LIB_LOWER_PASSES_TD
