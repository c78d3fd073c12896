// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DistributeKernel.cpp - one loop over tiles for a kernel -------------===//
//
// Chooses along which loops a kernel may be cut and how large a tile is, then lets
// upstream's tile-and-fuse do the cutting.
//
// The non-obvious decision is which loops may be cut. Cutting a consumer's loop that
// a producer does not have makes every tile compute the whole producer again: fine
// for a bias, ruinous for a row's sum. So a loop is cut only if every producer with
// a reduction moves along it. Softmax is thereby cut into rows, a contraction with
// its epilogue in both dimensions, without either being known here by name.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_DISTRIBUTEKERNEL
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

/// What a dynamic size is taken to be where a decision needs a number.
constexpr int64_t typicalSize = 512;

//===----------------------------------------------------------------------===//
// Which loops may be cut
//===----------------------------------------------------------------------===//

/// Loops that an operand walks backwards (i - k, as in a transposed convolution): upstream computes
/// the slice of such an operand as if its first element were that of the first iteration.
llvm::SmallBitVector backwardLoops(linalg::LinalgOp op) {
  llvm::SmallBitVector backward(op.getNumLoops());
  for (AffineMap map : op.getIndexingMapsArray())
    for (AffineExpr result : map.getResults()) {
      bool negative = false;
      result.walk([&](AffineExpr part) {
        auto constant = dyn_cast<AffineConstantExpr>(part);
        negative |= constant && constant.getValue() < 0;
      });
      for (unsigned loop = 0; negative && loop < op.getNumLoops(); ++loop)
        if (result.isFunctionOfDim(loop))
          backward.set(loop);
    }
  return backward;
}

/// Follows producers of one operation and forbids loops along which their reductions would be
/// repeated.
class CutAnalysis {
public:
  explicit CutAnalysis(linalg::LinalgOp root) : allowed(root.getNumLoops()) {
    for (auto [loop, kind] : llvm::enumerate(root.getIteratorTypesArray()))
      if (kind == utils::IteratorType::parallel)
        allowed.set(loop);
    SmallVector<llvm::SmallBitVector> loops;
    for (unsigned loop = 0; loop < root.getNumLoops(); ++loop) {
      loops.emplace_back(root.getNumLoops());
      loops.back().set(loop);
    }
    visit(root, loops);
    allowed.reset(backwardLoops(root));
  }

  llvm::SmallBitVector allowed;

private:
  /// `loops[i]` is the set of the root's loops that loop `i` of `op` moves with. Returns whether
  /// `op` or a producer of it reduces anything.
  bool visit(linalg::LinalgOp op, ArrayRef<llvm::SmallBitVector> loops) {
    bool reduces = op.getNumReductionLoops() != 0;
    for (OpOperand &operand : op->getOpOperands()) {
      auto producer = operand.get().getDefiningOp<linalg::LinalgOp>();
      if (!producer)
        continue;
      AffineMap read = op.getMatchingIndexingMap(&operand);
      AffineMap written = producer.getIndexingMapMatchingResult(cast<OpResult>(operand.get()));
      SmallVector<llvm::SmallBitVector> below(producer.getNumLoops(),
                                              llvm::SmallBitVector(allowed.size()));
      llvm::SmallBitVector moved(allowed.size());
      for (auto [from, to] : llvm::zip_equal(read.getResults(), written.getResults())) {
        llvm::SmallBitVector set(allowed.size());
        for (unsigned loop = 0; loop < loops.size(); ++loop)
          if (from.isFunctionOfDim(loop))
            set |= loops[loop];
        moved |= set;
        for (unsigned loop = 0; loop < below.size(); ++loop)
          if (to.isFunctionOfDim(loop))
            below[loop] |= set;
      }
      llvm::SmallBitVector backward = backwardLoops(producer);
      for (unsigned loop = 0; loop < below.size(); ++loop)
        if (backward.test(loop))
          allowed.reset(below[loop]);
      if (visit(producer, below)) {
        reduces = true;
        allowed &= moved;
      }
    }
    return reduces;
  }
};

//===----------------------------------------------------------------------===//
// How large a tile is
//===----------------------------------------------------------------------===//

/// The tile of a loop of `size` that should be at least `wanted`: a divisor of the size where a
/// good one exists, so that all tiles are alike and their shapes static.
int64_t chooseTile(int64_t size, int64_t wanted) {
  if (size <= wanted)
    return size;
  for (int64_t tile = wanted; tile * 2 > wanted; --tile)
    if (size % tile == 0)
      return tile;
  for (int64_t tile = wanted + 1; tile <= wanted * 2; ++tile)
    if (size % tile == 0)
      return tile;
  return wanted;
}

