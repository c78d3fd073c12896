// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass over the graph, in its (topological) order. Values are looked up by name in a chain of
// scopes, one per graph. What has no place of its own in the graph (weights, initializers, the
// absent value) is made on first use, in the prologue of the function or subgraph that owns it.

#include "lib/import/ModuleBuilder.h"

#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"
#include "lib/import/OnnxLibrary.h"
#include "lib/import/TensorData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace tenon::import {

namespace {

/// The names that one graph defines.
struct Scope {
  Scope *parent;
  llvm::StringMap<Value> values;
  llvm::StringMap<const proto::TensorProto *> initializers;
  llvm::StringMap<const proto::TypeProto *> types;
  /// Where the next initializer of this scope goes.
  OpBuilder prologue;
};

class ModuleBuilder {
public:
  ModuleBuilder(const proto::ModelProto &model, const DetachedTensors &detached,
                ArrayRef<std::string> dimensions, const ImportOptions &options,
                Diagnostics &diagnostics, MLIRContext &context)
      : model(model), detached(detached), dimensions(dimensions), options(options),
        diagnostics(diagnostics), builder(&context) {}

  FailureOr<OwningOpRef<ModuleOp>> build();

private:
  Type convertType(const proto::TypeProto &type);
  Type getType(Scope &scope, StringRef name);
  void fillScope(Scope &scope, const proto::GraphProto &graph);

  Value lookUp(Scope &scope, StringRef name);
  Value makeDetached(StringRef name, const DetachedTensor &tensor);
  Value getNoValue();

  LogicalResult buildGraph(Scope &scope, const proto::GraphProto &graph,
                           SmallVectorImpl<Value> &outputs);
  LogicalResult buildNode(Scope &scope, const proto::NodeProto &node);
  LogicalResult buildCustom(Scope &scope, const proto::NodeProto &node, ArrayRef<Value> operands);
  LogicalResult buildRegion(Scope &parent, const proto::GraphProto &graph, Region &region,
                            Location loc);
  FailureOr<Attribute> convertAttribute(const proto::NodeProto &node,
                                        const proto::AttributeProto &attribute);
  void annotate(Operation *op, const proto::NodeProto &node);

  DictionaryAttr describeValue(const proto::ValueInfoProto &value, Type type);
  void buildDimensions();

  const proto::ModelProto &model;
  const DetachedTensors &detached;
  ArrayRef<std::string> dimensions;
  const ImportOptions &options;
  Diagnostics &diagnostics;
  OpBuilder builder;

  ModuleOp module;
  /// Before the function, for plan.weight; at the start of its body, for what all scopes share.
  std::optional<OpBuilder> symbols, prologue;
  Value noValue;
  llvm::StringMap<Value> detachedValues;
};

} // namespace

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// The type, or null if the proto leaves it open.
Type ModuleBuilder::convertType(const proto::TypeProto &type) {
  MLIRContext *context = builder.getContext();
  switch (type.value_case()) {
  case proto::TypeProto::kTensorType: {
    const proto::TypeProto::Tensor &tensor = type.tensor_type();
    Type elementType =
        onnx::getElementType(context, static_cast<onnx::ElementKind>(tensor.elem_type()));
    if (!elementType)
      return {};
    if (!tensor.has_shape())
      return UnrankedTensorType::get(elementType);
    SmallVector<int64_t> shape;
    for (const proto::TensorShapeProto::Dimension &dim : tensor.shape().dim())
      shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value()
                                                                  : ShapedType::kDynamic);
    return RankedTensorType::get(shape, elementType);
  }
  case proto::TypeProto::kSequenceType: {
    Type elementType = convertType(type.sequence_type().elem_type());
    return elementType ? onnx::SequenceType::get(context, elementType) : Type();
  }
  case proto::TypeProto::kOptionalType: {
    Type elementType = convertType(type.optional_type().elem_type());
    return elementType ? onnx::OptionalType::get(context, elementType) : Type();
  }
  case proto::TypeProto::kMapType: {
    Type keyType =
        onnx::getElementType(context, static_cast<onnx::ElementKind>(type.map_type().key_type()));
    Type valueType = convertType(type.map_type().value_type());
    return keyType && valueType ? onnx::MapType::get(context, keyType, valueType) : Type();
  }
  default:
    return {};
  }
}

