// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ChipDescription.h - what the compiler knows about a chip --*- C++ -*-===//
//
// The figures that code generation decides by. They come from a target's
// chips/*.json, where each carries the source it was taken from, or from the
// machine itself for the chip `host`. A description is a plain value: two equal
// descriptions give bit-identical code, wherever the compiler runs.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_TARGET_CHIPDESCRIPTION_H
#define TENON_LIB_TARGET_CHIPDESCRIPTION_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace tenon {

/// A chip of the families that LLVM generates machine code for.
struct ChipDescription {
  /// The name users write after the target's: `cpu:x86-64-v3`.
  std::string name;
  /// LLVM target triple, e.g. `x86_64-unknown-linux-gnu`.
  std::string triple;
  /// LLVM processor name, as `-mcpu` takes it.
  std::string cpu;
  /// LLVM features that hold beyond what `cpu` implies: `avx512f`, `-prefer-256-bit`, ... without
  /// `+`.
  std::vector<std::string> features;
  /// Width in bits of the vector registers that code should use.
  unsigned vectorBits = 128;
  /// Number of architectural vector registers.
  unsigned vectorRegisters = 16;
  /// Bytes of the first and second level data caches of one core, and of the last level that cores
  /// share.
  int64_t l1Bytes = 32 << 10, l2Bytes = 1 << 20, l3Bytes = 16 << 20;
  /// Every instruction set that code may use, closed over what `cpu` implies: the full feature list
  /// of the LLVM subtarget, sorted. Filled by the functions below.
  std::vector<std::string> instructionSets;

  /// Whether code may use an instruction set, by its LLVM feature name: `avx512f`, `amx-bf16`,
  /// `fma`, `neon`.
  bool has(llvm::StringRef instructionSet) const;
  /// Number of elements of `bits` bits in one vector register.
  int64_t lanes(unsigned bits) const { return vectorBits / bits; }
  bool isX86() const { return llvm::StringRef(triple).starts_with("x86_64"); }
  bool isAArch64() const { return llvm::StringRef(triple).starts_with("aarch64"); }
};

/// Makes the back ends of all chips available to LLVM; cheap when done before, safe from several
/// threads.
void initializeLlvmTargets();

/// Reads one chip from the text of its JSON file. `path` names it in errors. Text that is nested
/// too deeply, misses a field or has one of the wrong kind is an error, never a crash.
llvm::Expected<ChipDescription> parseChipDescription(llvm::StringRef text, llvm::StringRef path);

/// The chip that this process runs on.
ChipDescription describeHostChip();

} // namespace tenon

#endif // TENON_LIB_TARGET_CHIPDESCRIPTION_H
