// RUN: tenon-opt %s --resolve-shapes --infer-shapes --verify-each | FileCheck %s

// What is carried has the type that all iterations agree with: the first size changes, the second does not.
// CHECK-LABEL: @grows
// CHECK: %[[R:.*]]:2 = onnx.Loop {{.*}} -> (tensor<?x4xf32>, tensor<?xf32>)
// CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %[[X:.*]]: tensor<?x4xf32>):
// CHECK: onnx.Concat %[[X]], %[[X]] {{.*}} -> tensor<?x4xf32>
// CHECK: return %[[R]]#0, %[[R]]#1 : tensor<?x4xf32>, tensor<?xf32>
func.func @grows(%m: tensor<i64>, %x: tensor<3x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %none = onnx.NoValue
  %0:2 = onnx.Loop %m, %none, %x : (tensor<i64>, none, tensor<3x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%i: tensor<*xi64>, %go: tensor<*xi1>, %v: tensor<*xf32>):
    %1 = onnx.Concat %v, %v {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    %2 = onnx.ReduceSum %1, %none {keepdims = 0 : i64} : (tensor<*xf32>, none) -> tensor<*xf32>
    onnx.Return %go, %1, %2 : tensor<*xi1>, tensor<*xf32>, tensor<*xf32>
  }
  return %0#0, %0#1 : tensor<*xf32>, tensor<*xf32>
}

// A number of dimensions that changes is none.
// CHECK-LABEL: @changes
// CHECK: onnx.Loop {{.*}} -> tensor<*xf32>
func.func @changes(%m: tensor<i64>, %x: tensor<3xf32>) -> tensor<*xf32> {
  %none = onnx.NoValue
  %axis = onnx.Constant {value = dense<0> : tensor<1xi64>}
  %0 = onnx.Loop %m, %none, %x : (tensor<i64>, none, tensor<3xf32>) -> tensor<*xf32> {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %v: tensor<*xf32>):
    %1 = onnx.Unsqueeze %v, %axis : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.Return %go, %1 : tensor<i1>, tensor<*xf32>
  }
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @scan
// CHECK: onnx.Scan {{.*}} -> (tensor<2xf32>, tensor<2x7xf32>)
// CHECK: ^bb0(%{{.*}}: tensor<2xf32>, %{{.*}}: tensor<2xf32>):
func.func @scan(%s: tensor<2xf32>, %x: tensor<7x2xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0:2 = onnx.Scan %s, %x {num_scan_inputs = 1 : i64, scan_output_axes = array<i64: 1>} : (tensor<2xf32>, tensor<7x2xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%a: tensor<*xf32>, %b: tensor<*xf32>):
    %1 = onnx.Add %a, %b : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.Return %1, %1 : tensor<*xf32>, tensor<*xf32>
  }
  return %0#0, %0#1 : tensor<*xf32>, tensor<*xf32>
}

// A branch that is known to be taken is all that is left, and the sizes in it are followed like those around it.
// CHECK-LABEL: @taken
// CHECK-NOT: onnx.If
// CHECK: onnx.Neg
// CHECK: return %{{.*}} : tensor<?x3xf32>
func.func @taken(%x: tensor<?x3xf32>) -> tensor<*xf32> {
  %s = onnx.Shape %x {start = 1 : i64} : (tensor<?x3xf32>) -> tensor<1xi64>
  %three = onnx.Constant {value = dense<3> : tensor<1xi64>}
  %c = onnx.Equal %s, %three : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %0 = onnx.If %c : (tensor<1xi1>) -> tensor<*xf32> {
    %1 = onnx.Exp %x : (tensor<?x3xf32>) -> tensor<?x3xf32>
    onnx.Return %1 : tensor<?x3xf32>
  }, {
    %1 = onnx.Neg %x : (tensor<?x3xf32>) -> tensor<?x3xf32>
    onnx.Return %1 : tensor<?x3xf32>
  }
  return %0 : tensor<*xf32>
}
