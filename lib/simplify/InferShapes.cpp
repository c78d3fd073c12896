// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InferShapes.cpp - the ONNX library's inference, on the IR ----------===//
//
// One walk in order. For each operation whose results are not static yet the
// node that it was is described to the ONNX library again, with what the IR now
// knows about its operands, and what the library infers is met with the types
// that stand there. Types only become more precise: where both know a size and
// disagree, the one in the IR stays, and what the library objects to is not an
// error here. The importer has judged the model already; a size that is wrong
// only for some inputs is for the run-time checks.
//
//===----------------------------------------------------------------------===//

#include "lib/import/OnnxLibrary.h"
#include "lib/simplify/ControlFlow.h"
#include "lib/simplify/Passes.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_INFERSHAPES
#include "lib/simplify/Passes.h.inc"

namespace {

namespace proto = ::onnx;

/// Operands beyond this are data; no shape follows from them.
constexpr int64_t mostElements = 1024;

//===----------------------------------------------------------------------===//
// From the IR to ONNX
//===----------------------------------------------------------------------===//

/// Nothing for types that say nothing.
std::optional<proto::TypeProto> toProto(Type type) {
  proto::TypeProto result;
  if (auto tensor = dyn_cast<TensorType>(type)) {
    onnx::ElementKind kind = onnx::getElementKind(tensor.getElementType());
    if (kind == onnx::ElementKind::Undefined)
      return std::nullopt;
    result.mutable_tensor_type()->set_elem_type(static_cast<int>(kind));
    if (!tensor.hasRank())
      return result;
    proto::TensorShapeProto *shape = result.mutable_tensor_type()->mutable_shape();
    for (int64_t size : tensor.getShape()) {
      proto::TensorShapeProto::Dimension *dim = shape->add_dim();
      if (!ShapedType::isDynamic(size))
        dim->set_dim_value(size);
    }
    return result;
  }
  auto wrap = [&](Type element, auto *into) -> std::optional<proto::TypeProto> {
    std::optional<proto::TypeProto> converted = toProto(element);
    if (!converted)
      return std::nullopt;
    *into->mutable_elem_type() = *converted;
    return result;
  };
  if (auto sequence = dyn_cast<onnx::SequenceType>(type))
    return wrap(sequence.getElementType(), result.mutable_sequence_type());
  if (auto optional = dyn_cast<onnx::OptionalType>(type))
    return wrap(optional.getElementType(), result.mutable_optional_type());
  if (auto map = dyn_cast<onnx::MapType>(type)) {
    std::optional<proto::TypeProto> value = toProto(map.getValueType());
    if (!value)
      return std::nullopt;
    auto key = static_cast<int>(onnx::getElementKind(map.getKeyType()));
    result.mutable_map_type()->set_key_type(key);
    *result.mutable_map_type()->mutable_value_type() = *value;
    return result;
  }
  return std::nullopt;
}

/// Nothing for elements that are not whole bytes; truth values and strings are.
std::optional<proto::TensorProto> toProto(DenseElementsAttr attribute) {
  proto::TensorProto result;
  Type element = attribute.getElementType();
  result.set_data_type(static_cast<int>(onnx::getElementKind(element)));
  for (int64_t size : attribute.getType().getShape())
    result.add_dims(size);
  if (auto strings = dyn_cast<DenseStringElementsAttr>(attribute)) {
    for (StringRef text : strings.getValues<StringRef>())
      result.add_string_data(text.str());
    return result;
  }
  std::string &bytes = *result.mutable_raw_data();
  if (element.isInteger(1)) {
    for (bool value : attribute.getValues<bool>())
      bytes.push_back(value);
    return result;
  }
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0)
    return std::nullopt;
  ArrayRef<char> raw = attribute.getRawData();
  for (int64_t i = 0, copies = attribute.isSplat() ? attribute.getNumElements() : 1; i < copies;
       ++i)
    bytes.append(raw.data(), raw.size());
  return result;
}

