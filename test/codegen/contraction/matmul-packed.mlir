// A packed weight, any number of rows: full tiles, each kind of leftover, and a single row. The epilogue is
// GELU of a biased sum, with a residual, and its result is also given as f16.
// RUN: kernel-run %s --size=128 --size=128 --size=128 --size=128 --tolerance=1e-3 | FileCheck %s
// RUN: kernel-run %s --size=37 --size=37 --size=37 --size=37 --tolerance=1e-3 | FileCheck %s
// RUN: kernel-run %s --size=13 --size=13 --size=13 --size=13 --tolerance=1e-3 | FileCheck %s
// RUN: kernel-run %s --size=1 --size=1 --size=1 --size=1 --tolerance=1e-3 | FileCheck %s
// RUN: kernel-run %s --size=0 --size=0 --size=0 --size=0 --tolerance=1e-3 | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WRONG
// CHECK: f16>
// CHECK-NOT: WR

plan.kernel @matmul(%x: tensor<?x75xf32>, %packed: tensor<4x75x32xf32>, %bias: tensor<100xf32>,
                    %residual: tensor<?x100xf32>) -> (tensor<?x100xf32>, tensor<?x100xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.70710677 : f32
  %rows = tensor.dim %x, %c0 : tensor<?x75xf32>
  %logical = tensor.empty() : tensor<75x100xf32>
  %w = linalg.unpack %packed outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %logical
      : tensor<4x75x32xf32> -> tensor<75x100xf32>
  %empty = tensor.empty(%rows) : tensor<?x100xf32>
  %narrow = tensor.empty(%rows) : tensor<?x100xf16>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x100xf32>) -> tensor<?x100xf32>
  %product = linalg.matmul ins(%x, %w : tensor<?x75xf32>, tensor<75x100xf32>)
                           outs(%init : tensor<?x100xf32>) -> tensor<?x100xf32>
  %gelu = linalg.generic {
      indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%product, %bias : tensor<?x100xf32>, tensor<100xf32>) outs(%empty : tensor<?x100xf32>) {
  ^bb0(%p: f32, %b: f32, %out: f32):
    %sum = arith.addf %p, %b : f32
    %scaled = arith.mulf %sum, %root : f32
    %erf = math.erf %scaled : f32
    %shifted = arith.addf %erf, %one : f32
    %halved = arith.mulf %sum, %half : f32
    %result = arith.mulf %halved, %shifted : f32
    linalg.yield %result : f32
  } -> tensor<?x100xf32>
  %both:2 = linalg.generic {
      indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>,
                       affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%gelu, %residual : tensor<?x100xf32>, tensor<?x100xf32>)
      outs(%empty, %narrow : tensor<?x100xf32>, tensor<?x100xf16>) {
  ^bb0(%g: f32, %r: f32, %out: f32, %out16: f16):
    %sum = arith.addf %g, %r : f32
    %short = arith.truncf %sum : f32 to f16
    linalg.yield %sum, %short : f32, f16
  } -> (tensor<?x100xf32>, tensor<?x100xf16>)
  plan.yield %both#0, %both#1 : tensor<?x100xf32>, tensor<?x100xf16>
}
