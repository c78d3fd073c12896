// RUN: tenon-opt %s --decompose-operations --verify-each | FileCheck %s
//
// Which operations a target takes whole is its own: the digit classifier's convolution is one for this computer, and none in
// the reference.
// RUN: tenon compile %S/../models/digits.onnx --stop-after fuse | FileCheck %s --check-prefix=WHOLE
// RUN: tenon compile %S/../models/digits.onnx --stop-after fuse -O0 | FileCheck %s --check-prefix=APART
// WHOLE: nn.conv
// APART-NOT: nn.conv
// APART-NOT: linalg.softmax

// Maximum, exponentials, their sum, and the quotient.
// CHECK-LABEL: @softmax
// CHECK-NOT: linalg.softmax
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: arith.maxnumf
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: arith.divf
func.func @softmax(%x: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %0 = linalg.softmax dimension(1) ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// What a transposed convolution is made of is whole itself, and is taken apart too.
// CHECK-LABEL: @conv_transpose
// CHECK-NOT: nn.
// CHECK: linalg.generic
// CHECK: return
func.func @conv_transpose(%x: tensor<1x5x4xf32>, %w: tensor<4x3x3xf32>) -> tensor<1x9x3xf32> {
  %y = nn.conv_transpose channels_last %x, %w strides = [2] dilations = [1] pads = [1, 1] output_pads = [0] groups = 1
      : (tensor<1x5x4xf32>, tensor<4x3x3xf32>) -> tensor<1x9x3xf32>
  return %y : tensor<1x9x3xf32>
}

// In whatever region it stands, and first in it.
// CHECK-LABEL: @nested
// CHECK: scf.if
// CHECK-NOT: nn.pool
// CHECK: linalg.generic
// CHECK: scf.yield
// CHECK: else
func.func @nested(%c: i1, %x: tensor<1x8x4xf32>) -> tensor<1x8x4xf32> {
  %0 = scf.if %c -> tensor<1x8x4xf32> {
    %y = nn.pool max channels_last %x kernel = [3] strides = [1] dilations = [1] pads = [1, 1]
        : (tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
    scf.yield %y : tensor<1x8x4xf32>
  } else {
    scf.yield %x : tensor<1x8x4xf32>
  }
  return %0 : tensor<1x8x4xf32>
}

// The parts know the size; the operation's type does not, and its users keep that.
// CHECK-LABEL: @less_precise
// CHECK: %[[Y:.*]] = tensor.collapse_shape {{.*}} into tensor<1x10x3xf32>
// CHECK: %[[R:.*]] = tensor.cast %[[Y]] : tensor<1x10x3xf32> to tensor<1x?x3xf32>
// CHECK: return %[[R]]
func.func @less_precise(%x: tensor<1x5x4xf32>, %w: tensor<4x3x2xf32>) -> tensor<1x?x3xf32> {
  %y = nn.conv_transpose channels_last %x, %w strides = [2] dilations = [1] pads = [0, 0] output_pads = [0] groups = 1
      : (tensor<1x5x4xf32>, tensor<4x3x2xf32>) -> tensor<1x?x3xf32>
  return %y : tensor<1x?x3xf32>
}

// What is made of nothing else stays.
// CHECK-LABEL: @elementary
// CHECK: linalg.matmul
func.func @elementary(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>, %y: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x2xf32>) outs(%y : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
