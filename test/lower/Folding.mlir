// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// Each pixel collects from the blocks that cover it.
// CHECK-LABEL: @col2im
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%{{.*}} : tensor<1x3x5x5xf32>)
// CHECK: scf.for
// CHECK: scf.for
// CHECK: tensor.extract %arg0
func.func @col2im(%x: tensor<1x12x16xf32>) -> tensor<1x3x5x5xf32> {
  %image = onnx.Constant {value = dense<[5, 5]> : tensor<2xi64>}
  %block = onnx.Constant {value = dense<[2, 2]> : tensor<2xi64>}
  %0 = onnx.Col2Im %x, %image, %block : (tensor<1x12x16xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x3x5x5xf32>
  return %0 : tensor<1x3x5x5xf32>
}
