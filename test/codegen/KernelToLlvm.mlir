// RUN: tenon-opt %s --kernel-to-llvm --verify-each | FileCheck %s --check-prefixes=CHECK,BITS
// RUN: tenon-opt %s --kernel-to-llvm=native-bf16 --verify-each | FileCheck %s --check-prefixes=CHECK,NATIVE

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

// A processor without bf16 moves its bits: LLVM would take a value that crosses blocks through f32 and call a function.
// CHECK-LABEL: llvm.func @brain_float
// BITS:          ^bb{{[0-9]}}(%{{.*}}: i16):
// BITS:          llvm.store %{{.*}} : i16, !llvm.ptr
// NATIVE:        ^bb{{[0-9]}}(%{{.*}}: bf16):
// NATIVE:        llvm.store %{{.*}} : bf16, !llvm.ptr
// CHECK:         llvm.return
func.func @brain_float(%x: memref<8xbf16>, %i: index, %inside: i1) {
  %one = arith.constant 1.0 : bf16
  cf.cond_br %inside, ^load, ^store(%one : bf16)
^load:
  %v = memref.load %x[%i] : memref<8xbf16>
  cf.br ^store(%v : bf16)
^store(%w: bf16):
  memref.store %w, %x[%i] : memref<8xbf16>
  return
}
