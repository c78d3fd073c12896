// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ObjectCache.h - compiled kernels on disk ------------------*- C++ -*-===//
//
// A directory of one file per kernel. Reading never fails: a file that is missing,
// short or damaged is a kernel that has to be compiled. Writing is atomic, so several
// processes may share a directory.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_OBJECTCACHE_H
#define TENON_LIB_CODEGEN_OBJECTCACHE_H

#include "mlir/Support/LLVM.h"
#include <optional>
#include <string>

namespace tenon {

/// What compiling one kernel gives.
struct CompiledKernel {
  /// Its grid, in MLIR's syntax: affine_map<()[s0] -> (s0)>.
  std::string count;
  /// Why the fast generators passed it over; empty if one of them made it.
  std::string declined;
  /// A relocatable object that exports one function.
  std::string object;
};

class ObjectCache {
public:
  /// An empty directory name: nothing is ever found or kept.
  explicit ObjectCache(std::string directory) : directory(std::move(directory)) {}

  std::optional<CompiledKernel> find(llvm::StringRef key) const;
  /// Failing to write is no error: the kernel is there, it is just not kept.
  void insert(llvm::StringRef key, const CompiledKernel &kernel) const;

private:
  std::string path(llvm::StringRef key) const;
  std::string directory;
};

} // namespace tenon

#endif // TENON_LIB_CODEGEN_OBJECTCACHE_H
