// RUN: tenon-opt %s --lower-onnx --verify-each | FileCheck %s

// Heads are split off and joined by reshapes and transposes around the operation. The scale is 1 / sqrt(16).
// CHECK-LABEL: @heads
// CHECK: tensor.expand_shape {{.*}} into tensor<1x5x4x16xf32>
// CHECK: linalg.transpose {{.*}} permutation = [0, 2, 1, 3]
// CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}} scale = 2.500000e-01 mask(%{{.*}} : tensor<5x7xi1>) : (tensor<1x4x5x16xf32>, tensor<1x2x7x16xf32>, tensor<1x2x7x8xf32>) -> tensor<1x4x5x8xf32>
// CHECK: linalg.transpose {{.*}} permutation = [0, 2, 1, 3]
// CHECK: tensor.collapse_shape {{.*}} into tensor<1x5x32xf32>
func.func @heads(%q: tensor<1x5x64xf32>, %k: tensor<1x7x32xf32>, %v: tensor<1x7x16xf32>, %m: tensor<5x7xi1>) -> tensor<1x5x32xf32> {
  %none = onnx.NoValue
  %y, %pk, %pv, %qk = onnx.Attention %q, %k, %v, %m, %none, %none, %none {q_num_heads = 4 : i64, kv_num_heads = 2 : i64}
      : (tensor<1x5x64xf32>, tensor<1x7x32xf32>, tensor<1x7x16xf32>, tensor<5x7xi1>, none, none, none)
      -> (tensor<1x5x32xf32>, none, none, none)
  return %y : tensor<1x5x32xf32>
}

// A cache: the present is the past and what is new, and queries start where the past ends.
// CHECK-LABEL: @cache
// CHECK: %[[KEY:.*]] = tensor.concat dim(2) %{{.*}}, %{{.*}} : (tensor<1x2x3x8xf32>, tensor<1x2x1x8xf32>) -> tensor<1x2x4x8xf32>
// CHECK: %[[VALUE:.*]] = tensor.concat dim(2)
// CHECK: nn.attention %{{.*}}, %[[KEY]], %[[VALUE]] scale = 1.000000e+00 softcap = 3.000000e+01 causal offset(%{{.*}})
// CHECK: return %{{.*}}, %[[KEY]], %[[VALUE]]
func.func @cache(%q: tensor<1x2x1x8xf32>, %past: tensor<1x2x3x8xf32>)
    -> (tensor<1x2x1x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) {
  %none = onnx.NoValue
  %y, %pk, %pv, %qk = onnx.Attention %q, %q, %q, %none, %past, %past, %none
      {is_causal = 1 : i64, scale = 1.0 : f32, softcap = 30.0 : f32}
      : (tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>, tensor<1x2x1x8xf32>, none, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, none)
      -> (tensor<1x2x1x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, none)
  return %y, %pk, %pv : tensor<1x2x1x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>
}

// A sliding window becomes an additive mask.
// CHECK-LABEL: @window
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x1x5x5xf32>)
// CHECK: arith.cmpi sle
// CHECK: arith.cmpi sge
// CHECK: nn.attention {{.*}} mask(%{{.*}} : tensor<1x1x5x5xf32>)
// CHECK-NOT: causal
func.func @window(%q: tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32> {
  %none = onnx.NoValue
  %y, %pk, %pv, %qk = onnx.Attention %q, %q, %q, %none, %none, %none, %none
      {is_causal = 1 : i64, left_window_size = 2 : i64, scale = 1.0 : f32}
      : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, none, none, none, none)
      -> (tensor<1x2x5x8xf32>, none, none, none)
  return %y : tensor<1x2x5x8xf32>
}

// Half of the channels of each head are rotated, as pairs of neighbours; the rest stays.
// CHECK-LABEL: @rotary
// CHECK: tensor.extract_slice %[[X:.*]][0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 2]
// CHECK: tensor.extract_slice %[[X]][0, 0, 0, 1] [1, 2, 5, 2] [1, 1, 1, 2]
// CHECK: tensor.extract
// CHECK: %[[REAL:.*]] = tensor.insert_slice %{{.*}} into %[[X]][0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 2]
// CHECK: tensor.insert_slice %{{.*}} into %[[REAL]][0, 0, 0, 1] [1, 2, 5, 2] [1, 1, 1, 2]
func.func @rotary(%x: tensor<1x2x5x8xf32>, %c: tensor<9x2xf32>, %s: tensor<9x2xf32>, %p: tensor<1x5xi64>) -> tensor<1x2x5x8xf32> {
  %y = onnx.RotaryEmbedding %x, %c, %s, %p {interleaved = 1 : i64, rotary_embedding_dim = 4 : i64}
      : (tensor<1x2x5x8xf32>, tensor<9x2xf32>, tensor<9x2xf32>, tensor<1x5xi64>) -> tensor<1x2x5x8xf32>
  return %y : tensor<1x2x5x8xf32>
}
