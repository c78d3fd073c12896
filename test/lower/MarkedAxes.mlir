// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// Axes that are data: the sizes are selected, the elements stay where they are.

// CHECK-LABEL: @unsqueeze_static
// CHECK: tensor.expand_shape %arg0 {{.*}} : tensor<3x4xf32> into tensor<1x3x4xf32>
func.func @unsqueeze_static(%x: tensor<3x4xf32>, %axes: tensor<1xi64>) -> tensor<1x3x4xf32> {
  %0 = onnx.Unsqueeze %x, %axes : (tensor<3x4xf32>, tensor<1xi64>) -> tensor<1x3x4xf32>
  return %0 : tensor<1x3x4xf32>
}

// CHECK-LABEL: @unsqueeze
// CHECK: tensor.extract %arg1
// CHECK: arith.select
// CHECK: plan.reshape %arg0
func.func @unsqueeze(%x: tensor<3x4xf32>, %axes: tensor<1xi64>) -> tensor<?x?x?xf32> {
  %0 = onnx.Unsqueeze %x, %axes : (tensor<3x4xf32>, tensor<1xi64>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// Which dimensions are 1 is what the run knows.
// CHECK-LABEL: @squeeze
// CHECK: tensor.dim %arg0
// CHECK: plan.reshape %arg0
func.func @squeeze(%x: tensor<?x?x4xf32>) -> tensor<?x4xf32> {
  %none = onnx.NoValue
  %0 = onnx.Squeeze %x, %none : (tensor<?x?x4xf32>, none) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: @pad
// CHECK: tensor.extract %arg1
// CHECK: arith.select
func.func @pad(%x: tensor<3x4xf32>, %axes: tensor<1xi64>) -> tensor<?x?xf32> {
  %pads = onnx.Constant {value = dense<[1, 2]> : tensor<2xi64>}
  %none = onnx.NoValue
  %0 = onnx.Pad %x, %pads, %none, %axes : (tensor<3x4xf32>, tensor<2xi64>, none, tensor<1xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// A number of axes that is not known: a kernel says of each dimension whether it is one.
// CHECK-LABEL: @any_number
// CHECK: %[[MARKS:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]} ins(%arg1 : tensor<?xi64>) outs(%{{.*}} : tensor<2xi64>)
// CHECK: tensor.extract %[[MARKS]][%c0]
// CHECK: tensor.extract %[[MARKS]][%c1]
func.func @any_number(%x: tensor<?x?xf32>, %axes: tensor<?xi64>) -> tensor<?x?xf32> {
  %0 = onnx.ReduceSum %x, %axes {keepdims = 1 : i64} : (tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Lists of any length become lists with an entry for each dimension; without axes the first is for the first.
// CHECK-LABEL: @slice_any_number
// CHECK-COUNT-2: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
func.func @slice_any_number(%x: tensor<?x?xf32>, %starts: tensor<?xi64>, %ends: tensor<?xi64>) -> tensor<?x?xf32> {
  %none = onnx.NoValue
  %0 = onnx.Slice %x, %starts, %ends, %none, %none
      : (tensor<?x?xf32>, tensor<?xi64>, tensor<?xi64>, none, none) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
