// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// A few are kept sorted: what is not better than the last of them takes no more time.
// CHECK-LABEL: @few
// CHECK: %[[ORDER:.*]] = scf.for {{.*}} -> (tensor<3x5xi64>)
// CHECK: %[[END:.*]] = arith.select %{{.*}}, %c5, %c0 : index
// CHECK: scf.for %{{.*}} = %c0 to %[[END]]
// CHECK: tensor.insert
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<3x5xf32>)
// CHECK: tensor.extract %[[ORDER]]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<3x5xi64>)
func.func @few(%x: tensor<3x100xf32>) -> (tensor<3x5xf32>, tensor<3x5xi64>) {
  %k = onnx.Constant {value = dense<5> : tensor<1xi64>}
  %0:2 = onnx.TopK %x, %k : (tensor<3x100xf32>, tensor<1xi64>) -> (tensor<3x5xf32>, tensor<3x5xi64>)
  return %0#0, %0#1 : tensor<3x5xf32>, tensor<3x5xi64>
}

// 1000 elements are sorted by five iterations of two merges each.
// CHECK-LABEL: @many
// CHECK: %[[ORDER:.*]] = scf.for {{.*}} -> (tensor<3x2000xi64>)
// CHECK: scf.for %{{.*}} = %c0 to %c5
// CHECK: scf.for
// CHECK: tensor.insert
// CHECK: scf.for
// CHECK: tensor.insert
func.func @many(%x: tensor<3x1000xf32>) -> (tensor<3x500xf32>, tensor<3x500xi64>) {
  %k = onnx.Constant {value = dense<500> : tensor<1xi64>}
  %0:2 = onnx.TopK %x, %k : (tensor<3x1000xf32>, tensor<1xi64>) -> (tensor<3x500xf32>, tensor<3x500xi64>)
  return %0#0, %0#1 : tensor<3x500xf32>, tensor<3x500xi64>
}

// Unsigned numbers, smallest first, along the first axis.
// CHECK-LABEL: @smallest
// CHECK: arith.cmpi ult
func.func @smallest(%x: tensor<?x3xui8>, %k: tensor<1xi64>) -> (tensor<?x3xui8>, tensor<?x3xi64>) {
  %0:2 = onnx.TopK %x, %k {axis = 0 : i64, largest = 0 : i64} : (tensor<?x3xui8>, tensor<1xi64>) -> (tensor<?x3xui8>, tensor<?x3xi64>)
  return %0#0, %0#1 : tensor<?x3xui8>, tensor<?x3xi64>
}
