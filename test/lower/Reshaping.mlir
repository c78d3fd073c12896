// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

plan.dimension @batch min 1
plan.dimension @sequence min 1

// Splitting heads splits a dimension: the -1 cancels out.
// CHECK-LABEL: @split
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2, 3]] output_shape [%{{.*}}, %{{.*}}, 12, 32]
func.func @split(%x: tensor<?x?x384xf32> {plan.dims = [@batch, @sequence, 384]}) -> tensor<?x?x12x32xf32> {
  %shape = onnx.Constant {value = dense<[0, 0, 12, -1]> : tensor<4xi64>}
  %0 = onnx.Reshape %x, %shape : (tensor<?x?x384xf32>, tensor<4xi64>) -> tensor<?x?x12x32xf32>
  return %0 : tensor<?x?x12x32xf32>
}

// CHECK-LABEL: @merge
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0], [1], [2, 3]]
func.func @merge(%x: tensor<?x?x12x32xf32> {plan.dims = [@batch, @sequence, 12, 32]}) -> tensor<?x?x?xf32> {
  %shape = onnx.Constant {value = dense<[0, 0, -1]> : tensor<3xi64>}
  %0 = onnx.Reshape %x, %shape : (tensor<?x?x12x32xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// Neither a split nor a merge.
// CHECK-LABEL: @view
// CHECK: plan.reshape %{{.*}} : tensor<4x6xf32> to tensor<8x3xf32>
func.func @view(%x: tensor<4x6xf32>) -> tensor<8x3xf32> {
  %shape = onnx.Constant {value = dense<[8, 3]> : tensor<2xi64>}
  %0 = onnx.Reshape %x, %shape : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<8x3xf32>
  return %0 : tensor<8x3xf32>
}

// A shape that only the run knows may have a 0 and a -1.
// CHECK-LABEL: @anything
// CHECK: tensor.extract %arg1
// CHECK: arith.cmpi eq
// CHECK: arith.divui
// CHECK: plan.reshape %arg0
func.func @anything(%x: tensor<4x6xf32>, %shape: tensor<2xi64>) -> tensor<?x?xf32> {
  %0 = onnx.Reshape %x, %shape : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @units
// CHECK: tensor.expand_shape %{{.*}} : tensor<4x6xf32> into tensor<4x1x6x1xf32>
// CHECK: tensor.collapse_shape %{{.*}} : tensor<1x4x1xf32> into tensor<4xf32>
// CHECK: tensor.collapse_shape %{{.*}} : tensor<2x3x4xf32> into tensor<2x12xf32>
func.func @units(%x: tensor<4x6xf32>, %y: tensor<1x4x1xf32>, %z: tensor<2x3x4xf32>) -> (tensor<4x1x6x1xf32>, tensor<4xf32>, tensor<2x12xf32>) {
  %none = onnx.NoValue
  %axes = onnx.Constant {value = dense<[1, -1]> : tensor<2xi64>}
  %0 = onnx.Unsqueeze %x, %axes : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<4x1x6x1xf32>
  %1 = onnx.Squeeze %y, %none : (tensor<1x4x1xf32>, none) -> tensor<4xf32>
  %2 = onnx.Flatten %z : (tensor<2x3x4xf32>) -> tensor<2x12xf32>
  return %0, %1, %2 : tensor<4x1x6x1xf32>, tensor<4xf32>, tensor<2x12xf32>
}
