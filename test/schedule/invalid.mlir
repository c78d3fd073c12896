// RUN: tenon-opt %s --schedule-program --split-input-file --verify-diagnostics

plan.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
  plan.yield %x : tensor<4xf32>
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{calls a kernel without generated code}}
  %0 = plan.dispatch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{is neither a dispatch nor a size; it should be in a kernel by now}}
  %0 = tensor.empty() : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @below {{input 0 is not a tensor}}
func.func @main(%x: index) {
  return
}

// -----

func.func @main(%x: tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{a size that depends on data is an integer, not 'f32'}}
  %0 = tensor.extract %x[%c0] : tensor<4xf32>
  return
}

// -----

func.func @main(%x: tensor<?xf32>, %i: tensor<index>) {
  %n = tensor.extract %i[] : tensor<index>
  // expected-error @below {{asks for a dimension that is not constant}}
  %0 = tensor.dim %x, %n : tensor<?xf32>
  return
}
