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

// -----

func.func @loop_results(%flag: tensor<i1>, %count: tensor<i64>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects a result for each of the 2 values it carries}}
  %y = onnx.Loop %count, %flag, %x, %x : (tensor<i64>, tensor<i1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %a: tensor<4xf32>, %b: tensor<4xf32>):
    onnx.Return %go, %a : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----

func.func @loop_outputs(%flag: tensor<i1>, %count: tensor<i64>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects 2 outputs of the subgraph 'body', found 1}}
  %y = onnx.Loop %count, %flag, %x : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %a: tensor<4xf32>):
    onnx.Return %a : tensor<4xf32>
  }
  return
}

// -----

func.func @scan_state(%x: tensor<4xf32>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{expects a result for each of its state variables}}
  onnx.Scan %x, %s {num_scan_inputs = 1 : i64} : (tensor<4xf32>, tensor<4x2xf32>) -> () {
  ^bb0(%state: tensor<4xf32>, %row: tensor<2xf32>):
    onnx.Return
  }
  return
}

// -----

func.func @no_subgraph(%flag: tensor<i1>, %x: tensor<4xf32>) {
  // Subgraphs stand in the order of their names.
  // expected-error @+1 {{needs the subgraph 'then_branch'}}
  %y = onnx.If %flag : (tensor<i1>) -> tensor<4xf32> {
    onnx.Return %x : tensor<4xf32>
  }, {
  }
  return
}

// -----

func.func @subgraph_end(%flag: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects the subgraph 'else_branch' to end in onnx.Return}}
  %y = onnx.If %flag : (tensor<i1>) -> tensor<4xf32> {
    ub.unreachable
  }, {
    onnx.Return %x : tensor<4xf32>
  }
  return
}

// -----

func.func @subgraph_blocks(%flag: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{region #0 ('else_branch') failed to verify constraint: a subgraph of at most one block}}
  %y = onnx.If %flag : (tensor<i1>) -> tensor<4xf32> {
    cf.br ^end
  ^end:
    onnx.Return %x : tensor<4xf32>
  }, {
    onnx.Return %x : tensor<4xf32>
  }
  return
}

// -----

func.func @custom_names(%x: tensor<4xf32>) {
  // expected-error @+1 {{has 1 subgraphs but 0 names for them}}
  %y = onnx.Custom "com.example" "Twice" version 1(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
    onnx.Return %x : tensor<4xf32>
  }
  return
}

// -----

func.func @constant_value() {
  // expected-error @+1 {{expected {value = <elements>}}}
  %x = onnx.Constant {other = 1 : i64}
  return
}

// -----

func.func @unsigned_is_not_signless(%x: tensor<4xui8>, %y: tensor<4xi8>) {
  // expected-error @+1 {{operands and results of type T (A, B, C) have the same element type}}
  %z = onnx.Add %x, %y : (tensor<4xui8>, tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @absent_result(%x: tensor<1x1x4x4xf32>) {
  // expected-error @+1 {{result #0 must be}}
  %y, %i = onnx.MaxPool %x {kernel_shape = array<i64: 2, 2>} : (tensor<1x1x4x4xf32>) -> (none, none)
  return
}
