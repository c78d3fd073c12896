// RUN: tenon-opt %s --resolve-shapes --verify-each | FileCheck %s

plan.dimension @batch min 1

// The example of the documentation: a named dimension becomes plan.dim, and the chain of tensors is gone.
// CHECK-LABEL: @named
// CHECK-NOT: onnx.Shape
// CHECK-DAG: %[[B:.*]] = plan.dim @batch : index
// CHECK-DAG: %[[I:.*]] = arith.index_cast %[[B]] : index to i64
// CHECK-DAG: %[[C12:.*]] = arith.constant 12 : i64
// CHECK-DAG: %[[C64:.*]] = arith.constant 64 : i64
// CHECK: %[[S:.*]] = tensor.from_elements %[[I]], %[[C12]], %[[C64]] : tensor<3xi64>
// CHECK-NOT: onnx.{{Gather|Unsqueeze|Concat}}
// CHECK: onnx.Reshape %{{.*}}, %[[S]]
func.func @named(%x: tensor<?x768xf32> {plan.name = "x", plan.dims = [@batch, 768 : i64], plan.element = f32}) -> tensor<?x12x64xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<i64>}
  %axis = onnx.Constant {value = dense<0> : tensor<1xi64>}
  %rest = onnx.Constant {value = dense<[12, 64]> : tensor<2xi64>}
  %0 = onnx.Shape %x : (tensor<?x768xf32>) -> tensor<2xi64>
  %1 = onnx.Gather %0, %zero : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %2 = onnx.Unsqueeze %1, %axis : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %3 = onnx.Concat %2, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64>
  %4 = onnx.Reshape %x, %3 : (tensor<?x768xf32>, tensor<3xi64>) -> tensor<?x12x64xf32>
  return %4 : tensor<?x12x64xf32>
}

