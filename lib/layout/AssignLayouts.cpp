// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass --assign-layouts.

#include "lib/layout/Passes.h"
#include "lib/layout/Permutation.h"

#include "dialects/nn/Nn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tenon {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "lib/layout/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::layout;

// The only operands and attributes that depend on the layout are the input, the result and the
// layout itself.
template <typename Op>
static void makeChannelsLast(Op op) {
  if (op.isChannelsLast())
    return;
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Permutation toLast = getChannelsLastPermutation(op.getType().getRank());
  RankedTensorType type = op.getType();
  Value input = createTranspose(builder, loc, op.getInput(), toLast);

  auto last = cast<Op>(builder.clone(*op));
  last.setLayout(nn::Layout::ChannelsLast);
  last.getInputMutable().assign(input);
  last.getResult().setType(type.clone(permute(type.getShape(), toLast)));
  op.replaceAllUsesWith(
      createTranspose(builder, loc, last.getResult(), invertPermutationVector(toLast)));
  op.erase();
}

namespace {
struct AssignLayouts : tenon::impl::AssignLayoutsBase<AssignLayouts> {
  void runOnOperation() override {
    SmallVector<Operation *> convolutions;
    getOperation()->walk([&](Operation *op) {
      if (isa<nn::ConvOp, nn::ConvTransposeOp>(op))
        convolutions.push_back(op);
    });
    for (Operation *op : convolutions) {
      if (auto convolution = dyn_cast<nn::ConvOp>(op))
        makeChannelsLast(convolution);
      else
        makeChannelsLast(cast<nn::ConvTransposeOp>(op));
    }
  }
};
} // namespace
