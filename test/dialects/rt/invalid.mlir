// RUN: tenon-opt %s --split-input-file --verify-diagnostics

//===--- the signature ----------------------------------------------------===//

// expected-error @below {{input 0 has no type of a ranked tensor}}
rt.program @main inputs [{plan.name = "x"}] outputs [] {
}

// -----

// expected-error @below {{input 0 has no type of a ranked tensor}}
rt.program @main inputs ["x"] outputs [] {
}

// -----

// expected-error @below {{output 0 has no type of a ranked tensor}}
rt.program @main inputs [] outputs [{type = tensor<*xf32>, plan.name = "y", plan.element = f32}] {
}

// -----

// expected-error @below {{input 1 needs plan.name and plan.element}}
rt.program @main inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32},
    {type = tensor<4xf32>, plan.dims = [4], plan.element = f32}] outputs [] {
}

// -----

// expected-error @below {{input 0 needs plan.name and plan.element}}
rt.program @main inputs [{type = tensor<4xf32>, plan.name = "x", plan.dims = [4]}] outputs [] {
}

// -----

// expected-error @below {{input 0 needs plan.dims for each dimension of 'tensor<4xf32>'}}
rt.program @main inputs [{type = tensor<4xf32>, plan.name = "x", plan.element = f32}] outputs [] {
}

// -----

// expected-error @below {{output 0 needs plan.dims for each dimension of 'tensor<4xf32>'}}
rt.program @main inputs [] outputs [{type = tensor<4xf32>, plan.name = "y", plan.dims = [4, 1], plan.element = f32}] {
}

// -----

// expected-error @below {{does not give output 0}}
rt.program @main inputs [] outputs [{type = tensor<4xf32>, plan.name = "y", plan.dims = [4], plan.element = f32}] {
}

// -----

// expected-error @below {{has an arena of a negative size}}
rt.program @main inputs [] outputs [] arena -64 {
}

// -----

rt.program @main inputs [] outputs [] {
  // expected-error @below {{is neither a command nor arithmetic of sizes nor control flow}}
  %0 = tensor.empty() : tensor<4xf32>
}

// -----

//===--- positions --------------------------------------------------------===//

// expected-error @below {{belongs in a rt.program}}
%0 = rt.input 0

// -----

rt.program @main inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32}] outputs [] {
  // expected-error @below {{asks for input 1 of 1}}
  %0 = rt.input 1
}

// -----

rt.program @main inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32}] outputs [] {
  // expected-error @below {{asks for input -1 of 1}}
  %0 = rt.input -1
}

// -----

rt.program @main inputs [] outputs [{type = tensor<4xf32>, plan.name = "y", plan.dims = [4], plan.element = f32}] {
  // expected-error @below {{asks for output 1 of 1}}
  %0 = rt.output 1
}

// -----

rt.program @main inputs [] outputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32}] {
  // expected-error @below {{gives 0 dynamic dimensions for 'tensor<?x8xf32>'}}
  %0 = rt.output 0
}

// -----

rt.program @main inputs [] outputs [] {
  // expected-error @below {{asks for input 0 of 0}}
  %0 = rt.size input 0 axis 0
}

// -----

rt.program @main inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32}] outputs [] {
  // expected-error @below {{asks for axis 2 of an input of rank 2}}
  %0 = rt.size input 0 axis 2
}

// -----

rt.program @main inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32}] outputs [] {
  // expected-error @below {{asks for axis -1 of an input of rank 2}}
  %0 = rt.size input 0 axis -1
}

// -----

//===--- buffers ----------------------------------------------------------===//

rt.program @main inputs [] outputs [] {
  %c64 = arith.constant 64 : index
  // expected-error @below {{has a place in an arena without a size}}
  %0 = rt.temporary %c64 at 64
}

// -----

rt.program @main inputs [] outputs [] arena 128 {
  %c64 = arith.constant 64 : index
  %0 = rt.temporary %c64 at 64
  // expected-error @below {{has no place in the program's arena}}
  %1 = rt.temporary %c64
}

// -----

rt.program @main inputs [] outputs [] arena 128 {
  %c64 = arith.constant 64 : index
  // expected-error @below {{has a place that is no multiple of 64: 32}}
  %0 = rt.temporary %c64 at 32
}

// -----

rt.program @main inputs [] outputs [] arena 128 {
  %c64 = arith.constant 64 : index
  // expected-error @below {{has a place that is no multiple of 64: -64}}
  %0 = rt.temporary %c64 at -64
}

// -----

plan.dimension @w
rt.program @main inputs [] outputs [] {
  // expected-error @below {{@w is not a plan.weight}}
  %0 = rt.weight @w
}

// -----

rt.program @main inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32}] outputs [] {
  %c0 = arith.constant 0 : index
  %0 = rt.input 0
  // expected-error @below {{reads 1, 2, 4 or 8 bytes, not 3}}
  %1 = rt.read %0[%c0] width 3
}

// -----

//===--- commands ---------------------------------------------------------===//

plan.weight @k : tensor<4xf32>
rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  // expected-error @below {{@k is not a plan.kernel}}
  rt.launch @k() to () groups %c1
}

// -----

