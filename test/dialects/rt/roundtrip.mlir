// RUN: tenon-opt %s | tenon-opt | FileCheck %s
// RUN: tenon-opt %s --mlir-print-op-generic | tenon-opt | FileCheck %s

plan.dimension @n
plan.weight @w : tensor<8xf32>
plan.kernel @k(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %i: index) -> tensor<?x8xf32> {
  plan.yield %x : tensor<?x8xf32>
}
plan.kernel @static(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  plan.yield %x, %x : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: rt.program @dynamic
// CHECK-SAME: inputs [{plan.dims = [@n, 8], plan.element = f32, plan.name = "x", type = tensor<?x8xf32>}]
// CHECK-SAME: outputs [{plan.dims = [@n, 8], plan.element = f32, plan.name = "y", type = tensor<?x8xf32>}] {
rt.program @dynamic inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [@n, 8], plan.element = f32}]
                    outputs [{type = tensor<?x8xf32>, plan.name = "y", plan.dims = [@n, 8], plan.element = f32}] {
  // CHECK: %[[X:.*]] = rt.input 0
  %x = rt.input 0
  // CHECK: %[[N:.*]] = rt.size input 0 axis 0
  %n = rt.size input 0 axis 0
  // CHECK: %[[W:.*]] = rt.weight @w
  %w = rt.weight @w
  // CHECK: %[[C:.*]] = rt.constant dense<[1, 2]> : tensor<2xi64>
  %c = rt.constant dense<[1, 2]> : tensor<2xi64>
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  // CHECK: %[[BYTES:.*]] = arith.muli %[[N]],
  %bytes = arith.muli %n, %c32 : index
  // CHECK: %[[T:.*]] = rt.temporary %[[BYTES]]{{$}}
  %t = rt.temporary %bytes
  // CHECK: %[[READ:.*]] = rt.read %[[C]][%{{.*}}] width 8
  %read = rt.read %c[%c1] width 8
  // CHECK: %[[LESS:.*]] = arith.cmpi slt, %[[READ]], %[[N]]
  %less = arith.cmpi slt, %read, %n : index
  // CHECK: rt.check %[[LESS]], "too few rows"
  rt.check %less, "too few rows"
  // CHECK: rt.check %[[LESS]], "{0} rows of {1}"(%[[READ]], %[[N]])
  rt.check %less, "{0} rows of {1}"(%read, %n)
  // CHECK: rt.launch @k(%[[X]], %[[W]]) to (%[[T]]) sizes(%[[N]], %[[N]], %[[READ]]) groups %{{.*}}
  rt.launch @k(%x, %w) to (%t) sizes(%n, %n, %read) groups %c1
  // CHECK: %[[D:.*]] = rt.dynamic
  %d = rt.dynamic
  %d2 = rt.dynamic
  // CHECK: rt.allocate %[[D]] bytes %{{[^ ]*}}{{$}}
  rt.allocate %d bytes %c32
  // CHECK: rt.allocate %[[D]] bytes %{{.*}} keep
  rt.allocate %d bytes %c32 keep
  // CHECK: rt.swap %[[D]], %{{.*}}
  rt.swap %d, %d2 : !rt.buffer
  // CHECK: %[[V:.*]] = rt.view %[[T]][%{{.*}}]
  %v = rt.view %t[%c32]
  // CHECK: %[[Y:.*]] = rt.output 0 dims(%[[N]])
  %y = rt.output 0 dims(%n)
  // CHECK: rt.copy %[[V]] to %[[Y]] bytes %{{.*}}
  rt.copy %v to %y bytes %c32
}

// CHECK-LABEL: rt.program @planned
// CHECK-SAME: inputs [] outputs [{{.*}}, {{.*}}] arena 128 attributes {note = "kept"} {
rt.program @planned inputs [] outputs [{type = tensor<4xf32>, plan.name = "a", plan.dims = [4], plan.element = f32},
                                       {type = tensor<i8>, plan.name = "b", plan.dims = [], plan.element = ui8}]
    arena 128 attributes {note = "kept"} {
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  // CHECK: %[[S:.*]] = rt.temporary %{{.*}} at 64
  %s = rt.temporary %c16 at 64
  // CHECK: %[[A:.*]] = rt.output 0{{$}}
  %a = rt.output 0
  %b = rt.output 1
  // CHECK: rt.launch @static(%[[S]]) to (%[[A]], %[[S]]) groups %{{.*}}
  rt.launch @static(%s) to (%a, %s) groups %c1
  rt.copy %s to %b bytes %c1
}