// A dimension without a name is asked of its tensor.
// CHECK-LABEL: @unnamed
// CHECK-SAME: (%[[X:.*]]: tensor<?x3xf32>)
// CHECK: %[[D:.*]] = tensor.dim %[[X]]
// CHECK: %[[I:.*]] = arith.index_cast %[[D]] : index to i64
// CHECK: %[[S:.*]] = tensor.from_elements %[[I]], %{{.*}} : tensor<2xi64>
// CHECK: return %[[S]]
func.func @unnamed(%x: tensor<?x3xf32>) -> tensor<2xi64> {
  %0 = onnx.Shape %x : (tensor<?x3xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// With static shapes only constants are left: (4 * 6 / 5, Python's -7 counted from the end, a slice in reverse order).
// CHECK-LABEL: @static
// CHECK-NOT: tensor.from_elements
// CHECK-DAG: %[[DIV:.*]] = onnx.Constant {value = dense<4> : tensor<i64>}
// CHECK-DAG: %[[LAST:.*]] = onnx.Constant {value = dense<6> : tensor<1xi64>}
// CHECK-DAG: %[[BACK:.*]] = onnx.Constant {value = dense<[6, 5, 4]> : tensor<3xi64>}
// CHECK-DAG: %[[COUNT:.*]] = onnx.Constant {value = dense<120> : tensor<i64>}
// CHECK: return %[[DIV]], %[[LAST]], %[[BACK]], %[[COUNT]]
func.func @static(%x: tensor<4x5x6xf32>) -> (tensor<i64>, tensor<1xi64>, tensor<3xi64>, tensor<i64>) {
  %first = onnx.Constant {value = dense<0> : tensor<i64>}
  %second = onnx.Constant {value = dense<1> : tensor<i64>}
  %third = onnx.Constant {value = dense<-1> : tensor<i64>}
  %end = onnx.Constant {value = dense<-1> : tensor<1xi64>}
  %far = onnx.Constant {value = dense<-9223372036854775807> : tensor<1xi64>}
  %big = onnx.Constant {value = dense<9223372036854775807> : tensor<1xi64>}
  %none = onnx.NoValue
  %shape = onnx.Shape %x : (tensor<4x5x6xf32>) -> tensor<3xi64>
  %a = onnx.Gather %shape, %first : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %b = onnx.Gather %shape, %second : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %c = onnx.Gather %shape, %third : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %ac = onnx.Mul %a, %c : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %div = onnx.Div %ac, %b : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %last = onnx.Slice %shape, %end, %big, %none, %none : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<1xi64>
  %back = onnx.Slice %shape, %end, %far, %none, %end : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>, none, tensor<1xi64>) -> tensor<3xi64>
  %count = onnx.Size %x : (tensor<4x5x6xf32>) -> tensor<i64>
  return %div, %last, %back, %count : tensor<i64>, tensor<1xi64>, tensor<3xi64>, tensor<i64>
}

// A size is never -1, so the exporters' guard against it takes one side; a comparison that depends on the input stays one of scalars.
// CHECK-LABEL: @guarded
// CHECK: %[[I:.*]] = arith.index_cast %{{.*}} : index to i64
// CHECK: %[[KEPT:.*]] = tensor.from_elements %[[I]] : tensor<1xi64>
// CHECK: %[[LESS:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : index
// CHECK: %[[CHOSEN:.*]] = arith.select %[[LESS]]
// CHECK: %[[CLAMPED:.*]] = tensor.from_elements
// CHECK-NOT: onnx.
// CHECK: return %[[KEPT]], %[[CLAMPED]]
func.func @guarded(%x: tensor<?xf32>) -> (tensor<1xi64>, tensor<1xi64>) {
  %minus = onnx.Constant {value = dense<-1> : tensor<1xi64>}
  %one = onnx.Constant {value = dense<1> : tensor<1xi64>}
  %limit = onnx.Constant {value = dense<77> : tensor<1xi64>}
  %0 = onnx.Shape %x : (tensor<?xf32>) -> tensor<1xi64>
  %1 = onnx.Equal %0, %minus : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %2 = onnx.Where %1, %one, %0 : (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %3 = onnx.Less %0, %limit : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %4 = onnx.Where %3, %0, %limit : (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  return %2, %4 : tensor<1xi64>, tensor<1xi64>
}

// A second run starts from what the first one made.
// CHECK-LABEL: @again
// CHECK-SAME: (%[[N:.*]]: index)
// CHECK: %[[I:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: %[[S:.*]] = tensor.from_elements {{.*}} : tensor<2xi64>
// CHECK-NOT: onnx.Concat
// CHECK: return %[[S]]
func.func @again(%n: index) -> tensor<2xi64> {
  %i = arith.index_cast %n : index to i64
  %0 = tensor.from_elements %i : tensor<1xi64>
  %1 = onnx.Concat %0, %0 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  return %1 : tensor<2xi64>
}

// What depends on data stays, as do tensors of more elements than shapes have and divisions that may be by zero.
// CHECK-LABEL: @stays
// CHECK: onnx.Gather
// CHECK: onnx.Range
// CHECK: onnx.Div
func.func @stays(%x: tensor<3xi64>, %y: tensor<?xf32>) -> (tensor<1xi64>, tensor<65xi64>, tensor<1xi64>) {
  %axis = onnx.Constant {value = dense<[1]> : tensor<1xi64>}
  %start = onnx.Constant {value = dense<0> : tensor<i64>}
  %limit = onnx.Constant {value = dense<65> : tensor<i64>}
  %delta = onnx.Constant {value = dense<1> : tensor<i64>}
  %0 = onnx.Gather %x, %axis : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %1 = onnx.Range %start, %limit, %delta : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<65xi64>
  %2 = onnx.Shape %y : (tensor<?xf32>) -> tensor<1xi64>
  %3 = onnx.Div %axis, %2 : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  return %0, %1, %3 : tensor<1xi64>, tensor<65xi64>, tensor<1xi64>
}
