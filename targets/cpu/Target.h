// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Target.h - processors as a target -------------------------*- C++ -*-===//
//
// Chips of x86-64 and AArch64, compiled by LLVM into one ELF image. Which chips there
// are is decided by chips/*.json, which are part of the program.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TARGETS_CPU_TARGET_H
#define TENON_TARGETS_CPU_TARGET_H

#include "lib/target/ChipDescription.h"
#include "lib/target/Target.h"

namespace tenon::cpu {

/// The names of all chips but `host`, sorted.
std::vector<std::string> getChipNames();

/// A chip by its name; `host` is the machine that this runs on. An unknown name is an error that
/// lists those there are.
llvm::Expected<ChipDescription> findChip(llvm::StringRef name);

/// The least of this machine's architecture that Tenon compiles for. What is computed on it while
/// compiling does not depend on which machine of the kind compiles.
ChipDescription getBaselineChip();

/// The target for one chip.
std::unique_ptr<Target> createTarget(ChipDescription chip);

} // namespace tenon::cpu

#endif // TENON_TARGETS_CPU_TARGET_H
