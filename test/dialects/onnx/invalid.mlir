// RUN: tenon-opt %s --split-input-file --verify-diagnostics

func.func @element_type(%x: tensor<4xi1>) {
  // expected-error @+1 {{operand #0 must be}}
  %y = onnx.Relu %x : (tensor<4xi1>) -> tensor<4xi1>
  return
}

// -----

func.func @type_variable(%a: tensor<4xf32>, %b: tensor<4xf16>) {
  // expected-error @+1 {{operands and results of type T (A, B, C) have the same element type}}
  %c = onnx.Add %a, %b : (tensor<4xf32>, tensor<4xf16>) -> tensor<4xf32>
  return
}

// -----

func.func @variadic_type_variable(%a: tensor<4xf32>, %b: tensor<4xf16>) {
  // expected-error @+1 {{have the same element type}}
  %c = onnx.Concat %a, %b {axis = 0 : i64} : (tensor<4xf32>, tensor<4xf16>) -> tensor<8xf32>
  return
}

// -----

func.func @sequence_elements(%a: !onnx.seq<tensor<4xf32>>, %b: tensor<4xf32>) {
  // expected-error @+1 {{operand #1 must be}}
  %c = onnx.SequenceAt %a, %b : (!onnx.seq<tensor<4xf32>>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @missing_attribute(%a: tensor<4xf32>) {
  // expected-error @+1 {{requires attribute 'axis'}}
  %c = onnx.Concat %a : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @attribute_kind(%a: tensor<4xf32>) {
  // expected-error @+1 {{attribute 'axis' failed to satisfy constraint: 64-bit signless integer attribute}}
  %c = onnx.Concat %a {axis = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @missing_operand(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @+1 {{expected 3 operands}}
  %conv = onnx.Conv %x, %w : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<?x4x6x6xf32>
  return
}

// -----

func.func @required_operand(%x: tensor<?x3x8x8xf32>) {
  %none = onnx.NoValue
  // expected-error @+1 {{operand #1 must be}}
  %conv = onnx.Conv %x, %none, %none : (tensor<?x3x8x8xf32>, none, none) -> tensor<?x4x6x6xf32>
  return
}

// -----

func.func @branch_outputs(%flag: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects 1 outputs of the subgraph 'then_branch', found 2}}
  %y = onnx.If %flag : (tensor<i1>) -> tensor<4xf32> {
    onnx.Return %x : tensor<4xf32>
  }, {
    onnx.Return %x, %x : tensor<4xf32>, tensor<4xf32>
  }
  return
}

// -----

func.func @loop_inputs(%flag: tensor<i1>, %count: tensor<i64>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects 3 inputs in the subgraph 'body', found 2}}
  %y = onnx.Loop %count, %flag, %x : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>):
    onnx.Return %go, %x : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----

func.func @scan_count(%x: tensor<4x2xf32>) {
  // expected-error @+1 {{expects num_scan_inputs between 1 and its 1 operands, found 2}}
  %y = onnx.Scan %x {num_scan_inputs = 2 : i64} : (tensor<4x2xf32>) -> tensor<4x2xf32> {
  ^bb0(%row: tensor<2xf32>):
    onnx.Return %row : tensor<2xf32>
  }
  return
}
