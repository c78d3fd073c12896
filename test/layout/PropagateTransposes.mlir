// RUN: tenon-opt %s --propagate-transposes --verify-each --split-input-file | FileCheck %s

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#channel = affine_map<(d0, d1, d2, d3) -> (d1)>

// A transpose and its reverse are nothing, also with a bias per channel between them: only its map changes.
// CHECK: #[[$ID:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK: #[[$LAST:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-LABEL: @bias
// CHECK-SAME: %[[X:.*]]: tensor<2x5x6x8xf32>, %[[B:.*]]: tensor<8xf32>
// CHECK-NOT: linalg.transpose
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[$ID]], #[[$LAST]], #[[$ID]]]
// CHECK-SAME: ins(%[[X]], %[[B]] : tensor<2x5x6x8xf32>, tensor<8xf32>)
// CHECK-NOT: linalg.transpose
// CHECK: return %[[Y]]
func.func @bias(%x: tensor<2x5x6x8xf32>, %b: tensor<8xf32>) -> tensor<2x5x6x8xf32> {
  %e = tensor.empty() : tensor<2x8x5x6xf32>
  %first = linalg.transpose ins(%x : tensor<2x5x6x8xf32>) outs(%e : tensor<2x8x5x6xf32>) permutation = [0, 3, 1, 2]
  %sum = linalg.generic {indexing_maps = [#id, #channel, #id],
                         iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%first, %b : tensor<2x8x5x6xf32>, tensor<8xf32>) outs(%e : tensor<2x8x5x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> tensor<2x8x5x6xf32>
  %l = tensor.empty() : tensor<2x5x6x8xf32>
  %last = linalg.transpose ins(%sum : tensor<2x8x5x6xf32>) outs(%l : tensor<2x5x6x8xf32>) permutation = [0, 2, 3, 1]
  return %last : tensor<2x5x6x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// A residual: the other operand is transposed elsewhere already. linalg.index follows its loop.
// CHECK-LABEL: @residual
// CHECK-SAME: %[[X:.*]]: tensor<2x8x5x6xf32>, %[[Y:.*]]: tensor<2x5x6x8xf32>
// CHECK: %[[XL:.*]] = linalg.transpose ins(%[[X]]
// CHECK: %[[SUM:.*]] = linalg.generic
// CHECK-SAME: ins(%[[Y]], %[[XL]] : tensor<2x5x6x8xf32>, tensor<2x5x6x8xf32>)
// CHECK: linalg.index 3
// CHECK-NOT: linalg.transpose
// CHECK: return %[[XL]], %[[SUM]]
func.func @residual(%x: tensor<2x8x5x6xf32>, %y: tensor<2x5x6x8xf32>) -> (tensor<2x5x6x8xf32>, tensor<2x5x6x8xf32>) {
  %e = tensor.empty() : tensor<2x8x5x6xf32>
  %l = tensor.empty() : tensor<2x5x6x8xf32>
  %xl = linalg.transpose ins(%x : tensor<2x8x5x6xf32>) outs(%l : tensor<2x5x6x8xf32>) permutation = [0, 2, 3, 1]
  %yf = linalg.transpose ins(%y : tensor<2x5x6x8xf32>) outs(%e : tensor<2x8x5x6xf32>) permutation = [0, 3, 1, 2]
  %sum = linalg.generic {indexing_maps = [#id, #id, #id],
                         iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%yf, %x : tensor<2x8x5x6xf32>, tensor<2x8x5x6xf32>) outs(%e : tensor<2x8x5x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %c = linalg.index 1 : index
    %ci = arith.index_cast %c : index to i32
    %cf = arith.sitofp %ci : i32 to f32
    %s = arith.addf %a, %b : f32
    %t = arith.addf %s, %cf : f32
    linalg.yield %t : f32
  } -> tensor<2x8x5x6xf32>
  %last = linalg.transpose ins(%sum : tensor<2x8x5x6xf32>) outs(%l : tensor<2x5x6x8xf32>) permutation = [0, 2, 3, 1]
  return %xl, %last : tensor<2x5x6x8xf32>, tensor<2x5x6x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// It would take two transposes to get rid of one.
// CHECK-LABEL: @too_dear
// CHECK-COUNT-1: linalg.transpose
// CHECK-NOT: linalg.transpose
func.func @too_dear(%x: tensor<2x8x5x6xf32>, %y: tensor<2x5x6x8xf32>) -> tensor<2x8x5x6xf32> {
  %e = tensor.empty() : tensor<2x8x5x6xf32>
  %yf = linalg.transpose ins(%y : tensor<2x5x6x8xf32>) outs(%e : tensor<2x8x5x6xf32>) permutation = [0, 3, 1, 2]
  %sum = linalg.generic {indexing_maps = [#id, #id, #id],
                         iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%yf, %x : tensor<2x8x5x6xf32>, tensor<2x8x5x6xf32>) outs(%e : tensor<2x8x5x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x8x5x6xf32>
  return %sum : tensor<2x8x5x6xf32>
}

// -----

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// A reduction over space yields the same from either layout. The 1x1 dimensions around it are a reshape.
// CHECK: affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
// CHECK-LABEL: @reduction
// CHECK-SAME: %[[X:.*]]: tensor<2x5x6x8xf32>
// CHECK-NOT: linalg.transpose
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction", "reduction"]} ins(%[[X]] :
// CHECK-NOT: linalg.transpose
// CHECK: %[[Y:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0, 1, 2], [3]] {{.*}} into tensor<2x1x1x8xf32>
// CHECK: return %[[Y]]
func.func @reduction(%x: tensor<2x5x6x8xf32>) -> tensor<2x1x1x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8x5x6xf32>
  %first = linalg.transpose ins(%x : tensor<2x5x6x8xf32>) outs(%e : tensor<2x8x5x6xf32>) permutation = [0, 3, 1, 2]
  %r = tensor.empty() : tensor<2x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%r : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1, d2, d3) -> (d0, d1)>],
                         iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%first : tensor<2x8x5x6xf32>) outs(%init : tensor<2x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  %kept = tensor.expand_shape %sum [[0], [1, 2, 3]] output_shape [2, 8, 1, 1] : tensor<2x8xf32> into tensor<2x8x1x1xf32>
  %l = tensor.empty() : tensor<2x1x1x8xf32>
  %last = linalg.transpose ins(%kept : tensor<2x8x1x1xf32>) outs(%l : tensor<2x1x1x8xf32>) permutation = [0, 2, 3, 1]
  return %last : tensor<2x1x1x8xf32>
}

// -----

// Padding, concatenation, slices and pools.
// CHECK-LABEL: @movement
// CHECK-NOT: linalg.transpose
// CHECK: tensor.pad %{{.*}} low[0, 1, 2, 0] high[0, 3, 4, 0]
// CHECK: nn.pool max channels_last
// CHECK: tensor.concat dim(3)
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 1, 2] [2, 7, 9, 9] [1, 1, 1, 1]
// CHECK: tensor.insert_slice %{{.*}}[0, 0, 0, 3] [2, 7, 9, 9] [1, 1, 1, 1]
// CHECK: linalg.transpose {{.*}} permutation = [0, 3, 1, 2]
// CHECK-NEXT: return
func.func @movement(%x: tensor<2x5x6x8xf32>) -> tensor<2x12x7x9xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8x5x6xf32>
  %first = linalg.transpose ins(%x : tensor<2x5x6x8xf32>) outs(%e : tensor<2x8x5x6xf32>) permutation = [0, 3, 1, 2]
  %padded = tensor.pad %first low[0, 0, 1, 2] high[0, 0, 3, 4] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<2x8x5x6xf32> to tensor<2x8x9x12xf32>
  %pooled = nn.pool max channels_first %padded kernel = [3, 3] strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0]
      : (tensor<2x8x9x12xf32>) -> tensor<2x8x7x10xf32>
  %both = tensor.concat dim(1) %pooled, %pooled : (tensor<2x8x7x10xf32>, tensor<2x8x7x10xf32>) -> tensor<2x16x7x10xf32>
  %slice = tensor.extract_slice %both[0, 2, 0, 1] [2, 9, 7, 9] [1, 1, 1, 1] : tensor<2x16x7x10xf32> to tensor<2x9x7x9xf32>
  %r = tensor.empty() : tensor<2x12x7x9xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%r : tensor<2x12x7x9xf32>) -> tensor<2x12x7x9xf32>
  %result = tensor.insert_slice %slice into %zeros[0, 3, 0, 0] [2, 9, 7, 9] [1, 1, 1, 1] : tensor<2x9x7x9xf32> into tensor<2x12x7x9xf32>
  return %result : tensor<2x12x7x9xf32>
}