Type ModuleBuilder::getType(Scope &scope, StringRef name) {
  if (name.empty())
    return builder.getNoneType();
  Type type;
  if (const proto::TypeProto *found = scope.types.lookup(name))
    type = convertType(*found);
  return type ? type : onnx::UnknownType::get(builder.getContext());
}

void ModuleBuilder::fillScope(Scope &scope, const proto::GraphProto &graph) {
  // What inference found out comes last, and so wins over what the outputs declare.
  for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
    for (const proto::ValueInfoProto &value : *values)
      scope.types[value.name()] = &value.type();
  for (const proto::TensorProto &tensor : graph.initializer())
    scope.initializers[tensor.name()] = &tensor;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value ModuleBuilder::getNoValue() {
  if (!noValue)
    noValue = onnx::NoValueOp::create(*prologue, diagnostics.getLocation());
  return noValue;
}

Value ModuleBuilder::makeDetached(StringRef name, const DetachedTensor &tensor) {
  Value &value = detachedValues[name];
  if (value)
    return value;
  Location loc = diagnostics.getLocation(name);
  if (tensor.splat) {
    value = onnx::ConstantOp::create(*prologue, loc, tensor.splat);
  } else {
    plan::WeightOp::create(*symbols, loc, tensor.symbol, tensor.type, nullptr, nullptr);
    value = plan::GetWeightOp::create(*prologue, loc, tensor.type, tensor.symbol);
  }
  return value;
}

/// The value of a name in `scope` or around it; null if there is none.
Value ModuleBuilder::lookUp(Scope &scope, StringRef name) {
  if (name.empty())
    return getNoValue();
  for (Scope *s = &scope; s; s = s->parent) {
    if (Value value = s->values.lookup(name))
      return value;
    if (const proto::TensorProto *tensor = s->initializers.lookup(name)) {
      DenseElementsAttr elements;
      if (tensor->data_type() == proto::TensorProto::STRING) {
        elements = makeStringElements(*tensor, builder.getContext());
      } else {
        proto::TensorProto copy = *tensor;
        elements = makeElements(getTensorType(copy, builder.getContext()), copy.data_type(),
                                takeBytes(copy));
      }
      return s->values[name] =
                 onnx::ConstantOp::create(s->prologue, diagnostics.getLocation(name), elements);
    }
  }
  if (auto found = detached.find(name); found != detached.end())
    return makeDetached(name, found->getValue());
  return {};
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

FailureOr<Attribute> ModuleBuilder::convertAttribute(const proto::NodeProto &node,
                                                     const proto::AttributeProto &attribute) {
  using proto::AttributeProto;
  auto makeTensor = [&](const proto::TensorProto &tensor) -> FailureOr<Attribute> {
    std::string problem = checkTensor(tensor);
    if (!problem.empty())
      return diagnostics.error(node) << "attribute '" << attribute.name() << "': " << problem;
    if (tensor.data_type() == proto::TensorProto::STRING)
      return Attribute(makeStringElements(tensor, builder.getContext()));
    proto::TensorProto copy = tensor;
    return Attribute(
        makeElements(getTensorType(copy, builder.getContext()), copy.data_type(), takeBytes(copy)));
  };
  switch (attribute.type()) {
  case AttributeProto::INT:
    return Attribute(builder.getI64IntegerAttr(attribute.i()));
  case AttributeProto::FLOAT:
    return Attribute(builder.getF32FloatAttr(attribute.f()));
  case AttributeProto::STRING:
    return Attribute(builder.getStringAttr(attribute.s()));
  case AttributeProto::INTS:
    return Attribute(builder.getDenseI64ArrayAttr(
        ArrayRef<int64_t>(attribute.ints().data(), static_cast<size_t>(attribute.ints_size()))));
  case AttributeProto::FLOATS:
    return Attribute(builder.getDenseF32ArrayAttr(
        ArrayRef<float>(attribute.floats().data(), static_cast<size_t>(attribute.floats_size()))));
  case AttributeProto::STRINGS: {
    SmallVector<Attribute> strings;
    for (const std::string &text : attribute.strings())
      strings.push_back(builder.getStringAttr(text));
    return Attribute(builder.getArrayAttr(strings));
  }
  case AttributeProto::TENSOR:
    return makeTensor(attribute.t());
  case AttributeProto::TENSORS: {
    SmallVector<Attribute> tensors;
    for (const proto::TensorProto &tensor : attribute.tensors()) {
      FailureOr<Attribute> elements = makeTensor(tensor);
      if (failed(elements))
        return failure();
      tensors.push_back(*elements);
    }
    return Attribute(builder.getArrayAttr(tensors));
  }
  case AttributeProto::TYPE_PROTO:
    if (Type type = convertType(attribute.tp()))
      return Attribute(TypeAttr::get(type));
    [[fallthrough]];
  default:
    return diagnostics.error(node)
           << "attribute '" << attribute.name() << "' is of a kind that is not supported";
  }
}

/// Keeps the node's metadata and device annotations as discardable attributes.
void ModuleBuilder::annotate(Operation *op, const proto::NodeProto &node) {
  if (node.metadata_props_size()) {
    NamedAttrList entries;
    for (const proto::StringStringEntryProto &entry : node.metadata_props())
      entries.set(entry.key(), builder.getStringAttr(entry.value()));
    op->setDiscardableAttr("onnx.metadata", entries.getDictionary(builder.getContext()));
  }
  if (!node.device_configurations_size())
    return;
  SmallVector<Attribute> devices;
  for (const proto::NodeDeviceConfigurationProto &device : node.device_configurations()) {
    NamedAttrList entry;
    entry.set("configuration", builder.getStringAttr(device.configuration_id()));
    if (device.has_pipeline_stage())
      entry.set("pipeline_stage", builder.getI32IntegerAttr(device.pipeline_stage()));
    SmallVector<Attribute> shardings;
    for (const proto::ShardingSpecProto &spec : device.sharding_spec())
      shardings.push_back(builder.getStringAttr(spec.SerializeAsString()));
    if (!shardings.empty())
      entry.set("sharding", builder.getArrayAttr(shardings));
    devices.push_back(entry.getDictionary(builder.getContext()));
  }
  op->setDiscardableAttr("onnx.devices", builder.getArrayAttr(devices));
}

LogicalResult ModuleBuilder::buildRegion(Scope &parent, const proto::GraphProto &graph,
                                         Region &region, Location loc) {
  OpBuilder::InsertionGuard guard(builder);
  Block &block = region.emplaceBlock();
  Scope scope{&parent, {}, {}, {}, OpBuilder::atBlockBegin(&block)};
  fillScope(scope, graph);
  for (const proto::ValueInfoProto &input : graph.input())
    scope.values[input.name()] =
        block.addArgument(getType(scope, input.name()), diagnostics.getLocation(input.name()));

  // Initializers go before this op, the first of the block, and so keep the order of their first
  // use.
  builder.setInsertionPointToEnd(&block);
  Operation *anchor = onnx::ReturnOp::create(builder, loc);
  scope.prologue.setInsertionPoint(anchor);
  SmallVector<Value> outputs;
  if (failed(buildGraph(scope, graph, outputs)))
    return failure();
  onnx::ReturnOp::create(builder, loc, TypeRange(), outputs);
  anchor->erase();
  return success();
}

/// A node of an operator that the standard does not have.
LogicalResult ModuleBuilder::buildCustom(Scope &scope, const proto::NodeProto &node,
                                         ArrayRef<Value> operands) {
  NamedAttrList attributes;
  SmallVector<const proto::AttributeProto *> bodies;
  SmallVector<Attribute> bodyNames;
  for (const proto::AttributeProto &attribute : node.attribute()) {
    if (attribute.type() == proto::AttributeProto::GRAPH) {
      bodies.push_back(&attribute);
      bodyNames.push_back(builder.getStringAttr(attribute.name()));
      continue;
    }
    FailureOr<Attribute> value = convertAttribute(node, attribute);
    if (failed(value))
      return failure();
    attributes.set(attribute.name(), *value);
  }
  int64_t version = 1;
  for (const proto::OperatorSetIdProto &import : model.opset_import())
    if (import.domain() == node.domain())
      version = import.version();
  SmallVector<Type> resultTypes;
  for (const std::string &output : node.output())
    resultTypes.push_back(getType(scope, output));

  Location loc = diagnostics.getLocation(node.name());
  auto op = onnx::CustomOp::create(
      builder, loc, resultTypes, builder.getStringAttr(node.domain()),
      builder.getStringAttr(node.op_type()), builder.getI64IntegerAttr(version),
      attributes.getDictionary(builder.getContext()),
      bodies.empty() ? ArrayAttr() : builder.getArrayAttr(bodyNames), operands, bodies.size());
  for (auto [body, region] : llvm::zip_equal(bodies, op.getBodies()))
    if (failed(buildRegion(scope, body->g(), region, loc)))
      return failure();
  annotate(op, node);
  for (auto [name, result] : llvm::zip_equal(node.output(), op.getResults()))
    if (!name.empty())
      scope.values[name] = result;
  return success();
}

/// The name of the onnx dialect's op for an operator; it may not exist.
static std::string getOperationName(StringRef domain, StringRef name) {
  StringRef prefix = llvm::StringSwitch<StringRef>(domain)
                         .Case("", "onnx.")
                         .Case("ai.onnx.ml", "onnx.ml.")
                         .Case("ai.onnx.preview", "onnx.preview.")
                         .Case("ai.onnx.preview.training", "onnx.preview.training.")
                         .Case("ai.onnx.training", "onnx.training.")
                         .Default("");
  return prefix.empty() ? "" : (prefix + name).str();
}

LogicalResult ModuleBuilder::buildNode(Scope &scope, const proto::NodeProto &node) {
  SmallVector<Value> operands;
  for (const std::string &input : node.input()) {
    Value value = lookUp(scope, input);
    if (!value)
      return diagnostics.error(node) << "input '" << input << "' is not defined before it is used";
    operands.push_back(value);
  }
  if (node.domain().empty() && node.op_type() == "Constant") {
    // Its only attribute is `value` by now.
    if (node.attribute_size() != 1 || node.output_size() != 1)
      return diagnostics.error(node) << "expected one attribute and one output";
    FailureOr<Attribute> value = convertAttribute(node, node.attribute(0));
    if (failed(value))
      return failure();
    auto elements = dyn_cast<ElementsAttr>(*value);
    if (!elements)
      return diagnostics.error(node) << "expected a tensor as its value";
    auto op = onnx::ConstantOp::create(builder, diagnostics.getLocation(node.name()), elements);
    annotate(op, node);
    scope.values[node.output(0)] = op;
    return success();
  }

  std::string name = getOperationName(node.domain(), node.op_type());
  std::optional<RegisteredOperationName> registered =
      RegisteredOperationName::lookup(name, builder.getContext());
  std::optional<library::Signature> signature;
  if (std::optional<int> newest = library::getNewestVersion(node.domain()); newest && registered)
    signature = library::getSignature(node.domain(), node.op_type(), *newest);
  if (!signature)
    return buildCustom(scope, node, operands);

  // All formal parameters are there: absent ones have no value and type none.
  auto fixedCount = [](ArrayRef<library::Signature::Parameter> parameters) {
    return parameters.size() - (!parameters.empty() && parameters.back().isVariadic);
  };
  while (operands.size() < fixedCount(signature->inputs))
    operands.push_back(getNoValue());
  SmallVector<Type> resultTypes;
  for (const std::string &output : node.output())
    resultTypes.push_back(getType(scope, output));
  while (resultTypes.size() < fixedCount(signature->outputs))
    resultTypes.push_back(builder.getNoneType());
  bool hasVariadicInputs = !signature->inputs.empty() && signature->inputs.back().isVariadic;
  bool hasVariadicOutputs = !signature->outputs.empty() && signature->outputs.back().isVariadic;
  if ((operands.size() > signature->inputs.size() && !hasVariadicInputs) ||
      (resultTypes.size() > signature->outputs.size() && !hasVariadicOutputs))
    return diagnostics.error(node)
           << "expected at most " << signature->inputs.size() << " inputs and "
           << signature->outputs.size() << " outputs, found " << node.input_size() << " and "
           << node.output_size();

  Location loc = diagnostics.getLocation(node.name());
  OperationState state(loc, *registered);
  state.addOperands(operands);
  state.addTypes(resultTypes);
  llvm::StringMap<const proto::GraphProto *> graphs;
  for (const proto::AttributeProto &attribute : node.attribute()) {
    if (attribute.type() == proto::AttributeProto::GRAPH) {
      graphs[attribute.name()] = &attribute.g();
      continue;
    }
    // Only domains without a version converter (ai.onnx.ml) can have such attributes.
    if (!llvm::is_contained(registered->getAttributeNames(), StringRef(attribute.name())))
      return diagnostics.error(node)
             << "attribute '" << attribute.name()
             << "' is of an older version of the operator that is not supported";
    FailureOr<Attribute> value = convertAttribute(node, attribute);
    if (failed(value))
      return failure();
    state.addAttribute(attribute.name(), *value);
  }
  for (size_t i = 0; i < signature->graphAttributes.size(); ++i)
    state.addRegion();
  if (failed(registered->verifyInherentAttrs(state.attributes,
                                             [&] { return diagnostics.error(node); })))
    return failure();
  Operation *op = builder.create(state);
  for (auto [region, attribute] : llvm::zip_equal(op->getRegions(), signature->graphAttributes))
    if (const proto::GraphProto *graph = graphs.lookup(attribute))
      if (failed(buildRegion(scope, *graph, region, loc)))
        return failure();
  annotate(op, node);
  for (auto [output, result] : llvm::zip(node.output(), op->getResults()))
    if (!output.empty())
      scope.values[output] = result;
  return success();
}

LogicalResult ModuleBuilder::buildGraph(Scope &scope, const proto::GraphProto &graph,
                                        SmallVectorImpl<Value> &outputs) {
  for (const proto::NodeProto &node : graph.node())
    if (failed(buildNode(scope, node)))
      return failure();
  for (const proto::ValueInfoProto &output : graph.output()) {
    Value value = output.name().empty() ? Value() : lookUp(scope, output.name());
    if (!value)
      return diagnostics.error() << "output '" << output.name() << "' of graph '" << graph.name()
                                 << "' is not defined";
    outputs.push_back(value);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Module
//===----------------------------------------------------------------------===//

void ModuleBuilder::buildDimensions() {
  for (const std::string &name : dimensions) {
    auto found = options.dims.find(name);
    ImportOptions::DimensionBounds bounds;
    if (found != options.dims.end())
      bounds = found->getValue();
    OperationState state(diagnostics.getLocation(), plan::DimensionOp::getOperationName());
    state.addAttribute("sym_name", builder.getStringAttr(name));
    state.addAttribute("min", builder.getI64IntegerAttr(bounds.min));
    if (bounds.max)
      state.addAttribute("max", builder.getI64IntegerAttr(*bounds.max));
    symbols->create(state);
  }
}

/// plan.name, plan.dims and plan.element of an argument or result.
DictionaryAttr ModuleBuilder::describeValue(const proto::ValueInfoProto &value, Type type) {
  NamedAttrList attributes;
  attributes.set(plan::nameAttribute, builder.getStringAttr(value.name()));
  auto tensor = dyn_cast<TensorType>(type);
  attributes.set(plan::elementAttribute, TypeAttr::get(tensor ? tensor.getElementType() : type));
  if (tensor && tensor.hasRank()) {
    SmallVector<Attribute> dims;
    const proto::TensorShapeProto &shape = value.type().tensor_type().shape();
    for (auto [axis, size] : llvm::enumerate(tensor.getShape())) {
      StringRef symbol;
      if (static_cast<int>(axis) < shape.dim_size())
        symbol = shape.dim(static_cast<int>(axis)).dim_param();
      if (!ShapedType::isDynamic(size))
        dims.push_back(builder.getI64IntegerAttr(size));
      else if (llvm::is_contained(dimensions, symbol))
        dims.push_back(FlatSymbolRefAttr::get(builder.getContext(), symbol));
      else
        dims.push_back(builder.getUnitAttr());
    }
    attributes.set(plan::dimsAttribute, builder.getArrayAttr(dims));
  }
  return attributes.getDictionary(builder.getContext());
}

FailureOr<OwningOpRef<ModuleOp>> ModuleBuilder::build() {
  const proto::GraphProto &graph = model.graph();
  Location loc = diagnostics.getLocation();
  OwningOpRef<ModuleOp> owner = ModuleOp::create(builder, loc);
  module = *owner;
  builder.setInsertionPointToEnd(module.getBody());

  SmallVector<const proto::ValueInfoProto *> inputs;
  for (const proto::ValueInfoProto &input : graph.input())
    if (!detached.contains(input.name()))
      inputs.push_back(&input);

  Scope scope{nullptr, {}, {}, {}, OpBuilder(builder.getContext())};
  fillScope(scope, graph);
  SmallVector<Type> inputTypes;
  for (const proto::ValueInfoProto *input : inputs) {
    Type type = getType(scope, input->name());
    if (isa<onnx::UnknownType>(type))
      return diagnostics.error() << "input '" << input->name() << "' has no type that is supported";
    inputTypes.push_back(type);
  }
  // The result types follow from the values; until the body is there the function has none.
  auto function =
      func::FuncOp::create(builder, loc, "main", builder.getFunctionType(inputTypes, {}));
  symbols.emplace(builder.getContext());
  symbols->setInsertionPoint(function);
  buildDimensions();

  Block *block = function.addEntryBlock();
  for (auto [index, input] : llvm::enumerate(inputs)) {
    function.setArgAttrs(index, describeValue(*input, inputTypes[index]));
    block->getArgument(index).setLoc(diagnostics.getLocation(input->name()));
    scope.values[input->name()] = block->getArgument(index);
  }
  builder.setInsertionPointToEnd(block);
  Operation *anchor = func::ReturnOp::create(builder, loc);
  prologue.emplace(anchor);
  scope.prologue.setInsertionPoint(anchor);
  SmallVector<Value> outputs;
  if (failed(buildGraph(scope, graph, outputs)))
    return failure();
  func::ReturnOp::create(builder, loc, outputs);
  anchor->erase();

  function.setFunctionType(builder.getFunctionType(inputTypes, TypeRange(ValueRange(outputs))));
  llvm::StringSet<> names;
  for (auto [index, output] : llvm::enumerate(graph.output())) {
    if (!names.insert(output.name()).second)
      return diagnostics.error() << "output '" << output.name()
                                 << "' is listed twice; outputs are known by their names";
    function.setResultAttrs(index, describeValue(output, outputs[index].getType()));
  }
  return owner;
}

FailureOr<OwningOpRef<ModuleOp>> buildModule(const proto::ModelProto &model,
                                             const DetachedTensors &detached,
                                             ArrayRef<std::string> dimensions,
                                             const ImportOptions &options, Diagnostics &diagnostics,
                                             MLIRContext &context) {
  return ModuleBuilder(model, detached, dimensions, options, diagnostics, context).build();
}

} // namespace tenon::import
