// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds and opens libtenon_host, when a program calls a host function.

#ifndef TENON_LIB_RUNTIME_HOSTLIBRARY_H
#define TENON_LIB_RUNTIME_HOSTLIBRARY_H

#include "lib/artifact/Status.h"
#include "lib/runtime/HostInterface.h"

namespace tenon::runtime {

/// The library's functions; it stays open for good. `path` null: it lies beside the library or
/// program that this runtime is part of, or in the lib folder beside that one, or where the system
/// looks for libraries.
Status openHostLibrary(const char *path, const tenon_host_interface *&interface);

} // namespace tenon::runtime

#endif // TENON_LIB_RUNTIME_HOSTLIBRARY_H
