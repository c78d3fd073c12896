// RUN: tenon-opt %s --fold-batch-normalization --verify-each | FileCheck %s

plan.weight @w : tensor<4x3x3x3xf32>
plan.weight @scale : tensor<4xf32>
plan.weight @shift : tensor<4xf32>
plan.weight @mean : tensor<4xf32>
plan.weight @var : tensor<4xf32>

// s = scale / sqrt(var + epsilon) goes into the weight along its first dimension, shift - mean * s is the bias.
// CHECK-LABEL: @into_convolution
// CHECK-SAME: (%[[X:.*]]: tensor<?x3x8x8xf32>)
// CHECK-DAG: %[[NONE:.*]] = onnx.NoValue
// CHECK-DAG: %[[W:.*]] = plan.get_weight @w
// CHECK-DAG: %[[SCALE:.*]] = plan.get_weight @scale
// CHECK-DAG: %[[SHIFT:.*]] = plan.get_weight @shift
// CHECK-DAG: %[[MEAN:.*]] = plan.get_weight @mean
// CHECK-DAG: %[[VAR:.*]] = plan.get_weight @var
// CHECK: %[[EPSILON:.*]] = onnx.Constant {value = dense<1.000000e-03> : tensor<f32>}
// CHECK: %[[SUM:.*]] = onnx.Add %[[VAR]], %[[EPSILON]]
// CHECK: %[[DEVIATION:.*]] = onnx.Sqrt %[[SUM]]
// CHECK: %[[S:.*]] = onnx.Div %[[SCALE]], %[[DEVIATION]]
// CHECK: %[[OFFSET:.*]] = onnx.Mul %[[MEAN]], %[[S]]
// CHECK: %[[SHAPE:.*]] = onnx.Constant {value = dense<[4, 1, 1, 1]> : tensor<4xi64>}
// CHECK: %[[PER_CHANNEL:.*]] = onnx.Reshape %[[S]], %[[SHAPE]] : {{.*}} -> tensor<4x1x1x1xf32>
// CHECK: %[[WEIGHT:.*]] = onnx.Mul %[[W]], %[[PER_CHANNEL]]
// CHECK: %[[BIAS:.*]] = onnx.Sub %[[SHIFT]], %[[OFFSET]]
// CHECK: %[[Y:.*]] = onnx.Conv %[[X]], %[[WEIGHT]], %[[BIAS]] {strides = array<i64: 2, 2>}
// CHECK-NOT: onnx.BatchNormalization
// CHECK: return %[[Y]]
func.func @into_convolution(%x: tensor<?x3x8x8xf32>) -> tensor<?x4x3x3xf32> {
  %none = onnx.NoValue
  %w = plan.get_weight @w : tensor<4x3x3x3xf32>
  %scale = plan.get_weight @scale : tensor<4xf32>
  %shift = plan.get_weight @shift : tensor<4xf32>
  %mean = plan.get_weight @mean : tensor<4xf32>
  %var = plan.get_weight @var : tensor<4xf32>
  %0 = onnx.Conv %x, %w, %none {strides = array<i64: 2, 2>}
      : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<?x4x3x3xf32>
  %1:3 = onnx.BatchNormalization %0, %scale, %shift, %mean, %var {epsilon = 1.0e-3 : f32}
      : (tensor<?x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<?x4x3x3xf32>, none, none)
  return %1#0 : tensor<?x4x3x3xf32>
}

