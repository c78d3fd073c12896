// RUN: tenon-opt %s --verify-each | tenon-opt --verify-each | FileCheck %s

// CHECK-LABEL: @conv
// CHECK: nn.conv channels_first %{{.*}}, %{{.*}} strides = [2, 2] dilations = [1, 1] pads = [3, 3, 3, 3] groups = 1 : (tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32>) -> tensor<?x64x112x112xf32>
func.func @conv(%x: tensor<?x3x224x224xf32>, %w: tensor<64x3x7x7xf32>) -> tensor<?x64x112x112xf32> {
  %y = nn.conv channels_first %x, %w strides = [2, 2] dilations = [1, 1] pads = [3, 3, 3, 3] groups = 1
      : (tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32>) -> tensor<?x64x112x112xf32>
  return %y : tensor<?x64x112x112xf32>
}

// CHECK-LABEL: @conv_integers
// CHECK: nn.conv channels_last %{{.*}} : (tensor<1x9x4xi8>, tensor<8x2x3xi8>) -> tensor<1x7x8xi32>
func.func @conv_integers(%x: tensor<1x9x4xi8>, %w: tensor<8x2x3xi8>) -> tensor<1x7x8xi32> {
  %y = nn.conv channels_last %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 2
      : (tensor<1x9x4xi8>, tensor<8x2x3xi8>) -> tensor<1x7x8xi32>
  return %y : tensor<1x7x8xi32>
}

// CHECK-LABEL: @conv_transpose
// CHECK: nn.conv_transpose channels_last %{{.*}}, %{{.*}} strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1] output_pads = [1, 1] groups = 2 : (tensor<1x5x?x4xf32>, tensor<4x3x3x3xf32>) -> tensor<1x10x?x6xf32>
func.func @conv_transpose(%x: tensor<1x5x?x4xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x10x?x6xf32> {
  %y = nn.conv_transpose channels_last %x, %w strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1]
      output_pads = [1, 1] groups = 2 : (tensor<1x5x?x4xf32>, tensor<4x3x3x3xf32>) -> tensor<1x10x?x6xf32>
  return %y : tensor<1x10x?x6xf32>
}

// CHECK-LABEL: @pool
// CHECK: nn.pool max channels_last %{{.*}} kernel = [3, 3] strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1] : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
// CHECK: nn.pool average channels_last %{{.*}} kernel = [2, 2] strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1] count_include_pad : (tensor<1x56x56x64xf32>) -> tensor<1x29x29x64xf32>
func.func @pool(%x: tensor<1x112x112x64xf32>) -> tensor<1x29x29x64xf32> {
  %m = nn.pool max channels_last %x kernel = [3, 3] strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1]
      : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
  %y = nn.pool average channels_last %m kernel = [2, 2] strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1]
      count_include_pad : (tensor<1x56x56x64xf32>) -> tensor<1x29x29x64xf32>
  return %y : tensor<1x29x29x64xf32>
}

// CHECK-LABEL: @normalize
// CHECK: nn.normalize layer %{{.*}} axis = 2 epsilon = 9.99999996E-13 scale(%{{.*}} : tensor<384xf32>) bias(%{{.*}} : tensor<384xf32>) : tensor<?x?x384xf32> -> tensor<?x?x384xf32>
// CHECK: nn.normalize rms %{{.*}} axis = 1 epsilon = 1.000000e+00 : tensor<?x?x384xf32> -> tensor<?x?x384xf16>
func.func @normalize(%x: tensor<?x?x384xf32>, %s: tensor<384xf32>, %b: tensor<384xf32>) -> tensor<?x?x384xf16> {
  %n = nn.normalize layer %x axis = 2 epsilon = 1.0e-12 scale(%s : tensor<384xf32>) bias(%b : tensor<384xf32>)
      : tensor<?x?x384xf32> -> tensor<?x?x384xf32>
  %y = nn.normalize rms %n axis = 1 epsilon = 1.0 : tensor<?x?x384xf32> -> tensor<?x?x384xf16>
  return %y : tensor<?x?x384xf16>
}

// CHECK-LABEL: @attention
// CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}} scale = 1.250000e-01 mask(%{{.*}} : tensor<?x1x1x?xf32>) : (tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>, tensor<?x12x?x32xf32>) -> tensor<?x12x?x32xf32>
// CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}} scale = 1.250000e-01 softcap = 3.000000e+01 causal offset(%{{.*}}) : (tensor<?x12x?x32xf32>, tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>) -> tensor<?x12x?x32xf32>
func.func @attention(%q: tensor<?x12x?x64xf32>, %k: tensor<?x12x?x64xf32>, %v: tensor<?x12x?x32xf32>,
                     %m: tensor<?x1x1x?xf32>, %kv: tensor<?x4x?x32xf32>, %past: index) -> tensor<?x12x?x32xf32> {
  %a = nn.attention %q, %k, %v scale = 0.125 mask(%m : tensor<?x1x1x?xf32>)
      : (tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>, tensor<?x12x?x32xf32>) -> tensor<?x12x?x32xf32>
  %y = nn.attention %a, %kv, %kv scale = 0.125 softcap = 30.0 causal offset(%past)
      : (tensor<?x12x?x32xf32>, tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>) -> tensor<?x12x?x32xf32>
  return %y : tensor<?x12x?x32xf32>
}
