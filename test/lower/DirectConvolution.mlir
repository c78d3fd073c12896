// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// A kernel whose size only the run knows: loops over channels and kernel whose sizes are the filter's, and positions
// that are computed. What lies outside is zero.
// CHECK-LABEL: @unknown_kernel
// CHECK-DAG: %[[KERNEL:.*]] = tensor.dim %arg1, %c2
// CHECK: %[[MEASURE:.*]] = tensor.empty(%{{.*}}, %[[KERNEL]])
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%[[MEASURE]]
// CHECK: arith.select
// CHECK: tensor.extract %arg1
func.func @unknown_kernel(%x: tensor<?x?x?xf32>, %w: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %none = onnx.NoValue
  %0 = onnx.Conv %x, %w, %none {pads = array<i64: 1, 1>} : (tensor<?x?x?xf32>, tensor<?x?x?xf32>, none) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// So do groups of an unknown number of channels; with one group the number does not matter.
// CHECK-LABEL: @unknown_channels
// CHECK-NOT: nn.conv
// CHECK: linalg.generic
func.func @unknown_channels(%x: tensor<?x?x8xf32>, %w: tensor<?x?x3xf32>) -> tensor<?x?x6xf32> {
  %none = onnx.NoValue
  %0 = onnx.Conv %x, %w, %none {group = 2 : i64} : (tensor<?x?x8xf32>, tensor<?x?x3xf32>, none) -> tensor<?x?x6xf32>
  return %0 : tensor<?x?x6xf32>
}

// CHECK-LABEL: @one_group
// CHECK: nn.conv
func.func @one_group(%x: tensor<?x?x8xf32>, %w: tensor<?x?x3xf32>) -> tensor<?x?x6xf32> {
  %none = onnx.NoValue
  %0 = onnx.Conv %x, %w, %none : (tensor<?x?x8xf32>, tensor<?x?x3xf32>, none) -> tensor<?x?x6xf32>
  return %0 : tensor<?x?x6xf32>
}

// Transposed, an element is read where its position is a multiple of the stride.
// CHECK-LABEL: @transposed
// CHECK: linalg.generic
// CHECK: arith.remui
func.func @transposed(%x: tensor<?x?x?xf32>, %w: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %none = onnx.NoValue
  %0 = onnx.ConvTranspose %x, %w, %none {strides = array<i64: 2>} : (tensor<?x?x?xf32>, tensor<?x?x?xf32>, none) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}