// -----

// A shuffle of channels: sinking brings the first transpose to the shuffle's, hoisting the last one.
// CHECK-LABEL: @shuffle
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2], [3, 4]] {{.*}} into tensor<1x5x6x2x4xf32>
// CHECK: linalg.transpose {{.*}} permutation = [0, 1, 2, 4, 3]
// CHECK: %[[Y:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0], [1], [2], [3, 4]] : tensor<1x5x6x4x2xf32> into tensor<1x5x6x8xf32>
// CHECK: return %[[Y]]
func.func @shuffle(%x: tensor<1x5x6x8xf32>) -> tensor<1x5x6x8xf32> {
  %e = tensor.empty() : tensor<1x8x5x6xf32>
  %first = linalg.transpose ins(%x : tensor<1x5x6x8xf32>) outs(%e : tensor<1x8x5x6xf32>) permutation = [0, 3, 1, 2]
  %groups = tensor.expand_shape %first [[0], [1, 2], [3], [4]] output_shape [1, 2, 4, 5, 6] : tensor<1x8x5x6xf32> into tensor<1x2x4x5x6xf32>
  %s = tensor.empty() : tensor<1x4x2x5x6xf32>
  %shuffled = linalg.transpose ins(%groups : tensor<1x2x4x5x6xf32>) outs(%s : tensor<1x4x2x5x6xf32>) permutation = [0, 2, 1, 3, 4]
  %joined = tensor.collapse_shape %shuffled [[0], [1, 2], [3], [4]] : tensor<1x4x2x5x6xf32> into tensor<1x8x5x6xf32>
  %l = tensor.empty() : tensor<1x5x6x8xf32>
  %last = linalg.transpose ins(%joined : tensor<1x8x5x6xf32>) outs(%l : tensor<1x5x6x8xf32>) permutation = [0, 2, 3, 1]
  return %last : tensor<1x5x6x8xf32>
}

