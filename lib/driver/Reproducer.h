// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Reproducer.h - what shows a bug again ---------------------*- C++ -*-===//
//
// A phase that breaks its own invariants is a bug of Tenon's. What it was given is kept as a copy
// of the module until it has ended well, and written to a file when it has not. The file is MLIR
// that tenon-opt reads, below comments that say what was asked for, which phase failed and how.
// Weights are not in it: they are data that no phase before emit looks at.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DRIVER_REPRODUCER_H
#define TENON_LIB_DRIVER_REPRODUCER_H

#include "lib/driver/Driver.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tenon {

class Reproducer {
public:
  explicit Reproducer(const CompileOptions &options) : options(options) {}

  /// `module` is null before there is one.
  void beginPhase(llvm::StringRef phase, mlir::ModuleOp module);

  /// Forgets the module. Every phase must end before its context does.
  void endPhase() { before = nullptr; }

  /// Of the phase that has begun. Writes the file; returns why it cannot, or nothing.
  std::optional<std::string> write(llvm::StringRef messages) const;

private:
  const CompileOptions &options;
  std::string phase;
  mlir::OwningOpRef<mlir::ModuleOp> before;
};

} // namespace tenon

#endif // TENON_LIB_DRIVER_REPRODUCER_H
