// RUN: tenon-opt %s --infer-shapes --verify-each | FileCheck %s
// RUN: tenon-opt %s --infer-shapes --infer-shapes --verify-each | FileCheck %s

// The sizes that `resolve-shapes` knows give the rank, and everything after it follows in one walk.
// CHECK-LABEL: @unranked_chain
// CHECK-SAME: -> (tensor<?x1x768xf32> {plan.dims = [unit, 1, 768], plan.element = f32, plan.name = "y"})
// CHECK: onnx.Reshape {{.*}} -> tensor<?x768x?xf32>
// CHECK: onnx.Unsqueeze {{.*}} -> tensor<?x768x?x1xf32>
// CHECK: onnx.Transpose {{.*}} -> tensor<?x?x1x768xf32>
// CHECK: %[[Y:.*]] = onnx.Gather {{.*}} -> tensor<?x1x768xf32>
// CHECK: return %[[Y]] : tensor<?x1x768xf32>
func.func @unranked_chain(%x: tensor<?x768x14x14xf32>, %b: i64, %n: i64)
    -> (tensor<*xf32> {plan.name = "y", plan.element = f32}) {
  %c768 = arith.constant 768 : i64
  %axis = onnx.Constant {value = dense<-1> : tensor<1xi64>}
  %first = onnx.Constant {value = dense<0> : tensor<i64>}
  %s = tensor.from_elements %b, %c768, %n : tensor<3xi64>
  %0 = onnx.Reshape %x, %s : (tensor<?x768x14x14xf32>, tensor<3xi64>) -> tensor<*xf32>
  %1 = onnx.Unsqueeze %0, %axis : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %2 = onnx.Transpose %1 {perm = array<i64: 0, 2, 3, 1>} : (tensor<*xf32>) -> tensor<*xf32>
  %3 = onnx.Gather %2, %first {axis = 1 : i64} : (tensor<*xf32>, tensor<i64>) -> tensor<*xf32>
  return %3 : tensor<*xf32>
}

// A dimension that was dynamic becomes static: attributes, constants and absent operands reach the library.
// CHECK-LABEL: @static
// CHECK-SAME: -> (tensor<2x16x8x8xf32> {plan.dims = [@batch, 16, unit, unit], plan.element = f32, plan.name = "y"}, tensor<6xi64>)
// CHECK: onnx.Conv {{.*}} -> tensor<2x16x8x8xf32>
// CHECK: onnx.ConstantOfShape {{.*}} -> tensor<3x2xi64>
// CHECK: onnx.Reshape {{.*}} -> tensor<6xi64>
plan.dimension @batch min 1
func.func @static(%x: tensor<2x3x16x16xf32>, %w: tensor<16x3x3x3xf32>)
    -> (tensor<?x16x?x?xf32> {plan.name = "y", plan.element = f32, plan.dims = [@batch, 16 : i64, unit, unit]},
        tensor<?xi64>) {
  %none = onnx.NoValue
  %0 = onnx.Conv %x, %w, %none {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<2x3x16x16xf32>, tensor<16x3x3x3xf32>, none) -> tensor<?x16x?x?xf32>
  %shape = onnx.Constant {value = dense<[3, 2]> : tensor<2xi64>}
  %1 = onnx.ConstantOfShape %shape {value = dense<7> : tensor<1xi64>} : (tensor<2xi64>) -> tensor<?x?xi64>
  %all = onnx.Constant {value = dense<-1> : tensor<1xi64>}
  %2 = onnx.Reshape %1, %all : (tensor<?x?xi64>, tensor<1xi64>) -> tensor<?xi64>
  return %0, %2 : tensor<?x16x?x?xf32>, tensor<?xi64>
}

// What is known already is not given up for what the library knows less of, nor for what it contradicts.
// CHECK-LABEL: @never_looser
// CHECK: onnx.Reshape {{.*}} -> tensor<4x?xf32>
// CHECK: onnx.Relu {{.*}} -> tensor<4x5xf32>
// CHECK: onnx.Relu {{.*}} -> tensor<7x?xf32>
func.func @never_looser(%x: tensor<?x?xf32>, %n: i64, %z: tensor<6x?xf32>)
    -> (tensor<4x?xf32>, tensor<4x5xf32>, tensor<7x?xf32>) {
  %s = tensor.from_elements %n, %n : tensor<2xi64>
  %0 = onnx.Reshape %x, %s : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<4x?xf32>
  %1 = onnx.Relu %0 : (tensor<4x?xf32>) -> tensor<4x5xf32>
  %2 = onnx.Relu %z : (tensor<6x?xf32>) -> tensor<7x?xf32>
  return %0, %1, %2 : tensor<4x?xf32>, tensor<4x5xf32>, tensor<7x?xf32>
}

