// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - physical encodings --------------------------*- tablegen -*-===//

#ifndef TENON_LIB_PACK_PASSES
#define TENON_LIB_PACK_PASSES

include "mlir/Pass/PassBase.td"

def PackWeights : Pass<"pack-weights", "::mlir::ModuleOp"> {
  let summary = "give kernels their weights in the order they read them";
  let description = [{
    A kernel argument that the target marked with `plan.packing`, and that is a
    weight in every dispatch, becomes the packed weight. The kernel unpacks it
    first, so what it computes is plain to see; the code generator recognises
    the unpacked argument and reads the packed one.

    ```mlir
    plan.dispatch @k(%x, %w)                    plan.dispatch @k(%x, %p)
    plan.kernel @k(%a, %b {plan.packing = #p})  plan.kernel @k(%a, %q) {
                                          -->     %b = linalg.unpack %q ...
    ```

    Precondition: kernels are formed. Where two dispatches give one packed
    argument different kinds of values, it stays as it is.
  }];
  let dependentDialects = ["::tenon::plan::PlanDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // TENON_LIB_PACK_PASSES
