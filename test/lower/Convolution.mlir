// RUN: tenon-opt %s --lower-onnx --verify-each | FileCheck %s

// CHECK: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-LABEL: @bias
// CHECK: %[[Y:.*]] = nn.conv channels_first %{{.*}}, %{{.*}} strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1] groups = 1
// CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[CHANNEL]], {{.*}}]{{.*}} ins(%[[Y]], %{{.*}} : tensor<?x8x4x4xf32>, tensor<8xf32>)
// CHECK: arith.addf
func.func @bias(%x: tensor<?x3x8x8xf32>, %w: tensor<8x3x3x3xf32>, %b: tensor<8xf32>) -> tensor<?x8x4x4xf32> {
  %y = onnx.Conv %x, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<?x3x8x8xf32>, tensor<8x3x3x3xf32>, tensor<8xf32>) -> tensor<?x8x4x4xf32>
  return %y : tensor<?x8x4x4xf32>
}

// Upper: the odd element is at the end; lower: at the beginning.
// CHECK-LABEL: @same
// CHECK: nn.conv {{.*}} pads = [0, 1] groups = 2
// CHECK: nn.conv {{.*}} pads = [1, 0] groups = 2
func.func @same(%x: tensor<1x4x8xf32>, %w: tensor<4x2x3xf32>) -> (tensor<1x4x4xf32>, tensor<1x4x4xf32>) {
  %none = onnx.NoValue
  %0 = onnx.Conv %x, %w, %none {auto_pad = "SAME_UPPER", group = 2 : i64, strides = array<i64: 2>}
      : (tensor<1x4x8xf32>, tensor<4x2x3xf32>, none) -> tensor<1x4x4xf32>
  %1 = onnx.Conv %x, %w, %none {auto_pad = "SAME_LOWER", group = 2 : i64, strides = array<i64: 2>}
      : (tensor<1x4x8xf32>, tensor<4x2x3xf32>, none) -> tensor<1x4x4xf32>
  return %0, %1 : tensor<1x4x4xf32>, tensor<1x4x4xf32>
}

// A dynamic size matters only with a stride.
// CHECK-LABEL: @same_dynamic
// CHECK: nn.conv {{.*}} strides = [1] dilations = [2] pads = [2, 2]
// CHECK: arith.maxsi
// CHECK: tensor.pad %{{.*}} low[0, 0, %{{.*}}] high[0, 0, %{{.*}}]
// CHECK: nn.conv {{.*}} strides = [2] dilations = [1] pads = [0, 0]
func.func @same_dynamic(%x: tensor<1x4x?xf32>, %w: tensor<4x4x3xf32>) -> (tensor<1x4x?xf32>, tensor<1x4x?xf32>) {
  %none = onnx.NoValue
  %0 = onnx.Conv %x, %w, %none {auto_pad = "SAME_UPPER", dilations = array<i64: 2>}
      : (tensor<1x4x?xf32>, tensor<4x4x3xf32>, none) -> tensor<1x4x?xf32>
  %1 = onnx.Conv %x, %w, %none {auto_pad = "SAME_UPPER", strides = array<i64: 2>}
      : (tensor<1x4x?xf32>, tensor<4x4x3xf32>, none) -> tensor<1x4x?xf32>
  return %0, %1 : tensor<1x4x?xf32>, tensor<1x4x?xf32>
}

// The zero point is subtracted before the padding, so that padding is zero.
// CHECK-LABEL: @integer
// CHECK: arith.extui {{.*}} : i8 to i32
// CHECK: arith.subi
// CHECK: nn.conv {{.*}} pads = [1, 1] groups = 1 : (tensor<1x2x5xi32>, tensor<3x2x3xi32>) -> tensor<1x3x5xi32>
func.func @integer(%x: tensor<1x2x5xui8>, %w: tensor<3x2x3xi8>, %zero: tensor<ui8>) -> tensor<1x3x5xi32> {
  %none = onnx.NoValue
  %y = onnx.ConvInteger %x, %w, %zero, %none {pads = array<i64: 1, 1>}
      : (tensor<1x2x5xui8>, tensor<3x2x3xi8>, tensor<ui8>, none) -> tensor<1x3x5xi32>
  return %y : tensor<1x3x5xi32>
}

// CHECK-LABEL: @transpose
// CHECK: nn.conv_transpose channels_first {{.*}} strides = [2] dilations = [1] pads = [1, 1] output_pads = [1] groups = 1
// CHECK: nn.conv_transpose channels_first {{.*}} strides = [3] dilations = [1] pads = [0, 0] output_pads = [1] groups = 1
func.func @transpose(%x: tensor<1x4x5xf32>, %w: tensor<4x2x3xf32>) -> (tensor<1x2x10xf32>, tensor<1x2x16xf32>) {
  %none = onnx.NoValue
  %0 = onnx.ConvTranspose %x, %w, %none {strides = array<i64: 2>, pads = array<i64: 1, 1>, output_padding = array<i64: 1>}
      : (tensor<1x4x5xf32>, tensor<4x2x3xf32>, none) -> tensor<1x2x10xf32>
  %1 = onnx.ConvTranspose %x, %w, %none {strides = array<i64: 3>, output_shape = array<i64: 16>}
      : (tensor<1x4x5xf32>, tensor<4x2x3xf32>, none) -> tensor<1x2x16xf32>
  return %0, %1 : tensor<1x2x10xf32>, tensor<1x2x16xf32>
}
