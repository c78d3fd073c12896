// RUN: tenon-opt %s --lower-onnx --verify-each | FileCheck %s

// CHECK-LABEL: @max
// CHECK: nn.pool max channels_first %{{.*}} kernel = [3, 3] strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1] : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
func.func @max(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32> {
  %y, %i = onnx.MaxPool %x {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<?x4x8x8xf32>) -> (tensor<?x4x4x4xf32>, none)
  return %y : tensor<?x4x4x4xf32>
}

// As much padding at the end as the last window needs, and none for a window that would start in the padding.
// CHECK-LABEL: @ceil
// CHECK: nn.pool max {{.*}} kernel = [3] strides = [2] dilations = [1] pads = [0, 1] : (tensor<1x4x8xf32>) -> tensor<1x4x4xf32>
// CHECK: nn.pool max {{.*}} kernel = [1] strides = [3] dilations = [1] pads = [1, 1] : (tensor<1x4x8xf32>) -> tensor<1x4x4xf32>
// CHECK: nn.pool max {{.*}} kernel = [3] strides = [2] dilations = [1] pads = [0, 1] : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
func.func @ceil(%x: tensor<1x4x8xf32>, %d: tensor<1x4x?xf32>) -> (tensor<1x4x4xf32>, tensor<1x4x4xf32>, tensor<1x4x?xf32>) {
  %0, %i = onnx.MaxPool %x {kernel_shape = array<i64: 3>, strides = array<i64: 2>, ceil_mode = 1 : i64}
      : (tensor<1x4x8xf32>) -> (tensor<1x4x4xf32>, none)
  %1, %j = onnx.MaxPool %x {kernel_shape = array<i64: 1>, strides = array<i64: 3>, pads = array<i64: 1, 1>, ceil_mode = 1 : i64}
      : (tensor<1x4x8xf32>) -> (tensor<1x4x4xf32>, none)
  %2, %k = onnx.MaxPool %d {kernel_shape = array<i64: 3>, strides = array<i64: 2>, ceil_mode = 1 : i64}
      : (tensor<1x4x?xf32>) -> (tensor<1x4x?xf32>, none)
  return %0, %1, %2 : tensor<1x4x4xf32>, tensor<1x4x4xf32>, tensor<1x4x?xf32>
}

// Unsigned bytes are compared as wider integers.
// CHECK-LABEL: @unsigned
// CHECK: arith.extui {{.*}} : i8 to i16
// CHECK: nn.pool max {{.*}} : (tensor<1x4x8xi16>) -> tensor<1x4x6xi16>
// CHECK: arith.trunci {{.*}} : i16 to i8
func.func @unsigned(%x: tensor<1x4x8xui8>) -> tensor<1x4x6xui8> {
  %y, %i = onnx.MaxPool %x {kernel_shape = array<i64: 3>} : (tensor<1x4x8xui8>) -> (tensor<1x4x6xui8>, none)
  return %y : tensor<1x4x6xui8>
}

// Padding that counts, together with what ceil_mode adds and does not count: the former is written out.
// CHECK-LABEL: @average
// CHECK: nn.pool average {{.*}} pads = [1, 1] : (tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
// CHECK: nn.pool average {{.*}} pads = [1, 1] count_include_pad
// CHECK: tensor.pad %{{.*}} low[0, 0, 1] high[0, 0, 1]
// CHECK: nn.pool average {{.*}} kernel = [4] strides = [4] dilations = [1] pads = [0, 2] : (tensor<1x4x10xf32>) -> tensor<1x4x3xf32>
func.func @average(%x: tensor<1x4x8xf32>) -> (tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x4x3xf32>) {
  %0 = onnx.AveragePool %x {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  %1 = onnx.AveragePool %x {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>, count_include_pad = 1 : i64}
      : (tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  %2 = onnx.AveragePool %x {kernel_shape = array<i64: 4>, strides = array<i64: 4>, pads = array<i64: 1, 1>,
                            count_include_pad = 1 : i64, ceil_mode = 1 : i64} : (tensor<1x4x8xf32>) -> tensor<1x4x3xf32>
  return %0, %1, %2 : tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x4x3xf32>
}

// CHECK-LABEL: @norm
// CHECK: arith.mulf
// CHECK: nn.pool average
// CHECK: math.sqrt
func.func @norm(%x: tensor<1x4x8xf32>) -> tensor<1x4x6xf32> {
  %y = onnx.LpPool %x {kernel_shape = array<i64: 3>, p = 2 : i64} : (tensor<1x4x8xf32>) -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}

// Values and positions are found apart from each other.
// CHECK-LABEL: @indices
// CHECK: nn.pool max
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%{{.*}} : tensor<3xf32>) outs(%{{.*}}, %{{.*}} : tensor<1x4x6xf32>, tensor<1x4x6xi64>)
func.func @indices(%x: tensor<1x4x8xf32>) -> (tensor<1x4x6xf32>, tensor<1x4x6xi64>) {
  %y, %i = onnx.MaxPool %x {kernel_shape = array<i64: 3>} : (tensor<1x4x8xf32>) -> (tensor<1x4x6xf32>, tensor<1x4x6xi64>)
  return %y, %i : tensor<1x4x6xf32>, tensor<1x4x6xi64>
}
