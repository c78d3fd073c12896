// RUN: tenon-opt %s --fuse-elementwise --verify-each | FileCheck %s
// RUN: tenon-opt %s --fuse-elementwise --mlir-print-debuginfo | FileCheck %s --check-prefix=LOCATION

#same = affine_map<(i, j) -> (i, j)>
#rows = affine_map<(i, j) -> (i)>
#vector = affine_map<(i) -> (i)>
#left = affine_map<(i, j, k) -> (i, k)>
#right = affine_map<(i, j, k) -> (k, j)>
#product = affine_map<(i, j, k) -> (i, j)>

// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[SAME:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[LEFT:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[LEFT_TRANSPOSED:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG: #[[RIGHT:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[PRODUCT:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[PRODUCT_TRANSPOSED:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>

// Two operations, one after the other, become one.
// CHECK-LABEL: @chain
// CHECK: %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<?x8xf32>
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<?x8xf32>) outs(%[[E]] :
// CHECK: %[[SUM:.*]] = arith.addf
// CHECK: arith.maximumf %[[SUM]],
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]
func.func @chain(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %a = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x8xf32>, tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.maximumf %p, %zero : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %b : tensor<?x8xf32>
}

// Into a reduction, but not what is reduced into its consumer.
// CHECK-LABEL: @reduction
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]}
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: linalg.generic {{.*}} ins(%[[SUM]] :
// CHECK: math.sqrt
func.func @reduction(%x: tensor<?x8xf32>, %n: index) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %r = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%r : tensor<?xf32>) -> tensor<?xf32>
  %a = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#same, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%a : tensor<?x8xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %o : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %c = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]}
      ins(%b : tensor<?xf32>) outs(%r : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.sqrt %p : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %c : tensor<?xf32>
}

// What costs is not computed twice: it has two consumers.
// CHECK-LABEL: @shared
// CHECK: %[[EXP:.*]] = linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[EXP]] :
// CHECK: linalg.generic {{.*}} ins(%[[EXP]] :
func.func @shared(%x: tensor<?x8xf32>, %n: index) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %a = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.negf %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %c = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %b, %c : tensor<?x8xf32>, tensor<?x8xf32>
}

// A cast costs less than to store what it gives.
// CHECK-LABEL: @shared_cast
// CHECK-COUNT-2: arith.extf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @shared_cast(%x: tensor<?x8xf16>, %n: index) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %a = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf16>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f16, %o: f32):
    %s = arith.extf %p : f16 to f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.negf %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %c = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %b, %c : tensor<?x8xf32>, tensor<?x8xf32>
}

// Along a broadcast each element would be computed eight times: an exponential is not, a sum is.
// CHECK-LABEL: @broadcast
// CHECK: %[[EXP:.*]] = linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK: math.exp
// CHECK: linalg.generic {indexing_maps = [#[[ROWS]], #[[ROWS]], #[[SAME]]], iterator_types = ["parallel", "parallel"]} ins(%[[EXP]], %{{.*}} :
// CHECK: arith.addf
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @broadcast(%x: tensor<?xf32>, %n: index) -> tensor<?x8xf32> {
  %r = tensor.empty(%n) : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %a = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%r : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%r : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %c = linalg.generic {indexing_maps = [#rows, #rows, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.mulf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// A contraction reads each operand many times, so not even a negation becomes part of it.
// CHECK-LABEL: @contraction
// CHECK: %[[NEGATED:.*]] = linalg.generic
// CHECK: arith.negf
// CHECK: linalg.generic {indexing_maps = [#[[LEFT]], #[[RIGHT]], #[[PRODUCT]]], {{.*}} ins(%[[NEGATED]], %{{.*}} :
func.func @contraction(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %n: index) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %p = tensor.empty(%n) : tensor<?x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%p : tensor<?x4xf32>) -> tensor<?x4xf32>
  %a = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%u: f32, %o: f32):
    %s = arith.negf %u : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#left, #right, #product], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%f : tensor<?x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %s = arith.mulf %u, %v : f32
    %t = arith.addf %o, %s : f32
    linalg.yield %t : f32
  } -> tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// It reads a transposed operand where it lies, and writes a transposed result where it belongs.
