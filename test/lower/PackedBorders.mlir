// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

plan.dimension @n min 1
plan.weight @w : tensor<64x128xi4>

// Rows of whole bytes keep their shape; the weight stays packed.
// CHECK: plan.weight @w : tensor<64x128xi4>
// CHECK-LABEL: @weight
// CHECK: %[[W:.*]] = plan.get_weight @w : tensor<64x128xi4>
// CHECK: %[[B:.*]] = plan.reinterpret %[[W]] : tensor<64x128xi4> to tensor<64x64xi8>
// CHECK: linalg.generic {{.*}} ins(%[[B]] : tensor<64x64xi8>) outs(%{{.*}} : tensor<64x64x2xi8>)
// CHECK: arith.shli
// CHECK: arith.shrsi
// CHECK: tensor.collapse_shape {{.*}} into tensor<64x128xi8>
func.func @weight() -> tensor<64x128xf32> {
  %w = plan.get_weight @w : tensor<64x128xi4>
  %0 = onnx.Cast %w {to = 1 : i64} : (tensor<64x128xi4>) -> tensor<64x128xf32>
  return %0 : tensor<64x128xf32>
}

// Otherwise all elements are one row, whose last byte may not be full.
// CHECK-LABEL: @row
// CHECK-SAME: (%[[X:.*]]: tensor<3x5xi2>) -> tensor<5x3xi2>
// CHECK: %[[B:.*]] = plan.reinterpret %[[X]] : tensor<3x5xi2> to tensor<4xi8>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x4xi8>)
// CHECK: arith.shrui
// CHECK: tensor.extract_slice {{.*}} tensor<16xi8> to tensor<15xi8>
// CHECK: linalg.transpose
// CHECK: linalg.generic
// CHECK: arith.ori
// CHECK: plan.reinterpret %{{.*}} : tensor<4xi8> to tensor<5x3xi2>
func.func @row(%x: tensor<3x5xui2>) -> tensor<5x3xui2> {
  %0 = onnx.Transpose %x {perm = array<i64: 1, 0>} : (tensor<3x5xui2>) -> tensor<5x3xui2>
  return %0 : tensor<5x3xui2>
}

// CHECK-LABEL: @dynamic
// CHECK: plan.reinterpret %{{.*}} dims(%{{.*}}) : tensor<?x3xi4> to tensor<?xi8>
func.func @dynamic(%x: tensor<?x3xi4> {plan.dims = [@n, 3]}) -> tensor<?x3xi8> {
  %0 = onnx.Cast %x {to = 3 : i64} : (tensor<?x3xi4>) -> tensor<?x3xi8>
  return %0 : tensor<?x3xi8>
}

// Complex numbers are only moved: words of their width.
// CHECK-LABEL: @complex
// CHECK-SAME: (%{{.*}}: tensor<2x3xi64>) -> tensor<3x2xi64>
func.func @complex(%x: tensor<2x3xcomplex<f32>>) -> tensor<3x2xcomplex<f32>> {
  %0 = onnx.Transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xcomplex<f32>>) -> tensor<3x2xcomplex<f32>>
  return %0 : tensor<3x2xcomplex<f32>>
}
