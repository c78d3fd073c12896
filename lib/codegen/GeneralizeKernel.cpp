// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GeneralizeKernel.cpp - few loop nests for a kernel ------------------===//
//
// The non-obvious decision: unpack and pad of a kernel's argument become loops that
// *gather* from the argument (tensor.extract in their body). Such loops are
// elementwise, so they fuse into whatever reads them and need no temporary.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_GENERALIZEKERNEL
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

//===----------------------------------------------------------------------===//
// Data movement as loops
//===----------------------------------------------------------------------===//

/// A linalg.generic over all elements of `init` whose value is computed by `body` from the loop
/// indices.
linalg::GenericOp createGather(OpBuilder &builder, Location loc, Value init,
                               function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  auto type = cast<RankedTensorType>(init.getType());
  int64_t rank = type.getRank();
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
      builder, loc, TypeRange{type}, ValueRange{}, ValueRange{init}, ArrayRef(identity), iterators,
      [&](OpBuilder &nested, Location loc, ValueRange) {
        SmallVector<Value> indices;
        for (int64_t dim = 0; dim < rank; ++dim)
          indices.push_back(linalg::IndexOp::create(nested, loc, dim));
        linalg::YieldOp::create(nested, loc, body(nested, loc, indices));
      });
}

Value applyExpression(OpBuilder &builder, Location loc, AffineExpr expression, Value operand) {
  return affine::AffineApplyOp::create(builder, loc, AffineMap::get(1, 0, expression), operand);
}

/// linalg.unpack as a gather from the packed tensor.
struct GatherUnpack : OpRewritePattern<linalg::UnPackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::UnPackOp op, PatternRewriter &rewriter) const override {
    if (!op.getInnerTiles().empty() || !isa<RankedTensorType>(op.getDest().getType()))
      return rewriter.notifyMatchFailure(op, "tiles are not static or not on tensors");
    ArrayRef<int64_t> positions = op.getInnerDimsPos(), tiles = op.getStaticInnerTiles();
    SmallVector<int64_t> permutation(op.getOuterDimsPerm());
    if (permutation.empty())
      permutation = llvm::to_vector(
          llvm::seq<int64_t>(0, cast<RankedTensorType>(op.getDest().getType()).getRank()));

    Value packed = op.getSource();
    AffineExpr index = rewriter.getAffineDimExpr(0);
    auto gather = createGather(
        rewriter, op.getLoc(), op.getDest(),
        [&](OpBuilder &nested, Location loc, ValueRange indices) -> Value {
          SmallVector<Value> outer(indices), coordinates;
          for (auto [position, tile] : llvm::zip_equal(positions, tiles))
            outer[position] = applyExpression(nested, loc, index.floorDiv(tile), indices[position]);
          for (int64_t dim : permutation)
            coordinates.push_back(outer[dim]);
          for (auto [position, tile] : llvm::zip_equal(positions, tiles))
            coordinates.push_back(applyExpression(nested, loc, index % tile, indices[position]));
          return tensor::ExtractOp::create(nested, loc, packed, coordinates);
        });
    rewriter.replaceOp(op, gather);
    return success();
  }
};

struct LowerPack : OpRewritePattern<linalg::PackOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::PackOp op, PatternRewriter &rewriter) const override {
    return linalg::lowerPack(rewriter, op);
  }
};

/// Whether a tensor is there before the kernel starts: an argument or a view of one.
bool isArgument(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp,
             tensor::CastOp>(op))
      return false;
    value = op->getOperand(0);
  }
  return true;
}

