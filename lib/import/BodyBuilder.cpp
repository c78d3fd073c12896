// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See BodyBuilder.h.

#include "lib/import/BodyBuilder.h"

#include "lib/import/TensorData.h"

#include "llvm/ADT/STLExtras.h"

#include <numeric>

using namespace mlir;

namespace tenon::import {

BodyBuilder::BodyBuilder(const proto::NodeProto &node, const KnownValues &known)
    : node(node), known(known) {
  for (int i = 0; i < node.input_size(); ++i)
    body.add_input(getInput(i));
  for (int i = 0; i < node.output_size(); ++i)
    body.add_output("output" + std::to_string(i));
}

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

int32_t BodyBuilder::getElementType(int index) const {
  if (!hasInput(index))
    return proto::TensorProto::UNDEFINED;
  auto type = known.types.find(node.input(index));
  return type == known.types.end() ? proto::TensorProto::UNDEFINED
                                   : type->getValue().tensor_type().elem_type();
}

std::optional<std::vector<int64_t>> BodyBuilder::getShape(int index) const {
  if (!hasInput(index))
    return std::nullopt;
  auto type = known.types.find(node.input(index));
  if (type == known.types.end() || !type->getValue().tensor_type().has_shape())
    return std::nullopt;
  std::vector<int64_t> sizes;
  for (const proto::TensorShapeProto::Dimension &dim : type->getValue().tensor_type().shape().dim())
    sizes.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  return sizes;
}

std::optional<int64_t> BodyBuilder::getConstantInteger(int index) const {
  if (!hasInput(index))
    return std::nullopt;
  auto constant = known.constants.find(node.input(index));
  if (constant == known.constants.end())
    return std::nullopt;
  proto::TensorProto copy = constant->getValue();
  if (!checkTensor(copy).empty())
    return std::nullopt;
  auto type = copy.data_type();
  if (type != proto::TensorProto::INT64 && type != proto::TensorProto::INT32 &&
      type != proto::TensorProto::BOOL)
    return std::nullopt;
  std::string bytes = takeBytes(copy);
  int64_t wide = 0;
  int32_t narrow = 0;
  if (type == proto::TensorProto::INT64 && bytes.size() == sizeof(wide)) {
    memcpy(&wide, bytes.data(), sizeof(wide));
    return wide;
  }
  if (type == proto::TensorProto::INT32 && bytes.size() == sizeof(narrow)) {
    memcpy(&narrow, bytes.data(), sizeof(narrow));
    return narrow;
  }
  if (type == proto::TensorProto::BOOL && bytes.size() == 1)
    return bytes.front() != 0;
  return std::nullopt;
}

const proto::AttributeProto *BodyBuilder::find(StringRef name) const {
  for (const proto::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

int64_t BodyBuilder::getInteger(StringRef name, int64_t preset) const {
  const proto::AttributeProto *attribute = find(name);
  return attribute ? attribute->i() : preset;
}

double BodyBuilder::getNumber(StringRef name, double preset) const {
  const proto::AttributeProto *attribute = find(name);
  return attribute ? attribute->f() : preset;
}

std::string BodyBuilder::getText(StringRef name) const {
  const proto::AttributeProto *attribute = find(name);
  return attribute ? attribute->s() : "";
}

std::vector<int64_t> BodyBuilder::getIntegers(StringRef name) const {
  const proto::AttributeProto *attribute = find(name);
  if (!attribute)
    return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<double> BodyBuilder::getNumbers(StringRef name) const {
  const proto::AttributeProto *attribute = find(name);
  if (!attribute)
    return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

std::vector<std::string> BodyBuilder::getTexts(StringRef name) const {
  const proto::AttributeProto *attribute = find(name);
  if (!attribute)
    return {};
  return {attribute->strings().begin(), attribute->strings().end()};
}

std::optional<proto::TensorProto> BodyBuilder::getTensor(StringRef name) const {
  const proto::AttributeProto *attribute = find(name);
  if (!attribute || !attribute->has_t())
    return std::nullopt;
  return attribute->t();
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

proto::NodeProto &BodyBuilder::addNode(const char *operation) {
  proto::NodeProto &added = graphs.empty() ? *body.add_node() : *graphs.back().add_node();
  added.set_op_type(operation);
  return added;
}

static void setAttribute(proto::NodeProto &node, BodyBuilder::Attribute attribute) {
  proto::AttributeProto &result = *node.add_attribute();
  result.set_name(attribute.name);
  if (auto *integer = std::get_if<int64_t>(&attribute.value)) {
    result.set_type(proto::AttributeProto::INT);
    result.set_i(*integer);
  } else if (auto *number = std::get_if<float>(&attribute.value)) {
    result.set_type(proto::AttributeProto::FLOAT);
    result.set_f(*number);
  } else if (auto *text = std::get_if<std::string>(&attribute.value)) {
    result.set_type(proto::AttributeProto::STRING);
    result.set_s(*text);
  } else if (auto *integers = std::get_if<std::vector<int64_t>>(&attribute.value)) {
    result.set_type(proto::AttributeProto::INTS);
    result.mutable_ints()->Assign(integers->begin(), integers->end());
  } else if (auto *texts = std::get_if<std::vector<std::string>>(&attribute.value)) {
    result.set_type(proto::AttributeProto::STRINGS);
    result.mutable_strings()->Assign(texts->begin(), texts->end());
  } else {
    result.set_type(proto::AttributeProto::GRAPH);
    *result.mutable_g() = std::get<proto::GraphProto>(std::move(attribute.value));
  }
}

std::vector<BodyBuilder::Value> BodyBuilder::addMany(int count, const char *operation,
                                                     std::vector<Value> operands,
                                                     std::vector<Attribute> attributes) {
  proto::NodeProto &added = addNode(operation);
  added.mutable_input()->Assign(operands.begin(), operands.end());
  std::vector<Value> results;
  for (int i = 0; i < count; ++i)
    *added.add_output() = results.emplace_back(makeName());
  for (Attribute &attribute : attributes)
    setAttribute(added, std::move(attribute));
  return results;
}

BodyBuilder::Value BodyBuilder::add(const char *operation, std::vector<Value> operands,
                                    std::vector<Attribute> attributes) {
  return addMany(1, operation, std::move(operands), std::move(attributes)).front();
}

BodyBuilder::Value BodyBuilder::findStrings(Value strings, const std::vector<std::string> &keys) {
  auto count = static_cast<int64_t>(keys.size());
  std::vector<int64_t> positions(keys.size());
  std::iota(positions.begin(), positions.end(), 0);
  proto::NodeProto &added = addNode("LabelEncoder");
  added.set_domain("ai.onnx.ml");
  added.add_input(std::move(strings));
  *added.add_output() = makeName();
  setAttribute(added, {"keys_strings", keys});
  setAttribute(added, {"values_int64s", std::move(positions)});
  setAttribute(added, {"default_int64", count});
  return added.output(0);
}

BodyBuilder::Value BodyBuilder::cast(Value value, int32_t elementType) {
  return add("Cast", {std::move(value)}, {{"to", elementType}});
}

/// Adds a Constant to `node`.
static proto::TensorProto &setConstant(proto::NodeProto &node, int32_t elementType,
                                       ArrayRef<int64_t> shape) {
  proto::AttributeProto &attribute = *node.add_attribute();
  attribute.set_name("value");
  attribute.set_type(proto::AttributeProto::TENSOR);
  attribute.mutable_t()->set_data_type(elementType);
  attribute.mutable_t()->mutable_dims()->Assign(shape.begin(), shape.end());
  return *attribute.mutable_t();
}

BodyBuilder::Value BodyBuilder::tensor(std::vector<double> values, std::vector<int64_t> shape,
                                       int32_t elementType) {
  proto::NodeProto &constant = addNode("Constant");
  Value name = *constant.add_output() = makeName();
  proto::TensorProto &elements = setConstant(constant, proto::TensorProto::DOUBLE, shape);
  elements.mutable_double_data()->Assign(values.begin(), values.end());
  return elementType == proto::TensorProto::DOUBLE ? name : cast(name, elementType);
}

BodyBuilder::Value BodyBuilder::constant(const proto::TensorProto &tensor) {
  proto::NodeProto &constant = addNode("Constant");
  *constant.add_output() = makeName();
  setConstant(constant, tensor.data_type(), {}) = tensor;
  return constant.output(0);
}

BodyBuilder::Value BodyBuilder::scalar(double value, int32_t elementType) {
  return tensor({value}, {}, elementType);
}

BodyBuilder::Value BodyBuilder::integer(int64_t value) {
  proto::NodeProto &constant = addNode("Constant");
  Value name = *constant.add_output() = makeName();
  setConstant(constant, proto::TensorProto::INT64, {}).add_int64_data(value);
  return name;
}

BodyBuilder::Value BodyBuilder::integers(std::vector<int64_t> values) {
  proto::NodeProto &constant = addNode("Constant");
  Value name = *constant.add_output() = makeName();
  setConstant(constant, proto::TensorProto::INT64, {static_cast<int64_t>(values.size())})
      .mutable_int64_data()
      ->Assign(values.begin(), values.end());
  return name;
}

BodyBuilder::Value BodyBuilder::strings(const std::vector<std::string> &values) {
  proto::NodeProto &constant = addNode("Constant");
  Value name = *constant.add_output() = makeName();
  setConstant(constant, proto::TensorProto::STRING, {static_cast<int64_t>(values.size())})
      .mutable_string_data()
      ->Assign(values.begin(), values.end());
  return name;
}

BodyBuilder::Value BodyBuilder::sizeOf(Value value, int64_t dim) {
  std::vector<Attribute> attributes{{"start", dim}};
  if (dim != -1)
    attributes.push_back({"end", dim + 1});
  return add("Shape", {std::move(value)}, std::move(attributes));
}

BodyBuilder::Value BodyBuilder::countTo(Value count) {
  count = add("Squeeze", {add("Reshape", {std::move(count), integers({1})}), integers({0})});
  return add("Range", {integer(0), count, integer(1)});
}

BodyBuilder::Value BodyBuilder::reshape(Value value, std::vector<int64_t> shape) {
  return add("Reshape", {std::move(value), integers(std::move(shape))});
}

BodyBuilder::Value BodyBuilder::transpose(Value value, std::vector<int64_t> permutation) {
  return add("Transpose", {std::move(value)}, {{"perm", std::move(permutation)}});
}

BodyBuilder::Value BodyBuilder::unsqueeze(Value value, std::vector<int64_t> axes) {
  return add("Unsqueeze", {std::move(value), integers(std::move(axes))});
}

BodyBuilder::Value BodyBuilder::squeeze(Value value, std::vector<int64_t> axes) {
  return add("Squeeze", {std::move(value), integers(std::move(axes))});
}

BodyBuilder::Value BodyBuilder::slice(Value value, int64_t axis, int64_t start, int64_t end) {
  return add("Slice", {std::move(value), integers({start}), integers({end}), integers({axis})});
}

BodyBuilder::Value BodyBuilder::concat(std::vector<Value> values, int64_t axis) {
  return add("Concat", std::move(values), {{"axis", axis}});
}

std::vector<BodyBuilder::Value> BodyBuilder::split(Value value, int64_t axis,
                                                   std::vector<int64_t> sizes) {
  int count = static_cast<int>(sizes.size());
  return addMany(count, "Split", {std::move(value), integers(std::move(sizes))}, {{"axis", axis}});
}

BodyBuilder::Value BodyBuilder::reinterpretInput(int index, int32_t elementType,
                                                 const std::vector<int64_t> &shape) {
  if (!known.reinterpret || !hasInput(index))
    return "";
  std::optional<std::string> name = known.reinterpret(node.input(index), elementType, shape);
  if (!name)
    return "";
  extraInputs.push_back(*name);
  Value value = getInput(body.input_size());
  body.add_input(value);
  return value;
}

std::vector<BodyBuilder::Value> BodyBuilder::beginGraph(int inputCount) {
  proto::GraphProto &graph = graphs.emplace_back();
  graph.set_name("body");
  std::vector<Value> inputs;
  for (int i = 0; i < inputCount; ++i)
    graph.add_input()->set_name(inputs.emplace_back(makeName()));
  return inputs;
}

proto::GraphProto BodyBuilder::endGraph(std::vector<Value> outputs) {
  // An output of a graph is made by it, and stands for one value.
  std::vector<Value> made;
  for (const Value &output : outputs)
    made.push_back(add("Identity", {output}));
  proto::GraphProto graph = std::move(graphs.back());
  graphs.pop_back();
  for (const Value &output : made)
    graph.add_output()->set_name(output);
  return graph;
}

void BodyBuilder::setOutput(int index, Value value) {
  if (!hasOutput(index))
    return;
  proto::NodeProto &identity = addNode("Identity");
  identity.add_input(std::move(value));
  identity.add_output(body.output(index));
}

proto::FunctionProto BodyBuilder::take() {
  // An output that the node leaves out is still one of the function's.
  for (int i = 0; i < body.output_size(); ++i)
    if (!hasOutput(i)) {
      proto::NodeProto &nothing = addNode("Constant");
      nothing.add_output(body.output(i));
      setConstant(nothing, proto::TensorProto::INT64, {}).add_int64_data(0);
    }
  return std::move(body);
}

} // namespace tenon::import
