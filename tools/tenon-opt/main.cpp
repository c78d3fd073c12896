// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- main.cpp - every pass and dialect, testable alone ------------------===//

#include "lib/driver/Registration.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  tenon::registerPasses();
  mlir::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Tenon's optimiser driver\n", registry));
}
