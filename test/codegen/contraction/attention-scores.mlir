// Queries times keys, both [batch, sequence, head, depth]: the right-hand side is transposed into panels at run
// time, and the mask is the same for all heads and queries.
// Sizes: of %q (batch, queries), %k (batch, keys), %mask (batch, keys), result (batch, queries, keys).
// RUN: kernel-run %s --size=2 --size=33 --size=2 --size=47 --size=2 --size=47 --size=2 --size=33 --size=47 | FileCheck %s
// RUN: kernel-run %s --size=1 --size=1 --size=1 --size=1 --size=1 --size=1 --size=1 --size=1 --size=1 | FileCheck %s
// RUN: kernel-run %s --size=1 --size=128 --size=1 --size=128 --size=1 --size=128 --size=1 --size=128 --size=128 | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

plan.kernel @scores(%q: tensor<?x?x3x20xf32>, %k: tensor<?x?x3x20xf32>, %mask: tensor<?x1x1x?xf32>)
    -> tensor<?x3x?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.25 : f32
  %batch = tensor.dim %q, %c0 : tensor<?x?x3x20xf32>
  %queries = tensor.dim %q, %c1 : tensor<?x?x3x20xf32>
  %keys = tensor.dim %k, %c1 : tensor<?x?x3x20xf32>
  %empty = tensor.empty(%batch, %queries, %keys) : tensor<?x3x?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x3x?x?xf32>) -> tensor<?x3x?x?xf32>
  %product = linalg.generic {
      indexing_maps = [affine_map<(b, h, s, t, d) -> (b, s, h, d)>, affine_map<(b, h, s, t, d) -> (b, t, h, d)>,
                       affine_map<(b, h, s, t, d) -> (b, h, s, t)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : tensor<?x?x3x20xf32>, tensor<?x?x3x20xf32>) outs(%init : tensor<?x3x?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x3x?x?xf32>
  %masked = linalg.generic {
      indexing_maps = [affine_map<(b, h, s, t) -> (b, h, s, t)>, affine_map<(b, h, s, t) -> (b, 0, 0, t)>,
                       affine_map<(b, h, s, t) -> (b, h, s, t)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%product, %mask : tensor<?x3x?x?xf32>, tensor<?x1x1x?xf32>) outs(%empty : tensor<?x3x?x?xf32>) {
  ^bb0(%p: f32, %m: f32, %out: f32):
    %scaled = arith.mulf %p, %scale : f32
    %sum = arith.addf %scaled, %m : f32
    linalg.yield %sum : f32
  } -> tensor<?x3x?x?xf32>
  plan.yield %masked : tensor<?x3x?x?xf32>
}