plan.kernel @k(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %t = rt.temporary %c1
  // expected-error @below {{has 0 buffers to read, 1 to write and 2 sizes, but @k takes 1, 1 and 2}}
  rt.launch @k() to (%t) sizes(%c1, %c1) groups %c1
}

// -----

plan.kernel @k(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %t = rt.temporary %c1
  // expected-error @below {{has 1 buffers to read, 2 to write and 2 sizes, but @k takes 1, 1 and 2}}
  rt.launch @k(%t) to (%t, %t) sizes(%c1, %c1) groups %c1
}

// -----

plan.kernel @k(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %t = rt.temporary %c1
  // expected-error @below {{has 1 buffers to read, 1 to write and 1 sizes, but @k takes 1, 1 and 2}}
  rt.launch @k(%t) to (%t) sizes(%c1) groups %c1
}

// -----

plan.kernel @k(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
rt.program @main inputs [{type = tensor<?x8xf32>, plan.name = "x", plan.dims = [unit, 8], plan.element = f32}] outputs [] {
  %c1 = arith.constant 1 : index
  %x = rt.input 0
  // expected-error @below {{writes to a rt.input, which is read-only}}
  rt.launch @k(%x) to (%x) sizes(%c1, %c1) groups %c1
}

// -----

plan.weight @w : tensor<4xf32>
rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %w = rt.weight @w
  %v = rt.view %w[%c1]
  %u = rt.view %v[%c1]
  %t = rt.temporary %c1
  // expected-error @below {{writes to a rt.weight, which is read-only}}
  rt.copy %t to %u bytes %c1
}

// -----

rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %c = rt.constant dense<1> : tensor<4xi8>
  %t = rt.temporary %c1
  // expected-error @below {{writes to a rt.constant, which is read-only}}
  rt.copy %t to %c bytes %c1
}

// -----

//===--- what control flow hands on ---------------------------------------===//

rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %t = rt.temporary %c1
  // expected-error @below {{gives memory to something else than an rt.dynamic}}
  rt.allocate %t bytes %c1
}

// -----

rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %t = rt.temporary %c1
  %d = rt.dynamic
  // expected-error @below {{exchanges two rt.dynamic, two rt.object, or two rt.temporary of the same size}}
  rt.swap %t, %d : !rt.buffer
}

// -----

rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %t = rt.temporary %c1
  %u = rt.temporary %c2
  // expected-error @below {{exchanges two rt.dynamic, two rt.object, or two rt.temporary of the same size}}
  rt.swap %t, %u : !rt.buffer
}

// -----

rt.program @main inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // expected-error @below {{is neither a command nor arithmetic of sizes nor control flow}}
  scf.for %i = %c1 to %c2 step %c1 {
  }
}

// -----

rt.program @main inputs [] outputs [] {
  %true = arith.constant true
  %c1 = arith.constant 1 : index
  %a = rt.temporary %c1
  %b = scf.if %true -> !rt.buffer {
    %c = rt.temporary %c1
    // expected-error @below {{hands on a buffer or object; these are declared before control flow}}
    scf.yield %c : !rt.buffer
  } else {
    scf.yield %a : !rt.buffer
  }
}

// -----

//===--- objects ----------------------------------------------------------===//

rt.program @main inputs [{type = !plan.object, plan.name = "x", plan.element = f32}] outputs [] {
  // expected-error @below {{takes '!plan.object' for a tensor}}
  %x = rt.input 0
}

// -----

rt.program @main inputs [{type = tensor<4xf32>, plan.name = "x", plan.dims = [4], plan.element = f32}] outputs [] {
  // expected-error @below {{takes 'tensor<4xf32>' for an object}}
  %x = rt.object_input 0
}

// -----

// expected-error @below {{does not give output 0}}
rt.program @main inputs [] outputs [{type = !plan.object, plan.name = "y", plan.element = f32}] {
  %x = rt.object
}

// -----

rt.program @main inputs [{type = !plan.object, plan.name = "x", plan.element = f32}] outputs [] {
  %x = rt.object_input 0
  %a = rt.object
  // expected-error @below {{puts a value into something else than an rt.object or an output}}
  rt.share %a to %x
}

// -----

rt.program @main inputs [{type = !plan.object, plan.name = "x", plan.element = f32}] outputs [] {
  %x = rt.object_input 0
  %a = rt.object
  // expected-error @below {{empties something else than an rt.object}}
  rt.share move %x to %a
}

// -----

rt.program @main inputs [] outputs [] {
  %a = rt.object
  // expected-error @below {{moves read 1 of 1}}
  rt.host_call "f" version 1(%a) to () moves [1]
}

// -----

rt.program @main inputs [] outputs [] {
  %s = rt.absent
  // expected-error @below {{puts a value into something else than an rt.object or an output}}
  rt.host_call "f" version 1() to (%s)
}

// -----

rt.program @main inputs [] outputs [] {
  %c4 = arith.constant 4 : index
  %t = rt.temporary %c4
  %o = rt.object
  %x, %n = rt.unwrap %o as f32 : !rt.buffer, index
  // expected-error @below {{writes to a rt.unwrap, which is read-only}}
  rt.copy %t to %x bytes %c4
}
