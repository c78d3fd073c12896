// RUN: tenon-opt %s --decompose-nn --verify-each | FileCheck %s

// Padding, then one contraction whose maps hold stride and dilation; output channels are the innermost parallel loop.
// CHECK-DAG: #[[CONV_X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 * 2 + d4, d2 + d5 * 3, d6)>
// CHECK-DAG: #[[CONV_W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d3, d6, d4, d5)>
// CHECK-DAG: #[[CONV_Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[GROUP_W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d2, d4, d5)>
// CHECK-DAG: #[[DEPTH_X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d4, d2 + d5, d3)>
// CHECK-DAG: #[[MIRROR_X:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 - d4 + 2, d3)>

// CHECK-LABEL: @conv
// CHECK-SAME: %[[X:.*]]: tensor<?x9x9x3xf32>, %[[W:.*]]: tensor<8x3x3x3xf32>
// CHECK: %[[PADDED:.*]] = tensor.pad %[[X]] low[0, 1, 0, 0] high[0, 1, 0, 0]
// CHECK: linalg.generic {indexing_maps = [#[[CONV_X]], #[[CONV_W]], #[[CONV_Y]]]
// CHECK-SAME: ins(%[[PADDED]], %[[W]] : {{.*}}) outs(%{{.*}} : tensor<?x5x3x8xf32>)
// CHECK: arith.mulf {{.*}} fastmath<reassoc,contract>
// CHECK: arith.addf {{.*}} fastmath<reassoc,contract>
plan.kernel @conv(%x: tensor<?x9x9x3xf32>, %w: tensor<8x3x3x3xf32>) -> tensor<?x5x3x8xf32> {
  %y = nn.conv channels_last %x, %w strides = [2, 1] dilations = [1, 3] pads = [1, 0, 1, 0] groups = 1
      : (tensor<?x9x9x3xf32>, tensor<8x3x3x3xf32>) -> tensor<?x5x3x8xf32>
  plan.yield %y : tensor<?x5x3x8xf32>
}

// Groups are a loop of their own, and nothing is padded.
// CHECK-LABEL: @grouped
// CHECK-NOT: tensor.pad
// CHECK: tensor.expand_shape {{.*}} : tensor<1x4x9xf32> into tensor<1x2x2x9xf32>
// CHECK: tensor.expand_shape {{.*}} : tensor<6x2x3xf32> into tensor<2x3x2x3xf32>
// CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[GROUP_W]], {{.*}}]
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x2x3x7xf32> into tensor<1x6x7xf32>
plan.kernel @grouped(%x: tensor<1x4x9xf32>, %w: tensor<6x2x3xf32>) -> tensor<1x6x7xf32> {
  %y = nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 2
      : (tensor<1x4x9xf32>, tensor<6x2x3xf32>) -> tensor<1x6x7xf32>
  plan.yield %y : tensor<1x6x7xf32>
}

// Depthwise: one loop over channels, innermost.
// CHECK-LABEL: @depthwise
// CHECK: linalg.generic {indexing_maps = [#[[DEPTH_X]], {{.*}}], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
plan.kernel @depthwise(%x: tensor<1x9x9x4xf32>, %w: tensor<4x1x3x3xf32>) -> tensor<1x7x7x4xf32> {
  %y = nn.conv channels_last %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 4
      : (tensor<1x9x9x4xf32>, tensor<4x1x3x3xf32>) -> tensor<1x7x7x4xf32>
  plan.yield %y : tensor<1x7x7x4xf32>
}

// Halves are accumulated in f32.
// CHECK-LABEL: @half
// CHECK: outs(%{{.*}} : tensor<1x7x6xf32>)
// CHECK: arith.extf
// CHECK: arith.truncf
plan.kernel @half(%x: tensor<1x9x4xf16>, %w: tensor<6x4x3xf16>) -> tensor<1x7x6xf16> {
  %y = nn.conv channels_last %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 1
      : (tensor<1x9x4xf16>, tensor<6x4x3xf16>) -> tensor<1x7x6xf16>
  plan.yield %y : tensor<1x7x6xf16>
}

// A kernel that tiles the result: every element has one source.
// CHECK-LABEL: @upsample
// CHECK-NOT: tensor.insert_slice
// CHECK: outs(%{{.*}} : tensor<1x5x2x3xf32>)
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x5x2x3xf32> into tensor<1x10x3xf32>
plan.kernel @upsample(%x: tensor<1x5x4xf32>, %w: tensor<4x3x2xf32>) -> tensor<1x10x3xf32> {
  %y = nn.conv_transpose channels_last %x, %w strides = [2] dilations = [1] pads = [0, 0] output_pads = [0] groups = 1
      : (tensor<1x5x4xf32>, tensor<4x3x2xf32>) -> tensor<1x10x3xf32>
  plan.yield %y : tensor<1x10x3xf32>
}