/// tensor.pad of an argument by a constant as a gather: the nearest element inside, or the padding.
struct GatherPad : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::PadOp op, PatternRewriter &rewriter) const override {
    Value padding = op.getConstantPaddingValue();
    Value source = op.getSource();
    if (!padding || !isArgument(source))
      return rewriter.notifyMatchFailure(op,
                                         "padding is not one value or the source is computed here");
    if (llvm::is_contained(op.getSourceType().getShape(), 0))
      return rewriter.notifyMatchFailure(op, "nothing to gather from");
    Location loc = op.getLoc();
    ReifiedRankedShapedTypeDims shapes;
    if (failed(reifyResultShapes(rewriter, op, shapes)))
      return failure();
    Value init =
        tensor::EmptyOp::create(rewriter, loc, shapes.front(), op.getType().getElementType());
    SmallVector<Value> lows = getValueOrCreateConstantIndexOp(rewriter, loc, op.getMixedLowPad());
    SmallVector<Value> sizes = getValueOrCreateConstantIndexOp(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, source));

    auto gather = createGather(
        rewriter, loc, init, [&](OpBuilder &nested, Location loc, ValueRange indices) -> Value {
          Value zero = arith::ConstantIndexOp::create(nested, loc, 0);
          Value one = arith::ConstantIndexOp::create(nested, loc, 1);
          Value inside;
          SmallVector<Value> coordinates;
          for (auto [dim, index] : llvm::enumerate(indices)) {
            if (isZeroInteger(op.getMixedLowPad()[dim]) &&
                isZeroInteger(op.getMixedHighPad()[dim])) {
              coordinates.push_back(index);
              continue;
            }
            Value position = arith::SubIOp::create(nested, loc, index, lows[dim]);
            // Negative positions are large unsigned ones.
            Value within =
                arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::ult, position, sizes[dim]);
            inside =
                inside ? arith::AndIOp::create(nested, loc, inside, within).getResult() : within;
            Value last = arith::SubIOp::create(nested, loc, sizes[dim], one);
            Value clamped = arith::MinSIOp::create(nested, loc, position, last);
            coordinates.push_back(arith::MaxSIOp::create(nested, loc, clamped, zero));
          }
          // An empty source has no nearest element; the branch is only there where it may be empty.
          auto element = [&](OpBuilder &nested) -> Value {
            return tensor::ExtractOp::create(nested, loc, source, coordinates);
          };
          if (!inside)
            return element(nested);
          if (op.getSourceType().hasStaticShape())
            return arith::SelectOp::create(nested, loc, inside, element(nested), padding);
          return scf::IfOp::create(
                     nested, loc, inside,
                     [&](OpBuilder &nested, Location loc) {
                       scf::YieldOp::create(nested, loc, element(nested));
                     },
                     [&](OpBuilder &nested, Location loc) {
                       scf::YieldOp::create(nested, loc, padding);
                     })
              .getResult(0);
        });
    rewriter.replaceOpWithNewOp<tensor::CastOp>(op, op.getType(), gather.getResult(0));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// What may be fused
//===----------------------------------------------------------------------===//

/// Operations in a body that cost more than a few cycles per element.
int64_t bodyCost(linalg::GenericOp op) {
  int64_t cost = 0;
  for (Operation &nested : op.getBody()->without_terminator()) {
    if (isa<math::MathDialect>(nested.getDialect()) &&
        !isa<math::AbsFOp, math::FmaOp, math::SqrtOp>(nested))
      cost += 16;
    else if (!isa<arith::ConstantOp, linalg::IndexOp>(nested))
      ++cost;
  }
  return cost;
}

/// How often the consumer's loops read each element of an operand beyond once: some loop does not
/// move it.
bool isRepeated(OpOperand &operand) {
  auto consumer = cast<linalg::LinalgOp>(operand.getOwner());
  AffineMap map = consumer.getMatchingIndexingMap(&operand);
  for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
    if (!map.isFunctionOfDim(dim))
      return true;
  return !map.isProjectedPermutation();
}

/// Fuse where it saves a temporary and repeats little.
bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  if (!producer)
    return false;
  constexpr int64_t cheap = 4;
  if (bodyCost(producer) <= cheap)
    return true;
  if (isRepeated(*operand))
    return false;
  // With several consumers, all but one computation are repetitions.
  return llvm::hasSingleElement(llvm::make_filter_range(
      producer->getUsers(), [](Operation *user) { return !isa<tensor::DimOp>(user); }));
}

//===----------------------------------------------------------------------===//
// Collapsing loops
//===----------------------------------------------------------------------===//

