// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Contraction.h - kernels around a contraction or convolution -*- C++ -*-===//
//
// Generates the function of a kernel whose one expensive operation is a matrix
// product (in the widest sense: any linalg contraction) or a convolution with
// channels last, with everything elementwise that follows it applied while the tile
// is still in registers. Code is built directly on memrefs at the level of vector
// registers, because only that keeps every accumulator in one register and every
// broadcast folded into a load; see docs of each file for what follows from it.
//
// The order of summation of an element of the result depends on the reduction's size
// alone: not on the batch, the blocking or the number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CONTRACTION_CONTRACTION_H
#define TENON_LIB_CODEGEN_CONTRACTION_CONTRACTION_H

#include "dialects/plan/Plan.h"
#include "lib/target/ChipDescription.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include <optional>
#include <string>

namespace tenon {

/// Generates the function of `kernel` (see KernelFunction.h), right before it and with its grid
/// set. Leaves the kernel as it is. On failure nothing has been created and `declineReason` says
/// what this generator does not cover; another way of generating the kernel is then to be taken.
///
/// `strategy` of the kernel may pin `mr` (rows of the register tile), `nr` (its columns; a multiple
/// of the vector length), `ku` (unrolling of the reduction), `mb` and `nb` (rows and columns of a
/// group) and `kb` (rows of a panel packed at run time). Values that do not fit the kernel or the
/// chip are a reason to decline.
mlir::FailureOr<mlir::func::FuncOp>
generateContraction(plan::KernelOp kernel, const ChipDescription &chip, std::string &declineReason);

/// How argument `tensorArgument` of `kernel`, a weight, is best laid out for `generateContraction`:
/// in panels as wide as the register tile. None where it is not the right-hand side (the filter) of
/// a contraction that the generator covers, or is better left as it is.
std::optional<plan::PackingAttr> choosePacking(plan::KernelOp kernel, unsigned tensorArgument,
                                               const ChipDescription &chip);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_CONTRACTION_CONTRACTION_H
