// RUN: tenon-opt %s --pass-pipeline='builtin.module(rt.program(plan-memory))' --verify-each | FileCheck %s

plan.kernel @k(%x: tensor<25xf32>) -> tensor<25xf32> {
  plan.yield %x : tensor<25xf32>
}

// Three in a row: the third can have the first's place, since the first is not read any more. Places are multiples of 64.
// CHECK-LABEL: rt.program @chain
// CHECK-SAME: arena 256
// CHECK: %[[A:.*]] = rt.temporary %{{.*}} at [[FIRST:0|128]]{{$}}
// CHECK: %[[B:.*]] = rt.temporary %{{.*}} at {{0|128}}
// CHECK: %[[C:.*]] = rt.temporary %{{.*}} at [[FIRST]]{{$}}
rt.program @chain inputs [{type = tensor<25xf32>, plan.name = "x", plan.dims = [25], plan.element = f32}]
                  outputs [{type = tensor<25xf32>, plan.name = "y", plan.dims = [25], plan.element = f32}] {
  %c1 = arith.constant 1 : index
  %c100 = arith.constant 100 : index
  %x = rt.input 0
  %a = rt.temporary %c100
  rt.launch @k(%x) to (%a) groups %c1
  %b = rt.temporary %c100
  rt.launch @k(%a) to (%b) groups %c1
  %c = rt.temporary %c100
  rt.launch @k(%b) to (%c) groups %c1
  %y = rt.output 0
  rt.launch @k(%c) to (%y) groups %c1
}

// One that is read until the end keeps its place to itself, and a view of one is that one.
// CHECK-LABEL: rt.program @view
// CHECK-SAME: arena 384
// CHECK: rt.temporary %{{.*}} at [[A:[0-9]+]]{{$}}
// CHECK: rt.temporary %{{.*}} at [[B:[0-9]+]]{{$}}
// CHECK-NOT: at [[A]]{{$}}
// CHECK-NOT: at [[B]]{{$}}
// CHECK: rt.temporary %{{.*}} at {{[0-9]+}}
rt.program @view inputs [{type = tensor<25xf32>, plan.name = "x", plan.dims = [25], plan.element = f32}]
                 outputs [{type = tensor<25xf32>, plan.name = "y", plan.dims = [25], plan.element = f32}] {
  %c1 = arith.constant 1 : index
  %c100 = arith.constant 100 : index
  %x = rt.input 0
  %a = rt.temporary %c100
  rt.launch @k(%x) to (%a) groups %c1
  %v = rt.view %a[%c1]
  %w = rt.view %v[%c1]
  %b = rt.temporary %c100
  rt.launch @k(%a) to (%b) groups %c1
  %c = rt.temporary %c100
  rt.launch @k(%b) to (%c) groups %c1
  rt.launch @k(%c) to (%b) groups %c1
  rt.launch @k(%w) to (%c) groups %c1
  %y = rt.output 0
  rt.launch @k(%b) to (%y) groups %c1
}

// Where one size is known only when the program runs, all places are.
// CHECK-LABEL: rt.program @dynamic
// CHECK-NOT: arena
// CHECK-NOT: rt.temporary {{.*}} at
// CHECK: }
plan.kernel @d(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
rt.program @dynamic inputs [{type = tensor<?xf32>, plan.name = "x", plan.dims = [unit], plan.element = f32}]
                    outputs [{type = tensor<?xf32>, plan.name = "y", plan.dims = [unit], plan.element = f32}] {
  %c1 = arith.constant 1 : index
  %c100 = arith.constant 100 : index
  %x = rt.input 0
  %n = rt.size input 0 axis 0
  %a = rt.temporary %c100
  rt.launch @d(%x) to (%a) sizes(%n, %n) groups %c1
  %b = rt.temporary %n
  rt.launch @d(%a) to (%b) sizes(%n, %n) groups %c1
  %y = rt.output 0 dims(%n)
  rt.launch @d(%b) to (%y) sizes(%n, %n) groups %c1
}

// CHECK-LABEL: rt.program @none
// CHECK-SAME: arena 0
rt.program @none inputs [] outputs [] {
}
