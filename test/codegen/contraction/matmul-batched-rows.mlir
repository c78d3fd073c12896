// [batch, sequence, K] times a packed weight, as one contraction of rank 3: rows of all batches are one loop, and the
// residual is added where it lies. The bias is one constant.
// RUN: kernel-run %s --size=3 --size=19 --size=3 --size=19 --size=3 --size=19 | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

#tile = affine_map<(b, s, n) -> (b, s, n)>
plan.kernel @rows(%x: tensor<?x?x40xf32>, %packed: tensor<3x40x16xf32>, %residual: tensor<?x?x48xf32>)
    -> tensor<?x?x48xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %bias = arith.constant dense<0.5> : tensor<48xf32>
  %batch = tensor.dim %x, %c0 : tensor<?x?x40xf32>
  %sequence = tensor.dim %x, %c1 : tensor<?x?x40xf32>
  %logical = tensor.empty() : tensor<48x40xf32>
  %w = linalg.unpack %packed outer_dims_perm = [0, 1] inner_dims_pos = [0] inner_tiles = [16] into %logical
      : tensor<3x40x16xf32> -> tensor<48x40xf32>
  %empty = tensor.empty(%batch, %sequence) : tensor<?x?x48xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x48xf32>) -> tensor<?x?x48xf32>
  %product = linalg.generic {
      indexing_maps = [affine_map<(b, s, n, k) -> (b, s, k)>, affine_map<(b, s, n, k) -> (n, k)>,
                       affine_map<(b, s, n, k) -> (b, s, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x?x40xf32>, tensor<48x40xf32>) outs(%init : tensor<?x?x48xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x?x48xf32>
  %sum = linalg.generic {indexing_maps = [#tile, affine_map<(b, s, n) -> (n)>, #tile, #tile],
                         iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%product, %bias, %residual : tensor<?x?x48xf32>, tensor<48xf32>, tensor<?x?x48xf32>)
      outs(%empty : tensor<?x?x48xf32>) {
  ^bb0(%p: f32, %b: f32, %r: f32, %out: f32):
    %biased = arith.addf %p, %b : f32
    %added = arith.addf %biased, %r : f32
    linalg.yield %added : f32
  } -> tensor<?x?x48xf32>
  plan.yield %sum : tensor<?x?x48xf32>
}
