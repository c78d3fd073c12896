// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data that a model keeps in other files. Files are mapped, never read, and mapped once for all
// tensors in them.
//
// A model is untrusted input, and so is the name of a file in it: only regular files inside the
// model's folder are opened, after all symbolic links are followed, and only ranges inside the file
// are given out.

#ifndef TENON_LIB_IMPORT_EXTERNALDATA_H
#define TENON_LIB_IMPORT_EXTERNALDATA_H

#include "onnx/onnx_pb.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace tenon::import {

class ExternalData {
public:
  /// `directory` is where external data lies; empty: there is none, and each use is an error.
  explicit ExternalData(std::string directory) : directory(std::move(directory)) {}

  struct Slice {
    std::shared_ptr<llvm::MemoryBuffer> file;
    llvm::ArrayRef<char> bytes;
  };

  /// Finds the `expectedSize` bytes of `tensor`. On failure returns what is wrong in `error`.
  bool find(const ::onnx::TensorProto &tensor, uint64_t expectedSize, Slice &slice,
            std::string &error);

private:
  std::shared_ptr<llvm::MemoryBuffer> open(llvm::StringRef location, std::string &error);

  std::string directory;
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> files;
};

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_EXTERNALDATA_H
