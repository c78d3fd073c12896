// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// One parallel computation: no grid of centers is made first.
// CHECK-LABEL: @affine_grid
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%{{.*}} : tensor<2x4x6x2xf32>)
// CHECK-COUNT-3: tensor.extract %arg0
// CHECK-NOT: linalg.generic
func.func @affine_grid(%theta: tensor<2x2x3xf32>) -> tensor<2x4x6x2xf32> {
  %size = onnx.Constant {value = dense<[2, 3, 4, 6]> : tensor<4xi64>}
  %0 = onnx.AffineGrid %theta, %size : (tensor<2x2x3xf32>, tensor<4xi64>) -> tensor<2x4x6x2xf32>
  return %0 : tensor<2x4x6x2xf32>
}

// Four elements, none of them out of range, and zeros outside.
// CHECK-LABEL: @linear
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x3x2x2xf32>)
// CHECK: tensor.extract %arg1
// CHECK: tensor.extract %arg1
// CHECK: arith.maxnumf
// CHECK: arith.minnumf
// CHECK: arith.fptosi
// CHECK-COUNT-4: tensor.extract %arg0
// CHECK-NOT: tensor.extract
func.func @linear(%x: tensor<1x3x5x7xf32>, %grid: tensor<1x2x2x2xf32>) -> tensor<1x3x2x2xf32> {
  %0 = onnx.GridSample %x, %grid : (tensor<1x3x5x7xf32>, tensor<1x2x2x2xf32>) -> tensor<1x3x2x2xf32>
  return %0 : tensor<1x3x2x2xf32>
}

// CHECK-LABEL: @nearest_3d
// CHECK: math.roundeven
// CHECK: tensor.extract %arg0
// CHECK-NOT: tensor.extract %arg0
func.func @nearest_3d(%x: tensor<1x1x4x5x6xf16>, %grid: tensor<1x2x2x2x3xf32>) -> tensor<1x1x2x2x2xf16> {
  %0 = onnx.GridSample %x, %grid {mode = "nearest", padding_mode = "border"} : (tensor<1x1x4x5x6xf16>, tensor<1x2x2x2x3xf32>) -> tensor<1x1x2x2x2xf16>
  return %0 : tensor<1x1x2x2x2xf16>
}

// CHECK-LABEL: @cubic
// CHECK-COUNT-16: tensor.extract %arg0
// CHECK-NOT: tensor.extract %arg0
func.func @cubic(%x: tensor<1x1x?x?xf32>, %grid: tensor<1x2x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %0 = onnx.GridSample %x, %grid {mode = "cubic", padding_mode = "reflection", align_corners = 1 : i64} : (tensor<1x1x?x?xf32>, tensor<1x2x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %0 : tensor<1x1x2x2xf32>
}

// CHECK-LABEL: @region_align
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x3x2x2xf32>)
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-4: tensor.extract %arg0
func.func @region_align(%x: tensor<2x3x8x8xf32>, %boxes: tensor<4x4xf32>, %which: tensor<4xi64>) -> tensor<4x3x2x2xf32> {
  %0 = onnx.RoiAlign %x, %boxes, %which {output_height = 2 : i64, output_width = 2 : i64} : (tensor<2x3x8x8xf32>, tensor<4x4xf32>, tensor<4xi64>) -> tensor<4x3x2x2xf32>
  return %0 : tensor<4x3x2x2xf32>
}

// What the windows read, and one contraction with the weights.
// CHECK-LABEL: @deformable
// CHECK: %[[COLUMNS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x1x3x2x2x3x3xf32>)
// CHECK: linalg.generic {{.*}}"reduction", "reduction", "reduction"]} ins(%{{.*}}, %[[COLUMNS]] : tensor<1x5x3x2x2xf32>
func.func @deformable(%x: tensor<1x3x4x4xf32>, %w: tensor<5x3x2x2xf32>, %offset: tensor<1x8x3x3xf32>) -> tensor<1x5x3x3xf32> {
  %none = onnx.NoValue
  %0 = onnx.DeformConv %x, %w, %offset, %none, %none : (tensor<1x3x4x4xf32>, tensor<5x3x2x2xf32>, tensor<1x8x3x3xf32>, none, none) -> tensor<1x5x3x3xf32>
  return %0 : tensor<1x5x3x3xf32>
}
