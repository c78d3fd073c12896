// A strided 3x3 convolution with uneven padding, a dynamic batch, a bias, a residual and ReLU: tiles run across
// image rows and images, and pixels in the padding read zeros.
// RUN: kernel-run %s --size=1 --size=1 --size=1 | FileCheck %s
// RUN: kernel-run %s --size=3 --size=3 --size=3 | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

#image = affine_map<(n, h, w, c) -> (n, h, w, c)>
plan.kernel @convolution(%x: tensor<?x10x13x20xf32>, %packed: tensor<2x3x3x20x32xf32>, %bias: tensor<40xf32>,
                         %residual: tensor<?x5x8x40xf32>) -> tensor<?x5x8x40xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %logical = tensor.empty() : tensor<40x20x3x3xf32>
  %w = linalg.unpack %packed outer_dims_perm = [0, 2, 3, 1] inner_dims_pos = [0] inner_tiles = [32] into %logical
      : tensor<2x3x3x20x32xf32> -> tensor<40x20x3x3xf32>
  %y = nn.conv channels_last %x, %w strides = [2, 2] dilations = [1, 1] pads = [1, 2, 0, 2] groups = 1
      : (tensor<?x10x13x20xf32>, tensor<40x20x3x3xf32>) -> tensor<?x5x8x40xf32>
  %batch = tensor.dim %residual, %c0 : tensor<?x5x8x40xf32>
  %empty = tensor.empty(%batch) : tensor<?x5x8x40xf32>
  %sum = linalg.generic {indexing_maps = [#image, affine_map<(n, h, w, c) -> (c)>, #image, #image],
                         iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y, %bias, %residual : tensor<?x5x8x40xf32>, tensor<40xf32>, tensor<?x5x8x40xf32>)
      outs(%empty : tensor<?x5x8x40xf32>) {
  ^bb0(%a: f32, %b: f32, %r: f32, %out: f32):
    %biased = arith.addf %a, %b : f32
    %added = arith.addf %biased, %r : f32
    %relu = arith.maximumf %added, %zero : f32
    linalg.yield %relu : f32
  } -> tensor<?x5x8x40xf32>
  plan.yield %sum : tensor<?x5x8x40xf32>
}
