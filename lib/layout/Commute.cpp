// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How operations other than linalg.generic work on permuted dimensions.

#include "lib/layout/Commute.h"

#include "dialects/nn/Nn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::layout;

// Operations whose operands of the result's rank are permuted as the result is. `permuted` says
// which.
static std::optional<Commutation> permuteAlike(Operation *op, ArrayRef<int64_t> permutation,
                                               function_ref<bool(OpOperand &)> permuted) {
  Commutation commutation{Permutation(permutation), {}};
  for (OpOperand &operand : op->getOpOperands())
    commutation.operands.push_back(permuted(operand) ? Permutation(permutation) : Permutation());
  return commutation;
}

// Only the first operand, the source.
static std::optional<Commutation> permuteSource(Operation *op, ArrayRef<int64_t> permutation) {
  return permuteAlike(op, permutation,
                      [](OpOperand &operand) { return operand.getOperandNumber() == 0; });
}

static std::optional<Commutation> permuteSource(Operation *op, Permutation source,
                                                Permutation result) {
  Commutation commutation{std::move(result), {std::move(source)}};
  commutation.operands.resize(op->getNumOperands());
  return commutation;
}

static std::optional<Commutation> commuteNormalize(nn::NormalizeOp op,
                                                   ArrayRef<int64_t> permutation) {
  // The rows stay rows; a scale or bias that reaches beyond them would have to be permuted as well.
  int64_t axis = op.getAxis(), rank = op.getType().getRank();
  for (int64_t dim = axis; dim < rank; ++dim)
    if (permutation[dim] != dim)
      return std::nullopt;
  for (Value operand : {op.getScale(), op.getBias()})
    if (operand && cast<RankedTensorType>(operand.getType()).getRank() > rank - axis)
      return std::nullopt;
  return permuteSource(op, permutation);
}

std::optional<Commutation> layout::hoistThrough(Operation *op, ArrayRef<int64_t> permutation) {
  using Result = std::optional<Commutation>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](linalg::GenericOp op) { return detail::hoistThroughGeneric(op, permutation); })
      .Case([&](tensor::PadOp op) {
        return op.getConstantPaddingValue() ? permuteSource(op, permutation) : Result();
      })
      .Case([&](tensor::CastOp op) { return permuteSource(op, permutation); })
      .Case([&](tensor::ConcatOp op) {
        return permuteAlike(op, permutation, [](OpOperand &) { return true; });
      })
      .Case([&](linalg::SoftmaxOp op) {
        return permuteAlike(op, permutation, [](OpOperand &) { return true; });
      })
      .Case([&](tensor::ExtractSliceOp op) {
        return op.getSourceType().getRank() == op.getType().getRank()
                   ? permuteSource(op, permutation)
                   : Result();
      })
      .Case([&](tensor::InsertSliceOp op) {
        if (op.getSourceType().getRank() != op.getType().getRank())
          return Result();
        return permuteAlike(op, permutation,
                            [](OpOperand &operand) { return operand.getOperandNumber() < 2; });
      })
      .Case([&](tensor::ExpandShapeOp op) {
        std::optional<Collapsed> source = collapsePermutation(
            op.getReassociationIndices(), op.getResultType().getShape(), permutation);
        return source ? permuteSource(op, source->permutation, Permutation(permutation)) : Result();
      })
      .Case([&](tensor::CollapseShapeOp op) {
        return permuteSource(op, expandPermutation(op.getReassociationIndices(), permutation),
                             Permutation(permutation));
      })
      .Case([&](nn::PoolOp op) {
        Permutation toFirst =
            invertPermutationVector(getChannelsLastPermutation(op.getType().getRank()));
        return !op.isChannelsLast() && permutation == ArrayRef(toFirst)
                   ? permuteSource(op, permutation)
                   : Result();
      })
      .Case([&](nn::NormalizeOp op) { return commuteNormalize(op, permutation); })
      .Default([](Operation *) { return Result(); });
}

std::optional<Commutation> layout::sinkThrough(OpOperand &operand, ArrayRef<int64_t> permutation) {
  using Result = std::optional<Commutation>;
  return TypeSwitch<Operation *, Result>(operand.getOwner())
      .Case([&](linalg::GenericOp) { return detail::sinkThroughGeneric(operand, permutation); })
      .Case([&](tensor::ExpandShapeOp op) {
        return permuteSource(op, Permutation(permutation),
                             expandPermutation(op.getReassociationIndices(), permutation));
      })
      .Case([&](tensor::CollapseShapeOp op) {
        std::optional<Collapsed> result = collapsePermutation(
            op.getReassociationIndices(), op.getSrcType().getShape(), permutation);
        return result ? permuteSource(op, Permutation(permutation), result->permutation) : Result();
      })
      .Default([&](Operation *op) -> Result {
        // The others permute the result as the operand.
        Value value = operand.get();
        if (op->getNumResults() != 1 || cast<RankedTensorType>(value.getType()).getRank() == 0)
          return std::nullopt;
        auto resultType = dyn_cast<RankedTensorType>(op->getResult(0).getType());
        if (!resultType || resultType.getRank() != static_cast<int64_t>(permutation.size()))
          return std::nullopt;
        Result commutation = hoistThrough(op, permutation);
        if (!commutation || commutation->operands[operand.getOperandNumber()].empty())
          return std::nullopt;
        return commutation;
      });
}

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

