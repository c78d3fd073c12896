// RUN: tenon-opt %s --evaluate-constants --canonicalize --cse --verify-each | FileCheck %s
//
// One module: the linker that constants are computed with forgets the options of the command line, --split-input-file among
// them.

// Weights come first; the name of one may be taken.
// CHECK-DAG: plan.weight @[[SPLAT:operand]] : tensor<32x32xf32>
// CHECK-DAG: plan.weight @[[SMALL:operand_.*]] : tensor<2x2xf32>
// CHECK-DAG: plan.weight @[[LARGE:constant.1]] : tensor<300xf32>
// CHECK-DAG: plan.weight @constant.0 : tensor<4xf32>
// CHECK-NOT: plan.weight
plan.weight @constant.0 : tensor<4xf32>

// What follows from constants is computed, through a chain of operations; what is not needed any more is gone.

// CHECK-LABEL: func.func @chain
// CHECK-NEXT: %[[C:.*]] = onnx.Constant {value = dense<[6.0{{.*}}, 8.0{{.*}}]> : tensor<2xf32>}
// CHECK-NEXT: %[[Y:.*]] = onnx.Add %arg0, %[[C]]
// CHECK-NEXT: return %[[Y]]
func.func @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>}
  %two = onnx.Constant {value = dense<2.0> : tensor<f32>}
  %b = onnx.Add %a, %two : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %c = onnx.Mul %b, %two : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %y = onnx.Add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// Types narrower than a byte of the program, wider, and truth values, which are bytes in memory and bits here.

// CHECK-LABEL: func.func @types
// CHECK-DAG: onnx.Constant {value = dense<[false, true]> : tensor<2xi1>}
// CHECK-DAG: onnx.Constant {value = dense<[-1, 9223372036854775807]> : tensor<2xi64>}
// CHECK-DAG: onnx.Constant {value = dense<[255, 7]> : tensor<2xui8>}
// CHECK-DAG: onnx.Constant {value = dense<[1.5{{.*}}, -2.0{{.*}}]> : tensor<2xf16>}
// CHECK-NOT: onnx.{{[^C]}}
func.func @types() -> (tensor<2xi1>, tensor<2xi64>, tensor<2xui8>, tensor<2xf16>) {
  %t = onnx.Constant {value = dense<[true, false]> : tensor<2xi1>}
  %i = onnx.Constant {value = dense<[1, -9223372036854775807]> : tensor<2xi64>}
  %u = onnx.Constant {value = dense<[255, 7]> : tensor<2xui8>}
  %f = onnx.Constant {value = dense<[1.5, -2.0]> : tensor<2xf32>}
  %shape = onnx.Constant {value = dense<2> : tensor<1xi64>}
  %0 = onnx.Not %t : (tensor<2xi1>) -> tensor<2xi1>
  %1 = onnx.Neg %i : (tensor<2xi64>) -> tensor<2xi64>
  %2 = onnx.Reshape %u, %shape : (tensor<2xui8>, tensor<1xi64>) -> tensor<2xui8>
  %3 = onnx.Cast %f {to = 10 : i64} : (tensor<2xf32>) -> tensor<2xf16>
  return %0, %1, %2, %3 : tensor<2xi1>, tensor<2xi64>, tensor<2xui8>, tensor<2xf16>
}

// More than 1 KiB is a weight.

// CHECK-LABEL: func.func @large
// CHECK-NEXT: %[[V:.*]] = plan.get_weight @[[LARGE]] : tensor<300xf32>
// CHECK-NEXT: return %[[V]]
func.func @large() -> tensor<300xf32> {
  %a = onnx.Constant {value = dense<1.0> : tensor<f32>}
  %b = onnx.Constant {value = dense<2.0> : tensor<300xf32>}
  %c = onnx.Div %a, %b : (tensor<f32>, tensor<300xf32>) -> tensor<300xf32>
  return %c : tensor<300xf32>
}

// What would make the artifact much larger is computed when the model runs.

// CHECK-LABEL: func.func @growth
// CHECK: onnx.Expand
func.func @growth() -> tensor<1024x1024xf32> {
  %a = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>}
  %s = onnx.Constant {value = dense<[512, 1024, 2]> : tensor<3xi64>}
  %0 = onnx.Expand %a, %s : (tensor<2xf32>, tensor<3xi64>) -> tensor<512x1024x2xf32>
  %r = onnx.Constant {value = dense<[1024, 1024]> : tensor<2xi64>}
  %1 = onnx.Reshape %0, %r : (tensor<512x1024x2xf32>, tensor<2xi64>) -> tensor<1024x1024xf32>
  return %1 : tensor<1024x1024xf32>
}

// Left alone: what depends on an input, what is random, what has no size yet, what has a subgraph.

// CHECK-LABEL: func.func @not_constant
// CHECK: onnx.Relu
// CHECK: onnx.RandomUniformLike
// CHECK: onnx.Expand
// CHECK: onnx.If
func.func @not_constant(%x: tensor<2xf32>, %s: tensor<1xi64>) -> (tensor<2xf32>, tensor<2xf32>, tensor<?xf32>, tensor<2xf32>) {
  %a = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>}
  %true = onnx.Constant {value = dense<true> : tensor<i1>}
  %0 = onnx.Relu %x : (tensor<2xf32>) -> tensor<2xf32>
  %1 = onnx.RandomUniformLike %a : (tensor<2xf32>) -> tensor<2xf32>
  %2 = onnx.Expand %a, %s : (tensor<2xf32>, tensor<1xi64>) -> tensor<?xf32>
  %3 = onnx.If %true : (tensor<i1>) -> tensor<2xf32> {
    onnx.Return %a : tensor<2xf32>
  }, {
    onnx.Return %x : tensor<2xf32>
  }
  return %0, %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<?xf32>, tensor<2xf32>
}

// A large splat that a product takes as its weight gets bytes, one weight for all who use it; elsewhere it stays a splat.

// CHECK-LABEL: func.func @products
// CHECK-DAG: %[[C:.*]] = onnx.Constant {value = dense<5.{{.*}}> : tensor<32x32xf32>}
// CHECK-DAG: %[[V:.*]] = plan.get_weight @[[SPLAT]]
// CHECK: onnx.MatMul %{{.*}}, %[[V]]
// CHECK: onnx.MatMul %{{.*}}, %[[V]]
// CHECK: onnx.Add %{{.*}}, %[[C]]
func.func @products(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %w = onnx.Constant {value = dense<5.0> : tensor<32x32xf32>}
  %0 = onnx.MatMul %x, %w : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  %1 = onnx.MatMul %0, %w : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  %2 = onnx.Add %1, %w : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  return %2 : tensor<32x32xf32>
}

// So does a small matrix, which would otherwise be an attribute; a vector that is added stays one.

// CHECK-LABEL: func.func @small
// CHECK-DAG: %[[C:.*]] = onnx.Constant {value = dense<[1.{{.*}}, 2.{{.*}}]> : tensor<2xf32>}
// CHECK-DAG: %[[V:.*]] = plan.get_weight @[[SMALL]]
// CHECK: onnx.MatMul %{{.*}}, %[[V]]
// CHECK: onnx.Add %{{.*}}, %[[C]]
func.func @small(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = onnx.Constant {value = dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>}
  %b = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>}
  %0 = onnx.MatMul %x, %w : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = onnx.Add %0, %b : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}
