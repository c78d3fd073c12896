// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/HostLibrary.h"

#include <climits>
#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

namespace tenon::runtime {

namespace {

/// The folder of a file, resolved; empty where there is none.
std::string folderOf(const char *file) {
  char resolved[PATH_MAX];
  if (!realpath(file, resolved))
    return {};
  std::string path = resolved;
  return path.substr(0, path.find_last_of('/'));
}

/// Where the library may lie, most likely first.
std::vector<std::string> candidates() {
  std::vector<std::string> folders, paths;
  Dl_info info = {};
  // The name of the main program is what it was started with, perhaps no path at all.
  if (dladdr(reinterpret_cast<const void *>(&openHostLibrary), &info) && info.dli_fname &&
      std::string(info.dli_fname).find('/') != std::string::npos)
    folders.push_back(folderOf(info.dli_fname));
  folders.push_back(folderOf("/proc/self/exe"));
  for (const std::string &folder : folders)
    if (!folder.empty())
      for (const char *beside : {"/", "/../lib/", "/../" TENON_LIBRARY_FOLDER "/"})
        paths.push_back(folder + beside + TENON_HOST_LIBRARY);
  paths.push_back(TENON_HOST_LIBRARY);
  return paths;
}

Status checkInterface(const tenon_host_interface *interface, const std::string &path) {
  if (interface && interface->version == TENON_HOST_INTERFACE_VERSION &&
      interface->size >= sizeof(tenon_host_interface))
    return {};
  return {StatusCode::Unsupported, "'" + path + "' is the host library of another release"};
}

} // namespace

Status openHostLibrary(const char *path, const tenon_host_interface *&interface) {
  std::string first;
  for (const std::string &candidate : path ? std::vector<std::string>{path} : candidates()) {
    void *library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char *reason = dlerror();
      if (first.empty() && reason)
        first = reason;
      continue;
    }
    auto get =
        reinterpret_cast<const tenon_host_interface *(*)()>(dlsym(library, TENON_HOST_ENTRY));
    interface = get ? get() : nullptr;
    return checkInterface(interface, candidate);
  }
  return {StatusCode::Unsupported,
          "the model works with strings, sequences or the like, which needs "
          "the library " TENON_HOST_LIBRARY " beside the runtime: " +
              first};
}

} // namespace tenon::runtime
