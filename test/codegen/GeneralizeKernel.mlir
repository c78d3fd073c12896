// RUN: tenon-opt %s --pass-pipeline='builtin.module(plan.kernel(generalize-kernel,canonicalize,cse))' --verify-each | FileCheck %s
// RUN: tenon-opt %s --pass-pipeline='builtin.module(plan.kernel(generalize-kernel{fuse=false}))' --verify-each | FileCheck %s --check-prefix=PLAIN

// Two named operations are one loop nest, and two dimensions that all operands walk alike are one loop.
// CHECK-LABEL: plan.kernel @fuse_and_collapse
// CHECK:         tensor.collapse_shape %{{.*}} {{\[}}[0, 1]{{\]}}
// CHECK:         linalg.generic {{.*}}iterator_types = ["parallel"]
// CHECK:           math.exp
// CHECK:           arith.addf
// CHECK-NOT:     linalg.generic
// PLAIN-LABEL: plan.kernel @fuse_and_collapse
// PLAIN-COUNT-2: linalg.generic
plan.kernel @fuse_and_collapse(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %d0 = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%d0) : tensor<?x64xf32>
  %a = linalg.exp ins(%x : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  %b = linalg.add ins(%a, %x : tensor<?x64xf32>, tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  plan.yield %b : tensor<?x64xf32>
}

// Tiles of a weight are found by index, within whatever reads the weight.
// CHECK-LABEL: plan.kernel @unpack
// CHECK-SAME:    %[[PACKED:.*]]: tensor<3x64x32xf32>
// CHECK:         linalg.generic
// CHECK-DAG:       affine.apply {{.*}}
// CHECK:           tensor.extract %[[PACKED]]
// CHECK:           math.absf
// CHECK-NOT:     linalg.unpack
// PLAIN-LABEL: plan.kernel @unpack
// PLAIN:         tensor.extract
plan.kernel @unpack(%w: tensor<3x64x32xf32>) -> tensor<64x70xf32> {
  %e = tensor.empty() : tensor<64x70xf32>
  %u = linalg.unpack %w outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %e : tensor<3x64x32xf32> -> tensor<64x70xf32>
  %a = linalg.abs ins(%u : tensor<64x70xf32>) outs(%e : tensor<64x70xf32>) -> tensor<64x70xf32>
  plan.yield %a : tensor<64x70xf32>
}

// The nearest element inside is read, so that no read is outside; padding is chosen afterwards.
// CHECK-LABEL: plan.kernel @pad
// CHECK:         arith.cmpi ult
// CHECK:         arith.minsi
// CHECK:         arith.maxsi
// CHECK:         tensor.extract
// CHECK:         arith.select
// CHECK-NOT:     tensor.pad
plan.kernel @pad(%x: tensor<5x17xf32>) -> tensor<8x17xf32> {
  %z = arith.constant 1.5 : f32
  %t = tensor.pad %x low[2, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<5x17xf32> to tensor<8x17xf32>
  plan.yield %t : tensor<8x17xf32>
}

// An exponential with two consumers stays: repeating it costs more than its row.
// CHECK-LABEL: plan.kernel @keep
// CHECK-COUNT-1: math.exp
// CHECK-NOT:     math.exp
plan.kernel @keep(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x64xf32>
  %r = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%z : f32) outs(%r : tensor<8xf32>) -> tensor<8xf32>
  %a = linalg.exp ins(%x : tensor<8x64xf32>) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  %s = linalg.reduce { arith.addf } ins(%a : tensor<8x64xf32>) outs(%f : tensor<8xf32>) dimensions = [1]
  %b = linalg.broadcast ins(%s : tensor<8xf32>) outs(%e : tensor<8x64xf32>) dimensions = [1]
  %y = linalg.div ins(%a, %b : tensor<8x64xf32>, tensor<8x64xf32>) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  plan.yield %y : tensor<8x64xf32>
}

// What has no elements is not computed.
// CHECK-LABEL: plan.kernel @nothing
// CHECK: %[[EMPTY:.*]] = tensor.empty(%{{.*}}) : tensor<?x0xf32>
// CHECK-NOT: linalg.generic
// CHECK: plan.yield %[[EMPTY]]
plan.kernel @nothing(%x: tensor<?x0xf32>, %n: index) -> tensor<?x0xf32> {
  %empty = tensor.empty(%n) : tensor<?x0xf32>
  %y = linalg.exp ins(%x : tensor<?x0xf32>) outs(%empty : tensor<?x0xf32>) -> tensor<?x0xf32>
  plan.yield %y : tensor<?x0xf32>
}
