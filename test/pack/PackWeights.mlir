// RUN: tenon-opt %s --pack-weights --verify-each --split-input-file | FileCheck %s

// The kernel gets the packed weight and unpacks it first; what it computes stays as it is.

// CHECK: plan.weight @w : tensor<8x70xf32>
// CHECK: plan.weight @w.packed : tensor<3x8x32xf32> from @w <inner_dims_pos = [1] inner_tiles = [32] outer_dims_perm = [1, 0]>
// CHECK: plan.kernel @k(%[[X:.*]]: tensor<?x8xf32>, %[[P:.*]]: tensor<3x8x32xf32>, %[[N:.*]]: index) -> tensor<?x70xf32> {
// CHECK: %[[E:.*]] = tensor.empty() : tensor<8x70xf32>
// CHECK: %[[U:.*]] = linalg.unpack %[[P]] outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %[[E]]
// CHECK: linalg.matmul ins(%[[X]], %[[U]] :
// CHECK: func.func @main
// CHECK-NOT: plan.get_weight @w :
// CHECK: %[[W:.*]] = plan.get_weight @w.packed : tensor<3x8x32xf32>
// CHECK: plan.dispatch @k(%{{.*}}, %[[W]]) [%{{.*}}] dims(%{{.*}}) : (tensor<?x8xf32>, tensor<3x8x32xf32>) -> tensor<?x70xf32>
plan.weight @w : tensor<8x70xf32>
plan.kernel @k(%x: tensor<?x8xf32>,
               %w: tensor<8x70xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [32] outer_dims_perm = [1, 0]>},
               %n: index) -> tensor<?x70xf32> {
  %e = tensor.empty(%n) : tensor<?x70xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x70xf32>) outs(%e : tensor<?x70xf32>) -> tensor<?x70xf32>
  plan.yield %y : tensor<?x70xf32>
}
func.func @main(%x: tensor<?x8xf32>, %n: index) -> tensor<?x70xf32> {
  %w = plan.get_weight @w : tensor<8x70xf32>
  %y = plan.dispatch @k(%x, %w)[%n] dims(%n) : (tensor<?x8xf32>, tensor<8x70xf32>) -> tensor<?x70xf32>
  return %y : tensor<?x70xf32>
}

// -----

// One packed weight for all kernels that want the same, another where the recipe is another. Who reads the weight as it is
// keeps it.

// CHECK-DAG: plan.weight @[[FIRST:w.packed[_0-9]*]] : tensor<2x8x4xf32> from @w
// CHECK-DAG: plan.weight @[[SECOND:w.packed[_0-9]*]] : tensor<4x8x2xf32> from @w
// CHECK-DAG: plan.weight @[[OTHER:v.packed]] : tensor<2x8x4xf32> from @v
// CHECK-NOT: plan.weight {{.*}} from
// CHECK: func.func @main
// CHECK: plan.get_weight @w : tensor<8x8xf32>
// CHECK: plan.get_weight @[[FIRST]]
// CHECK: plan.dispatch @a
// CHECK: plan.get_weight @[[FIRST]]
// CHECK: plan.dispatch @b
// CHECK: plan.get_weight @[[SECOND]]
// CHECK: plan.dispatch @c
// CHECK: plan.get_weight @[[OTHER]]
// CHECK: plan.dispatch @a
// CHECK: plan.dispatch @d
plan.weight @w : tensor<8x8xf32>
plan.weight @v : tensor<8x8xf32>
plan.kernel @a(%w: tensor<8x8xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [4] outer_dims_perm = [1, 0]>}) -> tensor<8x8xf32> {
  plan.yield %w : tensor<8x8xf32>
}
plan.kernel @b(%w: tensor<8x8xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [4] outer_dims_perm = [1, 0]>}) -> tensor<8x8xf32> {
  plan.yield %w : tensor<8x8xf32>
}
plan.kernel @c(%w: tensor<8x8xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [2] outer_dims_perm = [1, 0]>}) -> tensor<8x8xf32> {
  plan.yield %w : tensor<8x8xf32>
}
plan.kernel @d(%w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  plan.yield %w : tensor<8x8xf32>
}
func.func @main() -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %w = plan.get_weight @w : tensor<8x8xf32>
  %v = plan.get_weight @v : tensor<8x8xf32>
  %0 = plan.dispatch @a(%w) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = plan.dispatch @b(%w) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %2 = plan.dispatch @c(%w) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %3 = plan.dispatch @a(%v) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %4 = plan.dispatch @d(%w) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0, %1, %2, %3, %4 : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// A kernel that one dispatch gives something else than a weight keeps its argument, and nobody asks to pack it any more.

// CHECK-NOT: plan.packing
// CHECK: plan.kernel @k(%{{.*}}: tensor<8x8xf32>) -> tensor<8x8xf32> {
// CHECK-NOT: linalg.unpack
// CHECK: func.func @main
// CHECK: %[[W:.*]] = plan.get_weight @w : tensor<8x8xf32>
// CHECK: plan.dispatch @k(%[[W]])
plan.weight @w : tensor<8x8xf32>
plan.kernel @k(%w: tensor<8x8xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [4]>}) -> tensor<8x8xf32> {
  plan.yield %w : tensor<8x8xf32>
}
func.func @main(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %w = plan.get_weight @w : tensor<8x8xf32>
  %0 = plan.dispatch @k(%w) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = plan.dispatch @k(%x) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0, %1 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Nor does a kernel that nobody calls.

// CHECK-NOT: plan.packing
plan.kernel @k(%w: tensor<8x8xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [4]>}) -> tensor<8x8xf32> {
  plan.yield %w : tensor<8x8xf32>
}
