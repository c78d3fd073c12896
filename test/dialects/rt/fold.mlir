// RUN: tenon-opt %s --canonicalize --verify-each | FileCheck %s

// What always holds needs no check; what never does stays, and stops the run.
// CHECK-LABEL: rt.program @checks
// CHECK-NOT: "always"
// CHECK: %[[FALSE:.*]] = arith.constant false
// CHECK-NOT: "always"
// CHECK: rt.check %[[FALSE]], "never"
rt.program @checks inputs [] outputs [] {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %less = arith.cmpi slt, %c1, %c2 : index
  rt.check %less, "always"
  %more = arith.cmpi sgt, %c1, %c2 : index
  rt.check %more, "never"
}
