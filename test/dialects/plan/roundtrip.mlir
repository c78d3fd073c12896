// RUN: tenon-opt %s | tenon-opt | FileCheck %s
// RUN: tenon-opt %s --mlir-print-op-generic | tenon-opt | FileCheck %s

// CHECK: plan.device @here "cpu:x86-64-v3"
plan.device @here "cpu:x86-64-v3"
// CHECK: plan.device @there "cpu:aarch64"
plan.device @there "cpu:aarch64"

// Bounds that say nothing are not printed.
// CHECK: plan.dimension @any{{$}}
plan.dimension @any min 0 multiple 1
// CHECK: plan.dimension @batch min 1 max 64
plan.dimension @batch min 1 max 64
// CHECK: plan.dimension @sequence min 8 max 512 multiple 8
plan.dimension @sequence min 8 max 512 multiple 8
// CHECK: plan.dimension @"with space"
plan.dimension @"with space"

// CHECK: plan.weight @w : tensor<8x70xf32>
plan.weight @w : tensor<8x70xf32>
// CHECK: plan.weight @w.panels : tensor<3x8x32xf32> from @w <inner_dims_pos = [1] inner_tiles = [32] outer_dims_perm = [1, 0]>
plan.weight @w.panels : tensor<3x8x32xf32> from @w <inner_dims_pos = [1] inner_tiles = [32] outer_dims_perm = [1, 0]>
// CHECK: plan.weight @w.tiles : tensor<2x5x4x16xf32> from @w <inner_dims_pos = [0, 1] inner_tiles = [4, 16]>
plan.weight @w.tiles : tensor<2x5x4x16xf32> from @w <inner_dims_pos = [0, 1] inner_tiles = [4, 16]>

// CHECK: plan.kernel @plain(%{{.*}}: tensor<?x8xf32>, %{{.*}}: tensor<8x70xf32>, %{{.*}}: index) -> tensor<?x8xf32> {
// CHECK-NEXT: plan.yield %{{.*}} : tensor<?x8xf32>
plan.kernel @plain(%x: tensor<?x8xf32>, %w: tensor<8x70xf32>, %n: index) -> tensor<?x8xf32> {
  plan.yield %x : tensor<?x8xf32>
}

