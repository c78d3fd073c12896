// RUN: tenon-opt %s --mark-in-place --verify-each --split-input-file | FileCheck %s

// A cache of which rows are overwritten, and which nobody reads afterwards.
// CHECK-LABEL: func.func @cache
// CHECK-SAME: plan.in_place = 1 : index
module {
  plan.kernel @write(%row: tensor<8xf32>, %cache: tensor<?x8xf32>, %at: index) -> tensor<?x8xf32> {
    %0 = tensor.insert_slice %row into %cache[%at, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<?x8xf32>
    plan.yield %0 : tensor<?x8xf32>
  }
  func.func @cache(%row: tensor<8xf32>, %cache: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %at = arith.constant 3 : index
    %c0 = arith.constant 0 : index
    %n = tensor.dim %cache, %c0 : tensor<?x8xf32>
    %0 = plan.dispatch @write(%row, %cache) [%at] dims(%n) : (tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
}

// -----

// Element by element, in loops; elements are read before they are written.
// CHECK-LABEL: func.func @loops
// CHECK-SAME: plan.in_place = 0 : index
module {
  plan.kernel @add(%cache: tensor<4x8xf32>, %rows: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %0 = scf.for %i = %c0 to %c4 step %c1 iter_args(%outer = %cache) -> tensor<4x8xf32> {
      %1 = scf.for %j = %c0 to %c8 step %c1 iter_args(%inner = %outer) -> tensor<4x8xf32> {
        %old = tensor.extract %inner[%i, %j] : tensor<4x8xf32>
        %row = tensor.extract %rows[%i, %j] : tensor<4x8xf32>
        %sum = arith.addf %old, %row : f32
        %new = tensor.insert %sum into %inner[%i, %j] : tensor<4x8xf32>
        scf.yield %new : tensor<4x8xf32>
      }
      scf.yield %1 : tensor<4x8xf32>
    }
    plan.yield %0 : tensor<4x8xf32>
  }
  func.func @loops(%cache: tensor<4x8xf32>, %rows: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %0 = plan.dispatch @add(%cache, %rows) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    return %0 : tensor<4x8xf32>
  }
}

// -----

// Read once more after it would have been overwritten.
// CHECK-LABEL: func.func @read_later
// CHECK-NOT: plan.in_place
module {
  plan.kernel @write(%row: tensor<8xf32>, %cache: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %0 = tensor.insert_slice %row into %cache[0, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<4x8xf32>
    plan.yield %0 : tensor<4x8xf32>
  }
  plan.kernel @copy(%cache: tensor<4x8xf32>) -> tensor<4x8xf32> {
    plan.yield %cache : tensor<4x8xf32>
  }
  func.func @read_later(%row: tensor<8xf32>, %cache: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
    %0 = plan.dispatch @write(%row, %cache) : (tensor<8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    %1 = plan.dispatch @copy(%cache) : (tensor<4x8xf32>) -> tensor<4x8xf32>
    return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
  }
}

// -----

// The kernel itself reads the argument while it writes; and two outputs want one input.
// CHECK-LABEL: func.func @twice
// CHECK-SAME: plan.in_place = 1 : index
// CHECK-NOT: plan.in_place
module {
  plan.kernel @shift(%cache: tensor<8xf32>) -> tensor<8xf32> {
    %tail = tensor.extract_slice %cache[1] [7] [1] : tensor<8xf32> to tensor<7xf32>
    %0 = tensor.insert_slice %tail into %cache[0] [7] [1] : tensor<7xf32> into tensor<8xf32>
    plan.yield %0 : tensor<8xf32>
  }
  plan.kernel @write(%row: tensor<1xf32>, %cache: tensor<8xf32>) -> tensor<8xf32> {
    %0 = tensor.insert_slice %row into %cache[0] [1] [1] : tensor<1xf32> into tensor<8xf32>
    plan.yield %0 : tensor<8xf32>
  }
  func.func @twice(%row: tensor<1xf32>, %a: tensor<8xf32>, %b: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
    %0 = plan.dispatch @write(%row, %a) : (tensor<1xf32>, tensor<8xf32>) -> tensor<8xf32>
    %1 = plan.dispatch @shift(%b) : (tensor<8xf32>) -> tensor<8xf32>
    return %0, %1 : tensor<8xf32>, tensor<8xf32>
  }
}