/// Tile sizes by loop, 0 for loops that stay whole. Fills from the loop that is contiguous in the
/// result outwards, until the tile holds `elements` elements.
SmallVector<int64_t> chooseTiles(linalg::LinalgOp op, const llvm::SmallBitVector &allowed,
                                 int64_t elements) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges(), tiles(ranges.size(), 0);
  auto typical = [&](unsigned loop) {
    return ShapedType::isDynamic(ranges[loop]) ? typicalSize : ranges[loop];
  };
  int64_t held = 1;
  for (unsigned loop = 0; loop < ranges.size(); ++loop)
    if (!allowed.test(loop))
      held =
          llvm::SaturatingMultiply<uint64_t>(held, std::max<int64_t>(typical(loop), 1)) & INT64_MAX;

  SmallVector<unsigned> inwards;
  for (AffineExpr result : op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResults())
    if (auto loop = dyn_cast<AffineDimExpr>(result))
      inwards.push_back(loop.getPosition());
  for (unsigned loop : llvm::reverse(inwards)) {
    if (!allowed.test(loop))
      continue;
    int64_t wanted = std::max<int64_t>(llvm::divideCeil(elements, held), 1);
    if (ShapedType::isDynamic(ranges[loop])) {
      tiles[loop] = wanted;
    } else {
      int64_t tile = chooseTile(ranges[loop], wanted);
      tiles[loop] = tile == ranges[loop] ? 0 : tile;
      wanted = tile;
    }
    held *= std::max<int64_t>(wanted, 1);
  }
  return tiles;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct DistributeKernelPass : tenon::impl::DistributeKernelBase<DistributeKernelPass> {
  using DistributeKernelBase::DistributeKernelBase;

  void runOnOperation() override {
    tenon::plan::KernelOp kernel = getOperation();
    // Later results first: an earlier one that a later one reads is computed in its tiles.
    Operation *yield = kernel.getBody().front().getTerminator();
    for (unsigned result = yield->getNumOperands(); result-- > 0;)
      if (failed(distribute(kernel, yield->getOperand(result))))
        return signalPassFailure();
  }

  LogicalResult distribute(tenon::plan::KernelOp kernel, Value value) {
    while (auto *op = value.getDefiningOp()) {
      if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(op))
        break;
      value = op->getOperand(0);
    }
    // Pieces put together one after the other (a concatenation) are computed each for itself.
    if (auto insert = value.getDefiningOp<tensor::InsertSliceOp>()) {
      Value source = insert.getSource(), destination = insert.getDest();
      if (failed(distribute(kernel, source)))
        return failure();
      return distribute(kernel, destination);
    }
    auto root = value.getDefiningOp<linalg::LinalgOp>();
    if (!root || root->getParentOp() != kernel || root.getNumLoops() == 0)
      return success();

    SmallVector<int64_t> tiles = chooseTiles(root, CutAnalysis(root).allowed, tileElements);
    if (llvm::all_of(tiles, [](int64_t tile) { return tile == 0; }))
      return success();

    IRRewriter rewriter(root);
    scf::SCFTileAndFuseOptions options;
    SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(rewriter.getContext(), tiles);
    options.tilingOptions.setTileSizes(sizes).setLoopType(
        scf::SCFTilingOptions::LoopType::ForallOp);
    auto outside = [&](OpResult producer) {
      return llvm::any_of(producer.getUsers(), llvm::IsaPred<tenon::plan::YieldOp>);
    };
    options.setFusionControlFn(
        [&](tensor::ExtractSliceOp, OpResult producer,
            bool destination) -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
          if (!isa<TilingInterface>(producer.getOwner()))
            return std::nullopt;
          return scf::SCFTileAndFuseOptions::ControlFnResult{!destination && outside(producer)};
        });
    FailureOr<scf::SCFTileAndFuseResult> tiled = scf::tileConsumerAndFuseProducersUsingSCF(
        rewriter, cast<TilingInterface>(root.getOperation()), options);
    if (failed(tiled))
      return root->emitOpError("cannot be tiled");
    // What stands before the loop is either what was tiled, and dead, or needs the untiled value.
    Operation *loop = tiled->loops.front();
    for (auto [from, to] : tiled->replacements)
      rewriter.replaceUsesWithIf(from, to, [&](OpOperand &use) {
        return use.getOwner()->getBlock() == loop->getBlock() &&
               loop->isBeforeInBlock(use.getOwner());
      });
    if (isOpTriviallyDead(root))
      rewriter.eraseOp(root);
    return success();
  }
};

} // namespace
