// RUN: tenon-opt %s --pass-pipeline='builtin.module(func.func(approximate-math))' --verify-each | FileCheck %s
// RUN: tenon-opt %s --pass-pipeline='builtin.module(func.func(approximate-math{fma=false native-f16}))' --verify-each | FileCheck %s --check-prefix=OTHER

// No function is left that LLVM would call, only what processors have instructions for.
// CHECK-LABEL: func.func @functions
// CHECK-NOT:     math.{{exp|powf|erf|sin|log}}
// CHECK:         math.fma
// CHECK:         return
// OTHER-LABEL: func.func @functions
// OTHER-NOT:     math.fma
// OTHER:         return
func.func @functions(%a: f32, %b: f64) -> (f32, f32, f64, f64, f32) {
  %0 = math.exp %a : f32
  %1 = math.powf %a, %a : f32
  %2 = math.erf %b : f64
  %3 = math.log %b : f64
  %4 = math.sin %a : f32
  return %0, %1, %2, %3, %4 : f32, f32, f64, f64, f32
}

// CHECK-LABEL: func.func @native
// CHECK:         math.sqrt %{{.*}} : f32
// CHECK:         math.floor %{{.*}} : f32
func.func @native(%a: f32) -> (f32, f32) {
  %0 = math.sqrt %a : f32
  %1 = math.floor %a : f32
  return %0, %1 : f32, f32
}

// Arithmetic on halves is done in f32, whose conversions are integer arithmetic unless the chip has them.
// CHECK-LABEL: func.func @halves
// CHECK-NOT:     arith.extf
// CHECK:         arith.addf %{{.*}} : f32
// CHECK-NOT:     arith.truncf
// OTHER-LABEL: func.func @halves
// OTHER:         arith.extf %{{.*}} : f16 to f32
// OTHER:         arith.addf %{{.*}} : f32
// OTHER:         arith.truncf %{{.*}} : f32 to f16
func.func @halves(%a: f16, %b: f16) -> f16 {
  %0 = arith.addf %a, %b : f16
  return %0 : f16
}

// The remainder is exact, by long division.
// CHECK-LABEL: func.func @remainder
// CHECK:         scf.while
// CHECK-NOT:     arith.remf
func.func @remainder(%a: f32, %b: f32) -> f32 {
  %0 = arith.remf %a, %b : f32
  return %0 : f32
}
