// RUN: tenon-opt %s --decompose-quantized --verify-each | FileCheck %s

// CHECK-LABEL: @product
// CHECK-SAME: (%[[A:.*]]: tensor<?x4xui8>, %[[SA:[^:]*]]: tensor<f32>, %[[ZA:[^:]*]]: tensor<ui8>, %[[B:[^:]*]]: tensor<4x3xi8>, %[[SB:[^:]*]]: tensor<3xf32>, %[[ZB:[^:]*]]: tensor<3xi8>, %[[SY:[^:]*]]: tensor<1xf32>, %[[ZY:[^:]*]]: tensor<1xui8>)
// CHECK: %[[SUM:.*]] = onnx.MatMulInteger %[[A]], %[[B]], %[[ZA]], %[[ZB]] : {{.*}} -> tensor<?x3xi32>
// CHECK: %[[PRODUCT:.*]] = onnx.Mul %[[SA]], %[[SB]] : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
// CHECK: %[[S:.*]] = onnx.Reshape %[[SY]]
// CHECK: %[[FACTOR:.*]] = onnx.Div %[[PRODUCT]], %[[S]] : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK: %[[REAL:.*]] = onnx.Cast %[[SUM]]
// CHECK: %[[SCALED:.*]] = onnx.Mul %[[REAL]], %[[FACTOR]]
// CHECK: %[[ONE:.*]] = onnx.Constant {value = dense<1.000000e+00> : tensor<f32>}
// CHECK: %[[Z:.*]] = onnx.Reshape %[[ZY]]
// CHECK: onnx.QuantizeLinear %[[SCALED]], %[[ONE]], %[[Z]]
func.func @product(%a: tensor<?x4xui8>, %sa: tensor<f32>, %za: tensor<ui8>, %b: tensor<4x3xi8>, %sb: tensor<3xf32>, %zb: tensor<3xi8>, %sy: tensor<1xf32>, %zy: tensor<1xui8>) -> tensor<?x3xui8> {
  %0 = onnx.QLinearMatMul %a, %sa, %za, %b, %sb, %zb, %sy, %zy : (tensor<?x4xui8>, tensor<f32>, tensor<ui8>, tensor<4x3xi8>, tensor<3xf32>, tensor<3xi8>, tensor<1xf32>, tensor<1xui8>) -> tensor<?x3xui8>
  return %0 : tensor<?x3xui8>
}

// The bias is one of integers; scales are one for each channel.
// CHECK-LABEL: @convolution
// CHECK: onnx.ConvInteger {{.*}} {pads = array<i64: 1, 1, 1, 1>} : {{.*}} -> tensor<1x8x5x5xi32>
// CHECK: onnx.Reshape %{{.*}} : (tensor<8xi32>, tensor<3xi64>) -> tensor<8x1x1xi32>
// CHECK: onnx.Add %{{.*}} : (tensor<1x8x5x5xi32>, tensor<8x1x1xi32>)
// CHECK: onnx.Reshape %{{.*}} : (tensor<8xf32>, tensor<3xi64>) -> tensor<8x1x1xf32>
// CHECK: onnx.QuantizeLinear
func.func @convolution(%x: tensor<1x3x5x5xui8>, %w: tensor<8x3x3x3xi8>, %s: tensor<f32>, %zx: tensor<ui8>, %sw: tensor<8xf32>, %zw: tensor<8xi8>, %b: tensor<8xi32>) -> tensor<1x8x5x5xui8> {
  %0 = onnx.QLinearConv %x, %s, %zx, %w, %sw, %zw, %s, %zx, %b {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x3x5x5xui8>, tensor<f32>, tensor<ui8>, tensor<8x3x3x3xi8>, tensor<8xf32>, tensor<8xi8>, tensor<f32>, tensor<ui8>, tensor<8xi32>) -> tensor<1x8x5x5xui8>
  return %0 : tensor<1x8x5x5xui8>
}

