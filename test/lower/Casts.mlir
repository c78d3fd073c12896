// RUN: tenon-opt %s --lower-onnx --verify-each | FileCheck %s

// CHECK-LABEL: @numbers
// CHECK: arith.fptosi %{{.*}} : f32 to i64
// CHECK: arith.fptosi %{{.*}} : f32 to i32
// CHECK: arith.trunci %{{.*}} : i32 to i8
// CHECK: arith.cmpf une
// CHECK: arith.uitofp %{{.*}} : i8 to f32
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.extsi %{{.*}} : i8 to i32
func.func @numbers(%f: tensor<4xf32>, %u: tensor<4xui8>, %s: tensor<4xi8>)
    -> (tensor<4xi64>, tensor<4xui8>, tensor<4xi1>, tensor<4xf32>, tensor<4xi32>, tensor<4xi32>) {
  %0 = onnx.Cast %f {to = 7 : i64} : (tensor<4xf32>) -> tensor<4xi64>
  %1 = onnx.Cast %f {to = 2 : i64} : (tensor<4xf32>) -> tensor<4xui8>
  %2 = onnx.Cast %f {to = 9 : i64} : (tensor<4xf32>) -> tensor<4xi1>
  %3 = onnx.Cast %u {to = 1 : i64} : (tensor<4xui8>) -> tensor<4xf32>
  %4 = onnx.Cast %u {to = 6 : i64} : (tensor<4xui8>) -> tensor<4xi32>
  %5 = onnx.Cast %s {to = 6 : i64} : (tensor<4xi8>) -> tensor<4xi32>
  return %0, %1, %2, %3, %4, %5 : tensor<4xi64>, tensor<4xui8>, tensor<4xi1>, tensor<4xf32>, tensor<4xi32>, tensor<4xi32>
}

// The bits of ui8 and i8 are the same, and two narrow floats meet in f32.
// CHECK-LABEL: @bits
// CHECK-NOT: arith.ext
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: arith.bitcast %{{.*}} : f32 to i32
func.func @bits(%u: tensor<4xui8>, %h: tensor<4xf16>, %f: tensor<4xf32>) -> (tensor<4xi8>, tensor<4xbf16>, tensor<4xi32>) {
  %0 = onnx.Cast %u {to = 3 : i64} : (tensor<4xui8>) -> tensor<4xi8>
  %1 = onnx.Cast %h {to = 16 : i64} : (tensor<4xf16>) -> tensor<4xbf16>
  %2 = onnx.BitCast %f {to = 6 : i64} : (tensor<4xf32>) -> tensor<4xi32>
  return %0, %1, %2 : tensor<4xi8>, tensor<4xbf16>, tensor<4xi32>
}
