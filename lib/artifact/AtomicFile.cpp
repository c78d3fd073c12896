// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/artifact/AtomicFile.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tenon::artifact {

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0)
    close(descriptor_);
  if (!partialPath_.empty())
    unlink(partialPath_.c_str());
}

Status AtomicFile::systemError(const char *action) const {
  int error = errno;
  std::string message = std::string("cannot ") + action + " '" + path_ +
                        "': " + std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT)
    message += "; free some space or write elsewhere";
  return {StatusCode::InputOutput, std::move(message)};
}

Status AtomicFile::open(const std::string &path) {
  path_ = path;
  struct stat information;
  if (stat(path.c_str(), &information) == 0) {
    if (!S_ISREG(information.st_mode))
      return {StatusCode::InputOutput, "cannot write '" + path + "': it is not a regular file"};
    if (char *resolved = realpath(path.c_str(), nullptr)) {
      path_ = resolved;
      std::free(resolved);
    }
  }
  size_t nameStart = path_.rfind('/') + 1; // 0 when there is no slash
  // Not mkstemp: it would make the file private, and the user's umask cannot be read safely.
  for (unsigned attempt = 0; attempt < 100; ++attempt) {
    std::string partial = path_.substr(0, nameStart) + "." + path_.substr(nameStart) + "." +
                          std::to_string(getpid()) + "." + std::to_string(attempt) + ".partial";
    descriptor_ = ::open(partial.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) {
      partialPath_ = std::move(partial);
      return {};
    }
    if (errno != EEXIST)
      break;
  }
  return systemError("create");
}

Status AtomicFile::write(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR)
        continue;
      return systemError("write");
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

Status AtomicFile::resize(uint64_t size) {
  if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
    return systemError("write");
  return {};
}

Status AtomicFile::flush() {
  if (fsync(descriptor_) != 0)
    return systemError("write");
  return {};
}

Status AtomicFile::commit() {
  int descriptor = descriptor_;
  descriptor_ = -1;
  // Network file systems may report only here that there was no room.
  if (close(descriptor) != 0)
    return systemError("write");
  if (rename(partialPath_.c_str(), path_.c_str()) != 0)
    return systemError("create");
  partialPath_.clear();
  // The new name reaches the disk with its folder. Some file systems cannot do this, which is no
  // reason to fail: the bytes are safe.
  std::string folder = path_.substr(0, path_.rfind('/') + 1);
  int folderDescriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (folderDescriptor >= 0) {
    (void)fsync(folderDescriptor);
    close(folderDescriptor);
  }
  return {};
}

} // namespace tenon::artifact