// CHECK-LABEL: @transposes
// CHECK-NOT: linalg.transpose
// CHECK: %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<4x?xf32>
// CHECK: %[[INIT:.*]] = linalg.fill {{.*}} outs(%[[E]] :
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[LEFT_TRANSPOSED]], #[[RIGHT]], #[[PRODUCT_TRANSPOSED]]]
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<8x?xf32>, tensor<8x4xf32>) outs(%[[INIT]] :
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]
func.func @transposes(%x: tensor<8x?xf32>, %w: tensor<8x4xf32>, %n: index) -> tensor<4x?xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %p = tensor.empty(%n) : tensor<?x4xf32>
  %q = tensor.empty(%n) : tensor<4x?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%p : tensor<?x4xf32>) -> tensor<?x4xf32>
  %a = linalg.transpose ins(%x : tensor<8x?xf32>) outs(%e : tensor<?x8xf32>) permutation = [1, 0]
  %b = linalg.generic {indexing_maps = [#left, #right, #product], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%f : tensor<?x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %s = arith.mulf %u, %v : f32
    %t = arith.addf %o, %s : f32
    linalg.yield %t : f32
  } -> tensor<?x4xf32>
  %c = linalg.transpose ins(%b : tensor<?x4xf32>) outs(%q : tensor<4x?xf32>) permutation = [1, 0]
  return %c : tensor<4x?xf32>
}

// A result that is also wanted untransposed is transposed by an operation of its own.
// CHECK-LABEL: @transpose_and_result
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[LEFT]], #[[RIGHT]], #[[PRODUCT]]]
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[Y]] :
// CHECK: return %[[Y]], %[[T]]
func.func @transpose_and_result(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %n: index) -> (tensor<?x4xf32>, tensor<4x?xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = tensor.empty(%n) : tensor<?x4xf32>
  %q = tensor.empty(%n) : tensor<4x?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%p : tensor<?x4xf32>) -> tensor<?x4xf32>
  %b = linalg.generic {indexing_maps = [#left, #right, #product], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%f : tensor<?x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %s = arith.mulf %u, %v : f32
    %t = arith.addf %o, %s : f32
    linalg.yield %t : f32
  } -> tensor<?x4xf32>
  %c = linalg.transpose ins(%b : tensor<?x4xf32>) outs(%q : tensor<4x?xf32>) permutation = [1, 0]
  return %b, %c : tensor<?x4xf32>, tensor<4x?xf32>
}

// A reshape keeps operations apart; two that cancel do not.
// CHECK-LABEL: @reshape
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: math.sqrt
// CHECK: tensor.expand_shape
// CHECK: linalg.generic
// CHECK: math.log
func.func @reshape(%x: tensor<?x8xf32>, %n: index) -> tensor<?x2x4xf32> {
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %a = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.exp %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %up = tensor.expand_shape %a [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %down = tensor.collapse_shape %up [[0], [1, 2]] : tensor<?x2x4xf32> into tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%down : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.sqrt %p : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %r = tensor.expand_shape %b [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %t = tensor.empty(%n) : tensor<?x2x4xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%r : tensor<?x2x4xf32>) outs(%t : tensor<?x2x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.log %p : f32
    linalg.yield %s : f32
  } -> tensor<?x2x4xf32>
  return %c : tensor<?x2x4xf32>
}

// Of a fill whose value is a constant of the body only the sizes are left.
// CHECK-LABEL: @unread_fill
// CHECK-NOT: linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<?x?xf32>)
// CHECK: %[[SIZES:.*]] = tensor.empty(%arg0, %arg1) : tensor<?x?xf32>
// CHECK: linalg.generic {{.*}} ins(%[[SIZES]] : tensor<?x?xf32>)
func.func @unread_fill(%n: index, %m: index, %init: tensor<?xf32>) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n, %m) : tensor<?x?xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?xf32>) -> tensor<?x?xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
      ins(%filled : tensor<?x?xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.maximumf %out, %in : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %sum : tensor<?xf32>
}

// What two nodes became is for both of them.
// LOCATION-DAG: #[[ADD:loc[0-9]+]] = loc("add")
// LOCATION-DAG: #[[MUL:loc[0-9]+]] = loc("mul")
// LOCATION: loc(fused[#[[ADD]], #[[MUL]]])
#row = affine_map<(d0) -> (d0)>
func.func @nodes(%x: tensor<8xf32>) -> tensor<8xf32> {
  %empty = tensor.empty() : tensor<8xf32>
  %m = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%empty : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.mulf %in, %in : f32
    linalg.yield %v : f32
  } -> tensor<8xf32> loc("mul")
  %a = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel"]}
      ins(%m : tensor<8xf32>) outs(%empty : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.addf %in, %in : f32
    linalg.yield %v : f32
  } -> tensor<8xf32> loc("add")
  return %a : tensor<8xf32>
}

// A size that turns out to be constant: once rewritten without end.
// CHECK-LABEL: @constant_size
// CHECK: linalg.generic
func.func @constant_size(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %c8 = arith.constant 8 : index
  %empty = tensor.empty(%c8) : tensor<4x?xf32>
  %a = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x?xf32>) outs(%empty : tensor<4x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.addf %in, %in : f32
    linalg.yield %v : f32
  } -> tensor<4x?xf32>
  return %a : tensor<4x?xf32>
}
