// A weight whose elements are all equal is a constant of the kernel, and no tensor at all.
// RUN: kernel-run %s | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

plan.kernel @splat(%x: tensor<1x9x9x20xf32>) -> tensor<1x5x5x24xf32> {
  %w = arith.constant dense<0.125> : tensor<24x20x3x3xf32>
  %y = nn.conv channels_last %x, %w strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1] groups = 1
      : (tensor<1x9x9x20xf32>, tensor<24x20x3x3xf32>) -> tensor<1x5x5x24xf32>
  plan.yield %y : tensor<1x5x5x24xf32>
}
