// RUN: tenon-opt %s --kernel-to-llvm --verify-each | FileCheck %s

// Truth values are bytes in memory.
// CHECK-LABEL: llvm.func @truth
// CHECK:         llvm.load %{{.*}} : !llvm.ptr -> i8
// CHECK:         llvm.icmp "ne"
// CHECK:         llvm.zext %{{.*}} : i1 to i8
// CHECK:         llvm.store %{{.*}} : i8, !llvm.ptr
func.func @truth(%x: memref<8xi1>, %i: index) {
  %v = memref.load %x[%i] : memref<8xi1>
  memref.store %v, %x[%i] : memref<8xi1>
  return
}

// Tiles of AMX have a type of their own only until here.
// CHECK-LABEL: llvm.func @tiles
// CHECK:         tilezero
// CHECK:         tilestored64
func.func @tiles(%x: memref<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %t = amx.tile_zero : !amx.tile<16x16xf32>
  amx.tile_store %x[%c0, %c0], %t : memref<16x16xf32>, !amx.tile<16x16xf32>
  return
}
