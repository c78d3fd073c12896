// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - which device runs which kernel --------------*- tablegen -*-===//

#ifndef TENON_LIB_PLACE_PASSES
#define TENON_LIB_PLACE_PASSES

include "mlir/Pass/PassBase.td"

def PlaceKernels : Pass<"place-kernels", "::mlir::ModuleOp"> {
  let summary = "assign every dispatch to a device";
  let description = [{
    `device` is a target with its chip, as users write it. With one device there
    is nothing to weigh: it runs everything, and nothing is transferred.
  }];
  let options = [Option<"device", "device", "std::string", "\"cpu\"", "the device, as --target names it">];
  let dependentDialects = ["::tenon::plan::PlanDialect"];
}

#endif // TENON_LIB_PLACE_PASSES