// Buffers that control flow gives memory and lets change places; scalars are what it hands on.
// CHECK-LABEL: rt.program @loop
rt.program @loop inputs [] outputs [{type = tensor<?xi8>, plan.name = "y", plan.dims = [unit], plan.element = i8}] {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // CHECK: %[[A:.*]] = rt.dynamic{{$}}
  %a = rt.dynamic
  // CHECK: %[[B:.*]] = rt.dynamic{{$}}
  %b = rt.dynamic
  // CHECK: rt.allocate %[[A]] bytes %{{.*}}{{$}}
  rt.allocate %a bytes %c1
  // CHECK: %[[N:.*]] = scf.while
  %n = scf.while (%i = %c1) : (index) -> index {
    %more = arith.cmpi slt, %i, %c4 : index
    scf.condition(%more) %i : index
  } do {
  ^bb0(%i: index):
    %next = arith.addi %i, %c1 : index
    // CHECK: rt.allocate %[[B]] bytes %{{.*}} keep
    rt.allocate %b bytes %next keep
    // CHECK: rt.copy %[[A]] to %[[B]]
    rt.copy %a to %b bytes %i
    // CHECK: rt.swap %[[A]], %[[B]]
    rt.swap %a, %b : !rt.buffer
    scf.yield %next : index
  }
  %y = rt.output 0 dims(%n)
  %odd = arith.cmpi eq, %n, %c1 : index
  // CHECK: scf.if
  scf.if %odd {
    rt.copy %a to %y bytes %n
  } else {
    rt.copy %b to %y bytes %n
  }
}

// CHECK-LABEL: rt.program @objects
rt.program @objects inputs [{type = !plan.object, plan.name = "list", plan.element = f32}]
                    outputs [{type = !plan.object, plan.name = "longer", plan.element = f32},
                             {type = tensor<?xf32>, plan.name = "x", plan.dims = [unit], plan.element = f32}] {
  // CHECK: %[[LIST:.*]] = rt.object_input 0
  %list = rt.object_input 0
  // CHECK: %[[A:.*]] = rt.object{{$}}
  %a = rt.object
  %b = rt.object
  // CHECK: %[[NONE:.*]] = rt.absent
  %none = rt.absent
  // CHECK: %[[STRINGS:.*]] = rt.strings dense<"a"> : tensor<!onnx.string>
  %strings = rt.strings dense<"a"> : tensor<!onnx.string>
  // CHECK: rt.host_call "sequence.at" version 1(%[[LIST]], %[[NONE]]) to (%[[A]])
  rt.host_call "sequence.at" version 1(%list, %none) to (%a)
  // CHECK: %[[X:.*]], %[[N:.*]] = rt.unwrap %[[A]] as f32 : !rt.buffer, index
  %x, %n = rt.unwrap %a as f32 : !rt.buffer, index
  // CHECK: rt.wrap %[[X]] as f32 sizes(%[[N]]) to %[[B:.*]]
  rt.wrap %x as f32 sizes(%n) to %b
  // CHECK: rt.host_call "string.split" version 2(%[[A]], %[[STRINGS]]) to (%[[B]]) {axis = 1 : i64} moves [0]
  rt.host_call "string.split" version 2(%a, %strings) to (%b) {axis = 1} moves [0]
  // CHECK: rt.swap %[[A]], %[[B]] : !rt.object
  rt.swap %a, %b : !rt.object
  %longer = rt.object_output 0
  // CHECK: rt.share %[[A]] to %[[B]]
  rt.share %a to %b
  // CHECK: rt.share move %[[A]] to %{{.*}}
  rt.share move %a to %longer
  %c0 = arith.constant 0 : index
  %y = rt.output 1 dims(%c0)
}
