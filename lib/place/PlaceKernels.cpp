// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PlaceKernels.cpp ---------------------------------------------------===//

#include "lib/place/Passes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_PLACEKERNELS
#include "lib/place/Passes.h.inc"

namespace {

struct PlaceKernels : impl::PlaceKernelsBase<PlaceKernels> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
    auto placed = plan::DeviceOp::create(builder, getOperation().getLoc(), "device", device);
    symbols.insert(placed);
    auto reference = FlatSymbolRefAttr::get(placed.getSymNameAttr());
    getOperation().walk([&](plan::DispatchOp dispatch) { dispatch.setDeviceAttr(reference); });
    for (auto kernel : getOperation().getOps<plan::KernelOp>())
      kernel.setTarget(device);
  }
};

} // namespace
} // namespace tenon
