// RUN: tenon-opt %s --pin-lengths --verify-each | FileCheck %s

// A shape has as many elements as the result has dimensions.
// CHECK-LABEL: @reshape
// CHECK: %[[SHAPE:.*]] = plan.reshape %arg1 : tensor<?xi64> to tensor<3xi64>
// CHECK: onnx.Reshape %arg0, %[[SHAPE]]
func.func @reshape(%x: tensor<?x?xf32>, %shape: tensor<?xi64>) -> tensor<?x?x?xf32> {
  %0 = onnx.Reshape %x, %shape : (tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// Nothing tells how long a shape is that gives a tensor of any rank; a length that is known stays.
// CHECK-LABEL: @unknown
// CHECK-NOT: plan.reshape
func.func @unknown(%x: tensor<?x?xf32>, %shape: tensor<?xi64>, %four: tensor<4xi64>)
    -> (tensor<*xf32>, tensor<?x?x?x?xf32>) {
  %0 = onnx.Reshape %x, %shape : (tensor<?x?xf32>, tensor<?xi64>) -> tensor<*xf32>
  %1 = onnx.Reshape %x, %four : (tensor<?x?xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return %0, %1 : tensor<*xf32>, tensor<?x?x?x?xf32>
}

// As many axes as dimensions disappear.
// CHECK-LABEL: @squeeze
// CHECK: plan.reshape %arg1 : tensor<?xi64> to tensor<2xi64>
func.func @squeeze(%x: tensor<?x?x?xf32>, %axes: tensor<?xi64>) -> tensor<?xf32> {
  %0 = onnx.Squeeze %x, %axes : (tensor<?x?x?xf32>, tensor<?xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// All lists of a Slice have one length, that of the one that is known.
// CHECK-LABEL: @slice
// CHECK: %[[ENDS:.*]] = plan.reshape %arg2 : tensor<?xi64> to tensor<2xi64>
// CHECK: onnx.Slice %arg0, %arg1, %[[ENDS]]
func.func @slice(%x: tensor<?x?xf32>, %starts: tensor<2xi64>, %ends: tensor<?xi64>) -> tensor<?x?xf32> {
  %none = onnx.NoValue
  %0 = onnx.Slice %x, %starts, %ends, %none, %none
      : (tensor<?x?xf32>, tensor<2xi64>, tensor<?xi64>, none, none) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// What a position does not reach of the data is in the updates: here it reaches both dimensions.
// CHECK-LABEL: @scatter
// CHECK: %[[COUNT:.*]] = tensor.dim %arg1, %{{.*}} : tensor<?x?xi64>
// CHECK: plan.reshape %arg1 dims(%[[COUNT]]) : tensor<?x?xi64> to tensor<?x2xi64>
func.func @scatter(%x: tensor<?x?xf32>, %at: tensor<?x?xi64>, %updates: tensor<?xf32>) -> tensor<?x?xf32> {
  %0 = onnx.ScatterND %x, %at, %updates
      : (tensor<?x?xf32>, tensor<?x?xi64>, tensor<?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
