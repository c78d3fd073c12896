// RUN: tenon-opt %s --form-kernels --verify-each --split-input-file | FileCheck %s
// RUN: tenon-opt %s --form-kernels=separate --verify-each --split-input-file | FileCheck %s --check-prefix=SEPARATE

// A contraction and what is computed from its result are one kernel. Sizes come from the model's named dimensions, the
// initial value is made again inside, the weight is an argument.

#same = affine_map<(i, j) -> (i, j)>
#bias = affine_map<(i, j) -> (j)>
#left = affine_map<(i, j, k) -> (i, k)>
#right = affine_map<(i, j, k) -> (k, j)>
#product = affine_map<(i, j, k) -> (i, j)>
// CHECK: plan.kernel @kernel_generic(%[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<8x4xf32>, %[[B:.*]]: tensor<4xf32>, %[[N:.*]]: index) -> tensor<?x4xf32> {
// CHECK: %[[E:.*]] = tensor.empty(%[[N]])
// CHECK: %[[F:.*]] = linalg.fill {{.*}} outs(%[[E]] :
// CHECK: %[[P:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[W]] : {{.*}} outs(%[[F]] :
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[B]] :
// CHECK: plan.yield %[[Y]] : tensor<?x4xf32>
// CHECK: func.func @main(%[[X:.*]]: tensor<?x8xf32>
// CHECK-DAG: %[[N:.*]] = plan.dim @batch
// CHECK-DAG: %[[W:.*]] = plan.get_weight @w
// CHECK-DAG: %[[B:.*]] = plan.get_weight @b
// CHECK: %[[Y:.*]] = plan.dispatch @kernel_generic(%[[X]], %[[W]], %[[B]]) [%[[N]]] dims(%[[N]])
// CHECK-NEXT: return %[[Y]]
//
// SEPARATE: plan.kernel @kernel_generic(
// SEPARATE: plan.kernel @kernel_generic_0(
// SEPARATE: func.func @main
// SEPARATE: %[[P:.*]] = plan.dispatch @kernel_generic(
// SEPARATE: %[[Y:.*]] = plan.dispatch @kernel_generic_0(%[[P]],
plan.dimension @batch
plan.weight @w : tensor<8x4xf32>
plan.weight @b : tensor<4xf32>
func.func @main(%x: tensor<?x8xf32> {plan.dims = [@batch, 8]}) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %w = plan.get_weight @w : tensor<8x4xf32>
  %b = plan.get_weight @b : tensor<4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %p = linalg.generic {indexing_maps = [#left, #right, #product], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%f : tensor<?x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %s = arith.mulf %u, %v : f32
    %t = arith.addf %o, %s : f32
    linalg.yield %t : f32
  } -> tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#same, #bias, #same], iterator_types = ["parallel", "parallel"]}
      ins(%p, %b : tensor<?x4xf32>, tensor<4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %s = arith.addf %u, %v : f32
    linalg.yield %s : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Two layers with the same text are one kernel, whatever they are called and read.

#same = affine_map<(i) -> (i)>
// CHECK-COUNT-1: plan.kernel
// CHECK-NOT: plan.kernel
// CHECK: func.func @layers
// CHECK: %[[Y:.*]] = plan.dispatch @[[K:.*]](%arg0, %arg1)
// CHECK: plan.dispatch @[[K]](%arg1, %[[Y]])
func.func @layers(%a: tensor<4xf32>, %b: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %x = linalg.add ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32> loc("first")
  %y = linalg.add ins(%b, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32> loc("second")
  return %x, %y : tensor<4xf32>, tensor<4xf32>
}

// -----

// Rows: a sum, what is divided by it, and the softmax of that share their first dimension.

#same = affine_map<(i, j) -> (i, j)>
#rows = affine_map<(i, j) -> (i)>
// CHECK-COUNT-1: plan.kernel
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: arith.divf
// CHECK: linalg.softmax
// CHECK-NOT: plan.kernel
// CHECK: func.func @rows
//
// SEPARATE-COUNT-3: plan.kernel
// SEPARATE-LABEL: func.func @rows
func.func @rows(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %r = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%r : tensor<?xf32>) -> tensor<?xf32>
  %a = linalg.generic {indexing_maps = [#same, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x8xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%u: f32, %o: f32):
    %t = arith.addf %o, %u : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [#same, #rows, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x, %a : tensor<?x8xf32>, tensor<?xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %t = arith.divf %u, %v : f32
    linalg.yield %t : f32
  } -> tensor<?x8xf32>
  %y = linalg.softmax dimension(1) ins(%b : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// A row of sums spread over other rows would be computed once for each of those: two kernels.

#same = affine_map<(i, j) -> (i, j)>
#rows = affine_map<(i, j) -> (i)>
#columns = affine_map<(i, j) -> (j)>
// CHECK-COUNT-2: plan.kernel
// CHECK: func.func @columns
func.func @columns(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %r = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%r : tensor<8xf32>) -> tensor<8xf32>
  %a = linalg.generic {indexing_maps = [#same, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x8xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%u: f32, %o: f32):
    %t = arith.addf %o, %u : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  %b = linalg.generic {indexing_maps = [#same, #columns, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x, %a : tensor<8x8xf32>, tensor<8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %t = arith.divf %u, %v : f32
    linalg.yield %t : f32
  } -> tensor<8x8xf32>
  return %b : tensor<8x8xf32>
}

// -----

// A kernel gives one value's worth of results: what is used outside ends it.

// CHECK: plan.kernel @kernel_exp(%{{.*}}: tensor<4xf32>) -> tensor<4xf32>
// CHECK: plan.kernel @kernel_generic(%{{.*}}: tensor<4xf32>) -> tensor<4xf32>
// CHECK: func.func @used_outside
// CHECK: %[[A:.*]] = plan.dispatch @kernel_exp(%arg0)
// CHECK: %[[B:.*]] = plan.dispatch @kernel_generic(%[[A]])
// CHECK: return %[[A]], %[[B]]
func.func @used_outside(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %a = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%u: f32, %o: f32):
    %t = arith.negf %u : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// -----

// No group may wait for what waits for it: %c could join %a, but reads the product that is made from %a. (It cannot join the
// product, which is used outside.)

#same = affine_map<(i, j) -> (i, j)>
// CHECK-COUNT-3: plan.kernel
// CHECK: func.func @convex
// CHECK: %[[A:.*]] = plan.dispatch @{{.*}}(%arg0)
// CHECK: %[[B:.*]] = plan.dispatch @{{.*}}(%[[A]], %arg1)
// CHECK: %[[C:.*]] = plan.dispatch @{{.*}}(%[[A]], %[[B]])
// CHECK: return %[[B]], %[[C]]
func.func @convex(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %a = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%u: f32, %o: f32):
    %t = math.exp %u : f32
    linalg.yield %t : f32
  } -> tensor<8x8xf32>
  %b = linalg.matmul ins(%a, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %c = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %t = arith.addf %u, %v : f32
    linalg.yield %t : f32
  } -> tensor<8x8xf32>
  return %b, %c : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Scalars from outside are index arguments; a float travels as its bits. Reshapes cost nothing and stay outside.

#same = affine_map<(i, j) -> (i, j)>
// CHECK: plan.kernel @kernel_generic(%{{.*}}: tensor<?x8xf32>, %[[S:.*]]: index, %{{.*}}: index)
// CHECK: %[[BITS:.*]] = arith.index_castui %[[S]] : index to i32
// CHECK: arith.bitcast %[[BITS]] : i32 to f32
// CHECK: func.func @scalars(%[[X:.*]]: tensor<?x8xf32>, %[[S:.*]]: f32)
// CHECK: %[[N:.*]] = tensor.dim %[[X]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[S]] : f32 to i32
// CHECK: %[[I:.*]] = arith.index_castui %[[BITS]] : i32 to index
// CHECK: %[[Y:.*]] = plan.dispatch @kernel_generic(%[[X]]) [%[[I]], %[[N]]] dims(%[[N]])
// CHECK: plan.reshape %[[Y]] dims(%[[N]]) : tensor<?x8xf32> to tensor<?x2x4xf32>
func.func @scalars(%x: tensor<?x8xf32>, %k: f32) -> tensor<?x2x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%u: f32, %o: f32):
    %t = arith.mulf %u, %k : f32
    linalg.yield %t : f32
  } -> tensor<?x8xf32>
  %y = tensor.expand_shape %b [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  return %y : tensor<?x2x4xf32>
}

// -----

// Casts are reshapes. The size that a reshape needs is that of what it is made of, without asking its result.

// CHECK-LABEL: func.func @casts
// CHECK: %[[C:.*]] = arith.constant 4 : index
// CHECK: %[[A:.*]] = plan.reshape %arg0 dims(%[[C]]) : tensor<4x6xf32> to tensor<?x6xf32>
// CHECK: %[[B:.*]] = plan.reshape %[[A]] dims(%{{.*}}) : tensor<?x6xf32> to tensor<?xf32>
// CHECK: return %[[B]]
func.func @casts(%x: tensor<4x6xf32>) -> tensor<?xf32> {
  %a = tensor.cast %x : tensor<4x6xf32> to tensor<?x6xf32>
  %b = tensor.collapse_shape %a [[0, 1]] : tensor<?x6xf32> into tensor<?xf32>
  return %b : tensor<?xf32>
}

// -----

// A size that depends on data is read between dispatches.

// CHECK-LABEL: func.func @data
// CHECK: %[[COUNT:.*]] = plan.dispatch
// CHECK: %[[N:.*]] = tensor.extract %[[COUNT]][]
// CHECK: %[[I:.*]] = arith.index_cast %[[N]]
// CHECK: plan.dispatch @{{.*}} [%[[I]]{{.*}}] dims(%[[I]])
func.func @data(%x: tensor<4xi64>, %y: tensor<4xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : i64
  %e = tensor.empty() : tensor<i64>
  %f = linalg.fill ins(%c0 : i64) outs(%e : tensor<i64>) -> tensor<i64>
  %s = linalg.reduce {arith.addi} ins(%x : tensor<4xi64>) outs(%f : tensor<i64>) dimensions = [0]
  %n = tensor.extract %s[] : tensor<i64>
  %i = arith.index_cast %n : i64 to index
  %r = tensor.extract_slice %y[0] [%i] [1] : tensor<4xf32> to tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

// Initial values that are given back as they are: a kernel writes them. Those inside of others are made there.

// CHECK: plan.kernel @kernel_fill() -> tensor<4xf32>
// CHECK: plan.kernel @kernel_from_elements(%{{.*}}: index) -> tensor<1xindex>
// CHECK: func.func @initial
// CHECK-DAG: plan.dispatch @kernel_fill() : () -> tensor<4xf32>
// CHECK-DAG: plan.dispatch @kernel_from_elements() [%arg0] : () -> tensor<1xindex>
// CHECK-DAG: arith.constant dense<1.0{{.*}}> : tensor<4xf32>
func.func @initial(%i: index) -> (tensor<4xf32>, tensor<4xf32>, tensor<1xindex>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %c = arith.constant dense<1.0> : tensor<4xf32>
  %g = tensor.from_elements %i : tensor<1xindex>
  return %f, %c, %g : tensor<4xf32>, tensor<4xf32>, tensor<1xindex>
}

// -----

// What nobody reads is no kernel.

// CHECK-NOT: plan.kernel
// CHECK: func.func @unused
// CHECK-NEXT: return
func.func @unused(%x: tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %a = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b = linalg.exp ins(%a : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return
}