// An element that is not known may be -1, and then another size is what the rest leaves: neither is guessed.
// CHECK-LABEL: @unknown_element
// CHECK: onnx.Reshape {{.*}} -> tensor<?x?xf32>
// CHECK: onnx.Expand {{.*}} -> tensor<?x24xf32>
// CHECK: onnx.Resize {{.*}} -> tensor<?x?xf32>
func.func @unknown_element(%x: tensor<4x6xf32>, %y: tensor<1x1xf32>, %n: i64)
    -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %none = onnx.NoValue
  %rest = arith.constant -1 : i64
  %c24 = arith.constant 24 : i64
  %s = tensor.from_elements %n, %rest : tensor<2xi64>
  %0 = onnx.Reshape %x, %s : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %e = tensor.from_elements %n, %c24 : tensor<2xi64>
  %1 = onnx.Expand %y, %e : (tensor<1x1xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %2 = onnx.Resize %x, %none, %none, %e {keep_aspect_ratio_policy = "not_smaller"}
      : (tensor<4x6xf32>, none, none, tensor<2xi64>) -> tensor<?x?xf32>
  return %0, %1, %2 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// Several results, one of them absent; a sequence; an operator that is inferred through its body.
// CHECK-LABEL: @results
// CHECK: onnx.Split {{.*}} -> (tensor<2x4xf32>, tensor<3x4xf32>)
// CHECK: onnx.Dropout {{.*}} -> (tensor<2x4xf32>, none)
// CHECK: onnx.SequenceConstruct {{.*}} -> !onnx.seq<tensor<2x4xf32>>
// CHECK: onnx.MeanVarianceNormalization {{.*}} -> tensor<1x2x3x4xf32>
// CHECK: onnx.GroupNormalization {{.*}} -> tensor<1x2x3x4xf32>
func.func @results(%x: tensor<5x4xf32>, %y: tensor<1x2x3x4xf32>, %p: tensor<2xf32>) {
  %none = onnx.NoValue
  %sizes = onnx.Constant {value = dense<[2, 3]> : tensor<2xi64>}
  %0:2 = onnx.Split %x, %sizes : (tensor<5x4xf32>, tensor<2xi64>) -> (tensor<?x4xf32>, tensor<?x?xf32>)
  %1:2 = onnx.Dropout %0#0, %none, %none : (tensor<?x4xf32>, none, none) -> (tensor<*xf32>, none)
  %2 = onnx.SequenceConstruct %1#0 : (tensor<*xf32>) -> !onnx.seq<tensor<?x?xf32>>
  %3 = onnx.MeanVarianceNormalization %y : (tensor<1x2x3x4xf32>) -> tensor<?x?x?x?xf32>
  %4 = onnx.GroupNormalization %y, %p, %p {num_groups = 1 : i64}
      : (tensor<1x2x3x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x?x?x?xf32>
  return
}

// What the library objects to is no error.
// CHECK-LABEL: @untouched
// CHECK: onnx.If {{.*}} -> tensor<4xf32>
// CHECK-COUNT-2: onnx.Relu {{.*}} -> tensor<4xf32>
// CHECK: onnx.MatMul {{.*}} -> tensor<?x?xf32>
func.func @untouched(%c: tensor<i1>, %x: tensor<4xf32>, %a: tensor<2x3xf32>) {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*xf32> {
    %1 = onnx.Relu %x : (tensor<4xf32>) -> tensor<?xf32>
    onnx.Return %1 : tensor<?xf32>
  }, {
    %1 = onnx.Relu %x : (tensor<4xf32>) -> tensor<?xf32>
    onnx.Return %1 : tensor<?xf32>
  }
  %2 = onnx.MatMul %a, %a : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<?x?xf32>
  return
}
