// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Codegen.h - kernels to one image of machine code ----------*- C++ -*-===//
//
// The whole way of a model's kernels: each is taken out of its module as text without
// locations, compiled by a worker thread in contexts of its own (or found compiled),
// and all objects are linked into one image.
//
// What a kernel compiles to is a function of its text, the chip and this version. Its
// name is not part of that: kernels that differ in name alone are compiled once, and
// the symbols of an image are hashes.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CODEGEN_H
#define TENON_LIB_CODEGEN_CODEGEN_H

#include "dialects/plan/Plan.h"
#include "lib/codegen/Image.h"
#include "lib/target/ChipDescription.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <functional>
#include <string>
#include <vector>

namespace tenon {

/// A way of generating a kernel function that may decline: it then creates nothing and says why.
using KernelGenerator = std::function<mlir::FailureOr<mlir::func::FuncOp>(
    plan::KernelOp kernel, const ChipDescription &chip, std::string &declined)>;

struct CodegenOptions {
  ChipDescription chip;
  /// Off is `-O0`: each operation in plain loops, one group, nothing vectorised or contracted.
  bool optimize = true;
  /// Number of kernels compiled at once; 0: one per core.
  unsigned threads = 0;
  /// Where compiled kernels are kept between runs; empty: nowhere.
  std::string cacheDirectory;
  /// Asked in order when optimising, before the generic way is taken. Called from several threads
  /// at once.
  std::vector<KernelGenerator> generators;
};

/// What became of one kernel.
struct KernelCode {
  /// Offset of its first instruction from the image's base address.
  uint64_t entry = 0;
  /// Why it was compiled the generic way; empty if a generator took it.
  std::string declined;
};

struct CompiledImage {
  /// The image, for TargetMachine `triple`, `cpu`, which needs `features` of the machine.
  std::string bytes;
  std::string triple, cpu, features;
  /// In the order of the kernels given.
  std::vector<KernelCode> kernels;
};

/// Compiles kernels and sets `count` of each. Errors are reported on the kernel they concern, all
/// of them.
mlir::FailureOr<CompiledImage> compileKernels(llvm::ArrayRef<plan::KernelOp> kernels,
                                              const CodegenOptions &options);

/// The assembly text of one kernel, for people and tests. Leaves the kernel as it is.
mlir::FailureOr<std::string> compileToAssembly(plan::KernelOp kernel,
                                               const CodegenOptions &options);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_CODEGEN_H
