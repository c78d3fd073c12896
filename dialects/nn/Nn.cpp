// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Nn.cpp - the nn dialect --------------------------------------------===//
//
// Registration, and the patterns that decompose any operation of the dialect.
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Nn.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::nn;

#include "dialects/nn/NnDialect.cpp.inc"
#include "dialects/nn/NnEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/nn/NnAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/nn/NnOps.cpp.inc"

void NnDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/nn/NnAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/nn/NnOps.cpp.inc"
      >();
}

namespace {
// One pattern per operation rather than one for AggregatedOpInterface: linalg's own aggregates are
// not ours to rewrite.
template <typename Op>
struct Decompose : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    FailureOr<SmallVector<Value>> results = op.decomposeOperation(rewriter);
    if (failed(results))
      return rewriter.notifyMatchFailure(op, "cannot be decomposed");
    // A decomposition may know more of its shape than the operation's type says.
    for (auto [value, type] : llvm::zip_equal(*results, op->getResultTypes()))
      if (value.getType() != type)
        value = tensor::CastOp::create(rewriter, op.getLoc(), type, value);
    rewriter.replaceOp(op, *results);
    return success();
  }
};
} // namespace

void tenon::nn::populateDecomposeNnPatterns(RewritePatternSet &patterns) {
  patterns.add<Decompose<AttentionOp>, Decompose<ConvOp>, Decompose<ConvTransposeOp>,
               Decompose<NormalizeOp>, Decompose<PoolOp>>(patterns.getContext());
}
