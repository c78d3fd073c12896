// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

// Limits come before the zero point, as numbers: NaN is the lower one.
// CHECK-LABEL: @per_tensor
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.maxnumf
// CHECK: arith.minnumf
// CHECK: arith.addf
// CHECK: arith.fptosi %{{.*}} : f32 to i32
// CHECK: arith.trunci %{{.*}} : i32 to i8
func.func @per_tensor(%x: tensor<2x8xf32>, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<2x8xui8> {
  %0 = onnx.QuantizeLinear %x, %s, %z : (tensor<2x8xf32>, tensor<f32>, tensor<ui8>) -> tensor<2x8xui8>
  return %0 : tensor<2x8xui8>
}

// One scale for each element of the axis.
// CHECK-LABEL: @per_axis
// CHECK: #map
// CHECK-DAG: arith.subi %{{.*}} : i32
// CHECK: arith.sitofp %{{.*}} : i32 to f32
// CHECK: arith.mulf
func.func @per_axis(%x: tensor<2x8x3xi8>, %s: tensor<8xf32>, %z: tensor<8xi8>) -> tensor<2x8x3xf32> {
  %0 = onnx.DequantizeLinear %x, %s, %z {axis = 1 : i64} : (tensor<2x8x3xi8>, tensor<8xf32>, tensor<8xi8>) -> tensor<2x8x3xf32>
  return %0 : tensor<2x8x3xf32>
}

// Whole blocks are a dimension, along which the scales are broadcast.
// CHECK-LABEL: @blocked
// CHECK: tensor.expand_shape %{{.*}} into tensor<2x4x16xi8>
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<2x4x16xi8>, tensor<2x4xf16>)
// CHECK: tensor.collapse_shape %{{.*}} tensor<2x4x16xf16> into tensor<2x64xf16>
func.func @blocked(%x: tensor<2x64xi8>, %s: tensor<2x4xf16>) -> tensor<2x64xf16> {
  %none = onnx.NoValue
  %0 = onnx.DequantizeLinear %x, %s, %none {axis = 1 : i64, block_size = 16 : i64} : (tensor<2x64xi8>, tensor<2x4xf16>, none) -> tensor<2x64xf16>
  return %0 : tensor<2x64xf16>
}

// The last block is shorter: the scales are repeated and cut off.
// CHECK-LABEL: @rest
// CHECK: tensor.extract_slice %{{.*}} tensor<2x48xf32> to tensor<2x40xf32>
func.func @rest(%x: tensor<2x40xi8>, %s: tensor<2x3xf32>) -> tensor<2x40xf32> {
  %none = onnx.NoValue
  %0 = onnx.DequantizeLinear %x, %s, %none {axis = 1 : i64, block_size = 16 : i64} : (tensor<2x40xi8>, tensor<2x3xf32>, none) -> tensor<2x40xf32>
  return %0 : tensor<2x40xf32>
}

// An f16 scale makes the division one of f16; no zero point is no zero point.
// CHECK-LABEL: @half
// CHECK: arith.divf
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: arith.truncf %{{.*}} : f32 to f8E5M2
func.func @half(%x: tensor<8xf16>, %s: tensor<f16>) -> tensor<8xf8E5M2> {
  %none = onnx.NoValue
  %0 = onnx.QuantizeLinear %x, %s, %none {output_dtype = 19 : i64} : (tensor<8xf16>, tensor<f16>, none) -> tensor<8xf8E5M2>
  return %0 : tensor<8xf8E5M2>
}
