// RUN: tenon-opt %s --split-input-file --verify-diagnostics

func.func @spatial_rank(%x: tensor<1x3xf32>, %w: tensor<8x3xf32>) {
  // expected-error @below {{has 1 to 3 spatial dimensions, but its input is 'tensor<1x3xf32>'}}
  nn.conv channels_first %x, %w strides = [] dilations = [] pads = [] groups = 1
      : (tensor<1x3xf32>, tensor<8x3xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @strides_count(%x: tensor<1x3x8x8xf32>, %w: tensor<8x3x3x3xf32>) {
  // expected-error @below {{needs 2 strides for 2 spatial dimensions, found 1}}
  nn.conv channels_first %x, %w strides = [1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 1
      : (tensor<1x3x8x8xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @negative_pads(%x: tensor<1x3x8x8xf32>, %w: tensor<8x3x3x3xf32>) {
  // expected-error @below {{needs pads of at least 0, found -1}}
  nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, -1, 0] groups = 1
      : (tensor<1x3x8x8xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @dynamic_kernel(%x: tensor<1x3x8x8xf32>, %w: tensor<8x3x?x3xf32>) {
  // expected-error @below {{needs a static kernel that is not empty, found 'tensor<8x3x?x3xf32>'}}
  nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 1
      : (tensor<1x3x8x8xf32>, tensor<8x3x?x3xf32>) -> tensor<1x8x?x6xf32>
  return
}

// -----

func.func @channels(%x: tensor<1x3x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error @below {{has 3 input channels, but the filter has 4 in 1 groups}}
  nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 1
      : (tensor<1x3x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @groups(%x: tensor<1x6x8x8xf32>, %w: tensor<8x2x3x3xf32>) {
  // expected-error @below {{cannot divide the filter's 8 output channels into 3 groups}}
  nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 3
      : (tensor<1x6x8x8xf32>, tensor<8x2x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @dynamic_groups(%x: tensor<1x?x8x8xf32>, %w: tensor<8x2x3x3xf32>) {
  // expected-error @below {{with groups needs static channels}}
  nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 2
      : (tensor<1x?x8x8xf32>, tensor<8x2x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @shape(%x: tensor<1x3x8x8xf32>, %w: tensor<8x3x3x3xf32>) {
  // expected-error @below {{has result 'tensor<1x8x8x8xf32>', but its operands make it 'tensor<1x8x6x6xf32>'}}
  nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 1
      : (tensor<1x3x8x8xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x8x8xf32>
  return
}

// -----

func.func @elements(%x: tensor<1x3x8xf32>, %w: tensor<8x3x3xf16>) {
  // expected-error @below {{needs input and filter of one element type, found 'f32' and 'f16'}}
  nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 1
      : (tensor<1x3x8xf32>, tensor<8x3x3xf16>) -> tensor<1x8x6xf32>
  return
}

// -----

func.func @result_element(%x: tensor<1x3x8xi16>, %w: tensor<8x3x3xi16>) {
  // expected-error @below {{cannot have elements 'i8' from operands of 'i16'}}
  nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 1
      : (tensor<1x3x8xi16>, tensor<8x3x3xi16>) -> tensor<1x8x6xi8>
  return
}

// -----

func.func @transposed_channels(%x: tensor<1x3x8xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{has 3 input channels, but the filter has 8}}
  nn.conv_transpose channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] output_pads = [0] groups = 1
      : (tensor<1x3x8xf32>, tensor<8x3x3xf32>) -> tensor<1x3x10xf32>
  return
}

// -----

func.func @transposed_pads(%x: tensor<1x8x1xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{pads more than the result has}}
  nn.conv_transpose channels_first %x, %w strides = [1] dilations = [1] pads = [2, 2] output_pads = [0] groups = 1
      : (tensor<1x8x1xf32>, tensor<8x3x3xf32>) -> tensor<1x3x?xf32>
  return
}

// -----

func.func @output_pads(%x: tensor<1x8x4xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{needs 1 output_pads of at least 0}}
  nn.conv_transpose channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] output_pads = [0, 0] groups = 1
      : (tensor<1x8x4xf32>, tensor<8x3x3xf32>) -> tensor<1x3x6xf32>
  return
}

// -----

func.func @pool_kernel(%x: tensor<1x8x8x3xf32>) {
  // expected-error @below {{needs a kernel of 2 sizes of at least 1}}
  nn.pool max channels_last %x kernel = [3] strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0]
      : (tensor<1x8x8x3xf32>) -> tensor<1x6x6x3xf32>
  return
}

// -----

func.func @pool_integers(%x: tensor<1x8x3xi8>) {
  // expected-error @below {{takes averages of floats only, found 'tensor<1x8x3xi8>'}}
  nn.pool average channels_last %x kernel = [3] strides = [1] dilations = [1] pads = [0, 0]
      : (tensor<1x8x3xi8>) -> tensor<1x6x3xi8>
  return
}

// -----

func.func @pool_count(%x: tensor<1x8x3xf32>) {
  // expected-error @below {{has count_include_pad, which only an average has a use for}}
  nn.pool max channels_last %x kernel = [3] strides = [1] dilations = [1] pads = [0, 0] count_include_pad
      : (tensor<1x8x3xf32>) -> tensor<1x6x3xf32>
  return
}

// -----

func.func @axis(%x: tensor<4x8xf32>) {
  // expected-error @below {{needs an axis in [0, 2), found 2}}
  nn.normalize rms %x axis = 2 epsilon = 1.0e-5 : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @scale(%x: tensor<4x8xf32>, %s: tensor<4xf32>) {
  // expected-error @below {{needs a scale that is aligned with the input's trailing dimensions, found 'tensor<4xf32>' and 'tensor<4x8xf32>'}}
  nn.normalize layer %x axis = 1 epsilon = 1.0e-5 scale(%s : tensor<4xf32>) : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @bias_elements(%x: tensor<4x8xf32>, %b: tensor<8xf16>) {
  // expected-error @below {{needs a bias of the result's elements, found 'tensor<8xf16>' and 'tensor<4x8xf32>'}}
  nn.normalize layer %x axis = 1 epsilon = 1.0e-5 bias(%b : tensor<8xf16>) : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @head_size(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x16xf32>) {
  // expected-error @below {{which differ in batch or head size}}
  nn.attention %q, %k, %k scale = 1.0
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x16xf32>, tensor<1x2x4x16xf32>) -> tensor<1x2x4x16xf32>
  return
}

// -----

func.func @heads(%q: tensor<1x6x4x8xf32>, %k: tensor<1x4x4x8xf32>) {
  // expected-error @below {{needs static heads of the query, a multiple of the key's}}
  nn.attention %q, %k, %k scale = 1.0
      : (tensor<1x6x4x8xf32>, tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>) -> tensor<1x6x4x8xf32>
  return
}

// -----

func.func @mask(%q: tensor<1x6x4x8xf32>, %k: tensor<1x6x5x8xf32>, %m: tensor<6x4x4xf32>) {
  // expected-error @below {{needs a mask that is aligned with the scores 'tensor<1x6x4x5xf32>', found 'tensor<6x4x4xf32>'}}
  nn.attention %q, %k, %k scale = 1.0 mask(%m : tensor<6x4x4xf32>)
      : (tensor<1x6x4x8xf32>, tensor<1x6x5x8xf32>, tensor<1x6x5x8xf32>) -> tensor<1x6x4x8xf32>
  return
}

// -----

func.func @offset(%q: tensor<1x6x4x8xf32>, %past: index) {
  // expected-error @below {{has a causal offset but is not causal}}
  nn.attention %q, %q, %q scale = 1.0 offset(%past)
      : (tensor<1x6x4x8xf32>, tensor<1x6x4x8xf32>, tensor<1x6x4x8xf32>) -> tensor<1x6x4x8xf32>
  return
}

// -----

func.func @filter_rank(%x: tensor<1x3x8x8xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{needs a filter of rank 4, found 'tensor<8x3x3xf32>'}}
  nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 1
      : (tensor<1x3x8x8xf32>, tensor<8x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @no_stride(%x: tensor<1x3x8xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{needs strides of at least 1, found 0}}
  nn.conv channels_first %x, %w strides = [0] dilations = [1] pads = [0, 0] groups = 1
      : (tensor<1x3x8xf32>, tensor<8x3x3xf32>) -> tensor<1x8x6xf32>
  return
}

// -----

func.func @no_dilation(%x: tensor<1x3x8xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{needs dilations of at least 1, found -1}}
  nn.conv channels_first %x, %w strides = [1] dilations = [-1] pads = [0, 0] groups = 1
      : (tensor<1x3x8xf32>, tensor<8x3x3xf32>) -> tensor<1x8x6xf32>
  return
}

// -----

func.func @pads_count(%x: tensor<1x3x8xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{needs 2 pads for 1 spatial dimensions, found 1}}
  nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0] groups = 1
      : (tensor<1x3x8xf32>, tensor<8x3x3xf32>) -> tensor<1x8x6xf32>
  return
}

// -----

func.func @empty_kernel(%x: tensor<1x3x8xf32>, %w: tensor<8x3x0xf32>) {
  // expected-error @below {{needs a static kernel that is not empty, found 'tensor<8x3x0xf32>'}}
  nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 1
      : (tensor<1x3x8xf32>, tensor<8x3x0xf32>) -> tensor<1x8x9xf32>
  return
}

// -----

func.func @no_groups(%x: tensor<1x3x8xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{needs at least one group, found 0}}
  nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 0
      : (tensor<1x3x8xf32>, tensor<8x3x3xf32>) -> tensor<1x8x6xf32>
  return
}

// -----

func.func @unsigned(%x: tensor<1x3x8xui8>, %w: tensor<8x3x3xui8>) {
  // expected-error @below {{operand #0 must be ranked tensor of floating-point or signless integer values}}
  nn.conv channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] groups = 1
      : (tensor<1x3x8xui8>, tensor<8x3x3xui8>) -> tensor<1x8x6xui8>
  return
}

// -----

func.func @transposed_dynamic_groups(%x: tensor<1x?x4xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{with groups needs static channels, found input 'tensor<1x?x4xf32>' and filter 'tensor<8x3x3xf32>'}}
  nn.conv_transpose channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] output_pads = [0] groups = 2
      : (tensor<1x?x4xf32>, tensor<8x3x3xf32>) -> tensor<1x6x6xf32>
  return
}

// -----

func.func @transposed_groups(%x: tensor<1x8x4xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{cannot divide 8 input channels into 3 groups}}
  nn.conv_transpose channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] output_pads = [0] groups = 3
      : (tensor<1x8x4xf32>, tensor<8x3x3xf32>) -> tensor<1x9x6xf32>
  return
}

