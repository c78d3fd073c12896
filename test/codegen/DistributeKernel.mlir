// RUN: tenon-opt %s --pass-pipeline='builtin.module(plan.kernel(generalize-kernel,distribute-kernel{tile-elements=1024},canonicalize,cse))' --verify-each | FileCheck %s

// Rows only: a tile of columns would compute the sum of the whole row again.
// CHECK-LABEL: plan.kernel @rows
// CHECK:         scf.forall (%{{.*}}) = (0) to (256) step (16) shared_outs(%{{.*}}) -> (tensor<256x64xf32>)
// CHECK:           arith.addf
// CHECK:           arith.divf
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %{{.*}}[%{{.*}}, 0] [16, 64] [1, 1]
// CHECK:         plan.yield
plan.kernel @rows(%x: tensor<256x64xf32>) -> tensor<256x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x64xf32>
  %r = tensor.empty() : tensor<256xf32>
  %f = linalg.fill ins(%z : f32) outs(%r : tensor<256xf32>) -> tensor<256xf32>
  %s = linalg.reduce { arith.addf } ins(%x : tensor<256x64xf32>) outs(%f : tensor<256xf32>) dimensions = [1]
  %b = linalg.broadcast ins(%s : tensor<256xf32>) outs(%e : tensor<256x64xf32>) dimensions = [1]
  %y = linalg.div ins(%x, %b : tensor<256x64xf32>, tensor<256x64xf32>) outs(%e : tensor<256x64xf32>) -> tensor<256x64xf32>
  plan.yield %y : tensor<256x64xf32>
}

// A contraction with an epilogue is cut in both of its dimensions, by a divisor of the size.
// CHECK-LABEL: plan.kernel @contraction
// CHECK:         scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (%{{.*}}, 1536) step (2, 768)
// CHECK:           arith.mulf
// CHECK:           math.absf
plan.kernel @contraction(%x: tensor<?x64xf32>, %w: tensor<64x1536xf32>) -> tensor<?x1536xf32> {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %d0 = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%d0) : tensor<?x1536xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<?x1536xf32>) -> tensor<?x1536xf32>
  %m = linalg.matmul ins(%x, %w : tensor<?x64xf32>, tensor<64x1536xf32>) outs(%f : tensor<?x1536xf32>) -> tensor<?x1536xf32>
  %y = linalg.abs ins(%m : tensor<?x1536xf32>) outs(%e : tensor<?x1536xf32>) -> tensor<?x1536xf32>
  plan.yield %y : tensor<?x1536xf32>
}

// What the kernel yields besides is written from the same tiles.
// CHECK-LABEL: plan.kernel @two_results
// CHECK:         %[[R:.*]]:2 = scf.forall
// CHECK-COUNT-2:   tensor.parallel_insert_slice
// CHECK:         plan.yield
plan.kernel @two_results(%x: tensor<4096x64xf32>) -> (tensor<4096xf32>, tensor<4096x64xf32>) {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4096x64xf32>
  %r = tensor.empty() : tensor<4096xf32>
  %f = linalg.fill ins(%z : f32) outs(%r : tensor<4096xf32>) -> tensor<4096xf32>
  %s = linalg.reduce { arith.addf } ins(%x : tensor<4096x64xf32>) outs(%f : tensor<4096xf32>) dimensions = [1]
  %b = linalg.broadcast ins(%s : tensor<4096xf32>) outs(%e : tensor<4096x64xf32>) dimensions = [1]
  %y = linalg.div ins(%x, %b : tensor<4096x64xf32>, tensor<4096x64xf32>) outs(%e : tensor<4096x64xf32>) -> tensor<4096x64xf32>
  plan.yield %s, %y : tensor<4096xf32>, tensor<4096x64xf32>
}

// An operand that is walked backwards cannot be sliced by upstream: its loops stay whole.
// CHECK-LABEL: plan.kernel @backwards
// CHECK-NOT:     scf.forall
// CHECK:         plan.yield
plan.kernel @backwards(%x: tensor<4098xf32>, %w: tensor<3xf32>) -> tensor<4096xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4096xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<4096xf32>) -> tensor<4096xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i - k + 2)>, affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x, %w : tensor<4098xf32>, tensor<3xf32>) outs(%f : tensor<4096xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<4096xf32>
  plan.yield %y : tensor<4096xf32>
}
