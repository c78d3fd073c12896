// RUN: tenon-opt %s --canonicalize --verify-each | FileCheck %s

// CHECK-LABEL: @same
// CHECK-NEXT: return %arg0
func.func @same(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = plan.reshape %x : tensor<4x8xf32> to tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// One type with dynamic dimensions can be two shapes.
// CHECK-LABEL: @other
// CHECK: %[[R:.*]] = plan.reshape %arg0 dims(%arg1, %arg2)
// CHECK: return %[[R]]
func.func @other(%x: tensor<?x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %0 = plan.reshape %x dims(%m, %n) : tensor<?x?xf32> to tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @chain
// CHECK-NEXT: %[[R:.*]] = plan.reshape %arg0 dims(%arg1) : tensor<?x8xf32> to tensor<2x?x4xf32>
// CHECK-NEXT: return %[[R]]
func.func @chain(%x: tensor<?x8xf32>, %n: index) -> tensor<2x?x4xf32> {
  %0 = plan.reshape %x dims(%n) : tensor<?x8xf32> to tensor<?x2x4xf32>
  %1 = plan.reshape %0 dims(%n) : tensor<?x2x4xf32> to tensor<2x?x4xf32>
  return %1 : tensor<2x?x4xf32>
}

// A dispatch that nobody reads does nothing.
// CHECK-LABEL: @unused
// CHECK-NEXT: return
plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}
func.func @unused(%x: tensor<4xf32>) {
  %0 = plan.dispatch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}
