// A matrix times a vector: the rows of the result have to become columns of the tile.
// RUN: kernel-run %s --size=45 --size=45 | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

plan.kernel @vector(%a: tensor<?x300xf32>, %x: tensor<300xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %rows = tensor.dim %a, %c0 : tensor<?x300xf32>
  %empty = tensor.empty(%rows) : tensor<?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %y = linalg.matvec ins(%a, %x : tensor<?x300xf32>, tensor<300xf32>) outs(%init : tensor<?xf32>) -> tensor<?xf32>
  plan.yield %y : tensor<?xf32>
}