// -----

func.func @transposed_elements(%x: tensor<1x8x4xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{needs input, filter and result of one element type, found 'f32', 'f32' and 'f64'}}
  nn.conv_transpose channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] output_pads = [0] groups = 1
      : (tensor<1x8x4xf32>, tensor<8x3x3xf32>) -> tensor<1x3x6xf64>
  return
}

// -----

func.func @transposed_shape(%x: tensor<1x8x4xf32>, %w: tensor<8x3x3xf32>) {
  // expected-error @below {{has result 'tensor<1x3x4xf32>', but its operands make it 'tensor<1x3x6xf32>'}}
  nn.conv_transpose channels_first %x, %w strides = [1] dilations = [1] pads = [0, 0] output_pads = [0] groups = 1
      : (tensor<1x8x4xf32>, tensor<8x3x3xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

func.func @pool_elements(%x: tensor<1x8x3xf32>) {
  // expected-error @below {{keeps the element type, but goes from 'tensor<1x8x3xf32>' to 'tensor<1x6x3xf16>'}}
  nn.pool max channels_last %x kernel = [3] strides = [1] dilations = [1] pads = [0, 0]
      : (tensor<1x8x3xf32>) -> tensor<1x6x3xf16>
  return
}

// -----

func.func @pool_shape(%x: tensor<1x8x3xf32>) {
  // expected-error @below {{has result 'tensor<1x8x1xf32>', but its operands make it 'tensor<1x6x3xf32>'}}
  nn.pool max channels_last %x kernel = [3] strides = [1] dilations = [1] pads = [0, 0]
      : (tensor<1x8x3xf32>) -> tensor<1x8x1xf32>
  return
}

// -----

func.func @normalize_shape(%x: tensor<4x8xf32>) {
  // expected-error @below {{has result 'tensor<4x7xf32>', but its operands make it 'tensor<4x8xf32>'}}
  nn.normalize rms %x axis = 1 epsilon = 1.0e-5 : tensor<4x8xf32> -> tensor<4x7xf32>
  return
}

// -----

func.func @normalize_integers(%x: tensor<4x8xi32>) {
  // expected-error @below {{operand #0 must be ranked tensor of floating-point values}}
  nn.normalize rms %x axis = 1 epsilon = 1.0e-5 : tensor<4x8xi32> -> tensor<4x8xi32>
  return
}

// -----

func.func @scale_rank(%x: tensor<4x8xf32>, %s: tensor<1x4x8xf32>) {
  // expected-error @below {{needs a scale that is aligned with the input's trailing dimensions}}
  nn.normalize layer %x axis = 1 epsilon = 1.0e-5 scale(%s : tensor<1x4x8xf32>) : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @attention_rank(%q: tensor<2x4x8xf32>) {
  // expected-error @below {{needs a query of rank 4, found 'tensor<2x4x8xf32>'}}
  nn.attention %q, %q, %q scale = 1.0 : (tensor<2x4x8xf32>, tensor<2x4x8xf32>, tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return
}

// -----

func.func @attention_elements(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf16>) {
  // expected-error @below {{needs a key of the query's element type, found 'tensor<1x2x4x8xf16>' and 'tensor<1x2x4x8xf32>'}}
  nn.attention %q, %k, %q scale = 1.0
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf16>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @attention_result_elements(%q: tensor<1x2x4x8xf32>) {
  // expected-error @below {{needs a result of the query's element type}}
  nn.attention %q, %q, %q scale = 1.0
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf16>
  return
}

// -----

func.func @keys_and_values(%q: tensor<1x2x4x8xf32>, %v: tensor<1x2x5x8xf32>) {
  // expected-error @below {{has key 'tensor<1x2x4x8xf32>' and value 'tensor<1x2x5x8xf32>', which differ before the head size}}
  nn.attention %q, %q, %v scale = 1.0
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @dynamic_heads(%q: tensor<1x?x4x8xf32>, %k: tensor<1x2x4x8xf32>) {
  // expected-error @below {{needs static heads of the query, a multiple of the key's}}
  nn.attention %q, %k, %k scale = 1.0
      : (tensor<1x?x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x?x4x8xf32>
  return
}

// -----

func.func @mask_elements(%q: tensor<1x6x4x8xf32>, %m: tensor<4x4xi8>) {
  // expected-error @below {{operand #3 must be ranked tensor of 1-bit signless integer or floating-point values}}
  nn.attention %q, %q, %q scale = 1.0 mask(%m : tensor<4x4xi8>)
      : (tensor<1x6x4x8xf32>, tensor<1x6x4x8xf32>, tensor<1x6x4x8xf32>) -> tensor<1x6x4x8xf32>
  return
}

// -----

func.func @attention_shape(%q: tensor<1x2x4x8xf32>) {
  // expected-error @below {{has result 'tensor<1x2x8x8xf32>', but its operands make it 'tensor<1x2x4x8xf32>'}}
  nn.attention %q, %q, %q scale = 1.0
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x8x8xf32>
  return
}
