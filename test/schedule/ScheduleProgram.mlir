// RUN: tenon-opt %s --schedule-program --canonicalize --cse --verify-each --split-input-file | FileCheck %s

// A chain of dispatches: sizes are computed, the value in between is a temporary, the last is written to the caller.

// CHECK: plan.kernel @k
// CHECK-NOT: func.func
// CHECK: rt.program @main inputs [{plan.dims = [@n, 8], plan.element = f32, plan.name = "x", type = tensor<?x8xf32>}]
// CHECK-SAME: outputs [{plan.dims = [@n, 8], plan.element = f32, plan.name = "y", type = tensor<?x8xf32>}]
// CHECK: %[[I:.*]] = arith.constant 7
// CHECK: %[[X:.*]] = rt.input 0
// CHECK: %[[N:.*]] = rt.size input 0 axis 0
// CHECK: %[[BYTES:.*]] = arith.muli %[[N]], %c32
// CHECK: %[[T:.*]] = rt.temporary %[[BYTES]]
// Its sizes are those of argument and result, then the index; its groups follow from them.
// CHECK: %[[GROUPS:.*]] = arith.ceildivsi %[[N]], %c4
// CHECK: rt.launch @k(%[[X]]) to (%[[T]]) sizes(%[[N]], %[[N]], %[[I]]) groups %[[GROUPS]]
// CHECK: %[[Y:.*]] = rt.output 0 dims(%[[N]])
// CHECK: rt.launch @k(%[[T]]) to (%[[Y]]) sizes(%[[N]], %[[N]], %[[I]]) groups
// CHECK-NOT: rt.copy
plan.dimension @n
plan.kernel @k(%x: tensor<?x8xf32>, %i: index) -> tensor<?x8xf32> attributes {count = affine_map<()[n, m, i] -> (n ceildiv 4)>} {
  plan.yield %x : tensor<?x8xf32>
}
func.func @main(%x: tensor<?x8xf32> {plan.name = "x", plan.dims = [@n, 8], plan.element = f32})
    -> (tensor<?x8xf32> {plan.name = "y", plan.dims = [@n, 8], plan.element = f32}) {
  %c7 = arith.constant 7 : index
  %n = plan.dim @n : index
  %0 = plan.dispatch @k(%x)[%c7] dims(%n) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = plan.dispatch @k(%0)[%c7] dims(%n) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// What no dispatch makes, and what is given twice, is copied to the caller.

// CHECK: rt.program @copies
// CHECK: %[[X:.*]] = rt.input 0
// CHECK: %[[W:.*]] = rt.weight @w
// CHECK: %[[C:.*]] = rt.constant dense<2.0{{.*}}> : tensor<4xf32>
// CHECK: %[[Y:.*]] = rt.output 3
// CHECK: rt.launch @k(%[[X]]) to (%[[Y]]) groups
// CHECK: %[[OUT0:.*]] = rt.output 0
// CHECK: rt.copy %[[X]] to %[[OUT0]] bytes %[[BYTES:.*]]
// CHECK: %[[OUT1:.*]] = rt.output 1
// CHECK: rt.copy %[[W]] to %[[OUT1]] bytes
// CHECK: %[[OUT2:.*]] = rt.output 2
// CHECK: rt.copy %[[C]] to %[[OUT2]] bytes
// CHECK-NOT: rt.output 3
// CHECK: %[[OUT4:.*]] = rt.output 4
// CHECK: rt.copy %[[Y]] to %[[OUT4]] bytes
plan.weight @w : tensor<4xf32>
plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {count = affine_map<() -> (1)>} {
  plan.yield %x : tensor<4xf32>
}
func.func @copies(%x: tensor<4xf32> {plan.name = "x", plan.dims = [4], plan.element = f32})
    -> (tensor<4xf32> {plan.name = "a", plan.dims = [4], plan.element = f32},
        tensor<4xf32> {plan.name = "b", plan.dims = [4], plan.element = f32},
        tensor<4xf32> {plan.name = "c", plan.dims = [4], plan.element = f32},
        tensor<4xf32> {plan.name = "d", plan.dims = [4], plan.element = f32},
        tensor<4xf32> {plan.name = "e", plan.dims = [4], plan.element = f32}) {
  %w = plan.get_weight @w : tensor<4xf32>
  %c = arith.constant dense<2.0> : tensor<4xf32>
  %y = plan.dispatch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %x, %w, %c, %y, %y : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Reshapes are other names of a buffer. Where both shapes depend on the inputs, the program checks that they agree, before
// anything is written to the caller's tensor, which is as large as the reshape says.

// CHECK: rt.program @reshape
// CHECK: %[[X:.*]] = rt.input 0
// CHECK-DAG: %[[M:.*]] = rt.size input 0 axis 0
// CHECK-DAG: %[[N:.*]] = rt.size input 0 axis 1
// CHECK: %[[SAME:.*]] = arith.cmpi eq
// CHECK: rt.check %[[SAME]], "node 'flatten': a tensor of {0} elements cannot have a shape of {1}"(%{{.*}}, %{{.*}})
// CHECK-NOT: rt.check
// CHECK: %[[Y:.*]] = rt.output 0 dims(%[[N]])
// CHECK: rt.launch @k(%[[X]]) to (%[[Y]]) sizes(%[[M]], %[[N]], %[[M]], %[[N]])
// CHECK-NOT: rt.check
// CHECK-NOT: rt.copy
plan.kernel @k(%x: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {count = affine_map<()[a, b, c, d] -> (1)>} {
  plan.yield %x : tensor<?x?xf32>
}
func.func @reshape(%x: tensor<?x?xf32> {plan.name = "x", plan.dims = [unit, unit], plan.element = f32})
    -> (tensor<2x?xf32> {plan.name = "y", plan.dims = [2, unit], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %0 = plan.dispatch @k(%x) dims(%m, %n) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = plan.reshape %0 dims(%n) : tensor<?x?xf32> to tensor<2x?xf32> loc("flatten")
  return %1 : tensor<2x?xf32>
}

// -----

// Shapes that hold as many elements by what they are made of need no check.

// CHECK: rt.program @split
// CHECK-NOT: rt.check
// CHECK: rt.launch
plan.kernel @k(%x: tensor<?x8xf32>) -> tensor<?x8xf32> attributes {count = affine_map<()[a, b] -> (1)>} {
  plan.yield %x : tensor<?x8xf32>
}
func.func @split(%x: tensor<?x8xf32> {plan.name = "x", plan.dims = [unit, 8], plan.element = f32})
    -> (tensor<?x2x4xf32> {plan.name = "y", plan.dims = [unit, 2, 4], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %0 = plan.dispatch @k(%x) dims(%n) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = plan.reshape %0 dims(%n) : tensor<?x8xf32> to tensor<?x2x4xf32>
  return %1 : tensor<?x2x4xf32>
}

// -----

// A shape that is computed only later cannot say where the dispatch before it writes: into a temporary, which is copied.

// CHECK: rt.program @late
// CHECK: %[[T:.*]] = rt.temporary
// CHECK: rt.launch @k(%{{.*}}) to (%[[T]])
// CHECK: %[[S:.*]] = rt.temporary
// CHECK: rt.launch @count(%[[T]]) to (%[[S]])
// CHECK: %[[READ:.*]] = rt.read %[[S]][%{{.*}}] width 8
// CHECK: rt.check
// CHECK: %[[Y:.*]] = rt.output 0 dims(%[[READ]])
// CHECK: rt.copy %[[T]] to %[[Y]]
plan.kernel @k(%x: tensor<8xf32>) -> tensor<8xf32> attributes {count = affine_map<() -> (1)>} {
  plan.yield %x : tensor<8xf32>
}
plan.kernel @count(%x: tensor<8xf32>) -> tensor<1xindex> attributes {count = affine_map<() -> (1)>} {
  %0 = tensor.empty() : tensor<1xindex>
  plan.yield %0 : tensor<1xindex>
}
func.func @late(%x: tensor<8xf32> {plan.name = "x", plan.dims = [8], plan.element = f32})
    -> (tensor<?x2xf32> {plan.name = "y", plan.dims = [unit, 2], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %0 = plan.dispatch @k(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = plan.dispatch @count(%0) : (tensor<8xf32>) -> tensor<1xindex>
  %n = tensor.extract %1[%c0] : tensor<1xindex>
  %2 = plan.reshape %0 dims(%n) : tensor<8xf32> to tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
}

// -----

// An element read back is found by its position, row-major; what it is used for stays arithmetic of the program.

// CHECK: rt.program @data
// CHECK: %[[X:.*]] = rt.input 0
// CHECK: %[[N:.*]] = rt.read %[[X]][%c5] width 4
// CHECK: %[[LEAST:.*]] = arith.minsi %[[N]], %c8
// CHECK: rt.output 0 dims(%[[LEAST]])
plan.kernel @k(%x: tensor<2x3xi32>) -> tensor<?xi32> attributes {count = affine_map<()[n] -> (n)>} {
  %0 = tensor.empty() : tensor<2xi32>
  %1 = tensor.cast %0 : tensor<2xi32> to tensor<?xi32>
  plan.yield %1 : tensor<?xi32>
}
func.func @data(%x: tensor<2x3xi32> {plan.name = "x", plan.dims = [2, 3], plan.element = i32})
    -> (tensor<?xi32> {plan.name = "y", plan.dims = [unit], plan.element = i32}) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0 = tensor.extract %x[%c1, %c2] : tensor<2x3xi32>
  %n = arith.index_cast %0 : i32 to index
  %m = affine.min affine_map<(a) -> (a, 8)>(%n)
  %1 = plan.dispatch @k(%x) dims(%m) : (tensor<2x3xi32>) -> tensor<?xi32>
  return %1 : tensor<?xi32>
}
