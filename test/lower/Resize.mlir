// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

// Nearest reads one element for all axes.
// CHECK-LABEL: @nearest
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x1x4x4xf32>)
// CHECK: math.ceil
// CHECK: tensor.extract %arg0
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @nearest(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x4x4xf32> {
  %none = onnx.NoValue
  %scales = onnx.Constant {value = dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>}
  %0 = onnx.Resize %x, %none, %scales, %none : (tensor<1x1x2x2xf32>, none, tensor<4xf32>, none) -> tensor<1x1x4x4xf32>
  return %0 : tensor<1x1x4x4xf32>
}

// Linear is done one axis after the other, and not along those that stay.
// CHECK-LABEL: @linear
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x1x4x2xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x1x4x6xf32>)
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @linear(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x4x6xf32> {
  %none = onnx.NoValue
  %sizes = onnx.Constant {value = dense<[1, 1, 4, 6]> : tensor<4xi64>}
  %0 = onnx.Resize %x, %none, %none, %sizes {mode = "linear"} : (tensor<1x1x2x2xf32>, none, none, tensor<4xi64>) -> tensor<1x1x4x6xf32>
  return %0 : tensor<1x1x4x6xf32>
}
