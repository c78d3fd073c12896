// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/artifact/MappedFile.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tenon::artifact {

MappedFile::~MappedFile() {
  if (data_)
    munmap(const_cast<std::byte *>(data_), size_);
}

Status MappedFile::open(const std::string &path) {
  auto systemError = [&](const char *action) {
    return Status(StatusCode::InputOutput, std::string("cannot ") + action + " '" + path +
                                               "': " + std::generic_category().message(errno));
  };
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return systemError("open");
  struct stat information;
  Status status;
  MappedFile mapped;
  if (fstat(descriptor, &information) != 0) {
    status = systemError("examine");
  } else if (!S_ISREG(information.st_mode)) {
    status = Status(StatusCode::InputOutput, "'" + path + "' is not a regular file");
  } else if (information.st_size > 0) {
    void *address = mmap(nullptr, static_cast<size_t>(information.st_size), PROT_READ, MAP_PRIVATE,
                         descriptor, 0);
    if (address == MAP_FAILED) {
      status = systemError("map");
    } else {
      mapped.data_ = static_cast<const std::byte *>(address);
      mapped.size_ = static_cast<size_t>(information.st_size);
    }
  }
  close(descriptor);
  if (status.ok())
    *this = std::move(mapped);
  return status;
}

} // namespace tenon::artifact
