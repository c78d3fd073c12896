// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decompose.cpp ------------------------------------------------------===//

#include "lib/fuse/Decompose.h"

#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace tenon {

LogicalResult decomposeOperations(ModuleOp module, llvm::function_ref<bool(Operation *)> declined) {
  SmallVector<linalg::AggregatedOpInterface> whole;
  module.walk([&](linalg::AggregatedOpInterface op) {
    if (declined(op))
      whole.push_back(op);
  });
  IRRewriter rewriter(module.getContext());
  // What an operation decomposes to may be whole again: a transposed convolution is a convolution.
  while (!whole.empty()) {
    linalg::AggregatedOpInterface op = whole.pop_back_val();
    Operation *before = op->getPrevNode();
    Block *block = op->getBlock();
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> parts = op.decomposeOperation(rewriter);
    if (failed(parts))
      return op->emitError("cannot be decomposed");
    Operation *after = op->getNextNode();
    rewriter.replaceOp(op, *parts);
    for (Operation *made = before ? before->getNextNode() : &block->front(); made != after; made = made->getNextNode())
      if (auto nested = dyn_cast<linalg::AggregatedOpInterface>(made); nested && declined(made))
        whole.push_back(nested);
  }
  return success();
}

} // namespace tenon
