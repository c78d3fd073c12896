// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Permutations of dimensions and the transposes that apply them.

#include "lib/layout/Permutation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::layout;

Permutation layout::getChannelsLastPermutation(int64_t rank) {
  Permutation permutation{0};
  llvm::append_range(permutation, llvm::seq<int64_t>(2, rank));
  permutation.push_back(1);
  return permutation;
}

Permutation layout::composePermutations(ArrayRef<int64_t> first, ArrayRef<int64_t> second) {
  return layout::permute(first, second);
}

linalg::TransposeOp layout::getTranspose(Value value) {
  return value.getDefiningOp<linalg::TransposeOp>();
}

bool layout::keepsElementOrder(RankedTensorType type, ArrayRef<int64_t> permutation) {
  int64_t previous = -1;
  for (int64_t dim : permutation) {
    if (type.getDimSize(dim) == 1)
      continue;
    if (dim < previous)
      return false;
    previous = dim;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Transposes
//===----------------------------------------------------------------------===//

static bool isSplat(Value value) {
  DenseElementsAttr elements;
  return matchPattern(value, m_Constant(&elements)) && elements.isSplat();
}

bool layout::isFreeToTranspose(Value value) {
  return isSplat(value) || value.getDefiningOp<tensor::EmptyOp>() ||
         value.getDefiningOp<linalg::FillOp>();
}

Value layout::findTranspose(OpBuilder &builder, Value value, ArrayRef<int64_t> permutation) {
  Block::iterator here = builder.getInsertionPoint();
  Block *block = builder.getInsertionBlock();
  for (Operation *user : value.getUsers()) {
    auto transpose = dyn_cast<linalg::TransposeOp>(user);
    if (!transpose || transpose.getInput() != value || transpose.getPermutation() != permutation ||
        transpose->getBlock() != block)
      continue;
    if (here == block->end() || transpose->isBeforeInBlock(&*here))
      return transpose.getResult().front();
  }
  return {};
}

Value layout::createTranspose(OpBuilder &builder, Location loc, Value value,
                              ArrayRef<int64_t> permutation) {
  if (linalg::TransposeOp transpose = getTranspose(value)) {
    Permutation composed = composePermutations(transpose.getPermutation(), permutation);
    return createTranspose(builder, loc, transpose.getInput(), composed);
  }
  if (isIdentityPermutation(permutation))
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  if (isSplat(value)) {
    DenseElementsAttr elements;
    matchPattern(value, m_Constant(&elements));
    auto permuted = type.clone(layout::permute(type.getShape(), permutation));
    return arith::ConstantOp::create(builder, loc, elements.resizeSplat(permuted));
  }
  if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
    return tensor::EmptyOp::create(
        builder, loc, layout::permute<OpFoldResult>(empty.getMixedSizes(), permutation),
        type.getElementType());
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    if (fill.getOutputs().front().getDefiningOp<tensor::EmptyOp>()) {
      Value empty = createTranspose(builder, loc, fill.getOutputs().front(), permutation);
      return linalg::FillOp::create(builder, loc, fill.getInputs(), empty).getResult(0);
    }
  if (Value existing = findTranspose(builder, value, permutation))
    return existing;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, value);
  Value empty = tensor::EmptyOp::create(
      builder, loc, layout::permute<OpFoldResult>(sizes, permutation), type.getElementType());
  return linalg::TransposeOp::create(builder, loc, value, empty, permutation).getResult().front();
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

Permutation layout::expandPermutation(ArrayRef<ReassociationIndices> groups,
                                      ArrayRef<int64_t> source) {
  // Where the dimensions of each group stand if the groups come in the order of the unpermuted
  // source.
  Permutation inverse = invertPermutationVector(source), position(groups.back().back() + 1);
  int64_t next = 0;
  for (int64_t dim : inverse)
    for (int64_t fine : groups[dim])
      position[fine] = next++;
  return position;
}

std::optional<Collapsed> layout::collapsePermutation(ArrayRef<ReassociationIndices> groups,
                                                     ArrayRef<int64_t> shape,
                                                     ArrayRef<int64_t> fine) {
  int64_t rank = shape.size(), groupCount = groups.size();
  SmallVector<int64_t> groupOf(rank), lastOfGroup(groupCount, -1);
  SmallVector<bool> isUnit(groupCount, true);
  for (auto [group, dims] : llvm::enumerate(groups))
    for (int64_t dim : dims) {
      groupOf[dim] = group;
      isUnit[group] = isUnit[group] && shape[dim] == 1;
    }

  // In the order of the source: a dimension starts its group, continues the one before it, or (of
  // size 1) joins any.
  Collapsed result;
  SmallVector<int64_t> order;
  ReassociationIndices pending;
  for (auto [sourceDim, dim] : llvm::enumerate(invertPermutationVector(fine))) {
    int64_t group = groupOf[dim];
    bool isStarted = llvm::is_contained(order, group);
    if (shape[dim] == 1 && (!isUnit[group] || isStarted)) {
      (result.groups.empty() ? pending : result.groups.back()).push_back(sourceDim);
      continue;
    }
    if (!isStarted) {
      order.push_back(group);
      result.groups.push_back(pending);
      pending.clear();
    } else if (order.back() != group || dim < lastOfGroup[group]) {
      return std::nullopt;
    }
    lastOfGroup[group] = dim;
    result.groups.back().push_back(sourceDim);
  }
  if (static_cast<int64_t>(order.size()) != groupCount)
    return std::nullopt;
  result.permutation = invertPermutationVector(order);
  return result;
}
