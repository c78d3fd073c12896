// The name of the device may be taken; then it gets another, and dispatches refer to that.
// RUN: tenon-opt %s --place-kernels --verify-each | FileCheck %s

// CHECK: plan.device @[[DEVICE:device_[0-9]+]] "cpu"
// CHECK: plan.dimension @device
plan.dimension @device
plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}
// CHECK: plan.dispatch @k(%{{.*}}) on @[[DEVICE]]
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = plan.dispatch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
