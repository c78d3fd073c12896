// RUN: tenon-opt %s --kernel-entry --verify-each | FileCheck %s

// Sizes in the order of the calling convention: %x's, %y's, then the index argument.
// CHECK:       func.func @k.body(
// CHECK-SAME:    %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %[[XN:.*]]: index, %[[YN:.*]]: index, %[[I:.*]]: index, %[[GROUP:.*]]: index)
// CHECK-SAME:    llvm.linkage = #llvm.linkage<internal>
// CHECK:         llvm.insertvalue
// CHECK:         builtin.unrealized_conversion_cast %{{.*}} to memref<?x4xf32>
// CHECK:         memref.store %{{.*}}, %{{.*}}[%[[I]], %[[GROUP]]]
// CHECK:       func.func @k(%[[BUFFERS:.*]]: !llvm.ptr, %[[SIZES:.*]]: !llvm.ptr, %{{.*}}: i64)
// CHECK-COUNT-2: llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK-COUNT-3: llvm.load %{{.*}} : !llvm.ptr -> i64
// CHECK:         call @k.body
func.func @k(%x: memref<?x4xf32>, %y: memref<?x4xf32>, %i: index, %group: index) attributes {kernel, count = affine_map<()[s0, s1, s2] -> (4)>} {
  %v = memref.load %x[%i, %group] : memref<?x4xf32>
  memref.store %v, %y[%i, %group] : memref<?x4xf32>
  return
}
