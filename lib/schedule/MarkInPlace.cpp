// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MarkInPlace.cpp - outputs that may take an input's memory ----------===//
//
// A key-value cache is an input and, with a few rows overwritten, an output. A caller
// who passes one tensor for both saves the copy of the whole cache. That is right
// where the kernel begins its result as a copy of the argument, changes elements of
// it, and nobody reads the input afterwards: the copy is then one of memory onto
// itself. Kernels that read an argument while they write elsewhere are left alone,
// though some could be shown to read each element before they write it.
//
//===----------------------------------------------------------------------===//

#include "lib/schedule/Passes.h"

#include "dialects/plan/Alteration.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_MARKINPLACE
#include "lib/schedule/Passes.h.inc"

namespace {

struct MarkInPlace : impl::MarkInPlaceBase<MarkInPlace> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      llvm::SmallDenseSet<unsigned> taken;
      for (OpOperand &output : function.front().getTerminator()->getOpOperands()) {
        std::optional<unsigned> input = findInput(output, symbols);
        if (!input || !taken.insert(*input).second)
          continue;
        function.setResultAttr(output.getOperandNumber(), plan::inPlaceAttribute,
                               IntegerAttr::get(IndexType::get(&getContext()), *input));
      }
    }
  }

  /// The model's input whose memory `output` may take.
  static std::optional<unsigned> findInput(OpOperand &output, SymbolTable &symbols) {
    Value value = output.get();
    auto dispatch = value.getDefiningOp<plan::DispatchOp>();
    // A value that is given twice is copied for the second time, from memory that stays.
    if (!dispatch || llvm::count(output.getOwner()->getOperands(), value) != 1)
      return std::nullopt;
    auto kernel = symbols.lookup<plan::KernelOp>(dispatch.getKernel());
    Operation *yield = kernel.getBody().front().getTerminator();
    unsigned result = cast<OpResult>(value).getResultNumber();
    // With one use, the argument is read as the copy is made and never again.
    OpOperand *first = plan::findFirstAltered(yield->getOperand(result));
    auto argument = first ? dyn_cast<BlockArgument>(first->get()) : BlockArgument();
    if (!argument || !argument.hasOneUse())
      return std::nullopt;

    auto input = dyn_cast<BlockArgument>(dispatch.getInputs()[argument.getArgNumber()]);
    if (!input || input.getType() != value.getType())
      return std::nullopt;
    if (isReadAfter(input, dispatch) || llvm::count(dispatch.getInputs(), input) != 1)
      return std::nullopt;
    return input.getArgNumber();
  }

  /// Whether anything reads `value` once `dispatch` runs: itself, in a branch or loop, or through a
  /// view that stands before.
  static bool isReadAfter(Value value, plan::DispatchOp dispatch) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      Operation *around = dispatch->getBlock()->findAncestorOpInBlock(*user);
      if (user == dispatch)
        return false;
      if (!around->isBeforeInBlock(dispatch))
        return true;
      return isa<plan::ReshapeOp, plan::SizedOp>(user) && isReadAfter(user->getResult(0), dispatch);
    });
  }
};

} // namespace
} // namespace tenon
