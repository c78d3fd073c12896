// Three channels: windows are gathered into rows, as runs inside the image and pixel by pixel at its border.
// Sizes: of %x (height, width), result (height, width).
// RUN: kernel-run %s --size=33 --size=30 --size=17 --size=15 | FileCheck %s
// RUN: kernel-run %s --size=4 --size=3 --size=2 --size=2 | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

plan.kernel @first(%x: tensor<2x?x?x3xf32>, %packed: tensor<1x7x7x3x32xf32>) -> tensor<2x?x?x24xf32> {
  %logical = tensor.empty() : tensor<24x3x7x7xf32>
  %w = linalg.unpack %packed outer_dims_perm = [0, 2, 3, 1] inner_dims_pos = [0] inner_tiles = [32] into %logical
      : tensor<1x7x7x3x32xf32> -> tensor<24x3x7x7xf32>
  %y = nn.conv channels_last %x, %w strides = [2, 2] dilations = [1, 1] pads = [3, 3, 3, 3] groups = 1
      : (tensor<2x?x?x3xf32>, tensor<24x3x7x7xf32>) -> tensor<2x?x?x24xf32>
  plan.yield %y : tensor<2x?x?x24xf32>
}
