// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AssignGroups.cpp - the grid of a kernel -----------------------------===//
//
// Tiles and groups are two things: a tile is what fits together in a near cache, a
// group is what is worth handing to a thread. Consecutive tiles form a group, so that
// a grid over small rows does not become thousands of launches; how many do is a
// formula over the sizes, evaluated alike by whoever launches and by the code here.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/KernelFunction.h"
#include "lib/codegen/Passes.h"
#include "lib/codegen/SizeExpressions.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using tenon::SizeExpressions;

namespace tenon {
#define GEN_PASS_DEF_ASSIGNGROUPS
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

/// What a dynamic size is taken to be where a decision needs a number.
constexpr int64_t typicalSize = 128;

//===----------------------------------------------------------------------===//
// Dependences between top-level loops
//===----------------------------------------------------------------------===//

/// One memory access of a top-level operation: the memory and, where it is a piece, the view of it.
struct Access {
  Value root;
  memref::SubViewOp piece;
  bool write;
};

/// The memory behind a view; `piece` becomes the subview taken of it outside of the top-level
/// operation.
Access resolve(Value memory, bool write, Operation *phase) {
  Access access{memory, {}, write};
  while (auto view = access.root.getDefiningOp<ViewLikeOpInterface>()) {
    access.piece = {};
    if (auto subview = dyn_cast<memref::SubViewOp>(view.getOperation());
        subview && !phase->isAncestor(view))
      access.piece = subview;
    access.root = view.getViewSource();
  }
  return access;
}

/// All accesses of an operation and what it holds; false if it may access anything.
bool collectAccesses(Operation *phase, SmallVectorImpl<Access> &accesses) {
  WalkResult result = phase->walk([&](Operation *op) {
    // Linalg operations have effects of their own and those of their bodies.
    auto interface = dyn_cast<MemoryEffectOpInterface>(op);
    if (!interface) {
      bool known = op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() || isMemoryEffectFree(op);
      return known ? WalkResult::advance() : WalkResult::interrupt();
    }
    SmallVector<MemoryEffects::EffectInstance> effects;
    interface.getEffects(effects);
    for (MemoryEffects::EffectInstance &effect : effects) {
      if (isa<MemoryEffects::Allocate, MemoryEffects::Free>(effect.getEffect()))
        continue;
      if (!effect.getValue())
        return WalkResult::interrupt();
      accesses.push_back(
          resolve(effect.getValue(), isa<MemoryEffects::Write>(effect.getEffect()), phase));
    }
    return WalkResult::advance();
  });
  return !result.wasInterrupted();
}

bool conflict(Access a, Access b) {
  if (a.root != b.root || (!a.write && !b.write))
    return false;
  if (!a.piece || !b.piece)
    return true;
  HyperrectangularSlice first(cast<OffsetSizeAndStrideOpInterface>(a.piece.getOperation()));
  HyperrectangularSlice second(cast<OffsetSizeAndStrideOpInterface>(b.piece.getOperation()));
  FailureOr<bool> overlap =
      ValueBoundsConstraintSet::areOverlappingSlices(a.piece.getContext(), first, second);
  return failed(overlap) || *overlap;
}

/// Whether the operations may run in any order and at once.
bool areIndependent(ArrayRef<Operation *> phases) {
  SmallVector<SmallVector<Access>> accesses(phases.size());
  for (auto [phase, list] : llvm::zip_equal(phases, accesses))
    if (!collectAccesses(phase, list))
      return phases.size() == 1;
  for (size_t second = 0; second < phases.size(); ++second)
    for (size_t first = 0; first < second; ++first)
      for (Access a : accesses[first])
        for (Access b : accesses[second])
          if (conflict(a, b))
            return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Tiles of what has none yet
//===----------------------------------------------------------------------===//

/// Cuts the outer parallel loops of a top-level operation on memory into tiles of about `elements`.
LogicalResult tileIntoForall(linalg::LinalgOp op, int64_t elements) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges(), tiles(ranges.size(), 0);
  int64_t held = 1;
  bool cut = false;
  for (int64_t loop = ranges.size() - 1; loop >= 0; --loop) {
    bool dynamic = ShapedType::isDynamic(ranges[loop]);
    int64_t size = dynamic ? typicalSize : std::max<int64_t>(ranges[loop], 1);
    if (op.getIteratorTypesArray()[loop] == utils::IteratorType::parallel) {
      int64_t tile = std::max<int64_t>(llvm::divideCeil(elements, held), 1);
      if (dynamic || tile < size) {
        tiles[loop] = tile;
        size = tile;
        cut = true;
      }
    }
    held = llvm::SaturatingMultiply<uint64_t>(held, size) & INT64_MAX;
  }
  if (!cut)
    return failure();
  IRRewriter rewriter(op);
  scf::SCFTilingOptions options;
  options.setTileSizes(getAsIndexOpFoldResult(op.getContext(), tiles));
  options.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
  FailureOr<scf::SCFTilingResult> tiled =
      scf::tileUsingSCF(rewriter, cast<TilingInterface>(op.getOperation()), options);
  if (failed(tiled))
    return failure();
  rewriter.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// The work in a tile
//===----------------------------------------------------------------------===//

int64_t weight(linalg::LinalgOp op) {
  int64_t weight = 1;
  for (Operation &nested : *op.getBlock())
    if (isa<math::MathDialect>(nested.getDialect()))
      weight += 4;
  return weight;
}

/// Scalar operations in one tile, as an expression over sizes.
AffineExpr tileWork(scf::ForallOp forall, SizeExpressions &sizes) {
  MLIRContext *context = forall.getContext();
  AffineExpr work = getAffineConstantExpr(0, context);
  forall.walk([&](linalg::LinalgOp op) {
    AffineExpr product = getAffineConstantExpr(weight(op), context);
    llvm::SmallBitVector seen(op.getNumLoops());
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<MemRefType>(operand.get().getType()))
        continue;
      for (auto [dim, result] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
        auto loop = dyn_cast<AffineDimExpr>(result);
        if (!loop || seen.test(loop.getPosition()))
          continue;
        seen.set(loop.getPosition());
        AffineExpr size = sizes.getDim(operand.get(), dim);
        product = product * (size ? size : getAffineConstantExpr(typicalSize, context));
      }
    }
    work = work + product;
  });
  return work;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct Grid {
  AffineExpr tiles;    // number of tiles
  AffineExpr perGroup; // tiles of one group
  AffineExpr groups;   // number of groups
};

struct AssignGroupsPass : tenon::impl::AssignGroupsBase<AssignGroupsPass> {
  using AssignGroupsBase::AssignGroupsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(tenon::kernelFunctionAttribute) || tenon::getKernelCount(function))
      return;
    SizeExpressions sizes(function);

