// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelToFunction.cpp - kernels as functions on memory ---------------===//
//
// The frame around a kernel's body: memory in, memory out. What is in between still
// computes on tensors; bufferization then has the results' memory to compute into.
//
// For that to work without a copy, everything that describes the results' memory must
// be there before the first tensor is computed. Sizes are therefore hoisted to the top.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/KernelFunction.h"
#include "lib/codegen/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_KERNELTOFUNCTION
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

/// Moves scalar computations that depend on nothing but arguments' sizes to the top of the block.
void hoistSizes(Block &block) {
  Operation *last = nullptr;
  llvm::SmallPtrSet<Operation *, 32> hoisted;
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    bool scalar =
        op.getNumResults() != 0 && op.getNumRegions() == 0 && isPure(&op) &&
        llvm::all_of(op.getResultTypes(), [](Type type) { return type.isIntOrIndexOrFloat(); });
    auto available = [&](Value operand) {
      return isa<BlockArgument>(operand) || hoisted.contains(operand.getDefiningOp());
    };
    if (!scalar || !llvm::all_of(op.getOperands(), available))
      continue;
    if (last)
      op.moveAfter(last);
    else
      op.moveBefore(&block, block.begin());
    last = &op;
    hoisted.insert(&op);
  }
}

/// Undoes in memory, from the outside in, the reshapes that lead to a yielded tensor: returns the
/// memory in which the tensor before them belongs and makes `tensor` that tensor.
Value reshapeDestination(OpBuilder &builder, Value &tensor, Value memory) {
  for (;;) {
    Operation *op = tensor.getDefiningOp();
    if (auto cast = dyn_cast_or_null<tensor::CastOp>(op)) {
      auto type = dyn_cast<RankedTensorType>(cast.getSource().getType());
      if (!type)
        return memory;
      memory = builder.createOrFold<memref::CastOp>(
          op->getLoc(), MemRefType::get(type.getShape(), type.getElementType()), memory);
    } else if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op)) {
      memory = memref::CollapseShapeOp::create(builder, op->getLoc(), memory,
                                               expand.getReassociationIndices());
    } else if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op)) {
      RankedTensorType type = collapse.getSrcType();
      // The sizes before collapsing are known up front only where they are static.
      if (!type.hasStaticShape())
        return memory;
      memory = memref::ExpandShapeOp::create(builder, op->getLoc(), type.getShape(), memory,
                                             collapse.getReassociationIndices());
    } else {
      return memory;
    }
    tensor = op->getOperand(0);
    auto wanted = MemRefType::get(cast<RankedTensorType>(tensor.getType()).getShape(),
                                  cast<RankedTensorType>(tensor.getType()).getElementType());
    if (memory.getType() != wanted)
      memory = memref::CastOp::create(builder, op->getLoc(), wanted, memory);
  }
}

struct KernelToFunctionPass : tenon::impl::KernelToFunctionBase<KernelToFunctionPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    for (auto kernel : llvm::make_early_inc_range(getOperation().getOps<tenon::plan::KernelOp>()))
      convert(kernel);
  }

  void convert(tenon::plan::KernelOp kernel) {
    hoistSizes(kernel.getBody().front());
    func::FuncOp function =
        tenon::createKernelFunction(kernel, kernel.getCount().value_or(AffineMap()));
    tenon::KernelFunctionArguments arguments = tenon::getKernelFunctionArguments(kernel, function);
    Location loc = kernel.getLoc();
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());

    IRMapping mapping;
    Block &body = kernel.getBody().front();
    for (auto [argument, memory] : llvm::zip(body.getArguments(), arguments.inputs))
      mapping.map(argument,
                  bufferization::ToTensorOp::create(builder, loc, argument.getType(), memory,
                                                    /*restrict=*/true));
    for (auto [argument, index] : llvm::zip_equal(
             body.getArguments().drop_front(arguments.inputs.size()), arguments.indices))
      mapping.map(argument, index);
    for (Operation &op : body.without_terminator())
      builder.clone(op, mapping);

    for (auto [value, memory] :
         llvm::zip_equal(body.getTerminator()->getOperands(), arguments.outputs)) {
      Value tensor = mapping.lookup(value);
      OpBuilder::InsertionGuard guard(builder);
      OpBuilder early = OpBuilder::atBlockBegin(&function.getBody().front());
      Value destination = reshapeDestination(early, tensor, memory);
      auto store = bufferization::MaterializeInDestinationOp::create(
          builder, loc, TypeRange{}, tensor, destination,
          /*restrict=*/true, /*writable=*/true);
      (void)store;
    }
    kernel.erase();
  }
};

} // namespace
