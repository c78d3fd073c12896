// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BufferizeKernel.cpp - a kernel's tensors into memory ----------------===//
//
// Upstream's one-shot bufferization does the work. Around it: before, elementwise
// operations are told to overwrite an operand nobody needs afterwards, so that rows
// of unknown length are computed where they end, and pieces put together are stored one by one (the
// analysis of a chain of hundreds of insertions would be cubic); after, the allocations that are
// left become stack buffers of static size, or an error that names the temporary.
//
//===----------------------------------------------------------------------===//

#include "dialects/plan/Alteration.h"
#include "lib/codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/Bufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_BUFFERIZEKERNEL
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

//===----------------------------------------------------------------------===//
// Before: compute in place
//===----------------------------------------------------------------------===//

/// Whether a tensor is computed into memory that nobody has asked for yet, so that it may still
/// become the memory of something else.
bool isTemporary(Value tensor) {
  while (auto op = tensor.getDefiningOp<linalg::LinalgOp>()) {
    tensor = op.getTiedOpOperand(cast<OpResult>(tensor))->get();
    if (tensor.getDefiningOp<tensor::EmptyOp>())
      return true;
  }
  return false;
}

/// Lets an elementwise operation that ignores what it overwrites write over an operand, when it is
/// the last to read that operand.
void reuseOperands(func::FuncOp function) {
  function.walk([&](linalg::GenericOp op) {
    if (op.getNumParallelLoops() != op.getNumLoops() || op.getNumDpsInits() != 1)
      return;
    OpOperand &init = *op.getDpsInitOperand(0);
    if (op.payloadUsesValueFromOperand(&init))
      return;
    for (OpOperand *input : op.getDpsInputOperands()) {
      Value value = input->get();
      bool last = llvm::all_of(value.getUsers(), [&](Operation *user) {
        return user == op || (user->getBlock() == op->getBlock() && user->isBeforeInBlock(op));
      });
      if (value.getType() != init.get().getType() || !isTemporary(value) || !last ||
          op.getMatchingIndexingMap(input) != op.getMatchingIndexingMap(&init))
        continue;
      init.set(value);
      return;
    }
  });
}

/// Makes results that are altered versions of an argument start as a copy of it in the result's own
/// memory; bufferization alone would alter a temporary and copy that.
void startInDestination(func::FuncOp function) {
  function.walk([&](bufferization::MaterializeInDestinationOp store) {
    OpOperand *first = tenon::plan::findFirstAltered(store.getSource());
    if (!first || !first->get().getDefiningOp<bufferization::ToTensorOp>())
      return;
    OpBuilder builder(first->getOwner());
    Location loc = first->getOwner()->getLoc();
    Value argument = first->get();
    Value empty =
        tensor::EmptyOp::create(builder, loc, tensor::getMixedSizes(builder, loc, argument),
                                getElementTypeOrSelf(argument));
    first->set(linalg::CopyOp::create(builder, loc, argument, empty).getResult(0));
  });
}

/// A result that is pieces put into nothing (a concatenation) is stored piece by piece.
void storePieces(func::FuncOp function) {
  SmallVector<bufferization::MaterializeInDestinationOp> stores;
  function.walk([&](bufferization::MaterializeInDestinationOp store) { stores.push_back(store); });
  for (bufferization::MaterializeInDestinationOp store : stores) {
    if (!isa<MemRefType>(store.getDest().getType()))
      continue;
    SmallVector<tensor::InsertSliceOp> pieces;
    Value whole = store.getSource();
    while (auto piece = whole.getDefiningOp<tensor::InsertSliceOp>()) {
      if (!piece->hasOneUse() || piece->getBlock() != store->getBlock())
        break;
      pieces.push_back(piece);
      whole = piece.getDest();
    }
    if (pieces.empty() || !whole.getDefiningOp<tensor::EmptyOp>())
      continue;
    OpBuilder builder(store);
    for (tensor::InsertSliceOp piece : llvm::reverse(pieces)) {
      auto type = memref::SubViewOp::inferRankReducedResultType(
          piece.getSourceType().getShape(), cast<MemRefType>(store.getDest().getType()),
          piece.getMixedOffsets(), piece.getMixedSizes(), piece.getMixedStrides());
      Value part = memref::SubViewOp::create(builder, piece.getLoc(), cast<MemRefType>(type),
                                             store.getDest(), piece.getMixedOffsets(),
                                             piece.getMixedSizes(), piece.getMixedStrides());
      auto stored = bufferization::MaterializeInDestinationOp::create(builder, piece.getLoc(),
                                                                      piece.getSource(), part);
      stored.setWritable(true);
      stored.setRestrict(store.getRestrict());
    }
    store.erase();
    for (tensor::InsertSliceOp piece : pieces)
      piece.erase();
  }
}

//===----------------------------------------------------------------------===//
// After: temporaries on the stack
//===----------------------------------------------------------------------===//

/// Whether nobody reads or writes a temporary: its sizes are those of loops that use no element.
bool isOnlyMeasured(memref::AllocOp alloc) {
  return llvm::all_of(alloc->getUses(), [](OpOperand &use) {
    auto generic = dyn_cast<linalg::GenericOp>(use.getOwner());
    return isa<memref::DimOp>(use.getOwner()) ||
           (generic && generic.isDpsInput(&use) &&
            generic.getMatchingBlockArgument(&use).use_empty());
  });
}

