// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CountFlops.cpp -----------------------------------------------------===//
//
// What an operation computes is what it decomposes to: loops around scalar operations.
// A copy of the kernel is taken apart and its scalar operations are counted.
//
//===----------------------------------------------------------------------===//

#include "lib/schedule/CountFlops.h"

#include "lib/fuse/DecomposeOperations.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace tenon {

/// Of one turn of the loops around `op`.
static double countScalars(linalg::LinalgOp op) {
  double count = 0;
  for (Operation &scalar : op.getBlock()->without_terminator())
    if (isa<arith::ArithDialect, math::MathDialect>(scalar.getDialect()) &&
        llvm::any_of(scalar.getOperandTypes(), llvm::IsaPred<FloatType>) &&
        !isa<arith::SelectOp, arith::ExtFOp, arith::TruncFOp, arith::BitcastOp>(scalar))
      ++count;
  return count;
}

double countFlops(plan::KernelOp kernel) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(kernel.getLoc());
  OpBuilder::atBlockEnd(module->getBody()).clone(*kernel);
  if (failed(decomposeOperations(*module, [](Operation *) { return true; })))
    return 0;
  double flops = 0;
  WalkResult result = module->walk([&](linalg::LinalgOp op) {
    double count = countScalars(op);
    if (count == 0)
      return WalkResult::advance();
    for (int64_t size : op.getStaticLoopRanges()) {
      if (ShapedType::isDynamic(size))
        return WalkResult::interrupt();
      count *= static_cast<double>(size);
    }
    flops += count;
    return WalkResult::advance();
  });
  return result.wasInterrupted() ? 0 : flops;
}

} // namespace tenon
