// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ObjectCache.cpp - compiled kernels on disk --------------------------===//
//
// A file is: a line that names the format, BLAKE3 of the rest, then count, reason and
// object, each with its length.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/ObjectCache.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace tenon {

static constexpr StringLiteral magic = "tenon kernel 1\n";

static std::string digest(StringRef bytes) {
  auto hash = llvm::BLAKE3::hash(llvm::arrayRefFromStringRef(bytes));
  return std::string(hash.begin(), hash.end());
}

std::string ObjectCache::path(StringRef key) const {
  SmallString<128> result(directory);
  llvm::sys::path::append(result, key + ".kernel");
  return std::string(result);
}

std::optional<CompiledKernel> ObjectCache::find(StringRef key) const {
  if (directory.empty())
    return std::nullopt;
  auto buffer =
      llvm::MemoryBuffer::getFile(path(key), /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return std::nullopt;
  StringRef rest = (*buffer)->getBuffer();
  constexpr size_t hashBytes = 32;
  if (!rest.consume_front(magic) || rest.size() < hashBytes ||
      digest(rest.drop_front(hashBytes)) != rest.take_front(hashBytes))
    return std::nullopt;
  rest = rest.drop_front(hashBytes);
  CompiledKernel kernel;
  for (std::string *field : {&kernel.count, &kernel.declined, &kernel.object}) {
    size_t length = 0;
    auto [number, after] = rest.split('\n');
    if (number.getAsInteger(10, length) || after.size() < length)
      return std::nullopt;
    *field = after.take_front(length).str();
    rest = after.drop_front(length);
  }
  return kernel;
}

void ObjectCache::insert(StringRef key, const CompiledKernel &kernel) const {
  if (directory.empty() || llvm::sys::fs::create_directories(directory))
    return;
  std::string content;
  llvm::raw_string_ostream stream(content);
  for (const std::string *field : {&kernel.count, &kernel.declined, &kernel.object})
    stream << field->size() << '\n' << *field;
  auto file = llvm::sys::fs::TempFile::create(path(key) + ".%%%%%%%%");
  if (!file) {
    llvm::consumeError(file.takeError());
    return;
  }
  {
    llvm::raw_fd_ostream out(file->FD, /*shouldClose=*/false);
    out << magic << digest(content) << content;
    out.flush();
    if (out.has_error()) {
      out.clear_error();
      llvm::consumeError(file->discard());
      return;
    }
  }
  llvm::consumeError(file->keep(path(key)));
}

} // namespace tenon
