// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that choose logical layouts: in which order the dimensions of a tensor stand in memory.

#ifndef TENON_LIB_LAYOUT_PASSES_TD
#define TENON_LIB_LAYOUT_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignLayouts : Pass<"assign-layouts"> {
  let summary = "convolutions work on channels-last tensors";
  let description = [{
    With channels last, a convolution's innermost loops are a matrix product over contiguous channels, and neither
    padding nor strides disturb that. Each channels-first `nn.conv` and `nn.conv_transpose` becomes channels-last
    between two transposes, which `propagate-transposes` then cancels with those of its neighbours. The filter keeps
    its logical order: how it lies in memory is decided when weights are packed.

    Pools have no preference: they follow their neighbours in `propagate-transposes`.

    ```mlir
    %y = nn.conv channels_first %x, %w ... : (tensor<1x3x9x9xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x7x7xf32>
    ```
    becomes
    ```mlir
    %0 = linalg.transpose ins(%x : tensor<1x3x9x9xf32>) outs(%e0 : tensor<1x9x9x3xf32>) permutation = [0, 2, 3, 1]
    %1 = nn.conv channels_last %0, %w ... : (tensor<1x9x9x3xf32>, tensor<8x3x3x3xf32>) -> tensor<1x7x7x8xf32>
    %y = linalg.transpose ins(%1 : tensor<1x7x7x8xf32>) outs(%e1 : tensor<1x8x7x7xf32>) permutation = [0, 3, 1, 2]
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def PropagateTransposes : Pass<"propagate-transposes"> {
  let summary = "move transposes through operations until they cancel";
  let description = [{
    A transpose of an operand becomes one of the result wherever the operation can work on permuted dimensions:
    elementwise computations, reductions and sliding windows (`linalg.generic` other than contractions), `nn.pool`,
    `nn.normalize` and `linalg.softmax`, padding, concatenation, slices, and reshapes that keep permuted dimensions
    apart. Operands that are broadcast are only indexed differently; splats and fills are made in the new shape.

    Transposes sink first, in one pass in program order: past an operation, if that leaves no more transposes than there
    were, counting those that cancel with a transpose of the result. Then, from the last to the first, a transpose is
    hoisted if it meets another one that way. Both are repeated as long as the number of transposes decreases. In the
    end, a transpose that only moves dimensions of size 1 becomes a reshape.

    In a network of convolutions, what remains are transposes at the model's inputs and outputs.

    Precondition: the level after lowering (linalg and nn on tensors).
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"remaining", "remaining", "Number of transposes that are left">];
}

#endif // TENON_LIB_LAYOUT_PASSES_TD
