// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declarations of the passes in Passes.td.

#ifndef TENON_LIB_LAYOUT_PASSES_H
#define TENON_LIB_LAYOUT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tenon {

#define GEN_PASS_DECL
#include "lib/layout/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/layout/Passes.h.inc"

} // namespace tenon

#endif // TENON_LIB_LAYOUT_PASSES_H
