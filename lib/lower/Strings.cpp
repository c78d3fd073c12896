// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators on strings that become kernels around one host function.
//
// Whatever only moves elements (transposes, gathers, slices, pads, ...) does so to the positions of
// the strings, which are integers: the same operator on integers, a kernel or none at all, and then
// one function that picks strings by position. Positions count from one through all operands, so
// that an operator which fills with zeros fills with the empty string.
//
// Casts read and write the element types that the host functions know; a Cast of numbers makes the
// other ones of them.

#include "lib/lower/Strings.h"

#include "dialects/plan/Plan.h"
#include "lib/lower/HostFunctions.h"
#include "lib/lower/Patterns.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

bool lower::isStringTensor(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  return tensor && isa<onnx::StringType>(tensor.getElementType());
}

/// Whether an operator gives elements of its operands as they are.
static bool isMovement(Operation *op) {
  if (auto reduction = op->getAttrOfType<StringAttr>("reduction"); reduction && reduction != "none")
    return false;
  // What lies between two strings is no string.
  if (auto resize = dyn_cast<onnx::ResizeOp>(op))
    return resize.getMode() == "nearest" &&
           resize.getCoordinateTransformationMode() != "tf_crop_and_resize";
  if (auto sample = dyn_cast<onnx::GridSampleOp>(op))
    return sample.getMode() == "nearest";
  return isa<onnx::CompressOp, onnx::ConcatOp, onnx::DepthToSpaceOp, onnx::ExpandOp,
             onnx::FlattenOp, onnx::GatherOp, onnx::GatherElementsOp, onnx::GatherNDOp,
             onnx::OneHotOp, onnx::PadOp, onnx::ReshapeOp, onnx::ReverseSequenceOp,
             onnx::ScatterElementsOp, onnx::ScatterNDOp, onnx::SliceOp, onnx::SpaceToDepthOp,
             onnx::SplitOp, onnx::SqueezeOp, onnx::TensorScatterOp, onnx::TileOp, onnx::TransposeOp,
             onnx::TriluOp, onnx::UnsqueezeOp, onnx::WhereOp>(op);
}

bool lower::isStringOperation(Operation *op) {
  auto types = llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes());
  return llvm::any_of(types, isStringTensor) &&
         llvm::none_of(types, llvm::IsaPred<UnrankedTensorType>) &&
         (isMovement(op) || isa<onnx::CastOp, onnx::CastLikeOp, onnx::NonZeroOp>(op));
}

/// A call with one result.
static Value call(OpBuilder &builder, Location loc, StringRef function, ValueRange inputs,
                  ArrayRef<NamedAttribute> attributes = {}) {
  auto made = plan::HostOp::create(
      builder, loc, plan::ObjectType::get(builder.getContext()), builder.getStringAttr(function),
      builder.getI64IntegerAttr(1), inputs,
      attributes.empty() ? DictionaryAttr() : builder.getDictionaryAttr(attributes));
  return made.getOutputs().front();
}

/// An object that is a tensor of ONNX's `element`, as one of `type`.
static Value unwrap(OpBuilder &builder, Location loc, Value object, RankedTensorType type,
                    Type element) {
  SmallVector<Type> types{type};
  types.append(type.getNumDynamicDims(), builder.getIndexType());
  return plan::UnwrapOp::create(builder, loc, types, object, element).getTensor();
}

namespace {

//===----------------------------------------------------------------------===//
// Moving
//===----------------------------------------------------------------------===//

struct StringMovementLowering : ConversionPattern {
  StringMovementLowering(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/3, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isMovement(op) || !isStringOperation(op))
      return failure();
    Location loc = op->getLoc();
    IndexBuilder index(rewriter, loc);
    Type integer = rewriter.getI64Type();
    SmallVector<Value> moved, sources{Value()}; // the positions go first
    OpFoldResult next = index.constant(1);
    for (auto [operand, original] : llvm::zip_equal(operands, op->getOperands())) {
      if (!isStringTensor(original.getType())) {
        moved.push_back(original);
        continue;
      }
      auto type = cast<RankedTensorType>(original.getType());
      SmallVector<OpFoldResult> sizes = getSizes(rewriter, loc, operand, type);
      Value positions = countThrough(rewriter, loc, sizes, next);
      moved.push_back(castTo(rewriter, loc, positions, type.clone(integer)));
      sources.push_back(operand);
      next = index.add(next, index.product(sizes));
    }

    OperationState state(loc, op->getName(), moved, {}, op->getAttrs());
    for (Type type : op->getResultTypes())
      state.types.push_back(cast<RankedTensorType>(type).clone(integer));
    Operation *movement = rewriter.create(state);
    SmallVector<Value> results;
    for (Value positions : movement->getResults()) {
      sources.front() = plan::WrapOp::create(rewriter, loc, positions, integer);
      results.push_back(call(rewriter, loc, "string.pick", sources));
    }
    rewriter.replaceOp(op, results);
    return success();
  }

private:
  static SmallVector<OpFoldResult> getSizes(OpBuilder &builder, Location loc, Value strings,
                                            RankedTensorType type) {
    SmallVector<OpFoldResult> sizes;
    for (auto [axis, size] : llvm::enumerate(type.getShape())) {
      if (!ShapedType::isDynamic(size))
        sizes.push_back(builder.getIndexAttr(size));
      else
        sizes.push_back(plan::ObjectDimOp::create(builder, loc, builder.getIndexType(), strings,
                                                  type.getElementType(), type.getRank(), axis)
                            .getResult());
    }
    return sizes;
  }

