// RUN: tenon-opt %s --split-input-file --lower-onnx | FileCheck %s

// Tensors are wrapped before a call and unwrapped after it; what a type says of the result is checked there.
// CHECK-LABEL: func.func @at
// CHECK-SAME: (%[[LIST:.*]]: !plan.object, %[[AT:.*]]: tensor<i64>)
// CHECK: %[[POSITION:.*]] = plan.wrap %[[AT]] as i64 : tensor<i64>
// CHECK: %[[ROW:.*]] = plan.host "sequence.at"(%[[LIST]], %[[POSITION]]) : (!plan.object, !plan.object) -> !plan.object
// CHECK: %[[X:.*]], %[[N:.*]] = plan.unwrap %[[ROW]] as ui8 : tensor<?x4xi8>, index
// CHECK: return %[[X]] : tensor<?x4xi8>
func.func @at(%list: !onnx.seq<tensor<?x4xui8>>, %at: tensor<i64>) -> tensor<?x4xui8> {
  %0 = onnx.SequenceAt %list, %at : (!onnx.seq<tensor<?x4xui8>>, tensor<i64>) -> tensor<?x4xui8>
  return %0 : tensor<?x4xui8>
}

// -----

// CHECK-LABEL: func.func @absent
// CHECK: %[[X:.*]] = plan.wrap %{{.*}} as f32
// CHECK: %[[NONE:.*]] = plan.absent
// CHECK: plan.host "sequence.insert"(%{{.*}}, %[[X]], %[[NONE]])
func.func @absent(%list: !onnx.seq<tensor<2xf32>>, %x: tensor<2xf32>) -> !onnx.seq<tensor<2xf32>> {
  %none = onnx.NoValue
  %0 = onnx.SequenceInsert %list, %x, %none : (!onnx.seq<tensor<2xf32>>, tensor<2xf32>, none) -> !onnx.seq<tensor<2xf32>>
  return %0 : !onnx.seq<tensor<2xf32>>
}

// -----

// Elements below a byte are packed in objects, as everywhere outside.
// CHECK-LABEL: func.func @packed
// CHECK: %[[BYTES:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: %[[PACKED:.*]] = plan.reinterpret %[[BYTES]] : tensor<2xi8> to tensor<4xi4>
// CHECK: plan.wrap %[[PACKED]] as ui4 : tensor<4xi4>
func.func @packed(%x: tensor<4xui8>) -> !onnx.opt<tensor<4xui4>> {
  %0 = onnx.Cast %x {to = 21 : i64} : (tensor<4xui8>) -> tensor<4xui4>
  %1 = onnx.Optional %0 : (tensor<4xui4>) -> !onnx.opt<tensor<4xui4>>
  return %1 : !onnx.opt<tensor<4xui4>>
}

// -----

// A rank that is known only here, and one that is not known any more.
// CHECK-LABEL: func.func @ranks
// CHECK-SAME: (%[[ANY:.*]]: !plan.object, %[[X:.*]]: tensor<3xf32>)
// CHECK-DAG: %[[KNOWN:.*]] = plan.unwrap %[[ANY]] as f32 : tensor<3xf32>
// CHECK-DAG: %[[UNKNOWN:.*]] = plan.wrap %[[X]] as f32
// CHECK: return %[[KNOWN]], %[[UNKNOWN]]
func.func @ranks(%any: tensor<*xf32>, %x: tensor<3xf32>) -> (tensor<3xf32>, tensor<*xf32>) {
  %0 = onnx.Identity %any : (tensor<*xf32>) -> tensor<3xf32>
  %1 = tensor.cast %x : tensor<3xf32> to tensor<*xf32>
  return %0, %1 : tensor<3xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @strings
// CHECK: %[[S:.*]] = plan.strings dense<["a", "b"]>
// CHECK: plan.object_dim %{{.*}} as !onnx.string axis 1 of 2
// CHECK: return %[[S]]
func.func @strings(%x: tensor<2x?x!onnx.string>) -> (tensor<2x!onnx.string>, index) {
  %0 = onnx.Constant {value = dense<["a", "b"]> : tensor<2x!onnx.string>}
  %c1 = arith.constant 1 : index
  %1 = tensor.dim %x, %c1 : tensor<2x?x!onnx.string>
  return %0, %1 : tensor<2x!onnx.string>, index
}

// -----

// Branches and loops hand objects on as they are, without sizes.
// CHECK-LABEL: func.func @control_flow
// CHECK: %[[LIST:.*]] = scf.if %{{.*}} -> (!plan.object) {
// CHECK: scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %[[LIST]]) : (index, i1, !plan.object) -> (index, i1, !plan.object)
func.func @control_flow(%c: tensor<i1>, %a: !onnx.seq<tensor<2xf32>>, %b: !onnx.seq<tensor<?xf32>>, %x: tensor<2xf32>,
                        %n: tensor<i64>) -> !onnx.seq<tensor<?xf32>> {
  %none = onnx.NoValue
  %0 = onnx.If %c : (tensor<i1>) -> !onnx.seq<tensor<?xf32>> {
    onnx.Return %a : !onnx.seq<tensor<2xf32>>
  }, {
    onnx.Return %b : !onnx.seq<tensor<?xf32>>
  }
  %1 = onnx.Loop %n, %none, %0 : (tensor<i64>, none, !onnx.seq<tensor<?xf32>>) -> !onnx.seq<tensor<?xf32>> {
  ^bb0(%i: tensor<i64>, %more: tensor<i1>, %list: !onnx.seq<tensor<?xf32>>):
    %2 = onnx.SequenceInsert %list, %x, %none : (!onnx.seq<tensor<?xf32>>, tensor<2xf32>, none) -> !onnx.seq<tensor<?xf32>>
    onnx.Return %more, %2 : tensor<i1>, !onnx.seq<tensor<?xf32>>
  }
  return %1 : !onnx.seq<tensor<?xf32>>
}
