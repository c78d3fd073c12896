// RUN: tenon-opt %s --fuse-elementwise --form-kernels --canonicalize --cse --verify-each | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// Kernels end at the borders of a loop: what is computed once is not computed in each iteration, and what is made
// again costs no argument.
// CHECK: plan.kernel @[[ADD:kernel_generic.*]](%{{.*}}: tensor<8xf32>, %{{.*}}: tensor<8xf32>)
// CHECK: arith.addf
// CHECK-NOT: math.exp
// CHECK: plan.kernel @[[EXP:kernel_generic.*]](%{{.*}}: tensor<8xf32>) -> tensor<8xf32>
// CHECK: math.exp
// CHECK-LABEL: func.func @loop
// CHECK: %[[E:.*]] = plan.dispatch @[[EXP]](%arg1)
// CHECK: scf.while
// CHECK: } do {
// CHECK: plan.dispatch @[[ADD]](%{{.*}}, %[[E]])
// CHECK-NOT: linalg
// CHECK: return
func.func @loop(%n: index, %x: tensor<8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %empty = tensor.empty() : tensor<8xf32>
  %e = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%empty : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %r:2 = scf.while (%i = %c0, %v = %x) : (index, tensor<8xf32>) -> (index, tensor<8xf32>) {
    %more = arith.cmpi slt, %i, %n : index
    scf.condition(%more) %i, %v : index, tensor<8xf32>
  } do {
  ^bb0(%i: index, %v: tensor<8xf32>):
    %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%v, %e : tensor<8xf32>, tensor<8xf32>) outs(%empty : tensor<8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.addf %a, %b : f32
      linalg.yield %0 : f32
    } -> tensor<8xf32>
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %s : index, tensor<8xf32>
  }
  return %r#1 : tensor<8xf32>
}

// What a branch captures is needed before it: the operations around it are not one kernel.
// CHECK-LABEL: func.func @around
// CHECK: plan.dispatch
// CHECK: scf.if
// CHECK: plan.dispatch
// CHECK: plan.dispatch
// CHECK: return
func.func @around(%c: i1, %x: tensor<8xf32>) -> tensor<8xf32> {
  %empty = tensor.empty() : tensor<8xf32>
  %e = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%empty : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %b = scf.if %c -> (tensor<8xf32>) {
    %n = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%e : tensor<8xf32>) outs(%empty : tensor<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.negf %a : f32
      linalg.yield %0 : f32
    } -> tensor<8xf32>
    scf.yield %n : tensor<8xf32>
  } else {
    scf.yield %x : tensor<8xf32>
  }
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%b, %e : tensor<8xf32>, tensor<8xf32>) outs(%empty : tensor<8xf32>) {
  ^bb0(%a: f32, %d: f32, %o: f32):
    %0 = arith.addf %a, %d : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  return %s : tensor<8xf32>
}

#row = affine_map<(d0, d1) -> (d0, d1)>
#first = affine_map<(d0, d1) -> (d0)>

// Values made of positions alone are a kernel of their own when their number is not known and they are reduced.
// CHECK-LABEL: func.func @positions
// CHECK-COUNT-2: plan.dispatch
func.func @positions(%p: tensor<?xi64>, %n: index) -> tensor<1xi64> {
  %zero = arith.constant 0 : i64
  %empty = tensor.empty(%n) : tensor<1x?xi64>
  %made = linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%empty : tensor<1x?xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 1 : index
    %0 = tensor.extract %p[%i] : tensor<?xi64>
    linalg.yield %0 : i64
  } -> tensor<1x?xi64>
  %init = tensor.empty() : tensor<1xi64>
  %start = linalg.fill ins(%zero : i64) outs(%init : tensor<1xi64>) -> tensor<1xi64>
  %sum = linalg.generic {indexing_maps = [#row, #first], iterator_types = ["parallel", "reduction"]} ins(%made : tensor<1x?xi64>) outs(%start : tensor<1xi64>) {
  ^bb0(%a: i64, %o: i64):
    %0 = arith.addi %a, %o : i64
    linalg.yield %0 : i64
  } -> tensor<1xi64>
  return %sum : tensor<1xi64>
}
