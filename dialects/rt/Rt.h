// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Rt.h - the rt dialect -------------------------------------*- C++ -*-===//
//
// What each operation means is documented in Rt.td.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_RT_RT_H
#define TENON_DIALECTS_RT_RT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/rt/RtDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/rt/RtTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/rt/RtOps.h.inc"

#endif // TENON_DIALECTS_RT_RT_H
