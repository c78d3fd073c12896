// RUN: tenon-opt %s --lower-onnx --verify-each | FileCheck %s

// The reduction lacks the dimension, which a reshape puts back and the consumer's reshape takes off again.
// CHECK-LABEL: @mean
// CHECK: %[[S:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]{{.*}} outs(%{{.*}} : tensor<4xf32>)
// CHECK: arith.addf %{{.*}}, %{{.*}} fastmath<reassoc,contract> : f32
// CHECK: linalg.generic {{.*}} ins(%[[S]] : tensor<4xf32>)
// CHECK: arith.constant 8.000000e+00 : f32
// CHECK: arith.divf
// CHECK: tensor.expand_shape {{.*}} into tensor<4x1xf32>
func.func @mean(%x: tensor<4x8xf32>) -> tensor<4x1xf32> {
  %axes = onnx.Constant {value = dense<-1> : tensor<1xi64>}
  %0 = onnx.ReduceMean %x, %axes : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
}

// Of an empty set the maximum is minus infinity; unsigned, zero; of bools, false.
// CHECK-LABEL: @neutral
// CHECK: arith.constant 0xFF800000 : f32
// CHECK: arith.maximumf
// CHECK: arith.constant 0 : i32
// CHECK: arith.maxui
// CHECK: arith.constant false
// CHECK: arith.ori
func.func @neutral(%f: tensor<4xf32>, %u: tensor<4xui32>, %b: tensor<4xi1>) -> (tensor<f32>, tensor<ui32>, tensor<i1>) {
  %none = onnx.NoValue
  %0 = onnx.ReduceMax %f, %none {keepdims = 0 : i64} : (tensor<4xf32>, none) -> tensor<f32>
  %1 = onnx.ReduceMax %u, %none {keepdims = 0 : i64} : (tensor<4xui32>, none) -> tensor<ui32>
  %2 = onnx.ReduceMax %b, %none {keepdims = 0 : i64} : (tensor<4xi1>, none) -> tensor<i1>
  return %0, %1, %2 : tensor<f32>, tensor<ui32>, tensor<i1>
}

// Without axes and asked to do nothing then, only the other steps remain.
// CHECK-LABEL: @noop
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK: arith.mulf
// CHECK: math.sqrt
func.func @noop(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %none = onnx.NoValue
  %0 = onnx.ReduceL2 %x, %none {noop_with_empty_axes = 1 : i64} : (tensor<4x8xf32>, none) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Axes that only the run knows: every element loops over what is reduced.
// CHECK-LABEL: @anywhere
// CHECK: tensor.extract %arg1
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.addf
func.func @anywhere(%x: tensor<4x8xf32>, %axes: tensor<1xi64>) -> tensor<?x?xf32> {
  %0 = onnx.ReduceSum %x, %axes : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Of equal elements the position decides.
// CHECK-LABEL: @argmax
// CHECK: linalg.generic {{.*}} outs(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xi64>)
// CHECK: arith.cmpi slt
// CHECK: linalg.generic
// CHECK: arith.cmpi sgt
func.func @argmax(%x: tensor<4x8xf32>) -> (tensor<4xi64>, tensor<4xi64>) {
  %0 = onnx.ArgMax %x {axis = 1 : i64, keepdims = 0 : i64} : (tensor<4x8xf32>) -> tensor<4xi64>
  %1 = onnx.ArgMax %x {axis = 1 : i64, keepdims = 0 : i64, select_last_index = 1 : i64} : (tensor<4x8xf32>) -> tensor<4xi64>
  return %0, %1 : tensor<4xi64>, tensor<4xi64>
}

// CHECK-LABEL: @cumulative
// CHECK: scf.for %{{.*}} iter_args(%[[SUM:.*]] = %{{.*}}, %[[OUT:.*]] = %{{.*}}) -> (tensor<4xf32>, tensor<4x8xf32>)
// CHECK: tensor.extract_slice %arg0
// CHECK: arith.addf
// CHECK: tensor.insert_slice
func.func @cumulative(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %axis = onnx.Constant {value = dense<1> : tensor<i64>}
  %0 = onnx.CumSum %x, %axis : (tensor<4x8xf32>, tensor<i64>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: @pool
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "reduction"]
// CHECK: arith.divf
func.func @pool(%x: tensor<2x3x4x4xf32>) -> tensor<2x3x1x1xf32> {
  %0 = onnx.GlobalAveragePool %x : (tensor<2x3x4x4xf32>) -> tensor<2x3x1x1xf32>
  return %0 : tensor<2x3x1x1xf32>
}
