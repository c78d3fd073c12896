// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Registration.h - the dialects and passes of Tenon ---------*- C++ -*-===//

#ifndef TENON_LIB_DRIVER_REGISTRATION_H
#define TENON_LIB_DRIVER_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"

namespace tenon {

/// Tenon's dialects, the upstream ones that its levels are made of, and the
/// external models of upstream interfaces that its passes rely upon.
void registerDialects(mlir::DialectRegistry &registry);

/// Every pass and pipeline of ours, by name. For tenon-opt.
void registerPasses();

} // namespace tenon

#endif // TENON_LIB_DRIVER_REGISTRATION_H
