// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// A size that differs between the branches is a result of its own.
// CHECK-LABEL: @branches
// CHECK: %[[C:.*]] = tensor.extract %arg0[] : tensor<i1>
// CHECK: %[[R:.*]]:2 = scf.if %[[C]] -> (tensor<?xf32>, index)
// CHECK: linalg.generic
// CHECK: scf.yield %{{.*}}, %{{.*}} : tensor<?xf32>, index
// CHECK: } else {
// CHECK: tensor.concat
// CHECK: scf.yield
// CHECK: plan.sized %[[R]]#0 dims(%[[R]]#1) : tensor<?xf32>
func.func @branches(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
    %1 = onnx.Concat %x, %x {axis = 0 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    onnx.Return %1 : tensor<?xf32>
  }, {
    %1 = onnx.Neg %x : (tensor<?xf32>) -> tensor<?xf32>
    onnx.Return %1 : tensor<?xf32>
  }
  %2 = onnx.Relu %0 : (tensor<?xf32>) -> tensor<?xf32>
  return %2 : tensor<?xf32>
}

// The trip count is compared before each iteration; the iteration's value is appended; a size that never changes is
// not carried.
// CHECK-LABEL: @loop
// CHECK: %[[M:.*]] = arith.index_cast
// CHECK: scf.while (%[[I:.*]] = %c0, %[[X:.*]] = %arg1, %[[ALL:.*]] = %{{.*}}, %[[ROWS:.*]] = %c0)
// CHECK-SAME: : (index, tensor<?x4xf32>, tensor<?x4xf32>, index)
// CHECK-NEXT: %[[MORE:.*]] = arith.cmpi slt, %[[I]], %[[M]]
// CHECK-NEXT: scf.condition(%[[MORE]])
// CHECK: plan.sized %{{.*}} dims(%dim)
// CHECK: %[[ROW:.*]] = linalg.generic
// CHECK: plan.append %{{.*}} to %{{.*}} : tensor<4xf32> to tensor<?x4xf32> -> tensor<?x4xf32>
// CHECK: scf.yield
func.func @loop(%m: tensor<i64>, %x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %none = onnx.NoValue
  %axis = onnx.Constant {value = dense<0> : tensor<1xi64>}
  %0:2 = onnx.Loop %m, %none, %x : (tensor<i64>, none, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %v: tensor<?x4xf32>):
    %1 = onnx.Exp %v : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %2 = onnx.ReduceSum %1, %axis {keepdims = 0 : i64} : (tensor<?x4xf32>, tensor<1xi64>) -> tensor<4xf32>
    onnx.Return %go, %1, %2 : tensor<i1>, tensor<?x4xf32>, tensor<4xf32>
  }
  return %0#0, %0#1 : tensor<?x4xf32>, tensor<?x4xf32>
}

// A Scan reads one position of each input, from the end where it runs backwards.
// CHECK-LABEL: @scan
// CHECK: scf.while (%[[I:.*]] = %c0
// CHECK: arith.subi %c4, %{{.*}}
// CHECK: tensor.extract %arg0
// CHECK: plan.append
// CHECK: return %{{.*}} : tensor<5x3xf32>
func.func @scan(%x: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %0 = onnx.Scan %x {num_scan_inputs = 1 : i64, scan_input_directions = array<i64: 1>} : (tensor<5x3xf32>) -> tensor<5x3xf32> {
  ^bb0(%row: tensor<3xf32>):
    %1 = onnx.Neg %row : (tensor<3xf32>) -> tensor<3xf32>
    onnx.Return %1 : tensor<3xf32>
  }
  return %0 : tensor<5x3xf32>
}

// Types without a sign inside of control flow, too.
// CHECK-LABEL: @unsigned
// CHECK: scf.if %{{.*}} -> (tensor<4xi8>)
// CHECK: arith.divui
// CHECK-NOT: ui8
func.func @unsigned(%c: tensor<1xi1>, %x: tensor<4xui8>) -> tensor<4xui8> {
  %0 = onnx.If %c : (tensor<1xi1>) -> tensor<4xui8> {
    onnx.Return %x : tensor<4xui8>
  }, {
    %1 = onnx.Div %x, %x : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
    onnx.Return %1 : tensor<4xui8>
  }
  return %0 : tensor<4xui8>
}