    SmallVector<Operation *> phases = topLevelOperations(function);
    SmallVector<Grid> grids;
    if (!single && areIndependent(phases)) {
      for (Operation *phase : phases)
        if (auto op = dyn_cast<linalg::LinalgOp>(phase))
          (void)tileIntoForall(op, groupWork);
      phases = topLevelOperations(function);
      grids = planGrids(phases, sizes);
    }
    if (grids.empty())
      runInOneGroup(function);
    else
      runInGroups(function, phases, grids, sizes);
  }

  /// The operations of the entry block that read or write memory.
  SmallVector<Operation *> topLevelOperations(func::FuncOp function) {
    SmallVector<Operation *> operations;
    for (Operation &op : function.getBody().front().without_terminator())
      if (!isMemoryEffectFree(&op) && !isa<memref::AllocaOp>(op))
        operations.push_back(&op);
    return operations;
  }

  /// One grid for each operation; none at all where one of them cannot have one.
  SmallVector<Grid> planGrids(ArrayRef<Operation *> phases, SizeExpressions &sizes) {
    SmallVector<Grid> grids;
    for (Operation *phase : phases) {
      auto forall = dyn_cast<scf::ForallOp>(phase);
      if (!forall || forall.getNumResults() != 0)
        return {};
      AffineExpr tiles = getAffineConstantExpr(1, phase->getContext());
      for (auto [low, high, step] : llvm::zip_equal(
               forall.getMixedLowerBound(), forall.getMixedUpperBound(), forall.getMixedStep())) {
        AffineExpr from = sizes.get(low), to = sizes.get(high);
        std::optional<int64_t> by = getConstantIntValue(step);
        if (!from || !to || !by)
          return {};
        tiles = tiles * (to - from).ceilDiv(*by);
      }
      // Never zero, whatever the sizes: the work counts one more, and so does the quotient.
      AffineExpr work = tileWork(forall, sizes) + 1;
      AffineExpr perGroup =
          getAffineConstantExpr(groupWork, phase->getContext()).floorDiv(work) + 1;
      if (auto constant = dyn_cast<AffineConstantExpr>(work))
        perGroup = getAffineConstantExpr(std::max<int64_t>(groupWork / constant.getValue(), 1),
                                         phase->getContext());
      grids.push_back({tiles, perGroup, tiles.ceilDiv(perGroup)});
    }
    return grids;
  }

  void runInOneGroup(func::FuncOp function) {
    SizeExpressions sizes(function);
    SmallVector<scf::ForallOp> loops;
    function.walk([&](scf::ForallOp op) { loops.push_back(op); });
    IRRewriter rewriter(function.getContext());
    for (scf::ForallOp loop : loops) {
      rewriter.setInsertionPoint(loop);
      SmallVector<Value> indices;
      for (auto [low, high, step] :
           llvm::zip_equal(loop.getLowerBound(rewriter), loop.getUpperBound(rewriter),
                           loop.getStep(rewriter))) {
        auto nested = scf::ForOp::create(rewriter, loop.getLoc(), low, high, step);
        indices.push_back(nested.getInductionVar());
        rewriter.setInsertionPointToStart(nested.getBody());
      }
      inlineTile(rewriter, loop, indices);
    }
    tenon::setKernelCount(
        function,
        AffineMap::get(0, sizes.getNumSizes(), getAffineConstantExpr(1, function.getContext())));
  }

  void runInGroups(func::FuncOp function, ArrayRef<Operation *> phases, ArrayRef<Grid> grids,
                   SizeExpressions &sizes) {
    Location loc = function.getLoc();
    IRRewriter rewriter(function.getContext());
    rewriter.setInsertionPoint(function.getBody().front().getTerminator());
    // After the loops: their bounds are values of the entry block, and stay in front.
    SmallVector<Value> symbols = sizes.materializeSizes(rewriter);
    auto evaluate = [&](AffineExpr expression) -> Value {
      return getValueOrCreateConstantIndexOp(
          rewriter, loc,
          affine::makeComposedFoldedAffineApply(rewriter, loc,
                                                AffineMap::get(0, symbols.size(), expression),
                                                getAsOpFoldResult(symbols)));
    };
    Value group = function.getArguments().back();
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    AffineExpr total = getAffineConstantExpr(0, function.getContext());
    for (auto [phase, grid] : llvm::zip_equal(phases, grids)) {
      OpBuilder::InsertionGuard guard(rewriter);
      auto forall = cast<scf::ForallOp>(phase);
      Value within = group;
      if (grids.size() > 1) {
        // Groups [total, total + groups) are this loop's; others fall through to an empty range.
        within = arith::SubIOp::create(rewriter, loc, group, evaluate(total));
        Value mine = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::ult, within,
                                           evaluate(grid.groups));
        auto branch = scf::IfOp::create(rewriter, loc, mine, /*withElseRegion=*/false);
        rewriter.setInsertionPointToStart(branch.thenBlock());
      }
      Value perGroup = evaluate(grid.perGroup);
      Value first = arith::MulIOp::create(rewriter, loc, within, perGroup);
      Value end = arith::MinSIOp::create(rewriter, loc,
                                         arith::AddIOp::create(rewriter, loc, first, perGroup),
                                         evaluate(grid.tiles));
      auto loop = scf::ForOp::create(rewriter, loc, first, end, one);
      rewriter.setInsertionPointToStart(loop.getBody());
      inlineTile(rewriter, forall,
                 tileIndices(rewriter, forall, loop.getInductionVar(), sizes, symbols));
      total = total + grid.groups;
    }
    tenon::setKernelCount(function, AffineMap::get(0, sizes.getNumSizes(), total));
  }

  /// The loop indices of tile number `tile`.
  SmallVector<Value> tileIndices(RewriterBase &rewriter, scf::ForallOp forall, Value tile,
                                 SizeExpressions &sizes, ArrayRef<Value> symbols) {
    Location loc = forall.getLoc();
    SmallVector<OpFoldResult> lows = forall.getMixedLowerBound(), steps = forall.getMixedStep();
    SmallVector<OpFoldResult> counts;
    for (auto [low, high, step] : llvm::zip_equal(lows, forall.getMixedUpperBound(), steps)) {
      AffineExpr count = (sizes.get(high) - sizes.get(low)).ceilDiv(*getConstantIntValue(step));
      counts.push_back(affine::makeComposedFoldedAffineApply(
          rewriter, loc, AffineMap::get(0, symbols.size(), count), getAsOpFoldResult(symbols)));
    }
    SmallVector<Value> positions = {tile};
    if (counts.size() > 1)
      positions = llvm::to_vector_of<Value>(affine::AffineDelinearizeIndexOp::create(
                                                rewriter, loc, tile, counts, /*hasOuterBound=*/true)
                                                .getResults());
    AffineExpr low = rewriter.getAffineSymbolExpr(0), step = rewriter.getAffineSymbolExpr(1);
    SmallVector<Value> indices;
    for (auto [position, from, by] : llvm::zip_equal(positions, lows, steps))
      indices.push_back(getValueOrCreateConstantIndexOp(
          rewriter, loc,
          affine::makeComposedFoldedAffineApply(
              rewriter, loc, AffineMap::get(1, 2, low + rewriter.getAffineDimExpr(0) * step),
              {position, from, by})));
    return indices;
  }

  /// Puts the body of a forall on memory at the insertion point and erases the forall.
  void inlineTile(RewriterBase &rewriter, scf::ForallOp forall, ValueRange indices) {
    Block *body = forall.getBody();
    rewriter.eraseOp(body->getTerminator());
    rewriter.inlineBlockBefore(body, rewriter.getInsertionBlock(), rewriter.getInsertionPoint(),
                               indices);
    rewriter.eraseOp(forall);
  }
};

} // namespace
