// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

// Positions count from the end where negative, and are limited to the table.
// CHECK-LABEL: @gather
// CHECK: linalg.generic {{.*}} ins(%arg1 : tensor<2x3xi64>) outs(%{{.*}} : tensor<2x3x4xf32>)
// CHECK: arith.cmpi slt
// CHECK: arith.select
// CHECK: arith.minsi
// CHECK: %[[ROW:.*]] = arith.maxsi
// CHECK: %[[COLUMN:.*]] = linalg.index 2
// CHECK: tensor.extract %arg0[%[[ROW]], %[[COLUMN]]]
func.func @gather(%table: tensor<10x4xf32>, %i: tensor<2x3xi64>) -> tensor<2x3x4xf32> {
  %0 = onnx.Gather %table, %i : (tensor<10x4xf32>, tensor<2x3xi64>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// One known position is a slice.
// CHECK-LABEL: @position
// CHECK: tensor.extract_slice %arg0[0, 3] [10, 1] [1, 1]
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @position(%x: tensor<10x4xf32>) -> tensor<10xf32> {
  %i = onnx.Constant {value = dense<-1> : tensor<i64>}
  %0 = onnx.Gather %x, %i {axis = 1 : i64} : (tensor<10x4xf32>, tensor<i64>) -> tensor<10xf32>
  return %0 : tensor<10xf32>
}

// CHECK-LABEL: @elements
// CHECK: linalg.generic {{.*}} ins(%arg1 : tensor<2x2xi64>)
// CHECK: tensor.extract %arg0
func.func @elements(%x: tensor<2x3xf32>, %i: tensor<2x2xi64>) -> tensor<2x2xf32> {
  %0 = onnx.GatherElements %x, %i {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x2xi64>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// CHECK-LABEL: @several
// CHECK: tensor.extract %arg1
// CHECK: tensor.extract %arg1
// CHECK: tensor.extract %arg0
func.func @several(%x: tensor<2x3x4xf32>, %i: tensor<5x2xi64>) -> tensor<5x4xf32> {
  %0 = onnx.GatherND %x, %i : (tensor<2x3x4xf32>, tensor<5x2xi64>) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}

// Positions may repeat, so writing is sequential.
// CHECK-LABEL: @scatter
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %arg0)
// CHECK: scf.for
// CHECK: %[[OLD:.*]] = tensor.extract
// CHECK: %[[NEW:.*]] = arith.addf %[[OLD]]
// CHECK: tensor.insert %[[NEW]]
func.func @scatter(%x: tensor<4x5xf32>, %i: tensor<3x1xi64>, %u: tensor<3x5xf32>) -> tensor<4x5xf32> {
  %0 = onnx.ScatterND %x, %i, %u {reduction = "add"} : (tensor<4x5xf32>, tensor<3x1xi64>, tensor<3x5xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// Each batch begins where its index says, and wraps around.
// CHECK-LABEL: @tensor_scatter
// CHECK: scf.for %[[B:.*]] = {{.*}} iter_args(%{{.*}} = %arg0)
// CHECK: scf.for
// CHECK: scf.for %[[S:[^ ]*]]
// CHECK: scf.for
// CHECK: %[[START:.*]] = tensor.extract %arg2[%[[B]]]
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[START]]
// CHECK: %[[SUM:.*]] = arith.addi %[[INDEX]], %[[S]]
// CHECK: arith.remsi %[[SUM]]
// CHECK: tensor.insert
func.func @tensor_scatter(%x: tensor<2x3x8x4xf32>, %u: tensor<2x3x2x4xf32>, %i: tensor<2xi64>) -> tensor<2x3x8x4xf32> {
  %0 = onnx.TensorScatter %x, %u, %i {mode = "circular"} : (tensor<2x3x8x4xf32>, tensor<2x3x2x4xf32>, tensor<2xi64>) -> tensor<2x3x8x4xf32>
  return %0 : tensor<2x3x8x4xf32>
}
