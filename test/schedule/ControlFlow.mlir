// RUN: tenon-opt %s --schedule-program --canonicalize --cse --plan-memory --verify-each | FileCheck %s

plan.kernel @fresh(%x: tensor<8xf32>) -> tensor<8xf32> attributes {count = affine_map<() -> (1)>} {
  plan.yield %x : tensor<8xf32>
}
plan.kernel @half(%x: tensor<?xf32>) -> tensor<?xf32> attributes {count = affine_map<()[s0, s1] -> (s1)>} {
  plan.yield %x : tensor<?xf32>
}

// The iteration writes the other of two buffers, then they change places; the first value is in the loop's own buffer.
// Both live as long as the loop, whatever they are called then.
// CHECK-LABEL: rt.program @carried
// CHECK: %[[FIRST:.*]] = rt.temporary %{{.*}} at
// CHECK: rt.launch @fresh
// CHECK: scf.while
// CHECK: } do {
// CHECK: rt.launch @fresh(%[[NOW:.*]]) to (%[[THEN:.*]]) groups
// CHECK: rt.swap %[[NOW]], %[[THEN]]
// CHECK-NOT: rt.copy
// CHECK: scf.yield
// CHECK: rt.copy %[[NOW]] to
func.func @carried(%n: tensor<i64> {plan.name = "n", plan.dims = [], plan.element = i64}, %x: tensor<8xf32> {plan.name = "x", plan.dims = [8], plan.element = f32})
    -> (tensor<8xf32> {plan.name = "y", plan.dims = [8], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %limit = tensor.extract %n[] : tensor<i64>
  %m = arith.index_cast %limit : i64 to index
  %first = plan.dispatch @fresh(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %r:2 = scf.while (%i = %c0, %v = %first) : (index, tensor<8xf32>) -> (index, tensor<8xf32>) {
    %more = arith.cmpi slt, %i, %m : index
    scf.condition(%more) %i, %v : index, tensor<8xf32>
  } do {
  ^bb0(%i: index, %v: tensor<8xf32>):
    %s = plan.dispatch @fresh(%v) : (tensor<8xf32>) -> tensor<8xf32>
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %s : index, tensor<8xf32>
  }
  return %r#1 : tensor<8xf32>
}

// A size that changes: both buffers are given memory as they are written. What is handed on is copied only where no
// dispatch computes it.
// CHECK-LABEL: rt.program @changing
// CHECK: %[[NOW:.*]] = rt.dynamic
// CHECK: %[[THEN:.*]] = rt.dynamic
// CHECK: rt.allocate %[[NOW]] bytes
// CHECK: rt.copy %{{.*}} to %[[NOW]]
// CHECK: scf.while
// CHECK: } do {
// CHECK: rt.allocate %[[THEN]] bytes
// CHECK: rt.launch @half(%[[NOW]]) to (%[[THEN]])
// CHECK: rt.swap %[[NOW]], %[[THEN]]
func.func @changing(%n: tensor<i64> {plan.name = "n", plan.dims = [], plan.element = i64}, %x: tensor<?xf32> {plan.name = "x", plan.dims = [unit], plan.element = f32})
    -> (tensor<?xf32> {plan.name = "y", plan.dims = [unit], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %limit = tensor.extract %n[] : tensor<i64>
  %m = arith.index_cast %limit : i64 to index
  %d = tensor.dim %x, %c0 : tensor<?xf32>
  %r:3 = scf.while (%i = %c0, %v = %x, %dv = %d) : (index, tensor<?xf32>, index) -> (index, tensor<?xf32>, index) {
    %more = arith.cmpi slt, %i, %m : index
    scf.condition(%more) %i, %v, %dv : index, tensor<?xf32>, index
  } do {
  ^bb0(%i: index, %v: tensor<?xf32>, %dv: index):
    %now = plan.sized %v dims(%dv) : tensor<?xf32>
    %less = arith.divui %dv, %c2 : index
    %s = plan.dispatch @half(%now) dims(%less) : (tensor<?xf32>) -> tensor<?xf32>
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %s, %less : index, tensor<?xf32>, index
  }
  %last = plan.sized %r#1 dims(%r#2) : tensor<?xf32>
  return %last : tensor<?xf32>
}

// Both branches write one buffer: by the dispatch, or by a copy of what was there before.
// CHECK-LABEL: rt.program @branches
// CHECK: %[[PLACE:.*]] = rt.temporary
// CHECK: scf.if
// CHECK: rt.launch @fresh(%{{.*}}) to (%[[PLACE]])
// CHECK: } else {
// CHECK: rt.copy %{{.*}} to %[[PLACE]]
// CHECK: rt.launch @fresh(%[[PLACE]])
func.func @branches(%c: tensor<i1> {plan.name = "c", plan.dims = [], plan.element = i1}, %x: tensor<8xf32> {plan.name = "x", plan.dims = [8], plan.element = f32})
    -> (tensor<8xf32> {plan.name = "y", plan.dims = [8], plan.element = f32}) {
  %first = tensor.extract %c[] : tensor<i1>
  %r = scf.if %first -> (tensor<8xf32>) {
    %s = plan.dispatch @fresh(%x) : (tensor<8xf32>) -> tensor<8xf32>
    scf.yield %s : tensor<8xf32>
  } else {
    scf.yield %x : tensor<8xf32>
  }
  %y = plan.dispatch @fresh(%r) : (tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// What is collected grows in one buffer; rows of other sizes stop the run.
// CHECK-LABEL: rt.program @collected
// CHECK: %[[ALL:.*]] = rt.dynamic
// CHECK: } do {
// CHECK: rt.check %{{.*}}, "a value that is collected has {0} elements along axis 0 now and had {1} before"
// CHECK: rt.allocate %[[ALL]] bytes %{{.*}} keep
// CHECK: %[[END:.*]] = rt.view %[[ALL]]
// CHECK: rt.copy %{{.*}} to %[[END]]
func.func @collected(%x: tensor<?xf32> {plan.name = "x", plan.dims = [unit], plan.element = f32})
    -> (tensor<?x?xf32> {plan.name = "y", plan.dims = [unit, unit], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d = tensor.dim %x, %c0 : tensor<?xf32>
  %none = arith.constant dense<> : tensor<0x0xf32>
  %nothing = plan.reshape %none dims(%c0, %c0) : tensor<0x0xf32> to tensor<?x?xf32>
  %r:3 = scf.while (%rows = %c0, %all = %nothing, %columns = %c0) : (index, tensor<?x?xf32>, index) -> (index, tensor<?x?xf32>, index) {
    %more = arith.cmpi slt, %rows, %d : index
    scf.condition(%more) %rows, %all, %columns : index, tensor<?x?xf32>, index
  } do {
  ^bb0(%rows: index, %all: tensor<?x?xf32>, %columns: index):
    %now = plan.sized %all dims(%rows, %columns) : tensor<?x?xf32>
    %s = plan.dispatch @half(%x) dims(%rows) : (tensor<?xf32>) -> tensor<?xf32>
    %more = plan.append %s to %now : tensor<?xf32> to tensor<?x?xf32> -> tensor<?x?xf32>
    %next = arith.addi %rows, %c1 : index
    scf.yield %next, %more, %rows : index, tensor<?x?xf32>, index
  }
  %last = plan.sized %r#1 dims(%r#0, %r#2) : tensor<?x?xf32>
  return %last : tensor<?x?xf32>
}
