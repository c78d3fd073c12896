// RUN: tenon-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(bufferize-kernel))' --verify-each --verify-diagnostics | FileCheck %s

// Exponentials of a row of unknown length are computed where the result belongs.
// CHECK-LABEL: func.func @in_place
// CHECK-SAME:    %[[X:.*]]: memref<?xf32>, %[[Y:.*]]: memref<?xf32>
// CHECK-NOT:     alloc
// CHECK:         linalg.generic {{.*}} ins(%[[X]] : memref<?xf32>) outs(%[[Y]] : memref<?xf32>)
// CHECK:         linalg.generic {{.*}} ins(%[[Y]] : memref<?xf32>) outs(%[[Y]] : memref<?xf32>)
func.func @in_place(%x: memref<?xf32>, %y: memref<?xf32>, %group: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %t = bufferization.to_tensor %x restrict : memref<?xf32> to tensor<?xf32>
  %n = tensor.dim %t, %c0 : tensor<?xf32>
  %e0 = tensor.empty(%n) : tensor<?xf32>
  %e1 = tensor.empty(%n) : tensor<?xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%t : tensor<?xf32>) outs(%e0 : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %w = math.exp %v : f32
    linalg.yield %w : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<?xf32>) outs(%e1 : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %w = math.absf %v : f32
    linalg.yield %w : f32
  } -> tensor<?xf32>
  bufferization.materialize_in_destination %b in restrict writable %y : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}

// -----

// A temporary with a bound is on the stack, whatever its size at run time.
// CHECK-LABEL: func.func @bounded
// CHECK:         %[[STACK:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32xi8>
// CHECK:         memref.view %[[STACK]]
// CHECK-SAME:      memref<32xi8> to memref<?xf32>
func.func @bounded(%x: memref<?x9xf32>, %y: memref<?x9xf32>, %group: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %d = memref.dim %x, %c0 : memref<?x9xf32>
  %n = affine.min affine_map<()[s0] -> (s0, 8)>()[%d]
  %t = bufferization.to_tensor %x restrict : memref<?x9xf32> to tensor<?x9xf32>
  %s = tensor.extract_slice %t[0, 0] [%n, 9] [1, 1] : tensor<?x9xf32> to tensor<?x9xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %r = linalg.reduce { arith.addf } ins(%s : tensor<?x9xf32>) outs(%f : tensor<?xf32>) dimensions = [1]
  %o = tensor.empty(%n) : tensor<?x9xf32>
  %b = linalg.broadcast ins(%r : tensor<?xf32>) outs(%o : tensor<?x9xf32>) dimensions = [1]
  bufferization.materialize_in_destination %b in restrict writable %y : (tensor<?x9xf32>, memref<?x9xf32>) -> ()
  return
}

// -----

func.func @unbounded(%x: memref<?x9xf32>, %y: memref<?x9xf32>, %group: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x9xf32>
  %t = bufferization.to_tensor %x restrict : memref<?x9xf32> to tensor<?x9xf32>
  // expected-error @below {{needs scratch: a temporary of type 'memref<?xf32>' has no bound}}
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %r = linalg.reduce { arith.addf } ins(%t : tensor<?x9xf32>) outs(%f : tensor<?xf32>) dimensions = [1]
  %o = tensor.empty(%n) : tensor<?x9xf32>
  %b = linalg.broadcast ins(%r : tensor<?xf32>) outs(%o : tensor<?x9xf32>) dimensions = [1]
  bufferization.materialize_in_destination %b in restrict writable %y : (tensor<?x9xf32>, memref<?x9xf32>) -> ()
  return
}

// -----

// What begins as an argument is altered in the memory of the result.
// CHECK-LABEL: func.func @altered
// CHECK-SAME:    %[[X:.*]]: memref<?x8xf32>, %[[Y:.*]]: memref<?x8xf32>
// CHECK-NOT:     alloc
// CHECK:         linalg.copy ins(%[[X]] : memref<?x8xf32>) outs(%[[Y]] : memref<?x8xf32>)
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             memref.store %{{.*}}, %[[Y]]
func.func @altered(%x: memref<?x8xf32>, %y: memref<?x8xf32>, %group: index) attributes {kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %f = arith.constant 1.0 : f32
  %t = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%outer = %t) -> tensor<?x8xf32> {
    %s = scf.for %j = %c0 to %c8 step %c1 iter_args(%inner = %outer) -> tensor<?x8xf32> {
      %new = tensor.insert %f into %inner[%i, %j] : tensor<?x8xf32>
      scf.yield %new : tensor<?x8xf32>
    }
    scf.yield %s : tensor<?x8xf32>
  }
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// Loops whose sizes are a tensor's that nothing reads need no memory for it, however large it is.
// CHECK-LABEL: func.func @only_measured
// CHECK-SAME:    %[[N:[a-z0-9]+]]: index, %[[M:[a-z0-9]+]]: index
// CHECK:         %[[ONE:.*]] = memref.alloca() : memref<f32>
// CHECK:         %[[SIZES:.*]] = memref.reinterpret_cast %[[ONE]] to offset: [0], sizes: [%[[N]], %[[M]]], strides: [0, 0]
// CHECK:         linalg.generic {{.*}} ins(%[[SIZES]]
func.func @only_measured(%n: index, %m: index, %y: memref<?xf32>, %group: index) attributes {kernel} {
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %sizes = tensor.empty(%n, %m) : tensor<?x?xf32>
  %empty = tensor.empty(%n) : tensor<?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %count = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                           iterator_types = ["parallel", "reduction"]}
      ins(%sizes : tensor<?x?xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %out, %one : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  bufferization.materialize_in_destination %count in restrict writable %y : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}