// The convolution's own bias is scaled too.
// CHECK-LABEL: @bias
// CHECK: %[[B:.*]] = onnx.Constant {value = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK: %[[S:.*]] = onnx.Div
// CHECK: %[[FROM_MEAN:.*]] = onnx.Sub
// CHECK: %[[SCALED:.*]] = onnx.Mul %[[B]], %[[S]]
// CHECK: %[[BIAS:.*]] = onnx.Add %[[FROM_MEAN]], %[[SCALED]]
// CHECK: onnx.Conv %{{.*}}, %{{.*}}, %[[BIAS]]
// CHECK-NOT: onnx.BatchNormalization
func.func @bias(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x6x6xf32> {
  %b = onnx.Constant {value = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>}
  %w = plan.get_weight @w : tensor<4x3x3x3xf32>
  %p = onnx.Constant {value = dense<2.0> : tensor<4xf32>}
  %0 = onnx.Conv %x, %w, %b : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x6x6xf32>
  %1:3 = onnx.BatchNormalization %0, %p, %p, %p, %p
      : (tensor<1x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<1x4x6x6xf32>, none, none)
  return %1#0 : tensor<1x4x6x6xf32>
}

// Something else reads the convolution: a multiplication and an addition along the channels are left.
// CHECK-LABEL: @shared
// CHECK: %[[Y:.*]] = onnx.Conv
// CHECK: %[[S:.*]] = onnx.Reshape {{.*}} -> tensor<4x1x1xf32>
// CHECK: %[[PRODUCT:.*]] = onnx.Mul %[[Y]], %[[S]]
// CHECK: %[[T:.*]] = onnx.Reshape {{.*}} -> tensor<4x1x1xf32>
// CHECK: %[[SUM:.*]] = onnx.Add %[[PRODUCT]], %[[T]]
// CHECK-NOT: onnx.BatchNormalization
// CHECK: return %[[Y]], %[[SUM]]
func.func @shared(%x: tensor<1x3x8x8xf32>) -> (tensor<1x4x6x6xf32>, tensor<1x4x6x6xf32>) {
  %none = onnx.NoValue
  %w = plan.get_weight @w : tensor<4x3x3x3xf32>
  %p = onnx.Constant {value = dense<2.0> : tensor<4xf32>}
  %0 = onnx.Conv %x, %w, %none : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<1x4x6x6xf32>
  %1:3 = onnx.BatchNormalization %0, %p, %p, %p, %p
      : (tensor<1x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<1x4x6x6xf32>, none, none)
  return %0, %1#0 : tensor<1x4x6x6xf32>, tensor<1x4x6x6xf32>
}

// Not after a convolution, and with a weight that is computed.
// CHECK-LABEL: @elsewhere
// CHECK: onnx.Add %{{.*}}, %{{.*}} : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
// CHECK: onnx.Conv %{{.*}}, %{{.*}}, %{{.*}} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, none)
// CHECK: onnx.Add %{{.*}}, %{{.*}} : (tensor<1x4x6x6xf32>, tensor<4x1x1xf32>) -> tensor<1x4x6x6xf32>
func.func @elsewhere(%x: tensor<2x4xf32>, %y: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>)
    -> (tensor<2x4xf32>, tensor<1x4x6x6xf32>) {
  %none = onnx.NoValue
  %p = onnx.Constant {value = dense<2.0> : tensor<4xf32>}
  %0:3 = onnx.BatchNormalization %x, %p, %p, %p, %p
      : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<2x4xf32>, none, none)
  %1 = onnx.Conv %y, %w, %none : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<1x4x6x6xf32>
  %2:3 = onnx.BatchNormalization %1, %p, %p, %p, %p
      : (tensor<1x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<1x4x6x6xf32>, none, none)
  return %0#0, %2#0 : tensor<2x4xf32>, tensor<1x4x6x6xf32>
}

// Parameters that are inputs, and training, which computes statistics: nothing is done.
// CHECK-LABEL: @stays
// CHECK-COUNT-2: onnx.BatchNormalization
func.func @stays(%x: tensor<2x4xf32>, %p: tensor<4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %c = onnx.Constant {value = dense<2.0> : tensor<4xf32>}
  %0:3 = onnx.BatchNormalization %x, %p, %c, %c, %c
      : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<2x4xf32>, none, none)
  %1:3 = onnx.BatchNormalization %x, %c, %c, %c, %c {training_mode = 1 : i64}
      : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>)
  return %0#0, %1#0, %1#1, %1#2 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>
}
