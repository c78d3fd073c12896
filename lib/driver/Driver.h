// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Driver.h - from a model file to an artifact ---------------*- C++ -*-===//
//
// The whole pipeline as a library. What a user can choose is in CompileOptions;
// nothing is read from anywhere else, so the artifact is a function of the model
// and these options.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DRIVER_DRIVER_H
#define TENON_LIB_DRIVER_DRIVER_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// Bounds of a named dynamic dimension; min == max makes it static.
struct DimensionBound {
  std::string name;
  int64_t min = 0;
  std::optional<int64_t> max;
};

/// As users write it: "batch=4", "batch=1..64", "batch=1..".
llvm::raw_ostream &operator<<(llvm::raw_ostream &stream, const DimensionBound &bound);

struct CompileOptions {
  std::string input;          ///< the .onnx file
  std::string output;         ///< the .tenon file; appears whole or not at all; empty: none
  std::string target = "cpu"; ///< `family` or `family:chip`; `cpu` is this computer's
  std::vector<DimensionBound> dims;
  int optLevel = 2;                   ///< 0: each operation alone, in plain loops; 2: everything
  unsigned threads = 0;               ///< kernels compiled at once; 0: one per core
  std::string cacheDirectory;         ///< of compiled kernels; empty: none
  std::string stopAfter;              ///< a name of phaseNames(); empty: go to the end
  std::vector<std::string> dumpAfter; ///< phases whose IR is printed
  bool verifyEach = false;            ///< verify the IR after every pass, not only every phase
  /// Where to write what shows a bug of Tenon's again, should this compilation meet one; empty:
  /// nowhere.
  std::string reproducer;
  /// Called when a phase begins: its name, its position and how many there are.
  std::function<void(llvm::StringRef, unsigned, unsigned)> onPhase;
  /// Where the IR of `dumpAfter` goes, each below a line that names the phase, and that of
  /// `stopAfter`; null: the standard error.
  llvm::raw_ostream *dumpStream = nullptr, *stopStream = nullptr;
};

/// What one compilation did.
struct CompileReport {
  struct Phase {
    std::string name;
    double seconds = 0;
    int64_t peakBytes = 0; ///< of the process, at the end of the phase
  };
  struct Kernel {
    std::string name;
    int64_t dispatches = 0;
    std::string declined; ///< why no fast generator made it; empty: one did
  };
  std::vector<Phase> phases;
  std::vector<Kernel> kernels;
  int64_t nodes = 0;         ///< operations of the imported model
  int64_t weightBytes = 0;   ///< of the weights that the artifact holds
  int64_t artifactBytes = 0; ///< size of the file written
};

/// The phases, in order: import, simplify, lower, layout, fuse, place, pack, codegen, schedule,
/// emit.
llvm::ArrayRef<llvm::StringRef> phaseNames();

/// What is wrong with a model and what to do.
/// `bug` is set where a phase broke its own invariants or crashed.
struct CompileFailure {
  struct Message {
    std::string text; ///< one line, as users read it
    std::string node; ///< the node it is about; empty: the model
  };
  std::vector<Message> messages;
  bool bug = false;
  std::string reproducer; ///< the file that was written for a bug; empty: none was
};

/// The texts of `failure`, one line each.
std::string joinMessages(const CompileFailure &failure);

/// Compiles one model. Any number of threads may compile at once.
/// On failure no output is left, and `failure` says why. A program that has called
/// llvm::CrashRecoveryContext::Enable() gets a crash in a phase as a failure too.
mlir::LogicalResult compile(const CompileOptions &options, CompileReport &report,
                            CompileFailure &failure);

} // namespace tenon

#endif // TENON_LIB_DRIVER_DRIVER_H
