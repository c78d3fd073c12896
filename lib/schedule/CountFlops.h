// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CountFlops.h - the arithmetic of a kernel -----------------*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_COUNTFLOPS_H
#define TENON_LIB_SCHEDULE_COUNTFLOPS_H

#include "dialects/plan/Plan.h"

namespace tenon {

/// Floating-point operations of one call, an exponential as one: how many its definition asks for,
/// whatever the generated code does. 0 where it depends on sizes.
double countFlops(plan::KernelOp kernel);

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_COUNTFLOPS_H
