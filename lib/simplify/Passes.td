// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - simpler models that mean the same -----------*- tablegen -*-===//

#ifndef TENON_LIB_SIMPLIFY_PASSES
#define TENON_LIB_SIMPLIFY_PASSES

include "mlir/Pass/PassBase.td"

def ResolveShapes : Pass<"resolve-shapes", "::mlir::func::FuncOp"> {
  let summary = "compute the shapes that exporters compute with tensors";
  let description = [{
    Exporters write the arithmetic of sizes as a graph: Shape, Gather, Concat,
    Mul on tensors of a few integers. This pass follows every such tensor
    element by element, as scalars over the model's dimensions, so that no
    kernel computes a size and operations that take a shape see it.

    ```mlir
    %s = onnx.Shape(%x)                         %b = plan.dim @batch : index
    %b = onnx.Gather(%s, 0)               -->   %t = tensor.from_elements %b, %c12, %c64
    %t = onnx.Concat(%b, 12, 64)
    ```

    Only tensors of at most 64 elements whose shape is known are followed; what
    depends on other data stays as it is.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::math::MathDialect", "::tenon::plan::PlanDialect"];
}


def FoldBatchNormalization : Pass<"fold-batch-normalization", "::mlir::func::FuncOp"> {
  let summary = "make a BatchNormalization with constant parameters part of the convolution before it";
  let description = [{
    `scale * (x - mean) / sqrt(var + epsilon) + bias` is `x * s + t`. After a
    convolution that nothing else reads, `s` goes into its weight and `t` into
    its bias; elsewhere a multiplication and an addition are left. What is
    computed from constants is folded by `evaluateConstants`.
  }];
  let dependentDialects = ["::tenon::onnx::OnnxDialect"];
}

#endif // TENON_LIB_SIMPLIFY_PASSES
