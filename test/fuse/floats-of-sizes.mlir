// What is computed with floats from sizes belongs to the kernels that use it: the program has no floats.
// RUN: tenon-opt %s --form-kernels --verify-plan --canonicalize | FileCheck %s

#identity = affine_map<(d0) -> (d0)>

// A count to divide by travels as an integer.
// CHECK-LABEL: plan.kernel @kernel_generic(
// CHECK-SAME: %[[X:.*]]: tensor<?xf32>, %[[N:.*]]: index)
// CHECK: arith.sitofp {{.*}} : i64 to f32
// CHECK: linalg.generic

// A size that is computed with floats is computed by a kernel, and read back.
// CHECK-LABEL: plan.kernel @kernel_from_elements(
// CHECK: arith.fptosi
// CHECK-LABEL: func.func @sizes
// CHECK-NOT: f32 :
// CHECK: %[[SIZE:.*]] = plan.dispatch @kernel_from_elements
// CHECK: tensor.extract %[[SIZE]][] : tensor<i64>
func.func @sizes(%x: tensor<?xf32> {plan.name = "x", plan.dims = [@n], plan.element = f32})
    -> (tensor<?xf32> {plan.name = "y", plan.dims = [@n], plan.element = f32},
        tensor<?xf32> {plan.name = "z", plan.dims = [@m], plan.element = f32}) {
  %n = plan.dim @n : index
  %count = arith.index_cast %n : index to i64
  %float = arith.sitofp %count : i64 to f32
  %empty = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%empty : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %divided = arith.divf %in, %float : f32
    linalg.yield %divided : f32
  } -> tensor<?xf32>
  %half = arith.constant 0.5 : f32
  %zero = arith.constant 0.0 : f32
  %scaled = arith.mulf %float, %half : f32
  %rounded = arith.fptosi %scaled : f32 to i64
  %size = arith.index_cast %rounded : i64 to index
  %made = tensor.empty(%size) : tensor<?xf32>
  %z = linalg.fill ins(%zero : f32) outs(%made : tensor<?xf32>) -> tensor<?xf32>
  return %y, %z : tensor<?xf32>, tensor<?xf32>
}
plan.dimension @n
plan.dimension @m