// What target, code generation and tuner say of a kernel. Its sizes: those of %x, %m, both results, then %n.
// CHECK: plan.kernel @full(%{{.*}}: tensor<?x8xf32>, %{{.*}}: tensor<8x70xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [32]>}, %{{.*}}: tensor<?x?xi8>, %{{.*}}: index) -> (tensor<?x8xf32>, tensor<?x?xi8>)
// CHECK-SAME: attributes {count = #map{{[0-9]*}}, strategy = {tile = 8 : i64}, target = "cpu:x86-64-v3"}
plan.kernel @full(%x: tensor<?x8xf32>,
                  %w: tensor<8x70xf32> {plan.packing = #plan.packing<inner_dims_pos = [1] inner_tiles = [32]>},
                  %m: tensor<?x?xi8>, %n: index) -> (tensor<?x8xf32>, tensor<?x?xi8>)
    attributes {count = affine_map<()[x, m0, m1, r, s0, s1, n] -> (x ceildiv 8)>, strategy = {tile = 8 : i64},
                target = "cpu:x86-64-v3"} {
  plan.yield %x, %m : tensor<?x8xf32>, tensor<?x?xi8>
}

// CHECK: plan.kernel @constant() -> tensor<4xf32>
plan.kernel @constant() -> tensor<4xf32> {
  %0 = arith.constant dense<1.0> : tensor<4xf32>
  plan.yield %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32> {plan.dims = [@batch, 8], plan.element = f32, plan.name = "x"}
// CHECK-SAME: %[[M:.*]]: tensor<?x?xi8> {plan.dims = [@any, unit], plan.element = ui8, plan.name = "m"}
// CHECK-SAME: -> (tensor<?x2x4xf32> {plan.dims = [@batch, 2, 4], plan.element = f32, plan.in_place = 0 : index, plan.name = "y"}, tensor<4xf32> {plan.dims = [@"with space"]
func.func @main(%x: tensor<?x8xf32> {plan.name = "x", plan.dims = [@batch, 8], plan.element = f32},
                %m: tensor<?x?xi8> {plan.name = "m", plan.dims = [@any, unit], plan.element = ui8})
    -> (tensor<?x2x4xf32> {plan.name = "y", plan.dims = [@batch, 2, 4], plan.element = f32, plan.in_place = 0 : index},
        // The value turned out to be more precise than the signature that the model came with.
        tensor<4xf32> {plan.name = "c", plan.dims = [@"with space"], plan.element = f32}) {
  // CHECK: %[[N:.*]] = plan.dim @batch : index
  %n = plan.dim @batch : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[W:.*]] = plan.get_weight @w : tensor<8x70xf32>
  %w = plan.get_weight @w : tensor<8x70xf32>
  // CHECK: %[[A:.*]] = plan.dispatch @plain(%[[X]], %[[W]]) [%[[N]]] dims(%[[N]]) : (tensor<?x8xf32>, tensor<8x70xf32>) -> tensor<?x8xf32>
  %a = plan.dispatch @plain(%x, %w)[%n] dims(%n) : (tensor<?x8xf32>, tensor<8x70xf32>) -> tensor<?x8xf32>
  // CHECK: %[[B:.*]]:2 = plan.dispatch @full(%[[A]], %[[W]], %[[M]]) [%[[N]]] dims(%[[N]], %[[N]], %[[ONE:.*]]) on @here :
  // CHECK-SAME: (tensor<?x8xf32>, tensor<8x70xf32>, tensor<?x?xi8>) -> (tensor<?x8xf32>, tensor<?x?xi8>)
  %b:2 = plan.dispatch @full(%a, %w, %m)[%n] dims(%n, %n, %c1) on @here
      : (tensor<?x8xf32>, tensor<8x70xf32>, tensor<?x?xi8>) -> (tensor<?x8xf32>, tensor<?x?xi8>)
  // CHECK: %[[C:.*]] = plan.dispatch @constant() : () -> tensor<4xf32>
  %c = plan.dispatch @constant() : () -> tensor<4xf32>
  // CHECK: %[[D:.*]] = plan.transfer %[[B]]#0 to @there : tensor<?x8xf32>
  %d = plan.transfer %b#0 to @there : tensor<?x8xf32>
  // CHECK: plan.reshape %[[D]] dims(%[[N]]) : tensor<?x8xf32> to tensor<?x2x4xf32>
  %e = plan.reshape %d dims(%n) : tensor<?x8xf32> to tensor<?x2x4xf32>
  %w8 = arith.constant dense<0.0> : tensor<8xf32>
  // CHECK: plan.reshape %[[C]] : tensor<4xf32> to tensor<2x2xf32>
  %f = plan.reshape %c : tensor<4xf32> to tensor<2x2xf32>
  // CHECK: %[[G:.*]] = plan.sized %{{.*}} dims(%[[N]]) : tensor<?x2x4xf32>
  %g = plan.sized %e dims(%n) : tensor<?x2x4xf32>
  // CHECK: plan.append %{{.*}} to %[[G]] : tensor<2x4xf32> to tensor<?x2x4xf32> -> tensor<?x2x4xf32>
  %row = plan.reshape %w8 : tensor<8xf32> to tensor<2x4xf32>
  %h = plan.append %row to %g : tensor<2x4xf32> to tensor<?x2x4xf32> -> tensor<?x2x4xf32>
  return %h, %c : tensor<?x2x4xf32>, tensor<4xf32>
}

// Packed elements and the bytes that they lie in.
// CHECK-LABEL: func.func @packed
func.func @packed(%x: tensor<?x3xi4>, %w: tensor<5xi4>, %n: index) -> (tensor<?xi8>, tensor<3xi8>) {
  // CHECK: plan.reinterpret %{{.*}} dims(%{{.*}}) : tensor<?x3xi4> to tensor<?xi8>
  %0 = plan.reinterpret %x dims(%n) : tensor<?x3xi4> to tensor<?xi8>
  // CHECK: plan.reinterpret %{{.*}} : tensor<5xi4> to tensor<3xi8>
  %1 = plan.reinterpret %w : tensor<5xi4> to tensor<3xi8>
  return %0, %1 : tensor<?xi8>, tensor<3xi8>
}

// Objects: what is no tensor of numbers with a known rank.
// CHECK-LABEL: func.func @objects
// CHECK-SAME: !plan.object {plan.dims = [@batch, 2], plan.element = f32, plan.name = "names"}
func.func @objects(%names: !plan.object {plan.name = "names", plan.dims = [@batch, 2], plan.element = f32},
                   %x: tensor<?x4xi8>) -> (tensor<?x4xi8>, index) {
  // CHECK: %[[NONE:.*]] = plan.absent
  %none = plan.absent
  // CHECK: %[[STRINGS:.*]] = plan.strings dense<["a", "b"]> : tensor<2x!onnx.string>
  %strings = plan.strings dense<["a", "b"]> : tensor<2x!onnx.string>
  // CHECK: %[[WRAPPED:.*]] = plan.wrap %{{.*}} as ui8 : tensor<?x4xi8>
  %wrapped = plan.wrap %x as ui8 : tensor<?x4xi8>
  // CHECK: %[[RESULT:.*]]:2 = plan.host "string.split"(%{{.*}}, %[[STRINGS]], %[[NONE]], %[[WRAPPED]])
  // CHECK-SAME: {delimiter = ",", maxsplit = 3 : i64, names = ["x", "y"], values = array<i64: 1, 2>}
  // CHECK-SAME: : (!plan.object, !plan.object, !plan.object, !plan.object) -> (!plan.object, !plan.object)
  %result:2 = plan.host "string.split"(%names, %strings, %none, %wrapped)
      {delimiter = ",", maxsplit = 3, names = ["x", "y"], values = array<i64: 1, 2>}
      : (!plan.object, !plan.object, !plan.object, !plan.object) -> (!plan.object, !plan.object)
  // CHECK: plan.host "f" version 2() : () -> !plan.object
  %other = plan.host "f" version 2() : () -> !plan.object
  // CHECK: plan.unwrap %[[RESULT]]#0 as ui8 : tensor<?x4xi8>, index
  %y, %n = plan.unwrap %result#0 as ui8 : tensor<?x4xi8>, index
  // CHECK: plan.object_dim %{{.*}} as f32 axis 1 of 2
  %d = plan.object_dim %names as f32 axis 1 of 2
  return %y, %d : tensor<?x4xi8>, index
}
