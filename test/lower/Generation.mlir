// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

plan.dimension @n min 1

// CHECK-LABEL: @sizes
// CHECK: %[[N:.*]] = plan.dim @n
// CHECK: %[[I:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: tensor.from_elements %{{.*}}, %[[I]] : tensor<2xi64>
func.func @sizes(%x: tensor<4x?x2xf32> {plan.dims = [4, @n, 2]}) -> tensor<2xi64> {
  %0 = onnx.Shape %x {end = -1 : i64} : (tensor<4x?x2xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// CHECK-LABEL: @fill
// CHECK: arith.constant dense<7> : tensor<3xi32>
func.func @fill() -> tensor<3xi32> {
  %shape = onnx.Constant {value = dense<3> : tensor<1xi64>}
  %0 = onnx.ConstantOfShape %shape {value = dense<7> : tensor<1xi32>} : (tensor<1xi64>) -> tensor<3xi32>
  return %0 : tensor<3xi32>
}

// CHECK-LABEL: @range
// CHECK: %[[N:.*]] = plan.dim @n
// CHECK: tensor.empty(%[[N]]) : tensor<?xi64>
// CHECK: linalg.index 0
func.func @range(%x: tensor<?xf32> {plan.dims = [@n]}) -> tensor<?xi64> {
  %zero = onnx.Constant {value = dense<0> : tensor<i64>}
  %one = onnx.Constant {value = dense<1> : tensor<i64>}
  %n = plan.dim @n : index
  %i = arith.index_cast %n : index to i64
  %limit = tensor.from_elements %i : tensor<i64>
  %0 = onnx.Range %zero, %limit, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// CHECK-LABEL: @onehot
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<4xi64>) outs(%{{.*}} : tensor<4x3xf32>)
// CHECK: linalg.index 1
// CHECK: arith.cmpi eq
func.func @onehot(%i: tensor<4xi64>, %v: tensor<2xf32>) -> tensor<4x3xf32> {
  %depth = onnx.Constant {value = dense<3> : tensor<i64>}
  %0 = onnx.OneHot %i, %depth, %v : (tensor<4xi64>, tensor<i64>, tensor<2xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// CHECK-LABEL: @triangle
// CHECK: arith.cmpi sle
// CHECK: arith.select
func.func @triangle(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %none = onnx.NoValue
  %0 = onnx.Trilu %x, %none {upper = 0 : i64} : (tensor<4x4xf32>, none) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}
