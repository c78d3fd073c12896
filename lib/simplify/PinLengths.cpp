// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PinLengths.cpp - lengths that follow from ranks --------------------===//
//
// A shape has as many elements as its tensor has dimensions. Where a model's
// border leaves the length of such an operand open, the ranks around it tell,
// and every pass below may count on it: the operand passes through a
// plan.reshape, whose number of elements is checked when the model runs.
//
//===----------------------------------------------------------------------===//

#include "lib/simplify/Passes.h"

#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_PINLENGTHS
#include "lib/simplify/Passes.h.inc"

namespace {

using Length = std::optional<int64_t>;

Length rankOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? Length(type.getRank()) : std::nullopt;
}

/// The number of elements of a vector, where it is known.
Length lengthOf(Value vector) {
  auto type = dyn_cast<RankedTensorType>(vector.getType());
  return type && type.getRank() == 1 && type.hasStaticShape() ? Length(type.getDimSize(0))
                                                              : std::nullopt;
}

Length times(Length length, int64_t factor) {
  return length ? Length(*length * factor) : std::nullopt;
}

/// a - b; nothing where that cannot be a length.
Length minus(Length a, Length b) { return a && b && *a >= *b ? Length(*a - *b) : std::nullopt; }

/// The last dimension of `operand` is `length`, which may not be known.
void pinLast(Operation *op, Value operand, Length length) {
  auto type = dyn_cast<RankedTensorType>(operand.getType());
  if (!length || !type || type.getRank() == 0 || !type.isDynamicDim(type.getRank() - 1))
    return;
  OpBuilder builder(op);
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = *length;
  SmallVector<Value> sizes;
  for (auto [dim, size] : llvm::enumerate(shape))
    if (ShapedType::isDynamic(size))
      sizes.push_back(tensor::DimOp::create(builder, op->getLoc(), operand, dim));
  Value pinned = plan::ReshapeOp::create(builder, op->getLoc(), type.clone(shape), operand, sizes);
  op->replaceUsesOfWith(operand, pinned);
}

/// All of these vectors have one length: that of those for which it is known.
void pinAlike(Operation *op, ArrayRef<Value> vectors) {
  Length length;
  for (Value vector : vectors)
    length = length ? length : lengthOf(vector);
  for (Value vector : vectors)
    pinLast(op, vector, length);
}

void pinResize(onnx::ResizeOp op) {
  Length count = rankOf(op.getX());
  if (std::optional<ArrayRef<int64_t>> axes = op.getAxes())
    count = axes->size();
  pinLast(op, op.getRoi(), times(count, 2));
  // One of the two is there; an older spelling of "not there" is a vector without elements.
  auto isThere = [](Value value) { return !onnx::isAbsent(value) && lengthOf(value) != Length(0); };
  if (!isThere(op.getSizes()))
    pinLast(op, op.getScales(), count);
  else if (!isThere(op.getScales()))
    pinLast(op, op.getSizes(), count);
}

void pinCol2Im(onnx::Col2ImOp op) {
  Length count = minus(rankOf(op.getOutput()), 2);
  for (Value vector : {op.getImageShape(), op.getBlockShape()})
    count = count ? count : lengthOf(vector);
  for (std::optional<ArrayRef<int64_t>> list : {op.getStrides(), op.getDilations()})
    count = count || !list ? count : Length(list->size());
  pinLast(op, op.getImageShape(), count);
  pinLast(op, op.getBlockShape(), count);
}

void pin(Operation *operation) {
  llvm::TypeSwitch<Operation *>(operation)
      .Case([](onnx::ReshapeOp op) { pinLast(op, op.getShape(), rankOf(op.getReshaped())); })
      .Case([](onnx::ConstantOfShapeOp op) { pinLast(op, op.getInput(), rankOf(op.getOutput())); })
      .Case([](onnx::TileOp op) { pinLast(op, op.getRepeats(), rankOf(op.getInput())); })
      .Case([](onnx::SplitOp op) {
        pinLast(op, op.getSplit(), static_cast<int64_t>(op->getNumResults()));
      })
      .Case([](onnx::SqueezeOp op) {
        pinLast(op, op.getAxes(), minus(rankOf(op.getData()), rankOf(op.getSqueezed())));
      })
      .Case([](onnx::UnsqueezeOp op) {
        pinLast(op, op.getAxes(), minus(rankOf(op.getExpanded()), rankOf(op.getData())));
      })
      .Case([](onnx::SliceOp op) {
        pinAlike(op, {op.getStarts(), op.getEnds(), op.getAxes(), op.getSteps()});
      })
      .Case([](onnx::PadOp op) {
        Length axes = onnx::isAbsent(op.getAxes()) ? rankOf(op.getData()) : lengthOf(op.getAxes());
        pinLast(op, op.getPads(), times(axes, 2));
        if (Length pads = lengthOf(op.getPads()))
          pinLast(op, op.getAxes(), *pads / 2);
      })
      .Case([](onnx::ResizeOp op) { pinResize(op); })
      .Case([](onnx::Col2ImOp op) { pinCol2Im(op); })
      .Case([](onnx::AffineGridOp op) { pinLast(op, op.getSize(), rankOf(op.getGrid())); })
      .Case([](onnx::GridSampleOp op) { pinLast(op, op.getGrid(), minus(rankOf(op.getX()), 2)); })
      .Case([](onnx::MaxUnpoolOp op) { pinLast(op, op.getOutputShape(), rankOf(op.getX())); })
      // What a position does not reach of the data is in the result, or in the updates.
      .Case([](onnx::GatherNDOp op) {
        Length data = minus(rankOf(op.getData()), op.getBatchDims()),
               inner = minus(rankOf(op.getOutput()), minus(rankOf(op.getIndices()), 1));
        pinLast(op, op.getIndices(), minus(data, inner));
      })
      .Case([](onnx::ScatterNDOp op) {
        Length inner = minus(rankOf(op.getUpdates()), minus(rankOf(op.getIndices()), 1));
        pinLast(op, op.getIndices(), minus(rankOf(op.getData()), inner));
      });
}

struct PinLengths : impl::PinLengthsBase<PinLengths> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) { pin(op); });
  }
};

} // namespace
} // namespace tenon