namespace {
/// Creates op' once its operands are there. `order` takes what is in the order of the result's
/// dimensions to that of the result of op'.
struct Creation {
  OpBuilder &builder;
  Operation *op;
  const Commutation &commutation;
  SmallVector<Value> operands;
  Permutation order;

  RankedTensorType getResultType() {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    return type.clone(layout::permute(type.getShape(), order));
  }
  SmallVector<OpFoldResult> permute(SmallVector<OpFoldResult> sizes) {
    return layout::permute<OpFoldResult>(sizes, order);
  }

  Value create(tensor::PadOp pad) {
    return tensor::PadOp::create(builder, pad.getLoc(), getResultType(), operands[0],
                                 permute(pad.getMixedLowPad()), permute(pad.getMixedHighPad()),
                                 pad.getConstantPaddingValue(), pad.getNofold());
  }
  Value create(tensor::CastOp cast) {
    return tensor::CastOp::create(builder, cast.getLoc(), getResultType(), operands[0]);
  }
  Value create(tensor::ConcatOp concat) {
    int64_t dim = commutation.result[concat.getDim()];
    return tensor::ConcatOp::create(builder, concat.getLoc(), getResultType(), dim, operands);
  }
  Value create(linalg::SoftmaxOp softmax) {
    int64_t dim = commutation.result[softmax.getDimension()];
    return linalg::SoftmaxOp::create(builder, softmax.getLoc(), operands[1].getType(), operands[0],
                                     operands[1], dim)
        ->getResult(0);
  }
  Value create(tensor::ExtractSliceOp slice) {
    return tensor::ExtractSliceOp::create(
        builder, slice.getLoc(), getResultType(), operands[0], permute(slice.getMixedOffsets()),
        permute(slice.getMixedSizes()), permute(slice.getMixedStrides()));
  }
  Value create(tensor::InsertSliceOp slice) {
    return tensor::InsertSliceOp::create(
        builder, slice.getLoc(), operands[0], operands[1], permute(slice.getMixedOffsets()),
        permute(slice.getMixedSizes()), permute(slice.getMixedStrides()));
  }
  Value create(tensor::ExpandShapeOp expand) {
    SmallVector<ReassociationIndices> groups =
        collapsePermutation(expand.getReassociationIndices(), expand.getResultType().getShape(),
                            commutation.result)
            ->groups;
    return tensor::ExpandShapeOp::create(builder, expand.getLoc(), getResultType(), operands[0],
                                         groups, permute(expand.getMixedOutputShape()));
  }
  Value create(tensor::CollapseShapeOp collapse) {
    SmallVector<ReassociationIndices> groups =
        collapsePermutation(collapse.getReassociationIndices(), collapse.getSrcType().getShape(),
                            commutation.operands[0])
            ->groups;
    return tensor::CollapseShapeOp::create(builder, collapse.getLoc(), getResultType(), operands[0],
                                           groups);
  }
  Value create(nn::PoolOp) {
    auto pool = cast<nn::PoolOp>(clone());
    pool.setLayout(nn::Layout::ChannelsLast);
    return pool.getResult();
  }
  Value create(nn::NormalizeOp) { return clone()->getResult(0); }

  Operation *clone() {
    Operation *cloned = builder.clone(*op);
    cloned->setOperands(operands);
    cloned->getResult(0).setType(getResultType());
    return cloned;
  }
};
} // namespace

Value layout::commute(OpBuilder &builder, Operation *op, const Commutation &commutation) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return detail::commuteGeneric(builder, generic, commutation);

  Creation creation{builder, op, commutation, SmallVector<Value>(op->getOperands()),
                    invertPermutationVector(commutation.result)};
  for (auto [operand, permutation] : llvm::zip_equal(creation.operands, commutation.operands))
    if (!permutation.empty())
      operand =
          createTranspose(builder, op->getLoc(), operand, invertPermutationVector(permutation));
  return TypeSwitch<Operation *, Value>(op)
      .Case<tensor::PadOp, tensor::CastOp, tensor::ConcatOp, linalg::SoftmaxOp,
            tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::ExpandShapeOp,
            tensor::CollapseShapeOp, nn::PoolOp, nn::NormalizeOp>(
          [&](auto op) { return creation.create(op); });
}
