// RUN: tenon-opt %s --lower-onnx --verify-each | FileCheck %s

// CHECK-LABEL: @whole
// CHECK: linalg.softmax dimension(1) ins(%{{.*}} : tensor<4x8x2xf32>)
func.func @whole(%x: tensor<4x8x2xf32>) -> tensor<4x8x2xf32> {
  %0 = onnx.Softmax %x {axis = -2 : i64} : (tensor<4x8x2xf32>) -> tensor<4x8x2xf32>
  return %0 : tensor<4x8x2xf32>
}

// CHECK-LABEL: @narrow
// CHECK: arith.extf
// CHECK: linalg.softmax dimension(1) ins(%{{.*}} : tensor<4x8xf32>)
// CHECK: arith.truncf
func.func @narrow(%x: tensor<4x8xf16>) -> tensor<4x8xf16> {
  %0 = onnx.Softmax %x : (tensor<4x8xf16>) -> tensor<4x8xf16>
  return %0 : tensor<4x8xf16>
}

// CHECK-LABEL: @logarithm
// CHECK: arith.maximumf
// CHECK: arith.subf
// CHECK: math.exp
// CHECK: math.log
func.func @logarithm(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = onnx.LogSoftmax %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: @hard
// CHECK: linalg.index 1
// CHECK: linalg.index 1
// CHECK: arith.cmpi eq
// CHECK: arith.uitofp
func.func @hard(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = onnx.Hardmax %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
