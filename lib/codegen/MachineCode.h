// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineCode.h - from the LLVM dialect to an object file ---*- C++ -*-===//
//
// One kernel at a time. Everything here may be used by several threads at once, each
// with contexts of its own.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_MACHINECODE_H
#define TENON_LIB_CODEGEN_MACHINECODE_H

#include "lib/target/ChipDescription.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace tenon {

/// How machine code is made.
struct MachineCodeOptions {
  /// Off: no vectorisation, no contraction of products and sums: what the source says, literally.
  bool optimize = true;
  /// Assembly text instead of an object file, for people and tests.
  bool assembly = false;
};

/// The bytes of a relocatable object (ELF) for a module of LLVM dialect. An object that would need
/// a symbol from elsewhere is an error that names it.
llvm::Expected<std::string> emitMachineCode(mlir::ModuleOp module, const ChipDescription &chip,
                                            const MachineCodeOptions &options);

/// The features that code for a chip needs of the machine it runs on, as artifacts state them:
/// "+avx2,+fma".
std::string getRequiredFeatures(const ChipDescription &chip);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_MACHINECODE_H
