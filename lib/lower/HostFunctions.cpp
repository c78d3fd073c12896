// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of operators that are host functions, and the one pattern that reads it. lib/host has
// the functions; lib/host/Function.h says how to add one.

#include "lib/lower/HostFunctions.h"

#include "lib/lower/ElementTypes.h"
#include "lib/lower/PackedBorders.h"
#include "lib/lower/Patterns.h"
#include "lib/lower/Strings.h"

#include "dialects/plan/Plan.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {

/// When an operator is a host function.
enum class When {
  Always,
  Strings ///< where an operand or result is a tensor of strings; else it is a kernel
};

struct HostFunction {
  StringLiteral operation; ///< of the onnx dialect
  StringLiteral function;  ///< of lib/host
  /// What the function gets of the operator's attributes, under the same names. One that the model
  /// leaves out is absent there, too.
  SmallVector<StringLiteral> attributes = {};
  When when = When::Always;
  int64_t version = 1;
};

} // namespace

static ArrayRef<HostFunction> getHostFunctions() {
  static const HostFunction table[] = {
      // Maps
      {"onnx.ml.CastMap", "map.cast", {"cast_to", "map_form", "max_map"}},
      {"onnx.ml.DictVectorizer", "map.vectorize", {"int64_vocabulary", "string_vocabulary"}},
      {"onnx.ml.ZipMap", "map.zip", {"classlabels_int64s", "classlabels_strings"}},
      // Sequences
      {"onnx.ConcatFromSequence", "sequence.concat", {"axis", "new_axis"}},
      {"onnx.SequenceAt", "sequence.at"},
      {"onnx.SequenceConstruct", "sequence.construct"},
      {"onnx.SequenceEmpty", "sequence.construct"},
      {"onnx.SequenceErase", "sequence.erase"},
      {"onnx.SequenceInsert", "sequence.insert"},
      {"onnx.SequenceLength", "sequence.length"},
      {"onnx.SplitToSequence", "sequence.split", {"axis", "keepdims"}},
      // Optionals
      {"onnx.Optional", "optional.make"},
      {"onnx.OptionalGetElement", "optional.get"},
      {"onnx.OptionalHasElement", "optional.has"},
      // Strings; what only moves or casts them is in Strings.cpp
      {"onnx.Equal", "string.equal", {}, When::Strings},
      {"onnx.RegexFullMatch", "regex.full_match", {"pattern"}},
      {"onnx.StringConcat", "string.concat"},
      {"onnx.StringNormalizer",
       "string.normalize",
       {"case_change_action", "is_case_sensitive", "locale", "stopwords"}},
      {"onnx.StringSplit", "string.split", {"delimiter", "maxsplit"}},
      {"onnx.ml.LabelEncoder",
       "string.encode",
       {"keys_strings", "values_int64s", "default_int64"},
       When::Strings},
      // Others
      {"onnx.ImageDecoder", "image.decode", {"pixel_format"}},
      {"onnx.NonMaxSuppression", "non_max_suppression.select", {"center_point_box"}},
      {"onnx.TfIdfVectorizer",
       "tfidf.vectorize",
       {"max_gram_length", "max_skip_count", "min_gram_length", "mode", "ngram_counts",
        "ngram_indexes", "pool_int64s", "pool_strings", "weights"}},
      {"onnx.Unique", "unique.find", {"axis", "sorted"}},
  };
  return table;
}

