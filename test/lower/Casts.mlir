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

// What is too large for an 8-bit float becomes its largest number, unless the node says otherwise.
// CHECK-LABEL: @saturating
// CHECK: arith.constant 4.480000e+02 : f32
// CHECK: arith.cmpf ogt
// CHECK: arith.truncf %{{.*}} : f32 to f8E4M3FN
// CHECK-NOT: arith.cmpf
// CHECK: arith.truncf %{{.*}} : f32 to f8E4M3FN
func.func @saturating(%f: tensor<4xf32>) -> (tensor<4xf8E4M3FN>, tensor<4xf8E4M3FN>) {
  %0 = onnx.Cast %f {to = 17 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  %1 = onnx.Cast %f {to = 17 : i64, saturate = 0 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return %0, %1 : tensor<4xf8E4M3FN>, tensor<4xf8E4M3FN>
}

// Integers that f32 does not hold are rounded once, from f64.
// CHECK-LABEL: @once
// CHECK: arith.sitofp %{{.*}} : i32 to f64
// CHECK: arith.truncf %{{.*}} : f64 to bf16
func.func @once(%i: tensor<4xi32>) -> tensor<4xbf16> {
  %0 = onnx.Cast %i {to = 16 : i64} : (tensor<4xi32>) -> tensor<4xbf16>
  return %0 : tensor<4xbf16>
}

// The exponent alone, rounded upwards.
// CHECK-LABEL: @exponent
// CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : f32 to i32
// CHECK: %[[MAGNITUDE:.*]] = arith.andi %[[BITS]]
// CHECK: %[[UP:.*]] = arith.addi %[[MAGNITUDE]]
// CHECK: arith.shrui %[[UP]]
// CHECK: arith.bitcast %{{.*}} : i8 to f8E8M0FNU
func.func @exponent(%f: tensor<4xf32>) -> tensor<4xf8E8M0FNU> {
  %0 = onnx.Cast %f {to = 24 : i64} : (tensor<4xf32>) -> tensor<4xf8E8M0FNU>
  return %0 : tensor<4xf8E8M0FNU>
}

// Below 8 bits an element is one byte: an integer extended, a float's code.
// CHECK-LABEL: @narrow
// CHECK: arith.trunci %{{.*}} : i32 to i4
// CHECK: arith.extsi %{{.*}} : i4 to i8
// CHECK: arith.truncf %{{.*}} : f32 to f4E2M1FN
// CHECK: arith.bitcast %{{.*}} : f4E2M1FN to i4
// CHECK: arith.extui %{{.*}} : i4 to i8
// CHECK: arith.uitofp %{{.*}} : i8 to f32
func.func @narrow(%f: tensor<4xf32>) -> (tensor<4xi4>, tensor<4xf4E2M1FN>, tensor<4xf32>) {
  %0 = onnx.Cast %f {to = 22 : i64} : (tensor<4xf32>) -> tensor<4xi4>
  %1 = onnx.Cast %f {to = 23 : i64} : (tensor<4xf32>) -> tensor<4xf4E2M1FN>
  %2 = onnx.Cast %f {to = 21 : i64} : (tensor<4xf32>) -> tensor<4xui4>
  %3 = onnx.Cast %2 {to = 1 : i64} : (tensor<4xui4>) -> tensor<4xf32>
  return %0, %1, %3 : tensor<4xi4>, tensor<4xf4E2M1FN>, tensor<4xf32>
}

// A truth value is a byte.
// CHECK-LABEL: @bits_of_truth
// CHECK: arith.extui %{{.*}} : i1 to i8
// CHECK: arith.cmpi ne, %{{.*}}, %c0_i8
func.func @bits_of_truth(%x: tensor<4xi1>, %y: tensor<4xui8>) -> (tensor<4xui8>, tensor<4xi1>) {
  %0 = onnx.BitCast %x {to = 2 : i64} : (tensor<4xi1>) -> tensor<4xui8>
  %1 = onnx.BitCast %y {to = 9 : i64} : (tensor<4xui8>) -> tensor<4xi1>
  return %0, %1 : tensor<4xui8>, tensor<4xi1>
}
