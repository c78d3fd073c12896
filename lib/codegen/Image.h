// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Image.h - objects linked into one loadable image ----------*- C++ -*-===//
//
// The linker is lld, used as a library.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_IMAGE_H
#define TENON_LIB_CODEGEN_IMAGE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace tenon {

/// What a device loads: a position-independent ELF shared object that needs nothing from outside.
struct KernelImage {
  std::string bytes;
  /// Symbol to the offset of its first instruction from the image's base address.
  llvm::StringMap<uint64_t> entries;
};

/// Links objects (whose exported symbols differ) into one image. Equal objects in equal order give
/// equal bytes. May be called by several threads; they take turns.
llvm::Expected<KernelImage> linkImage(llvm::ArrayRef<llvm::StringRef> objects);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_IMAGE_H
