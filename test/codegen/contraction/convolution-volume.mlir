// Three spatial dimensions, one of them without taps, and an epilogue that differs per image: the images become an
// outer loop, the pixels of one stay a single loop of rows.
// RUN: kernel-run %s | FileCheck %s

// CHECK: O2:
// CHECK-NOT: generic because
// CHECK: f32>
// CHECK-NOT: WR

#volume = affine_map<(n, d, h, w, c) -> (n, d, h, w, c)>
plan.kernel @volume(%x: tensor<2x5x6x7x18xf32>, %w: tensor<19x18x3x1x3xf32>, %gate: tensor<2x19xf32>)
    -> tensor<2x5x3x7x19xf32> {
  %y = nn.conv channels_last %x, %w strides = [1, 2, 1] dilations = [1, 1, 1] pads = [1, 0, 1, 1, 0, 1] groups = 1
      : (tensor<2x5x6x7x18xf32>, tensor<19x18x3x1x3xf32>) -> tensor<2x5x3x7x19xf32>
  %empty = tensor.empty() : tensor<2x5x3x7x19xf32>
  %gated = linalg.generic {
      indexing_maps = [#volume, affine_map<(n, d, h, w, c) -> (n, c)>, #volume],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%y, %gate : tensor<2x5x3x7x19xf32>, tensor<2x19xf32>) outs(%empty : tensor<2x5x3x7x19xf32>) {
  ^bb0(%a: f32, %g: f32, %out: f32):
    %product = arith.mulf %a, %g : f32
    linalg.yield %product : f32
  } -> tensor<2x5x3x7x19xf32>
  plan.yield %gated : tensor<2x5x3x7x19xf32>
}
