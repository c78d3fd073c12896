// RUN: tenon-opt %s --verify-plan --split-input-file --verify-diagnostics

// All that a model may consist of.

plan.dimension @n
plan.weight @w : tensor<8xf32>
plan.kernel @k(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %i: index) -> (tensor<?x8xf32>, tensor<2xi64>) {
  %0 = arith.constant dense<1> : tensor<2xi64>
  plan.yield %x, %0 : tensor<?x8xf32>, tensor<2xi64>
}
func.func @main(%x: tensor<?x8xf32> {plan.name = "x", plan.dims = [@n, 8], plan.element = f32},
                %z: tensor<?xf32> {plan.name = "z", plan.dims = [unit], plan.element = f32})
    -> (tensor<?x?xf32> {plan.name = "y", plan.dims = [unit, unit], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %table = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %scale = arith.constant 2.0 : f32
  %double = arith.addf %scale, %scale : f32
  %n = plan.dim @n : index
  %m = tensor.dim %z, %c0 : tensor<?xf32>
  %i = affine.min affine_map<(a)[b] -> (a + b, 8)>(%n)[%m]
  %w = plan.get_weight @w : tensor<8xf32>
  %y:2 = plan.dispatch @k(%x, %w)[%i] dims(%n) : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x8xf32>, tensor<2xi64>)
  %a = tensor.extract %y#1[%c1] : tensor<2xi64>
  %b = arith.index_cast %a : i64 to index
  %c = arith.ceildivsi %b, %m : index
  %r = plan.reshape %y#0 dims(%b, %c) : tensor<?x8xf32> to tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @kernel_work(%x: tensor<4xf32> {plan.name = "x", plan.dims = [4], plan.element = f32})
    -> (tensor<4xf32> {plan.name = "y", plan.dims = [4], plan.element = f32}) {
  %0 = tensor.empty() : tensor<4xf32>
  // expected-error @above {{is neither a dispatch nor a size; it should be in a kernel by now}}
  %1 = linalg.exp ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

func.func @tensor_arithmetic(%x: tensor<4xf32> {plan.name = "x", plan.dims = [4], plan.element = f32})
    -> (tensor<4xf32> {plan.name = "y", plan.dims = [4], plan.element = f32}) {
  // expected-error @below {{is neither a dispatch nor a size; it should be in a kernel by now}}
  %0 = arith.addf %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// In what a branch does, too.
func.func @branch(%x: tensor<4xf32> {plan.name = "x", plan.dims = [4], plan.element = f32})
    -> (tensor<4xf32> {plan.name = "y", plan.dims = [4], plan.element = f32}) {
  %true = arith.constant true
  %0 = scf.if %true -> tensor<4xf32> {
    scf.yield %x : tensor<4xf32>
  } else {
    // expected-error @below {{is neither a dispatch nor a size; it should be in a kernel by now}}
    %1 = tensor.empty() : tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// What a dispatch gives is as large as the dispatch says; to ask would be to go round.
plan.kernel @k(%x: tensor<?xf32>) -> tensor<?xf32> {
  plan.yield %x : tensor<?xf32>
}
func.func @size_of_result(%x: tensor<?xf32> {plan.name = "x", plan.dims = [unit], plan.element = f32})
    -> (tensor<?xf32> {plan.name = "y", plan.dims = [unit], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %0 = plan.dispatch @k(%x) dims(%n) : (tensor<?xf32>) -> tensor<?xf32>
  // expected-error @below {{asks for a size that is not one of an argument's}}
  %m = tensor.dim %0, %c0 : tensor<?xf32>
  %1 = plan.dispatch @k(%0) dims(%m) : (tensor<?xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// -----

func.func @float_size(%x: tensor<4xf32> {plan.name = "x", plan.dims = [4], plan.element = f32}) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{reads 'f32'; a size that depends on data is an integer}}
  %0 = tensor.extract %x[%c0] : tensor<4xf32>
  return
}

// -----

// expected-error @below {{has 2 blocks; a model has one}}
func.func @blocks() {
  cf.br ^end
^end:
  return
}

// -----

// expected-error @below {{argument 0 needs plan.name, plan.dims and plan.element}}
func.func @nameless(%x: tensor<4xf32> {plan.dims = [4], plan.element = f32}) {
  return
}

// -----

// expected-error @below {{result 1 needs plan.name, plan.dims and plan.element}}
func.func @result(%x: tensor<4xf32> {plan.name = "x", plan.dims = [4], plan.element = f32})
    -> (tensor<4xf32> {plan.name = "y", plan.dims = [4], plan.element = f32}, tensor<4xf32>) {
  return %x, %x : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @below {{argument 0 is no ranked tensor and no object but 'tensor<*xf32>'}}
func.func @unranked(%x: tensor<*xf32> {plan.name = "x", plan.element = f32}) {
  return
}

// -----

plan.weight @w : tensor<4xf32>
// expected-error @below {{result 0 has dimension @w, which is not a plan.dimension}}
func.func @dimension(%x: tensor<?xf32> {plan.name = "x", plan.dims = [unit], plan.element = f32})
    -> (tensor<?xf32> {plan.name = "y", plan.dims = [@w], plan.element = f32}) {
  return %x : tensor<?xf32>
}
