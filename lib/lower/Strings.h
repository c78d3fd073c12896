// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TENON_LIB_LOWER_STRINGS_H
#define TENON_LIB_LOWER_STRINGS_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// Whether the type is that of a tensor of strings.
bool isStringTensor(Type onnxType);

/// Whether an operation on strings is one that becomes kernels around a host function
/// (Strings.cpp), as opposed to a call alone.
bool isStringOperation(Operation *op);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_STRINGS_H
