// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LoadedImage.h - an image of kernels in this process -------*- C++ -*-===//
//
// For tests: the system's loader in the place of the runtime's.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TEST_CODEGEN_LOADEDIMAGE_H
#define TENON_TEST_CODEGEN_LOADEDIMAGE_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/AffineMap.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/ErrorHandling.h"
#include <cstdint>
#include <dlfcn.h>
#include <link.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenon {

/// Stays loaded until the process ends.
class LoadedImage {
public:
  using Kernel = void (*)(void *const *buffers, const int64_t *sizes, int64_t group);

  explicit LoadedImage(const std::string &bytes) {
    // Linux lets a process use AMX only after it asked: ARCH_REQ_XCOMP_PERM for tile data.
#ifdef __x86_64__
    syscall(SYS_arch_prctl, 0x1023, 18);
#endif
    int file = memfd_create("kernels", 0);
    if (file < 0 || write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      llvm::report_fatal_error("cannot write the image");
    void *handle = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle)
      llvm::report_fatal_error(dlerror());
    struct link_map *map = nullptr;
    dlinfo(handle, RTLD_DI_LINKMAP, &map);
    base = map->l_addr;
  }

  Kernel at(uint64_t entry) const { return reinterpret_cast<Kernel>(base + entry); }

private:
  uintptr_t base;
};

/// The number of groups that a grid has at given sizes.
inline int64_t countGroups(mlir::AffineMap count, llvm::ArrayRef<int64_t> sizes) {
  llvm::SmallVector<mlir::AffineExpr> symbols;
  for (int64_t size : sizes)
    symbols.push_back(mlir::getAffineConstantExpr(size, count.getContext()));
  mlir::AffineExpr result =
      mlir::simplifyAffineExpr(count.getResult(0).replaceSymbols(symbols), 0, 0);
  if (auto constant = mlir::dyn_cast<mlir::AffineConstantExpr>(result))
    return constant.getValue();
  llvm::report_fatal_error("the grid does not evaluate to a number");
}

} // namespace tenon

#endif // TENON_TEST_CODEGEN_LOADEDIMAGE_H
