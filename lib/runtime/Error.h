// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between the C++ side's Status and the C interface's tenon_error.

#ifndef TENON_LIB_RUNTIME_ERROR_H
#define TENON_LIB_RUNTIME_ERROR_H

#include "lib/artifact/Status.h"
#include "tenon/runtime.h"

namespace tenon {

/// Stores a failure where the caller asked for it (`error` may be null; success leaves it alone)
/// and returns its code.
tenon_status report(const Status &status, tenon_error *error);

/// The failure that a device's function has stored; success if `code` says so.
Status fromDevice(tenon_status code, const tenon_error &error);

} // namespace tenon

#endif // TENON_LIB_RUNTIME_ERROR_H
