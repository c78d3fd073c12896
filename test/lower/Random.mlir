// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// A function of the position, ten rounds of it; nothing carries a state.
// CHECK-LABEL: @uniform
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} outs
// CHECK-COUNT-32: arith.xori
// CHECK: arith.shrui %{{.*}}, %c8_i64
// CHECK: arith.sitofp
func.func @uniform() -> tensor<3x4xf32> {
  %0 = onnx.RandomUniform {shape = array<i64: 3, 4>, seed = 1.0 : f32, low = -1.0 : f32} : () -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: @normal
// CHECK: linalg.generic
// CHECK: math.log
// CHECK: math.sqrt
// CHECK: math.cos
// CHECK: arith.truncf
func.func @normal(%like: tensor<?x4xf16>) -> tensor<?x4xf16> {
  %0 = onnx.RandomNormalLike %like : (tensor<?x4xf16>) -> tensor<?x4xf16>
  return %0 : tensor<?x4xf16>
}