// Otherwise the input is spread out and gathered from with the mirrored kernel.
// CHECK-LABEL: @conv_transpose
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 1, 0] [1, 5, 4] [1, 2, 1] : tensor<1x5x4xf32> into tensor<1x11x4xf32>
// CHECK: linalg.generic {indexing_maps = [#[[MIRROR_X]]
plan.kernel @conv_transpose(%x: tensor<1x5x4xf32>, %w: tensor<4x3x3xf32>) -> tensor<1x9x3xf32> {
  %y = nn.conv_transpose channels_last %x, %w strides = [2] dilations = [1] pads = [1, 1] output_pads = [0] groups = 1
      : (tensor<1x5x4xf32>, tensor<4x3x3xf32>) -> tensor<1x9x3xf32>
  plan.yield %y : tensor<1x9x3xf32>
}

// CHECK-LABEL: @max
// CHECK: %[[LEAST:.*]] = arith.constant 0xFF800000 : f32
// CHECK: tensor.pad
// CHECK: tensor.yield %[[LEAST]]
// CHECK: arith.maximumf
plan.kernel @max(%x: tensor<1x9x4xf32>) -> tensor<1x5x4xf32> {
  %y = nn.pool max channels_last %x kernel = [3] strides = [2] dilations = [1] pads = [1, 1]
      : (tensor<1x9x4xf32>) -> tensor<1x5x4xf32>
  plan.yield %y : tensor<1x5x4xf32>
}

// How much of each window is inside: known for a static size, computed for a dynamic one.
// CHECK-LABEL: @average
// CHECK: arith.constant dense<[2.000000e+00, 3.000000e+00, 3.000000e+00, 2.000000e+00]> : tensor<4xf32>
// CHECK: arith.divf
// CHECK: linalg.index 0
// CHECK: arith.minsi
// CHECK: arith.divf
plan.kernel @average(%x: tensor<1x4x4xf32>, %z: tensor<1x?x4xf32>) -> (tensor<1x4x4xf32>, tensor<1x?x4xf32>) {
  %0 = nn.pool average channels_last %x kernel = [3] strides = [1] dilations = [1] pads = [1, 1]
      : (tensor<1x4x4xf32>) -> tensor<1x4x4xf32>
  %1 = nn.pool average channels_last %z kernel = [3] strides = [1] dilations = [1] pads = [1, 1]
      : (tensor<1x?x4xf32>) -> tensor<1x?x4xf32>
  plan.yield %0, %1 : tensor<1x4x4xf32>, tensor<1x?x4xf32>
}

// The mean first, and then the sum of squares of what it leaves.
// CHECK-LABEL: @layer
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: %[[MEAN:.*]] = linalg.generic {{.*}} iterator_types = ["parallel"]
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%{{.*}}, %[[MEAN]] :
// CHECK: arith.subf
// CHECK: arith.mulf
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%{{.*}}, %[[MEAN]], %{{.*}}, %{{.*}}, %{{.*}} :
plan.kernel @layer(%x: tensor<?x8xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %y = nn.normalize layer %x axis = 1 epsilon = 1.0e-5 scale(%s : tensor<8xf32>) bias(%b : tensor<8xf32>)
      : tensor<?x8xf32> -> tensor<?x8xf32>
  plan.yield %y : tensor<?x8xf32>
}

// Six heads share the keys of two; a query that sees no key yields zeros, not 0 / 0.
// CHECK-LABEL: @attention
// CHECK: tensor.expand_shape {{.*}} into tensor<1x2x3x4x8xf32>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x3x4x5xf32>)
// CHECK: linalg.index 2
// CHECK: arith.cmpi sle
// CHECK: arith.maxnumf
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x3x4x8xf32>)
// CHECK: arith.cmpf oeq
// CHECK: arith.select
// CHECK: arith.divf
plan.kernel @attention(%q: tensor<1x6x4x8xf32>, %k: tensor<1x2x5x8xf32>, %m: tensor<4x5xi1>) -> tensor<1x6x4x8xf32> {
  %y = nn.attention %q, %k, %k scale = 0.5 mask(%m : tensor<4x5xi1>) causal
      : (tensor<1x6x4x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x6x4x8xf32>
  plan.yield %y : tensor<1x6x4x8xf32>
}
