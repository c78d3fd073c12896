// RUN: tenon-opt %s --lower-onnx --verify-each | FileCheck %s

// A factor and a term per channel, and then one elementwise operation.
// CHECK: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-LABEL: @batch
// CHECK: %[[FACTOR:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<8xf32>)
// CHECK: math.sqrt
// CHECK: %[[TERM:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<8xf32>)
// CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[CHANNEL]], #[[CHANNEL]], {{.*}}]{{.*}} ins(%{{.*}}, %[[FACTOR]], %[[TERM]] :
func.func @batch(%x: tensor<?x8x4x4xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>, %m: tensor<8xf32>, %v: tensor<8xf32>)
    -> tensor<?x8x4x4xf32> {
  %y, %rm, %rv = onnx.BatchNormalization %x, %s, %b, %m, %v : (tensor<?x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>,
      tensor<8xf32>, tensor<8xf32>) -> (tensor<?x8x4x4xf32>, none, none)
  return %y : tensor<?x8x4x4xf32>
}

// CHECK-LABEL: @layer
// CHECK: nn.normalize layer %{{.*}} axis = 2 epsilon = 9.99999996E-13 scale(%{{.*}} : tensor<8xf32>) bias(%{{.*}} : tensor<8xf32>)
func.func @layer(%x: tensor<?x4x8xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x4x8xf32> {
  %y, %m, %d = onnx.LayerNormalization %x, %s, %b {epsilon = 1.0e-12 : f32}
      : (tensor<?x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<?x4x8xf32>, none, none)
  return %y : tensor<?x4x8xf32>
}

// CHECK-LABEL: @rms
// CHECK: nn.normalize rms %{{.*}} axis = 1 {{.*}} scale(%{{.*}} : tensor<4x8xf32>)
func.func @rms(%x: tensor<?x4x8xf32>, %s: tensor<4x8xf32>) -> tensor<?x4x8xf32> {
  %y = onnx.RMSNormalization %x, %s {axis = -2 : i64} : (tensor<?x4x8xf32>, tensor<4x8xf32>) -> tensor<?x4x8xf32>
  return %y : tensor<?x4x8xf32>
}

// CHECK-LABEL: @instance
// CHECK: nn.normalize layer %{{.*}} axis = 2 {{.*}} scale(%{{.*}} : tensor<8x1x1xf32>) bias(%{{.*}} : tensor<8x1x1xf32>)
func.func @instance(%x: tensor<?x8x4x4xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x8x4x4xf32> {
  %y = onnx.InstanceNormalization %x, %s, %b : (tensor<?x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8x4x4xf32>
  return %y : tensor<?x8x4x4xf32>
}

// CHECK-LABEL: @group
// CHECK: nn.normalize layer %{{.*}} axis = 2 {{.*}} scale(%{{.*}} : tensor<2x4x1x1xf32>) {{.*}} : tensor<1x2x4x4x4xf32> -> tensor<1x2x4x4x4xf32>
// CHECK: tensor.collapse_shape {{.*}} into tensor<1x8x4x4xf32>
func.func @group(%x: tensor<1x8x4x4xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<1x8x4x4xf32> {
  %y = onnx.GroupNormalization %x, %s, %b {num_groups = 2 : i64}
      : (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
  return %y : tensor<1x8x4x4xf32>
}

// The usual exponent 3/4 is two square roots.
// CHECK-LABEL: @response
// CHECK: tensor.pad %{{.*}} low[0, 2, 0, 0] high[0, 2, 0, 0]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
// CHECK-COUNT-2: math.sqrt
// CHECK-NOT: math.powf
func.func @response(%x: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
  %y = onnx.LRN %x {size = 5 : i64} : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  return %y : tensor<1x8x4x4xf32>
}

// CHECK-LABEL: @mean_variance
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "parallel", "reduction", "reduction"]
// CHECK: math.sqrt
func.func @mean_variance(%x: tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32> {
  %y = onnx.MeanVarianceNormalization %x : (tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  return %y : tensor<2x8x4x4xf32>
}
