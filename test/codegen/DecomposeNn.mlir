// RUN: tenon-opt %s --pass-pipeline='builtin.module(plan.kernel(decompose-nn))' --verify-each | FileCheck %s

// The maximum propagates NaN, exponentials are kept in f32, and the division is one per row.
// CHECK-LABEL: plan.kernel @softmax
// CHECK:         linalg.fill ins(%{{.*}} : f32)
// CHECK:         arith.extf %{{.*}} : f16 to f32
// CHECK:         arith.maximumf %{{.*}} fastmath<nsz> : f32
// CHECK:         math.exp %{{.*}} : f32
// CHECK:         arith.addf
// CHECK:         arith.divf %{{.*}} : f32
// CHECK:         arith.truncf %{{.*}} : f32 to f16
// CHECK-NOT:     linalg.softmax
plan.kernel @softmax(%a: tensor<4x?xf16>) -> tensor<4x?xf16> {
  %c1 = arith.constant 1 : index
  %d = tensor.dim %a, %c1 : tensor<4x?xf16>
  %e = tensor.empty(%d) : tensor<4x?xf16>
  %r = linalg.softmax dimension(1) ins(%a : tensor<4x?xf16>) outs(%e : tensor<4x?xf16>) -> tensor<4x?xf16>
  plan.yield %r : tensor<4x?xf16>
}

// CHECK-LABEL: plan.kernel @normalize
// CHECK-NOT:     nn.
// CHECK:         plan.yield
plan.kernel @normalize(%x: tensor<?x384xf32>) -> tensor<?x384xf32> {
  %y = nn.normalize rms %x axis = 1 epsilon = 1.0 : tensor<?x384xf32> -> tensor<?x384xf32>
  plan.yield %y : tensor<?x384xf32>
}
