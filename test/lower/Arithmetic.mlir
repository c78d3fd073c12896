// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// Constants become constants of the body; broadcasting is in the maps.
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: @broadcast
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>, %[[B:.*]]: tensor<8xf32>
// CHECK: %[[HALF:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ID]]], iterator_types = ["parallel", "parallel"]} ins(%[[X]], %[[B]]
// CHECK: arith.addf
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ID]]]
// CHECK: arith.mulf %{{.*}}, %[[HALF]]
func.func @broadcast(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %half = onnx.Constant {value = dense<0.5> : tensor<f32>}
  %0 = onnx.Add %x, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %1 = onnx.Mul %0, %half : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// A dimension of size 1 is dropped from the operand, so that the map stays a projected permutation.
// CHECK-LABEL: @unit
// CHECK: %[[C:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<4x1xf32> into tensor<4xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[C]] : tensor<4x8xf32>, tensor<4xf32>)
func.func @unit(%x: tensor<4x8xf32>, %b: tensor<4x1xf32>) -> tensor<4x8xf32> {
  %0 = onnx.Sub %x, %b : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Two dimensions of one name are the same size: no question of broadcasting.
// CHECK-LABEL: @named
// CHECK: %[[N:.*]] = plan.dim @batch
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ID]], #[[ID]]]
// CHECK-NOT: tensor.extract
// CHECK: return
plan.dimension @batch min 1
func.func @named(%x: tensor<?x8xf32> {plan.dims = [@batch, 8]}, %y: tensor<?x8xf32> {plan.dims = [@batch, 8]}) -> tensor<?x8xf32> {
  %0 = onnx.Add %x, %y : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// The size of a result is found where it was decided, also through an operation that has been lowered before.
// CHECK-LABEL: @through
// CHECK-NOT: tensor.extract
// CHECK-NOT: tensor.dim
// CHECK: plan.reshape %{{.*}} dims(%{{.*}}) : tensor<?x8xf32> to tensor<?xf32>
// CHECK: return
func.func @through(%x: tensor<?x8xf32> {plan.dims = [@batch, 8]}) -> tensor<?xf32> {
  %0 = onnx.Neg %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : i64
  %dim = tensor.dim %0, %c0 : tensor<?x8xf32>
  %n = arith.index_cast %dim : index to i64
  %m = arith.muli %n, %c8 : i64
  %s = tensor.from_elements %m : tensor<1xi64>
  %1 = onnx.Reshape %0, %s : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// Sizes that nothing is known about: the run decides which is 1, and no read is out of bounds.
// CHECK-LABEL: @unknown
// CHECK: %[[A:.*]] = tensor.dim %arg0
// CHECK: %[[B:.*]] = tensor.dim %arg1
// CHECK: arith.cmpi eq
// CHECK: arith.select
// CHECK: linalg.generic
// CHECK: %[[I:.*]] = linalg.index 0
// CHECK: %[[J:.*]] = arith.minsi %[[I]]
// CHECK: tensor.extract %arg0[%[[J]]]
// CHECK: linalg.generic
// CHECK: tensor.extract %arg1
// CHECK: arith.mulf
func.func @unknown(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = onnx.Mul %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// Signedness ends here, and is in the operations from now on.
// CHECK-LABEL: @unsigned
// CHECK-SAME: %{{.*}}: tensor<4xi8>, %{{.*}}: tensor<4xi8>) -> (tensor<4xi8>, tensor<4xi1>)
// CHECK: arith.divui
// CHECK: arith.maxui
// CHECK: arith.cmpi ult
func.func @unsigned(%x: tensor<4xui8>, %y: tensor<4xui8>) -> (tensor<4xui8>, tensor<4xi1>) {
  %0 = onnx.Div %x, %y : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %1 = onnx.Max %0, %y : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %2 = onnx.Less %1, %y : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xi1>
  return %1, %2 : tensor<4xui8>, tensor<4xi1>
}

// Nothing divides by zero, and the smallest integer not by -1.
// CHECK-LABEL: @trap
// CHECK: %[[Z:.*]] = arith.cmpi eq
// CHECK: %[[D:.*]] = arith.select %[[Z]]
// CHECK: %[[M:.*]] = arith.cmpi eq
// CHECK: %[[S:.*]] = arith.select %[[M]], %{{.*}}, %[[D]]
// CHECK: arith.divsi %{{.*}}, %[[S]]
func.func @trap(%x: tensor<4xi32>, %y: tensor<4xi32>) -> tensor<4xi32> {
  %0 = onnx.Div %x, %y : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// Narrow floats are computed in f32.
// CHECK-LABEL: @narrow
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @narrow(%x: tensor<4xf16>) -> tensor<4xf16> {
  %0 = onnx.Exp %x : (tensor<4xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// A square is a product.
// CHECK-LABEL: @power
// CHECK: arith.mulf
// CHECK-NOT: math.powf
// CHECK: math.ipowi
// CHECK: return
func.func @power(%x: tensor<4xf32>, %i: tensor<4xi64>) -> (tensor<4xf32>, tensor<4xi64>) {
  %two = onnx.Constant {value = dense<2.0> : tensor<f32>}
  %0 = onnx.Pow %x, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = onnx.Pow %i, %i : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  return %0, %1 : tensor<4xf32>, tensor<4xi64>
}

// An absent bound leaves no trace.
// CHECK-LABEL: @clip
// CHECK: arith.constant 0.000000e+00 : f32
// CHECK: arith.cmpf olt
// CHECK: arith.select
// CHECK-NOT: arith.cmpf
// CHECK: return
func.func @clip(%x: tensor<4xf32>) -> tensor<4xf32> {
  %none = onnx.NoValue
  %zero = onnx.Constant {value = dense<0.0> : tensor<f32>}
  %0 = onnx.Clip %x, %zero, %none : (tensor<4xf32>, tensor<f32>, none) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
