// RUN: tenon-opt %s | tenon-opt | FileCheck %s
// RUN: tenon-opt %s --mlir-print-op-generic | tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @operators
func.func @operators(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  // CHECK: %[[NONE:.*]] = onnx.NoValue
  %none = onnx.NoValue
  // CHECK: onnx.Conv %{{.*}}, %{{.*}}, %[[NONE]] {group = 1 : i64, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<?x4x8x8xf32>
  %conv = onnx.Conv %x, %w, %none {group = 1 : i64, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<?x4x8x8xf32>
  // An unused optional result has type none.
  // CHECK: onnx.MaxPool %{{.*}} {kernel_shape = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> (tensor<?x4x7x7xf32>, none)
  %pool, %indices = onnx.MaxPool %conv {kernel_shape = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> (tensor<?x4x7x7xf32>, none)
  // Variadic operands, and a type that is not known yet.
  // CHECK: onnx.Concat %{{.*}}, %{{.*}} {axis = 0 : i64} : (tensor<?x4x7x7xf32>, tensor<?x4x7x7xf32>) -> tensor<*xf32>
  %concat = onnx.Concat %pool, %pool {axis = 0 : i64} : (tensor<?x4x7x7xf32>, tensor<?x4x7x7xf32>) -> tensor<*xf32>
  return %concat : tensor<*xf32>
}

// CHECK-LABEL: func.func @constants
func.func @constants() -> (tensor<2xi64>, tensor<2x!onnx.string>, tensor<3xui8>) {
  // CHECK: onnx.Constant {value = dense<[1, -1]> : tensor<2xi64>}
  %ints = onnx.Constant {value = dense<[1, -1]> : tensor<2xi64>}
  // CHECK: onnx.Constant {value = dense<["a", "b"]> : tensor<2x!onnx.string>}
  %strings = onnx.Constant {value = dense<["a", "b"]> : tensor<2x!onnx.string>}
  // CHECK: onnx.Constant {value = dense<7> : tensor<3xui8>}
  %splat = onnx.Constant {value = dense<7> : tensor<3xui8>}
  return %ints, %strings, %splat : tensor<2xi64>, tensor<2x!onnx.string>, tensor<3xui8>
}

// CHECK-LABEL: func.func @subgraphs
func.func @subgraphs(%flag: tensor<i1>, %count: tensor<i64>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  // CHECK: %[[IF:.*]] = onnx.If %{{.*}} : (tensor<i1>) -> tensor<4xf32> {
  // CHECK:   onnx.Return %{{.*}} : tensor<4xf32>
  // CHECK: }, {
  %chosen = onnx.If %flag : (tensor<i1>) -> tensor<4xf32> {
    %a = onnx.Relu %x : (tensor<4xf32>) -> tensor<4xf32>
    onnx.Return %a : tensor<4xf32>
  }, {
    onnx.Return %x : tensor<4xf32>
  }
  // CHECK: onnx.Loop %{{.*}}, %{{.*}}, %[[IF]]
  // CHECK-NEXT: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %{{.*}}: tensor<4xf32>):
  %loop:2 = onnx.Loop %count, %flag, %chosen : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %carried: tensor<4xf32>):
    %next = onnx.Add %carried, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    onnx.Return %go, %next, %next : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  return %loop#0, %loop#1 : tensor<4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func.func @other_domains
// CHECK-SAME: !onnx.opt<!onnx.seq<tensor<?xf32>>>
func.func @other_domains(%x: tensor<1x2xf32>, %optional: !onnx.opt<!onnx.seq<tensor<?xf32>>>) {
  // CHECK: onnx.ml.ZipMap %{{.*}} {classlabels_strings = ["a", "b"]} : (tensor<1x2xf32>) -> !onnx.seq<!onnx.map<!onnx.string, tensor<f32>>>
  %map = onnx.ml.ZipMap %x {classlabels_strings = ["a", "b"]} : (tensor<1x2xf32>) -> !onnx.seq<!onnx.map<!onnx.string, tensor<f32>>>
  // CHECK: onnx.OptionalGetElement %{{.*}} : (!onnx.opt<!onnx.seq<tensor<?xf32>>>) -> !onnx.seq<tensor<?xf32>>
  %sequence = onnx.OptionalGetElement %optional : (!onnx.opt<!onnx.seq<tensor<?xf32>>>) -> !onnx.seq<tensor<?xf32>>
  // CHECK: %[[CUSTOM:.*]] = onnx.Custom "com.example" "Mystery" version 2(%{{.*}}) {depth = 3 : i64} : (tensor<1x2xf32>) -> !onnx.unknown
  %custom = onnx.Custom "com.example" "Mystery" version 2(%x) {depth = 3 : i64} : (tensor<1x2xf32>) -> !onnx.unknown
  // CHECK: onnx.Relu %[[CUSTOM]] : (!onnx.unknown) -> !onnx.unknown
  %relu = onnx.Relu %custom : (!onnx.unknown) -> !onnx.unknown
  return
}
