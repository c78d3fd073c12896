// RUN: tenon-opt %s --infer-shapes --verify-each | FileCheck %s

// Which dimensions a reduction keeps may be data; how many follows from the number of axes.

// CHECK-LABEL: @keeps
// CHECK: onnx.ReduceSum {{.*}} -> tensor<?x?x?xf32>
// CHECK: onnx.Sqrt {{.*}} -> tensor<?x?x?xf32>
func.func @keeps(%x: tensor<2x3x4xf32>, %axes: tensor<?xi64>) -> tensor<*xf32> {
  %0 = onnx.ReduceSum %x, %axes : (tensor<2x3x4xf32>, tensor<?xi64>) -> tensor<*xf32>
  %1 = onnx.Sqrt %0 : (tensor<*xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// CHECK-LABEL: @drops
// CHECK: onnx.ReduceMax {{.*}} -> tensor<?xf32>
func.func @drops(%x: tensor<2x3x4xf32>, %axes: tensor<2xi64>) -> tensor<*xf32> {
  %0 = onnx.ReduceMax %x, %axes {keepdims = 0 : i64} : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// No axes are all of them, or none.
// CHECK-LABEL: @empty
// CHECK: onnx.ReduceMean {{.*}} -> tensor<f32>
// CHECK: onnx.ReduceMean {{.*}} -> tensor<?x?x?xf32>
func.func @empty(%x: tensor<2x3x4xf32>, %axes: tensor<0xi64>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0 = onnx.ReduceMean %x, %axes {keepdims = 0 : i64} : (tensor<2x3x4xf32>, tensor<0xi64>) -> tensor<*xf32>
  %1 = onnx.ReduceMean %x, %axes {keepdims = 0 : i64, noop_with_empty_axes = 1 : i64} : (tensor<2x3x4xf32>, tensor<0xi64>) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}
