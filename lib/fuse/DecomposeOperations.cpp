// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DecomposeOperations.cpp - whole operations into their parts --------===//

#include "lib/fuse/DecomposeOperations.h"

#include "lib/fuse/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_DECOMPOSEOPERATIONS
#include "lib/fuse/Passes.h.inc"

/// Replaces `op` by its parts. A part may be whole again (a transposed convolution is a
/// convolution), and is then added to `whole`.
static LogicalResult decompose(linalg::AggregatedOpInterface op,
                               llvm::function_ref<bool(Operation *)> declined,
                               SmallVectorImpl<linalg::AggregatedOpInterface> &whole) {
  IRRewriter rewriter(op);
  Operation *before = op->getPrevNode();
  Block *block = op->getBlock();
  FailureOr<SmallVector<Value>> parts = op.decomposeOperation(rewriter);
  if (failed(parts))
    return op->emitError("cannot be decomposed");
  // A decomposition may know more of its shape than the operation's type says.
  for (auto [part, type] : llvm::zip_equal(*parts, op->getResultTypes()))
    if (part.getType() != type)
      part = tensor::CastOp::create(rewriter, op.getLoc(), type, part);
  Operation *after = op->getNextNode();
  rewriter.replaceOp(op, *parts);
  for (Operation *made = before ? before->getNextNode() : &block->front(); made != after;
       made = made->getNextNode())
    if (auto nested = dyn_cast<linalg::AggregatedOpInterface>(made); nested && declined(made))
      whole.push_back(nested);
  return success();
}

LogicalResult decomposeOperations(ModuleOp module, llvm::function_ref<bool(Operation *)> declined) {
  SmallVector<linalg::AggregatedOpInterface> whole;
  module.walk([&](linalg::AggregatedOpInterface op) {
    if (declined(op))
      whole.push_back(op);
  });
  while (!whole.empty())
    if (failed(decompose(whole.pop_back_val(), declined, whole)))
      return failure();
  return success();
}

namespace {

struct DecomposeOperations : impl::DecomposeOperationsBase<DecomposeOperations> {
  DecomposeOperations() = default;
  explicit DecomposeOperations(std::function<bool(Operation *)> declined)
      : declined(std::move(declined)) {}

  void runOnOperation() override {
    if (failed(decomposeOperations(getOperation(), declined)))
      signalPassFailure();
  }

  std::function<bool(Operation *)> declined = [](Operation *) { return true; };
};

} // namespace

std::unique_ptr<Pass> createDecomposeOperations(std::function<bool(Operation *)> declined) {
  return std::make_unique<DecomposeOperations>(std::move(declined));
}

} // namespace tenon
