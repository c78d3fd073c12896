// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FoldBatchNormalization.cpp -----------------------------------------===//
//
// Written as ONNX operations on the parameters; nothing is computed here.
//
//===----------------------------------------------------------------------===//

#include "lib/simplify/Passes.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_FOLDBATCHNORMALIZATION
#include "lib/simplify/Passes.h.inc"

namespace {

bool isConstant(Value value) {
  return isa_and_nonnull<onnx::ConstantOp, plan::GetWeightOp>(value.getDefiningOp());
}

class Folder {
public:
  explicit Folder(onnx::BatchNormalizationOp op) : op(op), builder(op), location(op.getLoc()) {}

  void run() {
    auto type = dyn_cast<RankedTensorType>(op.getX().getType());
    auto parameter = dyn_cast<RankedTensorType>(op.getScale().getType());
    if (op.getTrainingMode() || !type || !parameter || !parameter.hasStaticShape() ||
        type.getRank() < 2 || !llvm::all_of(op->getOperands().drop_front(), isConstant) ||
        parameter.getElementType() != type.getElementType() ||
        op.getInputVar().getType() != parameter || op.getInputMean().getType() != parameter ||
        op.getB().getType() != parameter)
      return;
    // s = scale / sqrt(var + epsilon), t = bias - mean * s
    auto scalar = RankedTensorType::get({}, parameter.getElementType());
    Value epsilon = constant(DenseElementsAttr::get(
        scalar, builder.getFloatAttr(parameter.getElementType(), op.getEpsilon())));
    Value deviation =
        make<onnx::SqrtOp>(parameter, {make<onnx::AddOp>(parameter, {op.getInputVar(), epsilon})});
    Value s = make<onnx::DivOp>(parameter, {op.getScale(), deviation});
    Value shift = make<onnx::MulOp>(parameter, {op.getInputMean(), s});

    auto conv = op.getX().getDefiningOp<onnx::ConvOp>();
    Value result = conv && conv->hasOneUse() && foldable(conv, parameter)
                       ? intoConvolution(conv, parameter, s, shift)
                       : asProductAndSum(type, parameter, s, shift);
    op->getResult(0).replaceAllUsesWith(result);
    op.erase();
  }

private:
  static bool foldable(onnx::ConvOp conv, RankedTensorType parameter) {
    auto weight = dyn_cast<RankedTensorType>(conv.getW().getType());
    return isConstant(conv.getW()) && weight && weight.hasStaticShape() &&
           weight.getElementType() == parameter.getElementType() &&
           weight.getDimSize(0) == parameter.getDimSize(0) &&
           (onnx::isAbsent(conv.getB()) || isConstant(conv.getB()));
  }

  Value intoConvolution(onnx::ConvOp conv, RankedTensorType parameter, Value s, Value shift) {
    auto weightType = cast<RankedTensorType>(conv.getW().getType());
    Value weight = make<onnx::MulOp>(
        weightType, {conv.getW(), perChannel(s, parameter, weightType.getRank(), 0)});
    Value bias = make<onnx::SubOp>(parameter, {op.getB(), shift});
    if (!onnx::isAbsent(conv.getB()))
      bias = make<onnx::AddOp>(parameter, {bias, make<onnx::MulOp>(parameter, {conv.getB(), s})});
    Operation *folded = builder.clone(*conv);
    folded->setOperands({conv.getX(), weight, bias});
    // After the fusion it is the normalisation's place, and both nodes' work.
    folded->setLoc(builder.getFusedLoc({conv.getLoc(), location}));
    conv->getResult(0).replaceAllUsesWith(folded->getResult(0));
    return folded->getResult(0);
  }

  Value asProductAndSum(RankedTensorType type, RankedTensorType parameter, Value s, Value shift) {
    Value t = make<onnx::SubOp>(parameter, {op.getB(), shift});
    Value product =
        make<onnx::MulOp>(type, {op.getX(), perChannel(s, parameter, type.getRank(), 1)});
    return make<onnx::AddOp>(op->getResult(0).getType(),
                             {product, perChannel(t, parameter, type.getRank(), 1)});
  }

  /// The parameter with the shape that broadcasts along dimension `axis` of a tensor of rank
  /// `rank`.
  Value perChannel(Value parameter, RankedTensorType type, int64_t rank, int64_t axis) {
    SmallVector<int64_t> shape(rank - axis, 1);
    shape[0] = type.getDimSize(0);
    auto shapeType = RankedTensorType::get({rank - axis}, builder.getI64Type());
    Value target = constant(DenseElementsAttr::get(shapeType, ArrayRef<int64_t>(shape)));
    return make<onnx::ReshapeOp>(RankedTensorType::get(shape, type.getElementType()),
                                 {parameter, target});
  }

  Value constant(DenseElementsAttr value) {
    return onnx::ConstantOp::create(builder, location, value)->getResult(0);
  }

  template <typename Op>
  Value make(Type type, ValueRange operands) {
    return Op::create(builder, location, TypeRange(type), operands, ArrayRef<NamedAttribute>())
        ->getResult(0);
  }

  onnx::BatchNormalizationOp op;
  OpBuilder builder;
  Location location;
};

struct FoldBatchNormalization : impl::FoldBatchNormalizationBase<FoldBatchNormalization> {
  void runOnOperation() override {
    SmallVector<onnx::BatchNormalizationOp> ops;
    getOperation().walk([&](onnx::BatchNormalizationOp op) { ops.push_back(op); });
    for (onnx::BatchNormalizationOp op : ops)
      Folder(op).run();
  }
};

} // namespace
} // namespace tenon
