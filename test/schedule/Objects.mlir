// RUN: tenon-opt %s --split-input-file --schedule-program | FileCheck %s

// A value that is read for the last time is moved, so that the function may change it in place; the caller's is not.
// CHECK-LABEL: rt.program @moves
// CHECK: %[[LIST:.*]] = rt.object_input 0
// CHECK: %[[X:.*]] = rt.object{{$}}
// CHECK: rt.wrap %{{.*}} as f32 sizes(%{{.*}}) to %[[X]]
// CHECK: %[[ONE:.*]] = rt.object{{$}}
// CHECK: rt.host_call "sequence.insert" version 1(%[[LIST]], %[[X]]) to (%[[ONE]])
// CHECK: %[[TWO:.*]] = rt.object{{$}}
// CHECK: rt.host_call "sequence.insert" version 1(%[[ONE]], %[[X]]) to (%[[TWO]]) moves [0, 1]
// CHECK: %[[OUT:.*]] = rt.object_output 0
// CHECK: rt.share move %[[TWO]] to %[[OUT]]
func.func @moves(%list: !plan.object {plan.name = "list", plan.element = !onnx.seq<tensor<*xf32>>},
                 %x: tensor<2xf32> {plan.name = "x", plan.dims = [2], plan.element = f32})
    -> (!plan.object {plan.name = "longer", plan.element = !onnx.seq<tensor<*xf32>>}) {
  %0 = plan.wrap %x as f32 : tensor<2xf32>
  %1 = plan.host "sequence.insert"(%list, %0) : (!plan.object, !plan.object) -> !plan.object
  %2 = plan.host "sequence.insert"(%1, %0) : (!plan.object, !plan.object) -> !plan.object
  return %2 : !plan.object
}

// -----

// A loop's value has two places, which change places; its body takes it out of the first.
// CHECK-LABEL: rt.program @loop
// CHECK: %[[NOW:.*]] = rt.object{{$}}
// CHECK: %[[THEN:.*]] = rt.object{{$}}
// CHECK: rt.share %{{.*}} to %[[NOW]]
// CHECK: scf.while
// CHECK: } do {
// CHECK: %[[MADE:.*]] = rt.object{{$}}
// CHECK: rt.host_call "sequence.erase" version 1(%[[NOW]]) to (%[[MADE]]) moves [0]
// CHECK: rt.share move %[[MADE]] to %[[THEN]]
// CHECK: rt.swap %[[NOW]], %[[THEN]] : !rt.object
func.func @loop(%list: !plan.object {plan.name = "list", plan.element = !onnx.seq<tensor<*xf32>>})
    -> (!plan.object {plan.name = "shorter", plan.element = !onnx.seq<tensor<*xf32>>}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %0:2 = scf.while (%i = %c0, %now = %list) : (index, !plan.object) -> (index, !plan.object) {
    %more = arith.cmpi slt, %i, %c3 : index
    scf.condition(%more) %i, %now : index, !plan.object
  } do {
  ^bb0(%i: index, %now: !plan.object):
    %next = arith.addi %i, %c1 : index
    %then = plan.host "sequence.erase"(%now) : (!plan.object) -> !plan.object
    scf.yield %next, %then : index, !plan.object
  }
  return %0#1 : !plan.object
}

// -----

// What was unwrapped lies in the object, which stays; a static size is checked.
// CHECK-LABEL: rt.program @unwrap
// CHECK: %[[X:.*]], %[[N:.*]]:2 = rt.unwrap %{{.*}} as f32 : !rt.buffer, index, index
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %[[N]]#1, %{{.*}}
// CHECK: rt.check %[[SAME]], "node 'at': a tensor has {0} elements along axis 1, expected {1}"(%[[N]]#1, %{{.*}})
// CHECK: %[[OUT:.*]] = rt.output 0 dims(%[[N]]#0)
// CHECK: rt.copy %[[X]] to %[[OUT]]
func.func @unwrap(%o: !plan.object {plan.name = "o", plan.element = !onnx.opt<tensor<*xf32>>})
    -> (tensor<?x4xf32> {plan.name = "y", plan.dims = [unit, 4], plan.element = f32}) {
  %0 = plan.host "optional.get"(%o) : (!plan.object) -> !plan.object
  %1, %n = plan.unwrap %0 as f32 : tensor<?x4xf32>, index loc("at")
  return %1 : tensor<?x4xf32>
}
