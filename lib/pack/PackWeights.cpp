// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackWeights.cpp ----------------------------------------------------===//
//
// A packed weight is keyed by the weight and its recipe: kernels that want the
// same share it.
//
//===----------------------------------------------------------------------===//

#include "lib/pack/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_PACKWEIGHTS
#include "lib/pack/Passes.h.inc"

namespace {

struct PackWeights : impl::PackWeightsBase<PackWeights> {
  void runOnOperation() override {
    byRecipe.clear();
    SymbolTable symbols(getOperation());
    llvm::DenseMap<Attribute, SmallVector<plan::DispatchOp>> dispatches;
    getOperation().walk([&](plan::DispatchOp dispatch) {
      dispatches[dispatch.getKernelAttr().getAttr()].push_back(dispatch);
    });
    for (auto kernel : getOperation().getOps<plan::KernelOp>()) {
      ArrayRef<plan::DispatchOp> callers = dispatches[kernel.getSymNameAttr()];
      for (unsigned argument = 0, end = kernel.getNumTensorArguments(); argument != end;
           ++argument) {
        auto packing = kernel.getArgAttrOfType<plan::PackingAttr>(argument, plan::packingAttribute);
        if (!packing)
          continue;
        kernel.removeArgAttr(argument, plan::packingAttribute);
        if (!callers.empty() &&
            llvm::all_of(callers, [&](auto caller) { return weightOf(caller, argument); }))
          pack(kernel, argument, packing, callers, symbols);
      }
    }
  }

  static plan::GetWeightOp weightOf(plan::DispatchOp dispatch, unsigned argument) {
    return dispatch.getInputs()[argument].getDefiningOp<plan::GetWeightOp>();
  }

  void pack(plan::KernelOp kernel, unsigned argument, plan::PackingAttr packing,
            ArrayRef<plan::DispatchOp> callers, SymbolTable &symbols) {
    auto logical = cast<RankedTensorType>(kernel.getArgumentTypes()[argument]);
    RankedTensorType packed = packing.packedType(logical);

    // Inside: the packed argument, unpacked.
    BlockArgument value = kernel.getBody().getArgument(argument);
    value.setType(packed);
    OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
    Value empty = tensor::EmptyOp::create(builder, kernel.getLoc(), logical.getShape(),
                                          logical.getElementType());
    SmallVector<OpFoldResult> tiles;
    for (int64_t tile : packing.getInnerTiles())
      tiles.push_back(builder.getIndexAttr(tile));
    auto unpacked =
        linalg::UnPackOp::create(builder, kernel.getLoc(), value, empty, packing.getInnerDimsPos(),
                                 tiles, packing.getOuterDimsPerm());
    value.replaceAllUsesExcept(unpacked->getResult(0), unpacked);
    SmallVector<Type> arguments(kernel.getArgumentTypes());
    arguments[argument] = packed;
    kernel.setFunctionType(FunctionType::get(&getContext(), arguments, kernel.getResultTypes()));

    // Outside: the packed weight.
    for (plan::DispatchOp dispatch : callers) {
      plan::GetWeightOp weight = weightOf(dispatch, argument);
      plan::WeightOp packedWeight = packedWeightFor(weight, packing, packed, symbols);
      builder.setInsertionPoint(dispatch);
      Value taken = plan::GetWeightOp::create(
          builder, weight.getLoc(), packed, FlatSymbolRefAttr::get(packedWeight.getSymNameAttr()));
      dispatch.getInputsMutable()[argument].set(taken);
      if (weight->use_empty())
        weight.erase();
    }
  }

  plan::WeightOp packedWeightFor(plan::GetWeightOp weight, plan::PackingAttr packing,
                                 RankedTensorType packed, SymbolTable &symbols) {
    plan::WeightOp &known = byRecipe[{weight.getWeightAttr(), packing}];
    if (!known) {
      auto source = symbols.lookup<plan::WeightOp>(weight.getWeight());
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfter(source);
      known =
          plan::WeightOp::create(builder, source.getLoc(), (source.getSymName() + ".packed").str(),
                                 packed, FlatSymbolRefAttr::get(source.getSymNameAttr()), packing);
      symbols.insert(known);
    }
    return known;
  }

  llvm::DenseMap<std::pair<Attribute, Attribute>, plan::WeightOp> byRecipe;
};

} // namespace
} // namespace tenon
