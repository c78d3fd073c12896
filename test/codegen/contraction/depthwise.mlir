// Depthwise convolutions: tiles inside the image and at its borders, strides, dilations, channels that do not fill a panel,
// images of which only the number is known later, one dimension and three.
// RUN: split-file %s %t
// RUN: kernel-run %t/border.mlir | FileCheck %s
// RUN: kernel-run %t/stride.mlir | FileCheck %s
// RUN: kernel-run %t/images.mlir --size=3 --size=3 --size=3 | FileCheck %s
// RUN: kernel-run %t/dilated.mlir | FileCheck %s
// RUN: kernel-run %t/signal.mlir | FileCheck %s
// RUN: kernel-run %t/volume.mlir | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f{{32|64}}>
// CHECK-NOT: WR

//--- border.mlir
#identity = affine_map<(n, h, w, c) -> (n, h, w, c)>
#channel = affine_map<(n, h, w, c) -> (c)>
plan.kernel @border(%x: tensor<2x20x24x40xf32>, %w: tensor<3x3x3x1x16xf32>, %b: tensor<40xf32>) -> tensor<2x20x24x40xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<40x1x3x3xf32>
  %f = linalg.unpack %w outer_dims_perm = [0, 2, 3, 1] inner_dims_pos = [0] inner_tiles = [16] into %e : tensor<3x3x3x1x16xf32> -> tensor<40x1x3x3xf32>
  %y = nn.conv channels_last %x, %f strides = [1, 1] dilations = [1, 1] pads = [1, 1, 1, 1] groups = 40
      : (tensor<2x20x24x40xf32>, tensor<40x1x3x3xf32>) -> tensor<2x20x24x40xf32>
  %o = tensor.empty() : tensor<2x20x24x40xf32>
  %r = linalg.generic {indexing_maps = [#identity, #channel, #identity], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y, %b : tensor<2x20x24x40xf32>, tensor<40xf32>) outs(%o : tensor<2x20x24x40xf32>) {
  ^bb0(%v: f32, %bias: f32, %out: f32):
    %s = arith.addf %v, %bias : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<2x20x24x40xf32>
  plan.yield %r : tensor<2x20x24x40xf32>
}

//--- stride.mlir
plan.kernel @stride(%x: tensor<1x21x23x32xf32>, %w: tensor<1x5x5x1x32xf32>) -> tensor<1x11x12x32xf32> {
  %e = tensor.empty() : tensor<32x1x5x5xf32>
  %f = linalg.unpack %w outer_dims_perm = [0, 2, 3, 1] inner_dims_pos = [0] inner_tiles = [32] into %e : tensor<1x5x5x1x32xf32> -> tensor<32x1x5x5xf32>
  %y = nn.conv channels_last %x, %f strides = [2, 2] dilations = [1, 1] pads = [2, 2, 2, 2] groups = 32
      : (tensor<1x21x23x32xf32>, tensor<32x1x5x5xf32>) -> tensor<1x11x12x32xf32>
  plan.yield %y : tensor<1x11x12x32xf32>
}

//--- images.mlir
plan.kernel @images(%x: tensor<?x7x7x20xf32>, %w: tensor<2x3x3x1x16xf32>, %n: index) -> tensor<?x5x5x20xf32> {
  %e = tensor.empty() : tensor<20x1x3x3xf32>
  %f = linalg.unpack %w outer_dims_perm = [0, 2, 3, 1] inner_dims_pos = [0] inner_tiles = [16] into %e : tensor<2x3x3x1x16xf32> -> tensor<20x1x3x3xf32>
  %y = nn.conv channels_last %x, %f strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 20
      : (tensor<?x7x7x20xf32>, tensor<20x1x3x3xf32>) -> tensor<?x5x5x20xf32>
  plan.yield %y : tensor<?x5x5x20xf32>
}

//--- dilated.mlir
plan.kernel @dilated(%x: tensor<1x18x19x8xf64>, %w: tensor<1x3x3x1x8xf64>) -> tensor<1x18x19x8xf64> {
  %e = tensor.empty() : tensor<8x1x3x3xf64>
  %f = linalg.unpack %w outer_dims_perm = [0, 2, 3, 1] inner_dims_pos = [0] inner_tiles = [8] into %e : tensor<1x3x3x1x8xf64> -> tensor<8x1x3x3xf64>
  %y = nn.conv channels_last %x, %f strides = [1, 1] dilations = [2, 3] pads = [2, 3, 2, 3] groups = 8
      : (tensor<1x18x19x8xf64>, tensor<8x1x3x3xf64>) -> tensor<1x18x19x8xf64>
  plan.yield %y : tensor<1x18x19x8xf64>
}

//--- signal.mlir
plan.kernel @signal(%x: tensor<3x50x16xf32>, %w: tensor<1x9x1x16xf32>) -> tensor<3x50x16xf32> {
  %e = tensor.empty() : tensor<16x1x9xf32>
  %f = linalg.unpack %w outer_dims_perm = [0, 2, 1] inner_dims_pos = [0] inner_tiles = [16] into %e : tensor<1x9x1x16xf32> -> tensor<16x1x9xf32>
  %y = nn.conv channels_last %x, %f strides = [1] dilations = [1] pads = [4, 4] groups = 16
      : (tensor<3x50x16xf32>, tensor<16x1x9xf32>) -> tensor<3x50x16xf32>
  plan.yield %y : tensor<3x50x16xf32>
}

//--- volume.mlir
plan.kernel @volume(%x: tensor<1x6x7x9x16xf32>, %w: tensor<1x3x3x3x1x16xf32>) -> tensor<1x6x7x9x16xf32> {
  %e = tensor.empty() : tensor<16x1x3x3x3xf32>
  %f = linalg.unpack %w outer_dims_perm = [0, 2, 3, 4, 1] inner_dims_pos = [0] inner_tiles = [16] into %e : tensor<1x3x3x3x1x16xf32> -> tensor<16x1x3x3x3xf32>
  %y = nn.conv channels_last %x, %f strides = [1, 1, 1] dilations = [1, 1, 1] pads = [1, 1, 1, 1, 1, 1] groups = 16
      : (tensor<1x6x7x9x16xf32>, tensor<16x1x3x3x3xf32>) -> tensor<1x6x7x9x16xf32>
  plan.yield %y : tensor<1x6x7x9x16xf32>
}
