// RUN: tenon-opt %s --kernel-to-loops --verify-each | FileCheck %s --check-prefix=LOOPS
// RUN: tenon-opt %s --kernel-to-loops='optimize=false distribute=false' --verify-each | FileCheck %s --check-prefix=REFERENCE
// RUN: tenon-opt %s --kernel-to-loops --kernel-functions-to-llvm --verify-each | FileCheck %s --check-prefix=LLVM
// RUN: tenon-opt %s --kernel-to-loops --kernel-functions-to-llvm='fma=false' --verify-each | FileCheck %s --check-prefix=NO-FMA

// The two pipelines by their names, on one kernel: from tensors to loops over memory that share a grid, and from there to LLVM.

// LOOPS: func.func @k(
// LOOPS-SAME: memref<?x8xf32>
// LOOPS-SAME: count = #{{.*}}
// LOOPS-COUNT-1: scf.for
// LOOPS-NOT: linalg.
// LOOPS-NOT: tensor<

// In the reference each operation has loops of its own, in one group.
// REFERENCE: func.func @k(
// REFERENCE: math.exp
// REFERENCE: scf.for
// REFERENCE: arith.addf

// LLVM-NOT: memref
// LLVM-NOT: unrealized_conversion_cast
// LLVM: llvm.intr.fma
// LLVM: llvm.func @k(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64)

// NO-FMA-NOT: llvm.intr.fma
// NO-FMA: llvm.func @k(
plan.kernel @k(%x: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
  %one = arith.constant 1.0 : f32
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %a = linalg.exp ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%u: f32, %o: f32):
    %t = arith.addf %u, %one : f32
    linalg.yield %t : f32
  } -> tensor<?x8xf32>
  plan.yield %b : tensor<?x8xf32>
}
