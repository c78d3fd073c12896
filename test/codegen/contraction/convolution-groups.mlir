// Groups are an outer loop; the filter is not packed and dilated windows have holes.
// RUN: kernel-run %s | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

plan.kernel @groups(%x: tensor<1x9x9x64xf32>, %w: tensor<96x16x3x3xf32>) -> tensor<1x9x9x96xf32> {
  %y = nn.conv channels_last %x, %w strides = [1, 1] dilations = [2, 2] pads = [2, 2, 2, 2] groups = 4
      : (tensor<1x9x9x64xf32>, tensor<96x16x3x3xf32>) -> tensor<1x9x9x96xf32>
  plan.yield %y : tensor<1x9x9x96xf32>
}
