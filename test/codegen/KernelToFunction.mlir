// RUN: tenon-opt %s --kernel-to-function --verify-each | FileCheck %s

// Arguments are read-only tensors of their memory; the reshape of the result is a reshape of the result's memory, and
// stands before anything is computed.
// CHECK-LABEL: func.func @k(
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32>, %[[Y:.*]]: memref<?x4x16xf32>, %[[N:.*]]: index, %[[GROUP:.*]]: index) attributes {kernel}
// CHECK:         %[[FLAT:.*]] = memref.collapse_shape %[[Y]] {{\[}}[0], [1, 2]{{\]}}
// CHECK:         %[[T:.*]] = bufferization.to_tensor %[[X]] restrict : memref<?x64xf32>
// CHECK:         %[[EXP:.*]] = linalg.exp ins(%[[T]]
// CHECK:         bufferization.materialize_in_destination %[[EXP]] in restrict writable %[[FLAT]]
// CHECK-NEXT:    return
plan.kernel @k(%x: tensor<?x64xf32>, %n: index) -> tensor<?x4x16xf32> {
  %c0 = arith.constant 0 : index
  %d0 = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %a = linalg.exp ins(%x : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  %g = tensor.expand_shape %a [[0], [1, 2]] output_shape [%d0, 4, 16] : tensor<?x64xf32> into tensor<?x4x16xf32>
  plan.yield %g : tensor<?x4x16xf32>
}
