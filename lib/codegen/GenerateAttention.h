// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GenerateAttention.h - kernels around nn.attention ---------*- C++ -*-===//
//
// Attention without its scores in memory. This is the only way of generating it: the
// decomposition into linalg needs all scores at once, for which a kernel has no room.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_GENERATEATTENTION_H
#define TENON_LIB_CODEGEN_GENERATEATTENTION_H

#include "dialects/plan/Plan.h"
#include "lib/target/ChipDescription.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <string>

namespace tenon {

/// Generates the function of a kernel (see KernelFunction.h) that holds one nn.attention of its
/// arguments, and transposes of those and of the result, right before the kernel and with its grid
/// set. On failure nothing has been created and `declined` says why. Without `optimize`, products
/// are plain loops that nothing vectorises.
mlir::FailureOr<mlir::func::FuncOp> generateAttention(plan::KernelOp kernel,
                                                      const ChipDescription &chip, bool optimize,
                                                      std::string &declined);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_GENERATEATTENTION_H
