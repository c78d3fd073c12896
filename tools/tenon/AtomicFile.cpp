// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Temporaries are llvm::sys::fs::TempFile, which also removes them when a signal ends the process.
#include "tools/tenon/AtomicFile.h"
#include "llvm/Support/Errc.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

static Error cannotWrite(StringRef path, std::error_code reason) {
  return createStringError(reason, "cannot write '%s': %s", path.str().c_str(),
                           reason.message().c_str());
}

AtomicFiles::~AtomicFiles() {
  for (Pending &entry : pending)
    consumeError(entry.file.discard());
}

Error AtomicFiles::add(StringRef path, StringRef content) {
  Expected<sys::fs::TempFile> file =
      sys::fs::TempFile::create(path + ".%%%%%%.tmp", sys::fs::all_read | sys::fs::all_write);
  if (!file)
    return cannotWrite(path, errorToErrorCode(file.takeError()));
  std::error_code failed;
  {
    raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
    stream << content;
    stream.flush();
    failed = stream.error();
    stream.clear_error();
  }
  if (failed) {
    consumeError(file->discard());
    return cannotWrite(path, failed);
  }
  pending.push_back({std::move(*file), path.str()});
  return Error::success();
}

Error AtomicFiles::commit() {
  for (Pending &entry : pending)
    if (Error failed = entry.file.keep(entry.path))
      return cannotWrite(entry.path, errorToErrorCode(std::move(failed)));
  pending.clear();
  return Error::success();
}

Expected<TemporaryFolder> TemporaryFolder::create() {
  SmallString<128> folder;
  if (std::error_code failed = sys::fs::createUniqueDirectory("tenon", folder))
    return createStringError(failed, "cannot make a temporary folder: %s",
                             failed.message().c_str());
  return TemporaryFolder(folder.str().str());
}

TemporaryFolder::~TemporaryFolder() {
  if (!folder.empty())
    sys::fs::remove_directories(folder);
}

std::string TemporaryFolder::file(StringRef name) const {
  SmallString<128> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

} // namespace tenon::cli
