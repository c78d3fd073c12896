// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/host/Module.h"

#include "lib/host/modules/Module.h"

#include <dlfcn.h>
#include <vector>

namespace tenon::host {

namespace {

/// What opening a module has come to.
struct Opened {
  Status status;
  const void *table = nullptr;
};

/// The library `file`, or null: beside this one, in the folder of libraries beside the program that
/// has this one in it, or where the system looks.
void *findLibrary(const std::string &file) {
  std::vector<std::string> paths;
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void *>(&findLibrary), &info) && info.dli_fname) {
    std::string folder = info.dli_fname;
    folder.resize(folder.find_last_of('/') + 1); // nothing where there is no slash
    for (const char *beside : {"", "../" TENON_LIBRARY_FOLDER "/"})
      if (!folder.empty())
        paths.push_back(folder + beside + file);
  }
  paths.push_back(file);
  for (const std::string &path : paths)
    if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
      return library;
  return nullptr;
}

/// `purpose` is what the model wants it for.
Opened open(const std::string &file, const char *purpose) {
  void *library = findLibrary(file);
  if (!library) {
    const char *reason = dlerror();
    return {{StatusCode::Unsupported,
             std::string(purpose) + " needs the library " + file +
                 " beside tenon's other libraries: " + (reason ? reason : "it cannot be opened")},
            nullptr};
  }
  auto get = reinterpret_cast<const void *(*)()>(dlsym(library, TENON_MODULE_ENTRY_NAME));
  const void *table = get ? get() : nullptr;
  if (!table || *static_cast<const uint32_t *>(table) != TENON_MODULE_VERSION)
    return {{StatusCode::Unsupported, "the library " + file + " is of another release of tenon"},
            nullptr};
  return {{}, table};
}

} // namespace

Status openTextModule(const tenon_text_module *&module) {
  static const Opened opened = open(TENON_TEXT_MODULE, "text");
  module = static_cast<const tenon_text_module *>(opened.table);
  return opened.status;
}

Status openImageModule(const tenon_image_module *&module) {
  static const Opened opened = open(TENON_IMAGE_MODULE, "decoding images");
  module = static_cast<const tenon_image_module *>(opened.table);
  return opened.status;
}

} // namespace tenon::host
