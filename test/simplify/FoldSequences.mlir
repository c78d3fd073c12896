// RUN: tenon-opt %s --split-input-file --fold-sequences | FileCheck %s

// The second of two parts is a slice; the first is not computed.
// CHECK-LABEL: func.func @split
// CHECK-DAG: %[[START:.*]] = onnx.Constant {value = dense<2> : tensor<1xi64>}
// CHECK-DAG: %[[END:.*]] = onnx.Constant {value = dense<3> : tensor<1xi64>}
// CHECK: %[[B:.*]] = onnx.Slice %{{.*}}, %[[START]], %[[END]], %{{.*}}, %{{.*}} : {{.*}} -> tensor<?x1xf32>
// CHECK-NOT: onnx.S
// CHECK: return %[[B]] : tensor<?x1xf32>
func.func @split(%x: tensor<?x3xf32>) -> tensor<*xf32> {
  %two = onnx.Constant {value = dense<2> : tensor<i64>}
  %last = onnx.Constant {value = dense<-1> : tensor<i64>}
  %0 = onnx.SplitToSequence %x, %two {axis = -1 : i64} : (tensor<?x3xf32>, tensor<i64>) -> !onnx.seq<tensor<*xf32>>
  %1 = onnx.SequenceAt %0, %last : (!onnx.seq<tensor<*xf32>>, tensor<i64>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// Rows of which the axis is dropped; how many there are.
// CHECK-LABEL: func.func @rows
// CHECK: %[[ROW:.*]] = onnx.Squeeze %{{.*}} : {{.*}} -> tensor<?xf32>
// CHECK: %[[COUNT:.*]] = onnx.Constant {value = dense<2> : tensor<i64>}
// CHECK: return %[[ROW]], %[[COUNT]]
func.func @rows(%x: tensor<2x?xf32>) -> (tensor<?xf32>, tensor<i64>) {
  %none = onnx.NoValue
  %zero = onnx.Constant {value = dense<0> : tensor<i32>}
  %0 = onnx.SplitToSequence %x, %none {keepdims = 0 : i64} : (tensor<2x?xf32>, none) -> !onnx.seq<tensor<?xf32>>
  %1 = onnx.SequenceAt %0, %zero : (!onnx.seq<tensor<?xf32>>, tensor<i32>) -> tensor<?xf32>
  %2 = onnx.SequenceLength %0 : (!onnx.seq<tensor<?xf32>>) -> tensor<i64>
  return %1, %2 : tensor<?xf32>, tensor<i64>
}

// -----

// A list that is built and joined.
// CHECK-LABEL: func.func @built
// CHECK-SAME: (%[[A:.*]]: tensor<2xf32>, %[[B:.*]]: tensor<2xf32>)
// CHECK-NOT: onnx.Sequence
// CHECK: %[[FIRST:.*]] = onnx.Unsqueeze %[[B]]
// CHECK: %[[SECOND:.*]] = onnx.Unsqueeze %[[A]]
// CHECK: %[[ALL:.*]] = onnx.Concat %[[FIRST]], %[[SECOND]] {axis = 1 : i64} : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
// CHECK: return %[[ALL]]
func.func @built(%a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2x2xf32> {
  %none = onnx.NoValue
  %zero = onnx.Constant {value = dense<0> : tensor<i64>}
  %0 = onnx.SequenceEmpty : () -> !onnx.seq<tensor<*xf32>>
  %1 = onnx.SequenceInsert %0, %a, %none : (!onnx.seq<tensor<*xf32>>, tensor<2xf32>, none) -> !onnx.seq<tensor<*xf32>>
  %2 = onnx.SequenceInsert %1, %b, %zero : (!onnx.seq<tensor<*xf32>>, tensor<2xf32>, tensor<i64>) -> !onnx.seq<tensor<*xf32>>
  %3 = onnx.SequenceInsert %2, %b, %none : (!onnx.seq<tensor<*xf32>>, tensor<2xf32>, none) -> !onnx.seq<tensor<*xf32>>
  %4 = onnx.SequenceErase %3, %none : (!onnx.seq<tensor<*xf32>>, none) -> !onnx.seq<tensor<*xf32>>
  %5 = onnx.ConcatFromSequence %4 {axis = -1 : i64, new_axis = 1 : i64} : (!onnx.seq<tensor<*xf32>>) -> tensor<2x2xf32>
  return %5 : tensor<2x2xf32>
}

// -----

// What may fail is left to the run: a position that is not there, parts that do not add up, an unknown size.
// CHECK-LABEL: func.func @left
// CHECK: onnx.SequenceAt
// CHECK: onnx.SplitToSequence
// CHECK: onnx.SplitToSequence
func.func @left(%x: tensor<3x?xf32>) -> (tensor<3x?xf32>, !onnx.seq<tensor<?x?xf32>>, tensor<*xf32>) {
  %none = onnx.NoValue
  %zero = onnx.Constant {value = dense<0> : tensor<i64>}
  %one = onnx.Constant {value = dense<1> : tensor<i64>}
  %parts = onnx.Constant {value = dense<[1, 1]> : tensor<2xi64>}
  %0 = onnx.SequenceConstruct %x : (tensor<3x?xf32>) -> !onnx.seq<tensor<3x?xf32>>
  %1 = onnx.SequenceAt %0, %one : (!onnx.seq<tensor<3x?xf32>>, tensor<i64>) -> tensor<3x?xf32>
  %2 = onnx.SplitToSequence %x, %parts : (tensor<3x?xf32>, tensor<2xi64>) -> !onnx.seq<tensor<?x?xf32>>
  %3 = onnx.SplitToSequence %x, %one {axis = 1 : i64} : (tensor<3x?xf32>, tensor<i64>) -> !onnx.seq<tensor<*xf32>>
  %4 = onnx.SequenceAt %3, %zero : (!onnx.seq<tensor<*xf32>>, tensor<i64>) -> tensor<*xf32>
  return %1, %2, %4 : tensor<3x?xf32>, !onnx.seq<tensor<?x?xf32>>, tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @optionals
// CHECK-SAME: (%[[X:.*]]: tensor<2xf32>, %[[O:.*]]: !onnx.opt<tensor<2xf32>>)
// CHECK-DAG: %[[TRUE:.*]] = onnx.Constant {value = dense<true> : tensor<i1>}
// CHECK-DAG: %[[FALSE:.*]] = onnx.Constant {value = dense<false> : tensor<i1>}
// CHECK-DAG: %[[UNKNOWN:.*]] = onnx.OptionalHasElement %[[O]]
// CHECK: return %[[X]], %[[TRUE]], %[[FALSE]], %[[UNKNOWN]]
func.func @optionals(%x: tensor<2xf32>, %o: !onnx.opt<tensor<2xf32>>) -> (tensor<2xf32>, tensor<i1>, tensor<i1>, tensor<i1>) {
  %none = onnx.NoValue
  %0 = onnx.Optional %x : (tensor<2xf32>) -> !onnx.opt<tensor<2xf32>>
  %1 = onnx.OptionalGetElement %0 : (!onnx.opt<tensor<2xf32>>) -> tensor<2xf32>
  %2 = onnx.OptionalHasElement %0 : (!onnx.opt<tensor<2xf32>>) -> tensor<i1>
  %3 = onnx.OptionalHasElement %none : (none) -> tensor<i1>
  %4 = onnx.OptionalHasElement %o : (!onnx.opt<tensor<2xf32>>) -> tensor<i1>
  return %1, %2, %3, %4 : tensor<2xf32>, tensor<i1>, tensor<i1>, tensor<i1>
}
