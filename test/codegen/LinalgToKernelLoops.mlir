// RUN: tenon-opt %s --pass-pipeline='builtin.module(func.func(linalg-to-kernel-loops,canonicalize))' --verify-each | FileCheck %s
// RUN: tenon-opt %s --pass-pipeline='builtin.module(func.func(linalg-to-kernel-loops{interchange=false reassociate=false},canonicalize))' --verify-each | FileCheck %s --check-prefix=PLAIN

// The sum of a row is carried in a register and may be computed in any order.
// CHECK-LABEL: func.func @row_sums
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[INIT:.*]] = memref.load %{{.*}}[%[[I]]]
// CHECK:           %[[SUM:.*]] = scf.for %[[K:.*]] = {{.*}} iter_args(%[[ACC:.*]] = %[[INIT]])
// CHECK:             memref.load %{{.*}}[%[[I]], %[[K]]]
// CHECK:             arith.addf {{.*}} fastmath<reassoc,contract>
// CHECK:           memref.store %[[SUM]], %{{.*}}[%[[I]]]
// PLAIN-LABEL: func.func @row_sums
// PLAIN:         arith.addf %{{[^ ]*}}, %{{[^ ]*}} : f32
func.func @row_sums(%x: memref<8x64xf32>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x64xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %a, %s : f32
    linalg.yield %t : f32
  }
  return
}

// The sum of columns walks rows, so that the innermost loop is contiguous.
// CHECK-LABEL: func.func @column_sums
// CHECK:         scf.for %[[K:.*]] =
// CHECK:           scf.for %[[J:.*]] =
// CHECK:             memref.load %{{.*}}[%[[K]], %[[J]]]
// CHECK:             memref.store %{{.*}}, %{{.*}}[%[[J]]]
// PLAIN-LABEL: func.func @column_sums
// PLAIN:         scf.for %[[J:.*]] =
// PLAIN:           scf.for %[[K:.*]] = {{.*}} iter_args
// PLAIN:             memref.load %{{.*}}[%[[K]], %[[J]]]
func.func @column_sums(%x: memref<8x64xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(j, k) -> (k, j)>, affine_map<(j, k) -> (j)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x64xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %a, %s : f32
    linalg.yield %t : f32
  }
  return
}

// Indices in a body are those of the loops.
// CHECK-LABEL: func.func @indices
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[V:.*]] = arith.index_cast %[[I]] : index to i64
// CHECK:           memref.store %[[V]], %{{.*}}[%[[I]]]
func.func @indices(%y: memref<64xi64>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%y : memref<64xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %v = arith.index_cast %i : index to i64
    linalg.yield %v : i64
  }
  return
}
