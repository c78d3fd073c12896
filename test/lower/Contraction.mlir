// RUN: tenon-opt %s --lower-onnx --canonicalize --verify-each | FileCheck %s

// Further dimensions are loops of their own, so that what follows has the shape of the product.
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-DAG: #[[C:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-LABEL: @weight
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #[[C]]], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
// CHECK: arith.mulf {{.*}} fastmath<reassoc,contract>
func.func @weight(%a: tensor<?x?x8xf32>, %b: tensor<8x4xf32>) -> tensor<?x?x4xf32> {
  %0 = onnx.MatMul %a, %b : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
}

// CHECK-LABEL: @batch
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]{{.*}} ins(%{{.*}}, %{{.*}} : tensor<2x3x4x8xf32>, tensor<2x3x8x5xf32>)
func.func @batch(%a: tensor<2x3x4x8xf32>, %b: tensor<2x3x8x5xf32>) -> tensor<2x3x4x5xf32> {
  %0 = onnx.MatMul %a, %b : (tensor<2x3x4x8xf32>, tensor<2x3x8x5xf32>) -> tensor<2x3x4x5xf32>
  return %0 : tensor<2x3x4x5xf32>
}

// A batch that is broadcast is read again, not copied.
// CHECK-LABEL: @broadcast
// CHECK: %[[A:.*]] = tensor.collapse_shape %{{.*}} : tensor<1x4x8xf32> into tensor<4x8xf32>
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction"]{{.*}} ins(%[[A]], %{{.*}} : tensor<4x8xf32>, tensor<3x8x5xf32>)
func.func @broadcast(%a: tensor<1x4x8xf32>, %b: tensor<3x8x5xf32>) -> tensor<3x4x5xf32> {
  %0 = onnx.MatMul %a, %b : (tensor<1x4x8xf32>, tensor<3x8x5xf32>) -> tensor<3x4x5xf32>
  return %0 : tensor<3x4x5xf32>
}

// Vectors are matrices for a moment.
// CHECK-LABEL: @vectors
// CHECK: linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<1x8xf32>, tensor<8x1xf32>)
// CHECK: tensor.collapse_shape %{{.*}} [] : tensor<1x1xf32> into tensor<f32>
func.func @vectors(%a: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<f32> {
  %0 = onnx.MatMul %a, %b : (tensor<8xf32>, tensor<8xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// Sums of narrow floats are f32.
// CHECK-LABEL: @narrow
// CHECK: linalg.matmul ins({{.*}} : tensor<4x8xbf16>, tensor<8x5xbf16>) outs({{.*}} : tensor<4x5xf32>)
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @narrow(%a: tensor<4x8xbf16>, %b: tensor<8x5xbf16>) -> tensor<4x5xbf16> {
  %0 = onnx.MatMul %a, %b : (tensor<4x8xbf16>, tensor<8x5xbf16>) -> tensor<4x5xbf16>
  return %0 : tensor<4x5xbf16>
}

// A transposed operand is in the maps, the bias in an elementwise operation that can become the epilogue.
// CHECK-LABEL: @gemm
// CHECK: %[[C:.*]] = linalg.matmul indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}] ins({{.*}} : tensor<4x8xf32>, tensor<5x8xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[C]], %{{.*}} : tensor<4x5xf32>, tensor<5xf32>)
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @gemm(%a: tensor<4x8xf32>, %b: tensor<5x8xf32>, %c: tensor<5xf32>) -> tensor<4x5xf32> {
  %0 = onnx.Gemm %a, %b, %c {transB = 1 : i64, alpha = 0.5 : f32} : (tensor<4x8xf32>, tensor<5x8xf32>, tensor<5xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// CHECK-LABEL: @integers
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.subi
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK: linalg.matmul {{.*}} outs({{.*}} : tensor<4x5xi32>)
func.func @integers(%a: tensor<4x8xui8>, %b: tensor<8x5xi8>, %z: tensor<ui8>) -> tensor<4x5xi32> {
  %none = onnx.NoValue
  %0 = onnx.MatMulInteger %a, %b, %z, %none : (tensor<4x8xui8>, tensor<8x5xi8>, tensor<ui8>, none) -> tensor<4x5xi32>
  return %0 : tensor<4x5xi32>
}