/// The longest runs of adjacent loops that every operand walks as if they were one loop.
SmallVector<ReassociationIndices> collapsibleLoops(linalg::GenericOp op) {
  if (op.hasIndexSemantics() || !op.hasPureTensorSemantics())
    return {};
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!llvm::all_of(maps, [](AffineMap map) { return map.isProjectedPermutation(); }))
    return {};
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  SmallVector<ReassociationIndices> groups;
  for (int64_t loop = 0, end = op.getNumLoops(); loop < end; ++loop) {
    if (!groups.empty() && iterators[groups.back().back()] == iterators[loop]) {
      ReassociationIndices extended = groups.back();
      extended.push_back(loop);
      if (linalg::areDimSequencesPreserved(maps, {extended})) {
        groups.back() = extended;
        continue;
      }
    }
    groups.push_back({loop});
  }
  if (static_cast<int64_t>(groups.size()) == op.getNumLoops())
    return {};
  return groups;
}

/// Collapses the loops of a kernel that has one operation only: there, every reshape that this
/// makes is one of an argument or a result and costs nothing.
void collapseOnlyOperation(tenon::plan::KernelOp kernel) {
  linalg::GenericOp only;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (auto generic = dyn_cast<linalg::GenericOp>(op); generic && !only)
      only = generic;
    else if (!isMemoryEffectFree(&op) ||
             llvm::any_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>))
      if (!isa<tensor::EmptyOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
        return;
  }
  if (!only)
    return;
  SmallVector<ReassociationIndices> groups = collapsibleLoops(only);
  if (groups.empty())
    return;
  IRRewriter rewriter(only);
  FailureOr<linalg::CollapseResult> collapsed =
      linalg::collapseOpIterationDims(only, groups, rewriter);
  if (succeeded(collapsed))
    rewriter.replaceOp(only, collapsed->results);
}

/// What has no elements is not computed: its destination will do. (Tiles of nothing have no size.)
void dropEmptyWork(tenon::plan::KernelOp kernel) {
  kernel.walk([](linalg::LinalgOp op) {
    for (OpResult result : op->getResults())
      if (llvm::is_contained(cast<RankedTensorType>(result.getType()).getShape(), 0))
        result.replaceAllUsesWith(op.getTiedOpOperand(result)->get());
  });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct GeneralizeKernelPass : tenon::impl::GeneralizeKernelBase<GeneralizeKernelPass> {
  using GeneralizeKernelBase::GeneralizeKernelBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    tenon::plan::KernelOp kernel = getOperation();
    dropEmptyWork(kernel);

    RewritePatternSet movement(context);
    movement.add<GatherUnpack, LowerPack, GatherPad>(context);
    tensor::populateDecomposeTensorConcatPatterns(movement);
    linalg::populateLinalgNamedOpsGeneralizationPatterns(movement);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(movement);
    if (failed(applyPatternsGreedily(kernel, std::move(movement))))
      return signalPassFailure();
    if (!fuse && !recompute)
      return;

    RewritePatternSet fusion(context);
    bool always = recompute;
    auto control = [always](OpOperand *operand) { return always || shouldFuse(operand); };
    linalg::populateElementwiseOpsFusionPatterns(fusion, control);
    // Reshapes between operations would keep them apart: move them to the kernel's border.
    linalg::populateFoldReshapeOpsByExpansionPatterns(fusion, [](OpOperand *operand) {
      Operation *producer = operand->get().getDefiningOp();
      return producer && !isArgument(operand->get());
    });
    linalg::populateInlineConstantOperandsPatterns(fusion);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(fusion);
    tensor::populateBubbleUpExtractSliceOpPatterns(fusion);
    linalg::populateBubbleUpExtractSliceOpPatterns(fusion);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(fusion);
    context->getLoadedDialect<linalg::LinalgDialect>()->getCanonicalizationPatterns(fusion);
    linalg::GenericOp::getCanonicalizationPatterns(fusion, context);
    tensor::ExtractSliceOp::getCanonicalizationPatterns(fusion, context);
    tensor::DimOp::getCanonicalizationPatterns(fusion, context);
    if (failed(applyPatternsGreedily(kernel, std::move(fusion))))
      return signalPassFailure();
    collapseOnlyOperation(kernel);
    RewritePatternSet destinations(context);
    tensor::populateFoldTensorEmptyPatterns(destinations);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(destinations);
    if (failed(applyPatternsGreedily(kernel, std::move(destinations))))
      return signalPassFailure();
  }
};

} // namespace
