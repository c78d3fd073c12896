// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Image.cpp - objects linked into one loadable image ------------------===//
//
// lld reads and writes files and keeps its state in one place per process, hence the
// temporary directory and the lock.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Image.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace mlir;

namespace tenon {

static llvm::Error writeFile(StringRef path, StringRef bytes) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error, llvm::sys::fs::OF_None);
  if (error)
    return llvm::createFileError(path, error);
  stream << bytes;
  stream.close();
  if (stream.has_error())
    return llvm::createFileError(path, stream.error());
  return llvm::Error::success();
}

/// The addresses of all functions that an image exports.
static llvm::Error readEntries(KernelImage &image) {
  auto file =
      llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(image.bytes, "image"));
  if (!file)
    return file.takeError();
  auto *elf = llvm::cast<llvm::object::ELFObjectFileBase>(file->get());
  for (const llvm::object::ELFSymbolRef &symbol : elf->getDynamicSymbolIterators()) {
    auto name = symbol.getName();
    auto address = symbol.getAddress();
    if (!name)
      return name.takeError();
    if (!address)
      return address.takeError();
    if (symbol.getELFType() == llvm::ELF::STT_FUNC)
      image.entries[*name] = *address;
  }
  return llvm::Error::success();
}

llvm::Expected<KernelImage> linkImage(ArrayRef<StringRef> objects) {
  SmallString<128> directory;
  if (std::error_code error = llvm::sys::fs::createUniqueDirectory("tenon-link", directory))
    return llvm::createFileError("temporary directory", error);
  llvm::scope_exit cleanUp([&] { llvm::sys::fs::remove_directories(directory); });

  auto inDirectory = [&](const Twine &name) {
    SmallString<128> path(directory);
    llvm::sys::path::append(path, name);
    return std::string(path);
  };
  std::string output = inDirectory("image.so");
  std::vector<std::string> arguments = {"ld.lld",
                                        "-shared",
                                        "--no-undefined",
                                        "-Bsymbolic",
                                        "--build-id=none",
                                        "--hash-style=gnu",
                                        "-z",
                                        "norelro",
                                        "-z",
                                        "noexecstack",
                                        "-O1",
                                        "--gc-sections",
                                        "--strip-all",
                                        "--threads=1",
                                        "--soname=kernels",
                                        "-o",
                                        output};
  for (auto [position, object] : llvm::enumerate(objects)) {
    arguments.push_back(inDirectory(Twine(position) + ".o"));
    if (llvm::Error error = writeFile(arguments.back(), object))
      return error;
  }

  SmallVector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string standard, diagnostics;
  llvm::raw_string_ostream out(standard), err(diagnostics);
  static std::mutex linker;
  lld::Result result;
  {
    std::lock_guard<std::mutex> lock(linker);
    result = lld::lldMain(pointers, out, err, {{lld::Gnu, &lld::elf::link}});
  }
  if (result.retCode != 0)
    return llvm::createStringError(llvm::inconvertibleErrorCode(), "linking kernels failed: %s",
                                   StringRef(diagnostics).trim().str().c_str());

  auto buffer =
      llvm::MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createFileError(output, buffer.getError());
  KernelImage image;
  image.bytes = (*buffer)->getBuffer().str();
  if (llvm::Error error = readEntries(image))
    return error;
  return image;
}

} // namespace tenon