/// Gives it sizes without memory: each of its elements is the same one.
void measureWithoutMemory(memref::AllocOp alloc, Block &entry) {
  OpBuilder early = OpBuilder::atBlockBegin(&entry), builder(alloc);
  MemRefType type = alloc.getType();
  Location loc = alloc.getLoc();
  Value element = memref::AllocaOp::create(early, loc, MemRefType::get({}, type.getElementType()));
  SmallVector<int64_t> strides(type.getRank(), 0);
  auto measured = MemRefType::get(type.getShape(), type.getElementType(),
                                  StridedLayoutAttr::get(type.getContext(), 0, strides));
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(builder, loc, alloc);
  Value view = memref::ReinterpretCastOp::create(
      builder, loc, measured, element, builder.getIndexAttr(0), sizes,
      SmallVector<OpFoldResult>(type.getRank(), builder.getIndexAttr(0)));
  alloc.replaceAllUsesWith(view);
  alloc.erase();
}

/// Turns an allocation into a stack buffer in the entry block; adds its bytes to `total`.
LogicalResult moveToStack(memref::AllocOp alloc, Block &entry, int64_t &total) {
  MemRefType type = alloc.getType();
  if (!type.getLayout().isIdentity() || !type.getElementType().isIntOrIndexOrFloat())
    return alloc.emitOpError("is not a plain temporary");
  int64_t bytes =
      type.getElementType().isIndex() ? 8 : llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  unsigned dynamic = 0;
  for (int64_t size : type.getShape()) {
    if (ShapedType::isDynamic(size)) {
      FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
          presburger::BoundType::UB, {alloc.getDynamicSizes()[dynamic++], std::nullopt},
          /*stopCondition=*/nullptr, /*closedUB=*/true);
      if (failed(bound))
        return alloc.emitOpError()
               << "needs scratch: a temporary of type " << type << " has no bound";
      size = *bound;
    }
    bytes = llvm::SaturatingMultiply<uint64_t>(bytes, std::max<int64_t>(size, 0)) & INT64_MAX;
  }
  constexpr int64_t alignment = 64;
  total += llvm::alignTo(bytes, alignment);

  OpBuilder early = OpBuilder::atBlockBegin(&entry);
  IntegerAttr align = early.getI64IntegerAttr(alignment);
  Value buffer;
  if (type.hasStaticShape()) {
    buffer = memref::AllocaOp::create(early, alloc.getLoc(), type, align);
  } else {
    auto raw = MemRefType::get({std::max<int64_t>(bytes, 1)}, early.getI8Type());
    Value stack = memref::AllocaOp::create(early, alloc.getLoc(), raw, align);
    OpBuilder builder(alloc);
    Value zero = arith::ConstantIndexOp::create(builder, alloc.getLoc(), 0);
    buffer =
        memref::ViewOp::create(builder, alloc.getLoc(), type, stack, zero, alloc.getDynamicSizes());
  }
  alloc.replaceAllUsesWith(buffer);
  alloc.erase();
  return success();
}

struct BufferizeKernelPass : tenon::impl::BufferizeKernelBase<BufferizeKernelPass> {
  using BufferizeKernelBase::BufferizeKernelBase;

  LogicalResult cleanUp() {
    RewritePatternSet patterns(&getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return failure();
    OpPassManager passes(func::FuncOp::getOperationName());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    passes.addPass(createCanonicalizerPass());
    return runPipeline(passes, getOperation());
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    IRRewriter rewriter(&getContext());
    if (failed(cleanUp()))
      return signalPassFailure();
    reuseOperands(function);
    startInDestination(function);
    storePieces(function);
    if (failed(bufferization::eliminateEmptyTensors(rewriter, function)))
      return signalPassFailure();

    bufferization::OneShotBufferizationOptions options;
    options.bufferAlignment = 64;
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(function, options, state)))
      return signalPassFailure();
    if (failed(cleanUp()))
      return signalPassFailure();

    SmallVector<memref::CopyOp> copies;
    SmallVector<memref::AllocOp> allocations;
    function.walk([&](Operation *op) {
      if (auto copy = dyn_cast<memref::CopyOp>(op))
        copies.push_back(copy);
      else if (auto alloc = dyn_cast<memref::AllocOp>(op))
        allocations.push_back(alloc);
    });
    for (memref::CopyOp copy : copies) {
      rewriter.setInsertionPoint(copy);
      rewriter.replaceOpWithNewOp<linalg::CopyOp>(copy, copy.getSource(), copy.getTarget());
    }
    int64_t total = 0;
    for (memref::AllocOp alloc : allocations)
      if (isOnlyMeasured(alloc))
        measureWithoutMemory(alloc, function.getBody().front());
      else if (failed(moveToStack(alloc, function.getBody().front(), total)))
        return signalPassFailure();
    if (total > stackBytes) {
      function.emitError() << "needs scratch: temporaries of " << total << " bytes exceed "
                           << stackBytes;
      return signalPassFailure();
    }
  }
};

} // namespace
