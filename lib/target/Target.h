// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Target.h - what a target is to the compiler ---------------*- C++ -*-===//
//
// One class per family of chips. Phases ask a target what it can do and how it wants
// things laid out, and hand it kernels; they never ask which target it is.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_TARGET_TARGET_H
#define TENON_LIB_TARGET_TARGET_H

#include "dialects/plan/Plan.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// How a target would run an operation.
struct Claim {
  enum class Kind { Codegen, Source, Library, Declined };
  Kind kind = Kind::Declined;
  /// Why not, for Declined: a phrase that completes "declined because ...".
  std::string reason;
  /// Modelled time in seconds, 0 where the target does not model it.
  double seconds = 0;
};

/// What compiling for a target depends on beyond the kernels.
struct TargetOptions {
  /// Off is `-O0`.
  bool optimize = true;
  /// Number of kernels compiled at once; 0: one per core.
  unsigned threads = 0;
  /// Where compiled kernels are kept between runs; empty: nowhere.
  std::string cacheDirectory;
};

/// The bytes that a device loads, and where in them each kernel is.
struct TargetImage {
  std::string bytes;
  /// What the device must be: LLVM's triple, processor (for people) and required features
  /// ("+avx2,+fma").
  std::string triple, cpu, features;
  struct Kernel {
    uint64_t entry = 0;
    /// Why the fast generators passed this kernel over; empty if one of them made it.
    std::string declined;
  };
  /// In the order of the kernels given.
  std::vector<Kernel> kernels;
};

/// A target for one chip. Immutable; may be used by several threads at once.
class Target {
public:
  virtual ~Target() = default;

  /// The family and chip as users write them: `cpu:x86-64-v3`.
  virtual std::string getName() const = 0;
  /// Whether and how the target runs `op`, an operation of linalg, tensor or nn in a kernel to be.
  virtual Claim claim(mlir::Operation *op) const = 0;
  /// How argument `argument` of `kernel` (a weight) is best laid out; none: as it is.
  virtual std::optional<plan::PackingAttr> packingFor(plan::KernelOp kernel,
                                                      unsigned argument) const = 0;
  /// Compiles kernels, sets `count` of each and links them into one image. Errors are reported on
  /// the kernels, all of them. Grids and entries are those of runtime ABI `void k(void *const *,
  /// const int64_t *, int64_t)`.
  virtual mlir::FailureOr<TargetImage> compileKernels(llvm::ArrayRef<plan::KernelOp> kernels,
                                                      const TargetOptions &options) const = 0;
};

/// Computes functions whose inputs are all known. Who implements it is injected by the driver: it
/// needs code generation and the runtime, which phases do not.
class ConstantEvaluator {
public:
  virtual ~ConstantEvaluator() = default;

  /// Evaluates functions of `module` without arguments. Returns for each the bytes of its results,
  /// dense, row-major and little-endian, one string per result. The module may be changed and is of
  /// no further use.
  virtual mlir::FailureOr<std::vector<std::vector<std::string>>>
  evaluate(mlir::ModuleOp module, llvm::ArrayRef<llvm::StringRef> functions) = 0;
};

} // namespace tenon

#endif // TENON_LIB_TARGET_TARGET_H
