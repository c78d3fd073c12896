// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

// Where x is less than zero, else x: one instruction, and NaN passes.
// CHECK-LABEL: @relu
// CHECK: %[[N:.*]] = arith.cmpf olt, %[[X:.*]], %{{.*}} : f32
// CHECK: arith.select %[[N]], %{{.*}}, %[[X]] : f32
func.func @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = onnx.Relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: @gelu
// CHECK: math.erf
// CHECK: math.tanh
func.func @gelu(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = onnx.Gelu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = onnx.Gelu %x {approximate = "tanh"} : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @softplus
// CHECK: %[[A:.*]] = math.absf
// CHECK: %[[N:.*]] = arith.negf %[[A]]
// CHECK: %[[E:.*]] = math.exp %[[N]]
// CHECK: math.log1p %[[E]]
// CHECK: arith.maximumf
func.func @softplus(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = onnx.Softplus %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// The slope is broadcast.
// CHECK-LABEL: @prelu
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<2x4xf32>, tensor<4xf32>)
// CHECK: arith.mulf
// CHECK: arith.select
func.func @prelu(%x: tensor<2x4xf32>, %s: tensor<4xf32>) -> tensor<2x4xf32> {
  %0 = onnx.PRelu %x, %s : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
