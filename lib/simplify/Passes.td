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
    depends on other data stays as it is. An If whose condition becomes known is
    replaced by the branch that is taken.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::math::MathDialect", "::tenon::plan::PlanDialect"];
}

def InferShapes : Pass<"infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "make the result types of ONNX operations as precise as the ONNX library can";
  let description = [{
    The importer infers the types of a whole model once. Afterwards more is known:
    `resolve-shapes` knows sizes that the library cannot compute, and values have
    become constants. This pass asks the library again, operation by operation, and
    downstream operations see what became known upstream.

    ```mlir
    %s = tensor.from_elements %b, %c768, %n : tensor<3xi64>
    %y = onnx.Reshape %x, %s : (tensor<?x768x14x14xf32>, tensor<3xi64>) -> tensor<*xf32>
    -->
    %y = onnx.Reshape %x, %s : (tensor<?x768x14x14xf32>, tensor<3xi64>) -> tensor<?x768x?xf32>
    ```

    A type never becomes less precise, except in the bodies of loops: what a Loop or
    Scan carries gets the type that its first value and what the body yields have in
    common. The function's result types follow what it returns, so it
    must not be called; `plan.dims` of a result stays, and is added where the result
    had no rank before.
  }];
  let dependentDialects = ["::tenon::onnx::OnnxDialect"];
}

def PinLengths : Pass<"pin-lengths", "::mlir::func::FuncOp"> {
  let summary = "lengths of shapes, pads and indices that follow from ranks";
  let description = [{
    A shape has an element for each dimension, pads have two, and the last
    dimension of a ScatterND's indices is what the ranks of data and updates leave.
    Where such a length is not known from the operand's own type, the operand
    passes through a `plan.reshape`, which is checked when the model runs.

    ```mlir
    %y = onnx.Reshape %x, %shape : (tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?x?xf32>
    -->
    %three = plan.reshape %shape : tensor<?xi64> to tensor<3xi64>
    %y = onnx.Reshape %x, %three : (tensor<?x?xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
    ```
  }];
  let dependentDialects = ["::tenon::plan::PlanDialect", "::mlir::tensor::TensorDialect"];
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

def FoldSequences : Pass<"fold-sequences", "::mlir::func::FuncOp"> {
  let summary = "read the elements of sequences and optionals that are known from where they come";
  let description = [{
    Exporters write a split as SplitToSequence and SequenceAt, and a list that is
    joined at the end as SequenceInserts and ConcatFromSequence. Where lengths and
    positions are constant there is no sequence: its elements are values of the
    graph, which kernels compute, with ranks that are known.

    ```mlir
    %parts = onnx.SplitToSequence %x, 2 {axis = 1}
    %b = onnx.SequenceAt %parts, 1                      -->   %b = onnx.Slice %x, 2, 4, 1
    ```
  }];
  let dependentDialects = ["::tenon::onnx::OnnxDialect"];
}

def DecomposeQuantized : Pass<"decompose-quantized", "::mlir::func::FuncOp"> {
  let summary = "write quantised operators as integer products, scalings and roundings";
  let description = [{
    QLinearConv and QLinearMatMul multiply integers exactly and then scale their
    sum by one number, rounding once; DynamicQuantizeLinear finds a scale and a
    zero point for the data. Both are said with other operators, whose scales are
    folded where they are constant.

    ```mlir
    %y = onnx.QLinearMatMul %a, %sa, %za, %b, %sb, %zb, %sy, %zy
    -->
    %c = onnx.MatMulInteger %a, %b, %za, %zb : ... -> tensor<?x64xi32>
    %f = onnx.Div (onnx.Mul %sa, %sb), %sy
    %y = onnx.QuantizeLinear (onnx.Mul (onnx.Cast %c), %f), 1.0, %zy
    ```

    Products of 8-bit floats are dequantised, multiplied and quantised. What has a
    zero point of the result for each row stays as it is.

    Conv, MatMul and Gemm of dequantised integers of at most 8 bits multiply whole
    numbers, and their scales come afterwards, together with that of a
    QuantizeLinear that follows:

    ```mlir
    %y = onnx.Conv(onnx.DequantizeLinear %x, %sx, %zx), (onnx.DequantizeLinear %w, %sw, %zw)
    -->
    %p = onnx.Conv(onnx.DequantizeLinear %x, 1.0, %zx), (onnx.DequantizeLinear %w, 1.0, %zw)
    %y = onnx.Mul %p, (onnx.Mul %sx, %sw)
    ```
  }];
  let dependentDialects = ["::tenon::onnx::OnnxDialect"];
}

#endif // TENON_LIB_SIMPLIFY_PASSES
