// RUN: tenon-opt %s --pass-pipeline='builtin.module(place-kernels{device=cpu:x86-64-v3})' --verify-each | FileCheck %s

// One device runs everything; kernels are compiled for it.
// CHECK: plan.device @device "cpu:x86-64-v3"
// CHECK: plan.kernel @k({{.*}} attributes {target = "cpu:x86-64-v3"}
// CHECK: plan.kernel @unused({{.*}} attributes {target = "cpu:x86-64-v3"}
plan.kernel @k(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
plan.kernel @unused(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: plan.dispatch @k(%{{.*}}) dims(%{{.*}}) on @device
// CHECK: scf.if
// CHECK: plan.dispatch @k(%{{.*}}) dims(%{{.*}}) on @device
// CHECK-NOT: plan.transfer
func.func @main(%x: tensor<?xf32>, %n: index, %c: i1) -> (tensor<?xf32>, tensor<?xf32>) {
  %0 = plan.dispatch @k(%x) dims(%n) : (tensor<?xf32>) -> tensor<?xf32>
  %1 = plan.dispatch @k(%0) dims(%n) : (tensor<?xf32>) -> tensor<?xf32>
  %2 = scf.if %c -> tensor<?xf32> {
    %3 = plan.dispatch @k(%1) dims(%n) : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %3 : tensor<?xf32>
  } else {
    scf.yield %1 : tensor<?xf32>
  }
  return %1, %2 : tensor<?xf32>, tensor<?xf32>
}
