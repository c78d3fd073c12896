// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens modules: what comes from other projects, in libraries of their own (modules/Module.h).

#ifndef TENON_LIB_HOST_MODULE_H
#define TENON_LIB_HOST_MODULE_H

#include "lib/artifact/Status.h"
#include "lib/host/modules/Images.h"
#include "lib/host/modules/Text.h"

namespace tenon::host {

/// The module's table, which stays; opened by the first who asks, on any thread. Unsupported where
/// the library is not there.
Status openTextModule(const tenon_text_module *&module);
Status openImageModule(const tenon_image_module *&module);

} // namespace tenon::host

#endif // TENON_LIB_HOST_MODULE_H