LogicalResult setValue(proto::AttributeProto &result, Attribute attribute) {
  using proto::AttributeProto;
  if (auto integer = dyn_cast<IntegerAttr>(attribute)) {
    result.set_type(AttributeProto::INT);
    result.set_i(integer.getValue().getSExtValue());
  } else if (auto number = dyn_cast<FloatAttr>(attribute)) {
    result.set_type(AttributeProto::FLOAT);
    result.set_f(number.getValue().convertToFloat());
  } else if (auto text = dyn_cast<StringAttr>(attribute)) {
    result.set_type(AttributeProto::STRING);
    result.set_s(text.str());
  } else if (auto integers = dyn_cast<DenseI64ArrayAttr>(attribute)) {
    result.set_type(AttributeProto::INTS);
    for (int64_t value : integers.asArrayRef())
      result.add_ints(value);
  } else if (auto numbers = dyn_cast<DenseF32ArrayAttr>(attribute)) {
    result.set_type(AttributeProto::FLOATS);
    for (float value : numbers.asArrayRef())
      result.add_floats(value);
  } else if (auto elements = dyn_cast<DenseElementsAttr>(attribute)) {
    std::optional<proto::TensorProto> tensor = toProto(elements);
    if (!tensor)
      return failure();
    result.set_type(AttributeProto::TENSOR);
    *result.mutable_t() = std::move(*tensor);
  } else if (auto type = dyn_cast<TypeAttr>(attribute)) {
    std::optional<proto::TypeProto> converted = toProto(type.getValue());
    if (!converted)
      return failure();
    result.set_type(AttributeProto::TYPE_PROTO);
    *result.mutable_tp() = *converted;
  } else if (auto texts = dyn_cast<ArrayAttr>(attribute);
             texts && llvm::all_of(texts, llvm::IsaPred<StringAttr>)) {
    result.set_type(AttributeProto::STRINGS);
    for (auto entry : texts.getAsRange<StringAttr>())
      result.add_strings(entry.str());
  } else {
    return failure();
  }
  return success();
}

/// The sizes in a vector that was made of scalars, those that are constant.
std::optional<proto::TensorShapeProto> toSizes(Value value) {
  auto made = value.getDefiningOp<tensor::FromElementsOp>();
  if (!made || made.getType().getRank() != 1 || !made.getType().getElementType().isInteger(64))
    return std::nullopt;
  proto::TensorShapeProto sizes;
  for (Value element : made.getElements()) {
    proto::TensorShapeProto::Dimension *dim = sizes.add_dim();
    if (APInt constant; matchPattern(element, m_ConstantInt(&constant)))
      dim->set_dim_value(constant.getSExtValue());
  }
  return sizes;
}

library::Operand describe(Value value) {
  library::Operand operand;
  operand.type = toProto(value.getType());
  DenseElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant)) && constant.getNumElements() <= mostElements)
    operand.data = toProto(constant);
  else
    operand.elements = toSizes(value);
  return operand;
}

//===----------------------------------------------------------------------===//
// From ONNX to the IR
//===----------------------------------------------------------------------===//

/// What both know together; `current` where `inferred` contradicts it.
Type meet(Type current, const proto::TypeProto &inferred) {
  if (auto sequence = dyn_cast<onnx::SequenceType>(current);
      sequence && inferred.has_sequence_type())
    return onnx::SequenceType::get(
        current.getContext(),
        meet(sequence.getElementType(), inferred.sequence_type().elem_type()));
  if (auto optional = dyn_cast<onnx::OptionalType>(current);
      optional && inferred.has_optional_type())
    return onnx::OptionalType::get(
        current.getContext(),
        meet(optional.getElementType(), inferred.optional_type().elem_type()));
  auto tensor = dyn_cast<TensorType>(current);
  if (!tensor || !inferred.has_tensor_type() || !inferred.tensor_type().has_shape() ||
      inferred.tensor_type().elem_type() !=
          static_cast<int>(onnx::getElementKind(tensor.getElementType())))
    return current;
  SmallVector<int64_t> shape;
  for (const proto::TensorShapeProto::Dimension &dim : inferred.tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value()
                                                                : ShapedType::kDynamic);
  if (tensor.hasRank()) {
    if (tensor.getRank() != static_cast<int64_t>(shape.size()))
      return current;
    for (auto [size, known] : llvm::zip_equal(shape, tensor.getShape()))
      size = ShapedType::isDynamic(known) ? size : known;
  }
  return RankedTensorType::get(shape, tensor.getElementType());
}

