// RUN: tenon-opt %s --split-input-file --lower-onnx | FileCheck %s

// What moves strings moves their positions, from one on.
// CHECK-LABEL: func.func @transpose
// CHECK-SAME: (%[[X:.*]]: !plan.object)
// CHECK: %[[N:.*]] = plan.object_dim %[[X]] as !onnx.string axis 0 of 2
// CHECK: %[[POSITIONS:.*]] = linalg.generic
// CHECK: %[[MOVED:.*]] = {{.*}}tensor<3x?xi64>
// CHECK: %[[OBJECT:.*]] = plan.wrap %{{.*}} as i64 : tensor<3x?xi64>
// CHECK: %[[Y:.*]] = plan.host "string.pick"(%[[OBJECT]], %[[X]]) : (!plan.object, !plan.object) -> !plan.object
// CHECK: return %[[Y]]
func.func @transpose(%x: tensor<?x3x!onnx.string>) -> tensor<3x?x!onnx.string> {
  %0 = onnx.Transpose %x {perm = array<i64: 1, 0>} : (tensor<?x3x!onnx.string>) -> tensor<3x?x!onnx.string>
  return %0 : tensor<3x?x!onnx.string>
}

// -----

// Positions count through all operands: the second tensor's begin at 3.
// CHECK-LABEL: func.func @concat
// CHECK-SAME: (%[[X:.*]]: !plan.object, %[[Y:.*]]: !plan.object)
// CHECK: arith.constant 3 : index
// CHECK: plan.host "string.pick"(%{{.*}}, %[[X]], %[[Y]])
func.func @concat(%x: tensor<2x!onnx.string>, %y: tensor<4x!onnx.string>) -> tensor<6x!onnx.string> {
  %0 = onnx.Concat %x, %y {axis = 0 : i64} : (tensor<2x!onnx.string>, tensor<4x!onnx.string>) -> tensor<6x!onnx.string>
  return %0 : tensor<6x!onnx.string>
}

// -----

// Each part of a Split is picked for itself.
// CHECK-LABEL: func.func @split
// CHECK-COUNT-2: plan.host "string.pick"
func.func @split(%x: tensor<4x!onnx.string>) -> (tensor<2x!onnx.string>, tensor<2x!onnx.string>) {
  %none = onnx.NoValue
  %0:2 = onnx.Split %x, %none {axis = 0 : i64} : (tensor<4x!onnx.string>, none) -> (tensor<2x!onnx.string>, tensor<2x!onnx.string>)
  return %0#0, %0#1 : tensor<2x!onnx.string>, tensor<2x!onnx.string>
}

// -----

// A type that the function does not know is read by way of one that it does.
// CHECK-LABEL: func.func @read
// CHECK: %[[OBJECT:.*]] = plan.host "string.to_numbers"(%{{.*}}) {to = 1 : i64}
// CHECK: %[[WIDE:.*]] = plan.unwrap %[[OBJECT]] as f32 : tensor<4xf32>
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @read(%x: tensor<4x!onnx.string>) -> tensor<4xf16> {
  %0 = onnx.Cast %x {to = 10 : i64} : (tensor<4x!onnx.string>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

// CHECK-LABEL: func.func @write
// CHECK: %[[OBJECT:.*]] = plan.wrap %{{.*}} as ui8 : tensor<4xi8>
// CHECK: plan.host "string.from_numbers"(%[[OBJECT]])
func.func @write(%x: tensor<4xui8>) -> tensor<4x!onnx.string> {
  %0 = onnx.Cast %x {to = 8 : i64} : (tensor<4xui8>) -> tensor<4x!onnx.string>
  return %0 : tensor<4x!onnx.string>
}

// -----

// CHECK-LABEL: func.func @non_zero
// CHECK: %[[OBJECT:.*]] = plan.host "string.is_not_empty"(%{{.*}})
// CHECK: plan.unwrap %[[OBJECT]] as i1 : tensor<4xi1>
func.func @non_zero(%x: tensor<4x!onnx.string>) -> tensor<1x?xi64> {
  %0 = onnx.NonZero %x : (tensor<4x!onnx.string>) -> tensor<1x?xi64>
  return %0 : tensor<1x?xi64>
}

// -----

// Where an operator is a host function for strings only, it is a kernel for all else.
// CHECK-LABEL: func.func @equal
// CHECK: plan.host "string.equal"
// CHECK: arith.cmpi eq
func.func @equal(%x: tensor<4x!onnx.string>, %y: tensor<4xi32>) -> (tensor<4xi1>, tensor<4xi1>) {
  %0 = onnx.Equal %x, %x : (tensor<4x!onnx.string>, tensor<4x!onnx.string>) -> tensor<4xi1>
  %1 = onnx.Equal %y, %y : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
  return %0, %1 : tensor<4xi1>, tensor<4xi1>
}
