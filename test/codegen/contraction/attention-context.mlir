// Probabilities times values, written as [batch, sequence, head, depth]: the reduction is dynamic, so panels are
// packed in parts and partial sums wait in scratch memory; 3000 keys need three parts.
// Sizes: of %p (batch, queries, keys), %v (batch, keys), result (batch, queries).
// RUN: kernel-run %s --size=2 --size=33 --size=47 --size=2 --size=47 --size=2 --size=33 | FileCheck %s
// RUN: kernel-run %s --size=1 --size=17 --size=3000 --size=1 --size=3000 --size=1 --size=17 --tolerance=1e-4 | FileCheck %s
// RUN: kernel-run %s --size=1 --size=5 --size=0 --size=1 --size=0 --size=1 --size=5 | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

plan.kernel @context(%p: tensor<?x6x?x?xf32>, %v: tensor<?x?x6x24xf32>) -> tensor<?x?x6x24xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %batch = tensor.dim %p, %c0 : tensor<?x6x?x?xf32>
  %queries = tensor.dim %p, %c2 : tensor<?x6x?x?xf32>
  %empty = tensor.empty(%batch, %queries) : tensor<?x?x6x24xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x6x24xf32>) -> tensor<?x?x6x24xf32>
  %product = linalg.generic {
      indexing_maps = [affine_map<(b, h, s, d, t) -> (b, h, s, t)>, affine_map<(b, h, s, d, t) -> (b, t, h, d)>,
                       affine_map<(b, h, s, d, t) -> (b, s, h, d)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%p, %v : tensor<?x6x?x?xf32>, tensor<?x?x6x24xf32>) outs(%init : tensor<?x?x6x24xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x?x6x24xf32>
  plan.yield %product : tensor<?x?x6x24xf32>
}
