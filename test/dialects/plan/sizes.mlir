// RUN: tenon-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --verify-each | FileCheck %s

// What results are as large as is what they were given.

plan.kernel @k(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<4x?x?xf32>) {
  %0 = tensor.empty() : tensor<4x3x3xf32>
  %1 = tensor.cast %0 : tensor<4x3x3xf32> to tensor<4x?x?xf32>
  plan.yield %x, %1 : tensor<?x8xf32>, tensor<4x?x?xf32>
}

// CHECK-LABEL: @dispatch
// CHECK-SAME: %{{.*}}: tensor<?x8xf32>, %[[A:.*]]: index, %[[B:.*]]: index, %[[C:.*]]: index
// CHECK-NEXT: return %[[A]], %[[B]], %[[C]]
func.func @dispatch(%x: tensor<?x8xf32>, %a: index, %b: index, %c: index) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0:2 = plan.dispatch @k(%x) dims(%a, %b, %c) : (tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<4x?x?xf32>)
  %d0 = tensor.dim %0#0, %c0 : tensor<?x8xf32>
  %d1 = tensor.dim %0#1, %c1 : tensor<4x?x?xf32>
  %d2 = tensor.dim %0#1, %c2 : tensor<4x?x?xf32>
  return %d0, %d1, %d2 : index, index, index
}

// CHECK-LABEL: @reshape
// CHECK-SAME: %{{.*}}: tensor<?x?xf32>, %[[M:.*]]: index, %[[N:.*]]: index
// CHECK-NEXT: return %[[M]], %[[N]]
func.func @reshape(%x: tensor<?x?xf32>, %m: index, %n: index) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %0 = plan.reshape %x dims(%m, %n) : tensor<?x?xf32> to tensor<?x2x?xf32>
  %d0 = tensor.dim %0, %c0 : tensor<?x2x?xf32>
  %d2 = tensor.dim %0, %c2 : tensor<?x2x?xf32>
  return %d0, %d2 : index, index
}

// CHECK-LABEL: @sized
// CHECK-SAME: %{{.*}}: tensor<?xf32>, %[[N:.*]]: index
// CHECK-NEXT: return %[[N]]
func.func @sized(%x: tensor<?xf32>, %n: index) -> index {
  %c0 = arith.constant 0 : index
  %0 = plan.sized %x dims(%n) : tensor<?xf32>
  %d = tensor.dim %0, %c0 : tensor<?xf32>
  return %d : index
}

// One row more than there are; the rest is as large as the row.
// CHECK-LABEL: @append
// CHECK-SAME: %[[X:.*]]: tensor<?x?xf32>, %[[ROW:.*]]: tensor<?xf32>
// CHECK-DAG: %[[ROWS:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG: %[[MORE:.*]] = arith.addi %[[ROWS]], %c1
// CHECK-DAG: %[[WIDTH:.*]] = tensor.dim %[[ROW]], %c0
// CHECK: return %[[MORE]], %[[WIDTH]]
func.func @append(%x: tensor<?x?xf32>, %row: tensor<?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = plan.append %row to %x : tensor<?xf32> to tensor<?x?xf32> -> tensor<?x?xf32>
  %d = tensor.dim %0, %c0 : tensor<?x?xf32>
  %e = tensor.dim %0, %c1 : tensor<?x?xf32>
  return %d, %e : index, index
}

// CHECK-LABEL: @reinterpret
// CHECK-SAME: %{{.*}}: tensor<?xi4>, %[[N:.*]]: index
// CHECK-NEXT: return %[[N]]
func.func @reinterpret(%x: tensor<?xi4>, %n: index) -> index {
  %c0 = arith.constant 0 : index
  %0 = plan.reinterpret %x dims(%n) : tensor<?xi4> to tensor<?xi8>
  %d = tensor.dim %0, %c0 : tensor<?xi8>
  return %d : index
}
