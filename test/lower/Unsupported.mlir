// RUN: not tenon-opt %s --split-input-file --lower-onnx 2>&1 | FileCheck %s

// All operations that cannot be lowered are reported at once, each with its node and its reason.
func.func @main(%x: tensor<4xf32>, %s: tensor<2x!onnx.string>, %r: tensor<4x4xf32>, %q: tensor<*xf32>) -> tensor<2xf32> {
  // CHECK: ai.onnx RandomNormalLike: element type string is not supported by this operator yet
  %0 = onnx.RandomNormalLike %s : (tensor<2x!onnx.string>) -> tensor<2xf32> loc("encoder/noise")
  // CHECK: ai.onnx Softmax: axis is out of range
  %1 = onnx.Softmax %x {axis = 3 : i64} : (tensor<4xf32>) -> tensor<4xf32> loc("softmax")
  // CHECK: ai.onnx Neg: a tensor whose rank is not known is not supported by this operator
  %3 = onnx.Neg %q : (tensor<*xf32>) -> tensor<*xf32> loc("neg")
  // CHECK: ai.onnx.ml Scaler: this operator is not supported yet
  %4 = onnx.ml.Scaler %r {offset = array<f32: 0.0>, scale = array<f32: 1.0>} : (tensor<4x4xf32>) -> tensor<4x4xf32> loc("scaler")
  // CHECK: com.example Twist: there is no such operator in what Tenon knows of this domain
  // CHECK-NOT: ai.onnx Exp
  %5 = onnx.Custom "com.example" "Twist" version 1(%x) {} : (tensor<4xf32>) -> tensor<*xf32> loc("twist")
  %6 = onnx.Exp %5 : (tensor<*xf32>) -> tensor<*xf32> loc("after twist")
  return %0 : tensor<2xf32>
}

// -----

// A window that is larger than all there is: the input is too small.
func.func @window(%x: tensor<1x3x1x5xf32>) -> tensor<1x3x1x2xf32> {
  // CHECK: ai.onnx MaxPool: a window of 2 elements does not fit in spatial dimension 0, which has 1 with its padding; the input is too small for this model
  %0, %1 = onnx.MaxPool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x3x1x5xf32>) -> (tensor<1x3x1x2xf32>, none)
  return %0 : tensor<1x3x1x2xf32>
}

// -----

// Complex numbers are words here; adding them would be wrong.
func.func @complex(%x: tensor<5xcomplex<f32>>, %i: tensor<2xi64>, %u: tensor<2xcomplex<f32>>) -> tensor<5xcomplex<f32>> {
  // CHECK: ai.onnx ScatterElements: complex numbers are moved, but not computed with yet
  %0 = onnx.ScatterElements %x, %i, %u {reduction = "add"} : (tensor<5xcomplex<f32>>, tensor<2xi64>, tensor<2xcomplex<f32>>) -> tensor<5xcomplex<f32>>
  return %0 : tensor<5xcomplex<f32>>
}
