// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// How many there are is counted and read back; the positions are written one after another, and what is asked for is
// computed from them.
// CHECK-LABEL: @nonzero
// CHECK: %[[FLAT:.*]] = plan.reshape %arg0 {{.*}}to tensor<?xf32>
// CHECK: %[[COUNT:.*]] = linalg.generic {{.*}} iterator_types = ["reduction"]
// CHECK: %[[N:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK: %[[POSITIONS:.*]]:2 = scf.for {{.*}} iter_args(%{{.*}} = %c0, %{{.*}} = %{{.*}}) -> (index, tensor<?xi64>)
// CHECK: scf.if
// CHECK: tensor.insert
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
// CHECK: tensor.extract %[[POSITIONS]]#1
// CHECK: return %{{.*}} : tensor<2x?xi64>
func.func @nonzero(%x: tensor<?x3xf32>) -> tensor<2x?xi64> {
  %0 = onnx.NonZero %x : (tensor<?x3xf32>) -> tensor<2x?xi64>
  return %0 : tensor<2x?xi64>
}

// A condition that is shorter than the axis tells of its part alone.
// CHECK-LABEL: @compress
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
// CHECK: tensor.extract %arg0
// CHECK: return %{{.*}} : tensor<4x?xf32>
func.func @compress(%x: tensor<4x8xf32>, %c: tensor<5xi1>) -> tensor<4x?xf32> {
  %0 = onnx.Compress %x, %c {axis = 1 : i64} : (tensor<4x8xf32>, tensor<5xi1>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}