// -----

// Flattening 1x1 is a reshape in either layout; flattening more is not, and the transpose stays before it.
// CHECK-LABEL: @flatten
// CHECK-SAME: %[[X:.*]]: tensor<?x1x1x8xf32>, %[[Y:.*]]: tensor<?x2x2x8xf32>
// CHECK: tensor.collapse_shape %[[X]] {{.*}} into tensor<?x8xf32>
// CHECK: linalg.transpose ins(%[[Y]]
// CHECK: tensor.collapse_shape %{{.*}} into tensor<?x32xf32>
// CHECK-NOT: linalg.transpose
func.func @flatten(%x: tensor<?x1x1x8xf32>, %y: tensor<?x2x2x8xf32>, %n: index) -> (tensor<?x8xf32>, tensor<?x32xf32>) {
  %e = tensor.empty(%n) : tensor<?x8x1x1xf32>
  %xf = linalg.transpose ins(%x : tensor<?x1x1x8xf32>) outs(%e : tensor<?x8x1x1xf32>) permutation = [0, 3, 1, 2]
  %0 = plan.reshape %xf dims(%n) : tensor<?x8x1x1xf32> to tensor<?x8xf32>
  %f = tensor.empty(%n) : tensor<?x8x2x2xf32>
  %yf = linalg.transpose ins(%y : tensor<?x2x2x8xf32>) outs(%f : tensor<?x8x2x2xf32>) permutation = [0, 3, 1, 2]
  %1 = plan.reshape %yf dims(%n) : tensor<?x8x2x2xf32> to tensor<?x32xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x32xf32>
}

// -----

// The outer dimensions of a normalisation and those of a softmax.
// CHECK-LABEL: @rows
// CHECK: nn.normalize layer %{{.*}} axis = 2 {{.*}} : tensor<3x2x8xf32> -> tensor<3x2x8xf32>
// CHECK: linalg.softmax dimension(2) ins(%{{.*}} : tensor<3x2x8xf32>)
// CHECK: linalg.transpose
// CHECK-NEXT: return
func.func @rows(%x: tensor<3x2x8xf32>, %s: tensor<8xf32>) -> tensor<2x3x8xf32> {
  %e = tensor.empty() : tensor<2x3x8xf32>
  %t = linalg.transpose ins(%x : tensor<3x2x8xf32>) outs(%e : tensor<2x3x8xf32>) permutation = [1, 0, 2]
  %n = nn.normalize layer %t axis = 2 epsilon = 1.0e-5 scale(%s : tensor<8xf32>) : tensor<2x3x8xf32> -> tensor<2x3x8xf32>
  %y = linalg.softmax dimension(2) ins(%n : tensor<2x3x8xf32>) outs(%e : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  return %y : tensor<2x3x8xf32>
}

// -----

// A contraction reads a transposed operand as it is.
// CHECK-LABEL: @contraction
// CHECK: linalg.transpose
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-NOT: linalg.transpose
func.func @contraction(%a: tensor<4x8xf32>, %b: tensor<6x8xf32>, %c: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %e = tensor.empty() : tensor<8x6xf32>
  %t = linalg.transpose ins(%b : tensor<6x8xf32>) outs(%e : tensor<8x6xf32>) permutation = [1, 0]
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %t : tensor<4x8xf32>, tensor<8x6xf32>) outs(%c : tensor<4x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}
