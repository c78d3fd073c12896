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