  /// A tensor of `sizes` with `first`, `first` + 1, ... in row-major order.
  static Value countThrough(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                            OpFoldResult first) {
    return createFromPositions(builder, loc, sizes, builder.getI64Type(),
                               [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
                                 IndexBuilder index(body, loc);
                                 OpFoldResult row = index.constant(0);
                                 for (auto [size, here] : llvm::zip_equal(sizes, position))
                                   row = index.add(index.multiply(row, size), here);
                                 return arith::IndexCastOp::create(
                                     body, body.getI64Type(), index.value(index.add(row, first)));
                               });
  }
};

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

/// The type nearest to `element` of those that string.from_numbers and string.to_numbers know.
Type getTextType(Type element, bool isRead) {
  MLIRContext *context = element.getContext();
  if (isa<FloatType>(element)) {
    // Narrow floats have fewer digits than what they are widened to.
    if (element.isF64() || (!isRead && (element.isF16() || element.isBF16())))
      return element;
    return Float32Type::get(context);
  }
  unsigned width = element.getIntOrFloatBitWidth();
  return width == 1 || width >= 8 ? element : Type(IntegerType::get(context, 32));
}

template <typename Op>
struct StringCastLowering : OpConversionPattern<Op> {
  StringCastLowering(const TypeConverter &converter, MLIRContext *context)
      : OpConversionPattern<Op>(converter, context, /*benefit=*/3) {}

  /// The casts that a cast is made of have types that the functions know.
  void initialize() { this->setHasBoundedRewriteRecursion(true); }

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value original = op->getOperand(0), input = adaptor.getOperands().front();
    Type from = original.getType(), to = op->getResult(0).getType();
    if (!isStringOperation(op))
      return failure();
    Location loc = op.getLoc();
    if (isStringTensor(from) && isStringTensor(to)) {
      rewriter.replaceOp(op, input);
      return success();
    }
    bool isRead = isStringTensor(from);
    auto type = llvm::cast<RankedTensorType>(isRead ? to : from);
    Type element = getTextType(type.getElementType(), isRead);
    if (element != type.getElementType()) {
      // By way of a type that the function knows.
      Value between = cast(rewriter, loc, original, type.clone(element));
      rewriter.replaceOp(op, cast(rewriter, loc, between, to));
      return success();
    }
    if (isRead) {
      auto kind = static_cast<int64_t>(onnx::getElementKind(element));
      Value object = call(rewriter, loc, "string.to_numbers", input,
                          rewriter.getNamedAttr("to", rewriter.getI64IntegerAttr(kind)));
      auto held = this->getTypeConverter()->template convertType<RankedTensorType>(to);
      rewriter.replaceOp(op, unwrap(rewriter, loc, object, held, element));
      return success();
    }
    Value object = plan::WrapOp::create(rewriter, loc, input, element);
    rewriter.replaceOp(op, call(rewriter, loc, "string.from_numbers", object));
    return success();
  }

private:
  /// An ONNX Cast, between other types than this one.
  static Value cast(OpBuilder &builder, Location loc, Value value, Type to) {
    auto kind = static_cast<int64_t>(onnx::getElementKind(getElementTypeOrSelf(to)));
    NamedAttribute attribute = builder.getNamedAttr("to", builder.getI64IntegerAttr(kind));
    return onnx::CastOp::create(builder, loc, TypeRange(to), value, attribute)->getResult(0);
  }
};

//===----------------------------------------------------------------------===//
// NonZero
//===----------------------------------------------------------------------===//

/// What is not zero is not empty.
struct StringNonZeroLowering : OpConversionPattern<onnx::NonZeroOp> {
  StringNonZeroLowering(const TypeConverter &converter, MLIRContext *context)
      : OpConversionPattern(converter, context, /*benefit=*/3) {}

  LogicalResult matchAndRewrite(onnx::NonZeroOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isStringOperation(op))
      return failure();
    auto type = cast<RankedTensorType>(op.getX().getType());
    Location loc = op.getLoc();
    Type bit = rewriter.getI1Type();
    Value object = call(rewriter, loc, "string.is_not_empty", adaptor.getX());
    Value isNotEmpty = unwrap(rewriter, loc, object, type.clone(bit), bit);
    rewriter.replaceOp(
        op, onnx::NonZeroOp::create(rewriter, loc, op->getResultTypes(), ValueRange(isNotEmpty))
                ->getResults());
    return success();
  }
};

} // namespace

void lower::populateStringPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<StringMovementLowering, StringCastLowering<onnx::CastOp>,
               StringCastLowering<onnx::CastLikeOp>, StringNonZeroLowering>(converter,
                                                                            patterns.getContext());
}
