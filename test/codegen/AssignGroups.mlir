// RUN: tenon-opt %s --pass-pipeline='builtin.module(func.func(assign-groups{group-work=256}))' --verify-each | FileCheck %s
// RUN: tenon-opt %s --pass-pipeline='builtin.module(func.func(assign-groups{single}))' --verify-each | FileCheck %s --check-prefix=SINGLE

// A tile is 8 * 16 operations: a group of 256 holds one (128 + 1 go into 256 once).
// CHECK-DAG:   #[[TILES:.*]] = affine_map<()[s0, s1] -> (s0 ceildiv 8)>
// Two copies share the grid: 256 groups for each piece of 256 elements.
// CHECK-LABEL: func.func @tiles
// CHECK-SAME:    count = #[[TILES]]
// CHECK-NOT:     scf.forall
// CHECK:         scf.for %[[TILE:.*]] = %{{.*}} to %{{.*}} step
// CHECK:           affine.apply
// CHECK:           linalg.exp
// SINGLE-LABEL: func.func @tiles
// SINGLE-SAME:    count = #{{.*}}
// SINGLE:         %[[N:.*]] = memref.dim
// SINGLE:         scf.for %{{.*}} = %{{.*}} to %[[N]] step %{{.*}}
func.func @tiles(%x: memref<?x16xf32>, %y: memref<?x16xf32>, %group: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x16xf32>
  scf.forall (%i) = (0) to (%n) step (8) {
    %m = affine.min affine_map<(i)[n] -> (n - i, 8)>(%i)[%n]
    %a = memref.subview %x[%i, 0] [%m, 16] [1, 1] : memref<?x16xf32> to memref<?x16xf32, strided<[16, 1], offset: ?>>
    %b = memref.subview %y[%i, 0] [%m, 16] [1, 1] : memref<?x16xf32> to memref<?x16xf32, strided<[16, 1], offset: ?>>
    linalg.exp ins(%a : memref<?x16xf32, strided<[16, 1], offset: ?>>) outs(%b : memref<?x16xf32, strided<[16, 1], offset: ?>>)
  }
  return
}

// Pieces that do not overlap are independent: the second's groups come after the first's.
// CHECK-LABEL: func.func @concatenation
// CHECK:         scf.if
// CHECK:           scf.for
// CHECK:             linalg.copy
// CHECK:         scf.if
// CHECK:           scf.for
// CHECK:             linalg.copy
func.func @concatenation(%a: memref<512xf32>, %b: memref<768xf32>, %y: memref<1280xf32>, %group: index) attributes {kernel} {
  %0 = memref.subview %y[0] [512] [1] : memref<1280xf32> to memref<512xf32, strided<[1]>>
  %1 = memref.subview %y[512] [768] [1] : memref<1280xf32> to memref<768xf32, strided<[1], offset: 512>>
  linalg.copy ins(%a : memref<512xf32>) outs(%0 : memref<512xf32, strided<[1]>>)
  linalg.copy ins(%b : memref<768xf32>) outs(%1 : memref<768xf32, strided<[1], offset: 512>>)
  return
}

// What one loop writes and the next reads must stay in order.
// CHECK-LABEL: func.func @dependent
// CHECK-NOT:     scf.
// CHECK:         linalg.exp
// CHECK-NEXT:    linalg.abs
func.func @dependent(%x: memref<4096xf32>, %y: memref<4096xf32>, %z: memref<4096xf32>, %group: index) attributes {kernel} {
  linalg.exp ins(%x : memref<4096xf32>) outs(%y : memref<4096xf32>)
  linalg.abs ins(%y : memref<4096xf32>) outs(%z : memref<4096xf32>)
  return
}