// CHECK-LABEL: @dynamic
// CHECK-DAG: onnx.ReduceMax
// CHECK-DAG: onnx.ReduceMin
// CHECK: onnx.Where
// CHECK: %[[Z:.*]] = onnx.QuantizeLinear {{.*}} -> tensor<ui8>
// CHECK: onnx.QuantizeLinear %{{.*}}, %{{.*}}, %[[Z]] : {{.*}} -> tensor<?xui8>
func.func @dynamic(%x: tensor<?xf32>) -> (tensor<?xui8>, tensor<f32>, tensor<ui8>) {
  %0:3 = onnx.DynamicQuantizeLinear %x : (tensor<?xf32>) -> (tensor<?xui8>, tensor<f32>, tensor<ui8>)
  return %0#0, %0#1, %0#2 : tensor<?xui8>, tensor<f32>, tensor<ui8>
}

// Scales of dequantised operands move behind the product, together with that of what quantises next.
// CHECK-LABEL: @dequantised
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xui8>, %[[SX:[^:]*]]: tensor<f32>, %[[ZX:[^:]*]]: tensor<ui8>, %[[W:[^:]*]]: tensor<4x3xi8>, %[[SW:[^:]*]]: tensor<3xf32>, %[[ZW:[^:]*]]: tensor<3xi8>, %[[SY:[^:]*]]: tensor<f32>, %[[ZY:[^:]*]]: tensor<ui8>)
// CHECK: %[[FACTOR:.*]] = onnx.Mul %[[SX]], %[[SW]]
// CHECK: %[[ONE:.*]] = onnx.Constant {value = dense<1.000000e+00> : tensor<f32>}
// CHECK: %[[LEFT:.*]] = onnx.DequantizeLinear %[[X]], %[[ONE]], %[[ZX]]
// CHECK: %[[ONES:.*]] = onnx.Constant {value = dense<1.000000e+00> : tensor<3xf32>}
// CHECK: %[[RIGHT:.*]] = onnx.DequantizeLinear %[[W]], %[[ONES]], %[[ZW]] {axis = 1 : i64}
// CHECK: %[[PRODUCT:.*]] = onnx.MatMul %[[LEFT]], %[[RIGHT]]
// CHECK: %[[QUOTIENT:.*]] = onnx.Div %[[FACTOR]], %[[SY]]
// CHECK: %[[SCALED:.*]] = onnx.Mul %[[PRODUCT]], %[[QUOTIENT]]
// CHECK: onnx.QuantizeLinear %[[SCALED]], %{{.*}}, %[[ZY]]
func.func @dequantised(%x: tensor<2x4xui8>, %sx: tensor<f32>, %zx: tensor<ui8>, %w: tensor<4x3xi8>, %sw: tensor<3xf32>, %zw: tensor<3xi8>, %sy: tensor<f32>, %zy: tensor<ui8>) -> tensor<2x3xui8> {
  %0 = onnx.DequantizeLinear %x, %sx, %zx : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xf32>
  %1 = onnx.DequantizeLinear %w, %sw, %zw {axis = 1 : i64} : (tensor<4x3xi8>, tensor<3xf32>, tensor<3xi8>) -> tensor<4x3xf32>
  %2 = onnx.MatMul %0, %1 : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  %3 = onnx.QuantizeLinear %2, %sy, %zy : (tensor<2x3xf32>, tensor<f32>, tensor<ui8>) -> tensor<2x3xui8>
  return %3 : tensor<2x3xui8>
}

// A scale for each row of the second operand is one of terms, not of results: it stays.
// CHECK-LABEL: @rows
// CHECK-NOT: onnx.Mul
func.func @rows(%x: tensor<2x4xf32>, %w: tensor<4x3xi8>, %sw: tensor<4xf32>, %zw: tensor<4xi8>) -> tensor<2x3xf32> {
  %1 = onnx.DequantizeLinear %w, %sw, %zw {axis = 0 : i64} : (tensor<4x3xi8>, tensor<4xf32>, tensor<4xi8>) -> tensor<4x3xf32>
  %2 = onnx.MatMul %x, %1 : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}