static const HostFunction *findHostFunction(Operation *op) {
  for (const HostFunction &function : getHostFunctions()) {
    if (function.operation != op->getName().getStringRef())
      continue;
    if (function.when == When::Always || llvm::any_of(op->getOperandTypes(), isStringTensor) ||
        llvm::any_of(op->getResultTypes(), isStringTensor))
      return &function;
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Objects
//===----------------------------------------------------------------------===//

bool lower::isObject(Type type) {
  return isa<onnx::SequenceType, onnx::OptionalType, onnx::MapType, UnrankedTensorType>(type) ||
         isStringTensor(type);
}

bool lower::takesObjects(Operation *op) {
  return isa<onnx::IdentityOp, onnx::ConstantOp>(op) || findHostFunction(op) ||
         isStringOperation(op);
}

/// A tensor as it is held, as an object with elements of `onnxElement`.
static Value wrap(OpBuilder &builder, Location loc, Value tensor, Type onnxElement) {
  if (isPacked(onnxElement))
    tensor = packElements(builder, loc, tensor, onnxElement);
  return plan::WrapOp::create(builder, loc, tensor, onnxElement);
}

/// An object as a tensor of `type`, as it is held.
static Value unwrap(OpBuilder &builder, Location loc, Value object, RankedTensorType type,
                    Type onnxElement) {
  if (isPacked(onnxElement))
    type = type.clone(getPackedElement(onnxElement));
  SmallVector<Type> types{type};
  types.append(type.getNumDynamicDims(), builder.getIndexType());
  Value tensor = plan::UnwrapOp::create(builder, loc, types, object, onnxElement).getTensor();
  return isPacked(onnxElement) ? unpackElements(builder, loc, tensor, onnxElement) : tensor;
}

Value lower::convertObject(OpBuilder &builder, Location loc, Value value, Type from, Type to,
                           Type type) {
  if (isObject(from) == isObject(to))
    return isObject(to) ? value : castTo(builder, loc, value, type);
  if (isObject(to))
    return wrap(builder, loc, value, getElementTypeOrSelf(from));
  return unwrap(builder, loc, value, cast<RankedTensorType>(type), getElementTypeOrSelf(to));
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

struct HostCallLowering : ConversionPattern {
  HostCallLowering(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/2, context) {}
  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    const HostFunction *function = findHostFunction(op);
    if (!function)
      return failure();
    Location loc = op->getLoc();
    SmallVector<Value> inputs;
    for (auto [operand, original] : llvm::zip_equal(operands, op->getOperands())) {
      if (onnx::isAbsent(original))
        inputs.push_back(plan::AbsentOp::create(rewriter, loc));
      else if (isObject(original.getType()))
        inputs.push_back(operand);
      else
        inputs.push_back(wrap(rewriter, loc, operand, getElementType(original)));
    }
    NamedAttrList attributes;
    for (StringRef name : function->attributes)
      if (Attribute value = op->getAttr(name))
        attributes.set(name, value);
    SmallVector<Type> types(op->getNumResults(), rewriter.getType<plan::ObjectType>());
    auto call = plan::HostOp::create(
        rewriter, loc, types, rewriter.getStringAttr(function->function),
        rewriter.getI64IntegerAttr(function->version), inputs,
        attributes.empty() ? DictionaryAttr() : attributes.getDictionary(rewriter.getContext()));
    SmallVector<Value> results;
    for (auto [result, object] : llvm::zip_equal(op->getResults(), call.getOutputs())) {
      if (onnx::isAbsent(result)) {
        results.push_back({});
        continue;
      }
      if (isObject(result.getType())) {
        results.push_back(object);
        continue;
      }
      auto type = getTypeConverter()->convertType<RankedTensorType>(result.getType());
      results.push_back(unwrap(rewriter, loc, object, type, getElementType(result)));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// From objects to tensors and back; objects of different types are objects.
template <typename Op>
struct ObjectCastLowering : OpConversionPattern<Op> {
  ObjectCastLowering(const TypeConverter &converter, MLIRContext *context)
      : OpConversionPattern<Op>(converter, context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
    if (op->getNumOperands() != 1 || (!isObject(from) && !isObject(to)))
      return failure();
    Type type = this->getTypeConverter()->convertType(to);
    rewriter.replaceOp(
        op, convertObject(rewriter, op.getLoc(), adaptor.getOperands()[0], from, to, type));
    return success();
  }
};

struct StringsLowering : OpConversionPattern<onnx::ConstantOp> {
  StringsLowering(const TypeConverter &converter, MLIRContext *context)
      : OpConversionPattern(converter, context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(onnx::ConstantOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isObject(op.getOutput().getType()))
      return failure();
    rewriter.replaceOpWithNewOp<plan::StringsOp>(op, op.getValue());
    return success();
  }
};

/// The size of a tensor of strings.
struct ObjectDimLowering : OpConversionPattern<tensor::DimOp> {
  ObjectDimLowering(const TypeConverter &converter, MLIRContext *context)
      : OpConversionPattern(converter, context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(tensor::DimOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getSource().getType());
    std::optional<int64_t> axis = op.getConstantIndex();
    if (!type || !axis || !isObject(type))
      return failure();
    rewriter.replaceOpWithNewOp<plan::ObjectDimOp>(op, rewriter.getIndexType(), adaptor.getSource(),
                                                   type.getElementType(), type.getRank(), *axis);
    return success();
  }
};

} // namespace

void lower::populateHostFunctionPatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  patterns.add<HostCallLowering, ObjectCastLowering<tensor::CastOp>,
               ObjectCastLowering<onnx::IdentityOp>, ObjectDimLowering, StringsLowering>(
      converter, patterns.getContext());
}
