// RUN: tenon-opt %s --assign-layouts --verify-each | FileCheck %s

// CHECK-LABEL: @conv
// CHECK-SAME: %[[X:.*]]: tensor<?x3x9x9xf32>, %[[W:.*]]: tensor<8x3x3x3xf32>
// CHECK: %[[LAST:.*]] = linalg.transpose ins(%[[X]] : {{.*}}) outs(%{{.*}} : tensor<?x9x9x3xf32>) permutation = [0, 2, 3, 1]
// CHECK: %[[Y:.*]] = nn.conv channels_last %[[LAST]], %[[W]] strides = [2, 1] dilations = [1, 2] pads = [1, 0, 0, 2] groups = 1
// CHECK-SAME: -> tensor<?x4x7x8xf32>
// CHECK: %[[FIRST:.*]] = linalg.transpose ins(%[[Y]] : {{.*}}) outs(%{{.*}} : tensor<?x8x4x7xf32>) permutation = [0, 3, 1, 2]
// CHECK: return %[[FIRST]]
func.func @conv(%x: tensor<?x3x9x9xf32>, %w: tensor<8x3x3x3xf32>) -> tensor<?x8x4x7xf32> {
  %y = nn.conv channels_first %x, %w strides = [2, 1] dilations = [1, 2] pads = [1, 0, 0, 2] groups = 1
      : (tensor<?x3x9x9xf32>, tensor<8x3x3x3xf32>) -> tensor<?x8x4x7xf32>
  return %y : tensor<?x8x4x7xf32>
}

// One and three spatial dimensions.
// CHECK-LABEL: @ranks
// CHECK: permutation = [0, 2, 1]
// CHECK: nn.conv channels_last {{.*}} : (tensor<1x9x4xf32>, tensor<4x1x3xf32>) -> tensor<1x7x4xf32>
// CHECK: permutation = [0, 2, 1]
// CHECK: permutation = [0, 2, 3, 4, 1]
// CHECK: nn.conv_transpose channels_last {{.*}} -> tensor<1x4x5x6x2xf32>
// CHECK: permutation = [0, 4, 1, 2, 3]
func.func @ranks(%x: tensor<1x4x9xf32>, %w: tensor<4x1x3xf32>, %u: tensor<1x3x3x4x5xf32>, %v: tensor<3x2x2x2x2xf32>)
    -> (tensor<1x4x7xf32>, tensor<1x2x4x5x6xf32>) {
  %0 = nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 4
      : (tensor<1x4x9xf32>, tensor<4x1x3xf32>) -> tensor<1x4x7xf32>
  %1 = nn.conv_transpose channels_first %u, %v strides = [1, 1, 1] dilations = [1, 1, 1] pads = [0, 0, 0, 0, 0, 0]
      output_pads = [0, 0, 0] groups = 1 : (tensor<1x3x3x4x5xf32>, tensor<3x2x2x2x2xf32>) -> tensor<1x2x4x5x6xf32>
  return %0, %1 : tensor<1x4x7xf32>, tensor<1x2x4x5x6xf32>
}

// What is channels last already stays, and a pool has no preference.
// CHECK-LABEL: @unchanged
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @unchanged(%x: tensor<1x9x4xf32>, %w: tensor<4x4x3xf32>, %z: tensor<1x4x9xf32>)
    -> (tensor<1x7x4xf32>, tensor<1x4x7xf32>) {
  %0 = nn.conv channels_last %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 1
      : (tensor<1x9x4xf32>, tensor<4x4x3xf32>) -> tensor<1x7x4xf32>
  %1 = nn.pool max channels_first %z kernel = [3] strides = [1] dilations = [1] pads = [0, 0]
      : (tensor<1x4x9xf32>) -> tensor<1x4x7xf32>
  return %0, %1 : tensor<1x7x4xf32>, tensor<1x4x7xf32>
}