/// Whether inference could add to what `type` says.
bool isOpen(Type type) {
  if (auto tensor = dyn_cast<TensorType>(type))
    return !tensor.hasStaticShape();
  if (auto sequence = dyn_cast<onnx::SequenceType>(type))
    return isOpen(sequence.getElementType());
  if (auto optional = dyn_cast<onnx::OptionalType>(type))
    return isOpen(optional.getElementType());
  return false;
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

/// The library gives up on a reduction whose axes are data. How many dimensions are left follows
/// from their number.
template <typename ReduceOp>
void inferReduction(ReduceOp op) {
  auto input = dyn_cast<RankedTensorType>(op.getData().getType());
  auto axes = dyn_cast<RankedTensorType>(op.getAxes().getType());
  auto current = dyn_cast<UnrankedTensorType>(op.getReduced().getType());
  if (!current || !input)
    return;
  int64_t rank = input.getRank();
  if (!op.getKeepdims()) {
    if (!axes || !axes.hasStaticShape())
      return;
    int64_t count = axes.getNumElements();
    if (count == 0 && !op.getNoopWithEmptyAxes())
      count = rank;
    rank = std::max<int64_t>(rank - count, 0);
  }
  op.getReduced().setType(RankedTensorType::get(SmallVector<int64_t>(rank, ShapedType::kDynamic),
                                                current.getElementType()));
}

/// The library says nothing of what Attention hands on: the past with the new keys and values.
void inferAttention(onnx::AttentionOp op) {
  auto infer = [&](Value present, Value past, Value given) {
    auto current = dyn_cast<UnrankedTensorType>(present.getType());
    auto before = dyn_cast<RankedTensorType>(past.getType());
    auto added = dyn_cast<RankedTensorType>(given.getType());
    if (!current || !(before || added))
      return;
    SmallVector<int64_t> shape(4, ShapedType::kDynamic);
    if (before && before.getRank() == 4)
      shape = {before.getDimSize(0), before.getDimSize(1), ShapedType::kDynamic,
               before.getDimSize(3)};
    else if (added && added.getRank() == 4)
      shape = {added.getDimSize(0), added.getDimSize(1), ShapedType::kDynamic, added.getDimSize(3)};
    present.setType(RankedTensorType::get(shape, current.getElementType()));
  };
  infer(op.getPresentKey(), op.getPastKey(), op.getK());
  infer(op.getPresentValue(), op.getPastValue(), op.getV());
}

/// The library does not say that what is made of a map is one row, of `size` columns.
void inferRow(Value row, int64_t size) {
  if (auto current = dyn_cast<UnrankedTensorType>(row.getType()))
    row.setType(RankedTensorType::get({1, size}, current.getElementType()));
}

void inferVector(onnx::MLDictVectorizerOp op) {
  int64_t size = ShapedType::kDynamic;
  if (op.getStringVocabulary())
    size = op.getStringVocabulary()->size();
  else if (op.getInt64Vocabulary())
    size = op.getInt64Vocabulary()->size();
  inferRow(op.getResult(), size);
}

/// The library says nothing about a convolution whose kernel it does not know, not even its rank.
template <typename ConvolutionOp>
void inferConvolution(ConvolutionOp op) {
  auto input = dyn_cast<RankedTensorType>(op.getX().getType());
  auto current = dyn_cast<UnrankedTensorType>(op.getY().getType());
  if (!current || !input)
    return;
  SmallVector<int64_t> shape(input.getRank(), ShapedType::kDynamic);
  if (!shape.empty())
    shape[0] = input.getDimSize(0);
  op.getY().setType(RankedTensorType::get(shape, current.getElementType()));
}

void inferBeyondLibrary(Operation &op) {
  llvm::TypeSwitch<Operation *>(&op)
      .Case<onnx::ReduceSumOp, onnx::ReduceMeanOp, onnx::ReduceMaxOp, onnx::ReduceMinOp,
            onnx::ReduceProdOp, onnx::ReduceL1Op, onnx::ReduceL2Op, onnx::ReduceSumSquareOp,
            onnx::ReduceLogSumOp, onnx::ReduceLogSumExpOp>([](auto op) { inferReduction(op); })
      .Case([](onnx::AttentionOp op) { inferAttention(op); })
      .Case<onnx::ConvOp, onnx::ConvIntegerOp, onnx::ConvTransposeOp>(
          [](auto op) { inferConvolution(op); })
      .Case([](onnx::MLCastMapOp op) {
        inferRow(op.getResult(),
                 op.getMapForm() == "SPARSE" ? op.getMaxMap() : ShapedType::kDynamic);
      })
      .Case([](onnx::MLDictVectorizerOp op) { inferVector(op); });
}

/// An operation that keeps the shape of its first operand tells the rank of what it reads, too:
/// where only the model's border says how many dimensions there are.
void inferRankOfOperand(Operation &op) {
  if (!isa<onnx::IdentityOp, onnx::CastOp, onnx::CastLikeOp, onnx::SqrtOp, onnx::LogOp, onnx::ExpOp,
           onnx::AbsOp, onnx::NegOp, onnx::ReluOp, onnx::SigmoidOp, onnx::TanhOp, onnx::NotOp,
           onnx::FloorOp, onnx::CeilOp, onnx::RoundOp, onnx::SignOp, onnx::ReciprocalOp,
           onnx::ErfOp, onnx::SoftmaxOp>(op))
    return;
  auto result = dyn_cast<RankedTensorType>(op.getResult(0).getType());
  auto operand = dyn_cast<UnrankedTensorType>(op.getOperand(0).getType());
  // A value from outside of the block may have a type that others depend on.
  Operation *producer = op.getOperand(0).getDefiningOp();
  if (result && operand && producer && producer->getBlock() == op.getBlock() &&
      producer->getNumRegions() == 0)
    op.getOperand(0).setType(RankedTensorType::get(result.getShape(), operand.getElementType()));
}

/// The library takes sizes that it does not know for zeros when it keeps the aspect ratio.
bool misreadsUnknownSizes(Operation &op) {
  auto resize = dyn_cast<onnx::ResizeOp>(op);
  return resize && resize.getKeepAspectRatioPolicy() != "stretch";
}

void inferResults(Operation &op) {
  const onnx::OpIdentity *identity = onnx::getIdentity(&op);
  if (!identity || op.getNumRegions() != 0 || llvm::none_of(op.getResultTypes(), isOpen))
    return;
  proto::NodeProto node;
  node.set_op_type(identity->name.str());
  node.set_domain(identity->domain.str());
  for (StringAttr name : op.getRegisteredInfo()->getAttributeNames())
    if (Attribute attribute = op.getAttr(name)) {
      proto::AttributeProto &into = *node.add_attribute();
      into.set_name(name.str());
      if (failed(setValue(into, attribute)))
        return;
    }

  // Absent values at the end are not there at all: some functions of the library count.
  auto present = [](auto values) {
    while (!values.empty() && onnx::isAbsent(values.back()))
      values = values.drop_back();
    return values;
  };
  std::vector<library::Operand> operands;
  for (Value operand : present(ValueRange(op.getOperands()))) {
    bool absent = onnx::isAbsent(operand);
    node.add_input(absent ? "" : "operand" + std::to_string(operands.size()));
    operands.push_back(absent ? library::Operand() : describe(operand));
    if (misreadsUnknownSizes(op))
      operands.back().elements.reset();
  }
  for (Value result : present(ValueRange(op.getResults())))
    node.add_output(onnx::isAbsent(result) ? "" : "result" + std::to_string(node.output_size()));

  std::vector<proto::TypeProto> types;
  if (!library::inferResultTypes(node, identity->sinceVersion, operands, types))
    for (auto [result, type] : llvm::zip(op.getResults(), types))
      result.setType(meet(result.getType(), type));
  inferBeyondLibrary(op);
}

void inferBlock(Block &block) {
  for (Operation &op : block) {
    inferResults(op);
    inferControlFlow(op, inferBlock);
  }
  for (Operation &op : llvm::reverse(block))
    inferRankOfOperand(op);
}

struct InferShapes : impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    if (!getOperation().getBody().hasOneBlock())
      return;
    inferBlock(getOperation().front());
    updateResultTypes(getOperation());
  }
};

} // namespace
} // namespace tenon
