// RUN: tenon-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --verify-each | FileCheck %s

// How large results are, from their operands' sizes alone.

// CHECK-DAG: #[[HALF:.*]] = affine_map<()[s0] -> (s0 floordiv 2)>
// CHECK-DAG: #[[TWICE:.*]] = affine_map<()[s0] -> (s0 * 2 + 1)>
// CHECK-DAG: #[[LESS:.*]] = affine_map<()[s0] -> (s0 - 2)>

// (n + 1 + 2 - (2 * (3 - 1) + 1)) floordiv 2 + 1
// CHECK-LABEL: @conv
// CHECK-SAME: %[[X:.*]]: tensor<?x3x?x8xf32>, %[[W:.*]]: tensor<?x3x3x3xf32>
// CHECK-DAG: %[[BATCH:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]], %c2
// CHECK-DAG: %[[OUT:.*]] = tensor.dim %[[W]], %c0
// CHECK: %[[SIZE:.*]] = affine.apply #[[HALF]]()[%[[N]]]
// CHECK: return %[[BATCH]], %[[OUT]], %[[SIZE]]
func.func @conv(%x: tensor<?x3x?x8xf32>, %w: tensor<?x3x3x3xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %y = nn.conv channels_first %x, %w strides = [2, 1] dilations = [2, 1] pads = [1, 0, 2, 0] groups = 1
      : (tensor<?x3x?x8xf32>, tensor<?x3x3x3xf32>) -> tensor<?x?x?x6xf32>
  %n = tensor.dim %y, %c0 : tensor<?x?x?x6xf32>
  %o = tensor.dim %y, %c1 : tensor<?x?x?x6xf32>
  %h = tensor.dim %y, %c2 : tensor<?x?x?x6xf32>
  return %n, %o, %h : index, index, index
}

// 2 * (n - 1) + 1 + (3 - 1) + 1 - 1
// CHECK-LABEL: @conv_transpose
// CHECK-SAME: %[[X:.*]]: tensor<1x?x4xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %c1
// CHECK: %[[SIZE:.*]] = affine.apply #[[TWICE]]()[%[[N]]]
// CHECK: return %[[SIZE]]
func.func @conv_transpose(%x: tensor<1x?x4xf32>, %w: tensor<4x3x3xf32>) -> index {
  %c1 = arith.constant 1 : index
  %y = nn.conv_transpose channels_last %x, %w strides = [2] dilations = [1] pads = [1, 0] output_pads = [1] groups = 1
      : (tensor<1x?x4xf32>, tensor<4x3x3xf32>) -> tensor<1x?x3xf32>
  %h = tensor.dim %y, %c1 : tensor<1x?x3xf32>
  return %h : index
}

// CHECK-LABEL: @pool
// CHECK-SAME: %[[X:.*]]: tensor<1x?x?xf32>
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]], %c1
// CHECK-DAG: %[[C:.*]] = tensor.dim %[[X]], %c2
// CHECK-DAG: %[[SIZE:.*]] = affine.apply #[[LESS]]()[%[[N]]]
// CHECK: return %[[SIZE]], %[[C]]
func.func @pool(%x: tensor<1x?x?xf32>) -> (index, index) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %y = nn.pool max channels_last %x kernel = [3] strides = [1] dilations = [1] pads = [0, 0]
      : (tensor<1x?x?xf32>) -> tensor<1x?x?xf32>
  %h = tensor.dim %y, %c1 : tensor<1x?x?xf32>
  %c = tensor.dim %y, %c2 : tensor<1x?x?xf32>
  return %h, %c : index, index
}

// Batch, heads and rows of the query, columns of the value.
// CHECK-LABEL: @attention
// CHECK-SAME: %[[Q:.*]]: tensor<?x2x?x8xf32>, %{{.*}}: tensor<?x2x?x8xf32>, %[[V:.*]]: tensor<?x2x?x?xf32>
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[Q]], %c0
// CHECK-DAG: %[[S:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG: %[[E:.*]] = tensor.dim %[[V]], %c3
// CHECK: return %[[B]], %[[S]], %[[E]]
func.func @attention(%q: tensor<?x2x?x8xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x2x?x?xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %y = nn.attention %q, %k, %v scale = 1.0
      : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %b = tensor.dim %y, %c0 : tensor<?x2x?x?xf32>
  %s = tensor.dim %y, %c2 : tensor<?x2x?x?xf32>
  %e = tensor.dim %y, %c3 : tensor<?x2x?x?xf32>
  return %b, %s, %e : index, index, index
}

// CHECK-LABEL: @normalize
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %c0
// CHECK: return %[[N]]
func.func @normalize(%x: tensor<?x8xf32>) -> index {
  %c0 = arith.constant 0 : index
  %y = nn.normalize rms %x axis = 1 epsilon = 1.0e-5 : tensor<?x8xf32> -> tensor<?x8xf32>
  %n = tensor.dim %y, %c0 : tensor<?x8xf32>
  return %n : index
}
