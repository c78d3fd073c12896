// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls the ONNX library and turns what it throws into a Complaint. Compiled with exceptions; none
// may leave this file.

#include "lib/import/OnnxLibrary.h"

#include "onnx/checker.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"
#include "onnx/version_converter/convert.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <unordered_map>

namespace tenon::library {

/// The text between `before` and the next of `after`, or nothing.
static std::string between(const std::string &text, const std::string &before, const char *after) {
  size_t start = text.find(before);
  if (start == std::string::npos)
    return "";
  start += before.size();
  return text.substr(start, text.find_first_of(after, start) - start);
}

/// Rewrites a message of the library. They look like one of
///   "Unrecognized attribute: foo for operator Conv\n\n==> Context: Bad node spec for node. Name:
///   c1 OpType: Conv"
///   "[ShapeInferenceError] Inference error(s): (op_type:MatMul, node name: m1):
///   [ShapeInferenceError] Incompatible …" "…/convert.h:72: adapter_lookup: Assertion `false`
///   failed: No Adapter From Version 9 for Foo"
static Complaint rewrite(std::string text) {
  Complaint complaint;
  if (size_t context = text.find("\n\n==> Context: "); context != std::string::npos) {
    complaint.nodeName = between(text.substr(context), "Name: ", "\n");
    if (size_t at = complaint.nodeName.find(" OpType: "); at != std::string::npos) {
      complaint.opType = complaint.nodeName.substr(at + 9);
      complaint.nodeName.resize(at);
    } else {
      complaint.nodeName.clear();
      complaint.opType = between(text.substr(context), "OpType: ", "\n ");
    }
    text.resize(context);
  }
  // "Nodes in a graph must be topologically sorted, however input 'x' of node: \n name: r OpType:
  // Relu\n is not output …"
  if (size_t node = text.find(" of node:");
      node != std::string::npos && text.find("must be topologically sorted") < node) {
    complaint.nodeName = between(text.substr(node), "name: ", " ");
    complaint.opType = between(text.substr(node), "OpType: ", "\n");
    text = "input '" + between(text, "input '", "'") + "' is not made by any node before this one";
  }
  if (size_t at = text.find("(op_type:"); at != std::string::npos) {
    complaint.opType = between(text, "(op_type:", ",)");
    complaint.nodeName = between(text, "node name: ", ")");
    if (size_t end = text.find("): ", at); end != std::string::npos)
      text = text.substr(end + 3);
  }
  if (size_t at = text.find(" failed: "); at != std::string::npos && text.find("Assertion `") < at)
    text = text.substr(at + 9);
  for (const char *label :
       {"[ShapeInferenceError] ", "[TypeInferenceError] ", "Inference error(s): "})
    for (size_t at; (at = text.find(label)) != std::string::npos;)
      text.erase(at, std::string(label).size());

  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() &&
         (text.back() == '.' || std::isspace(static_cast<unsigned char>(text.back()))))
    text.pop_back();
  // Lower case, unless the first word is a name of some kind: "Conv", "IR".
  if (text.size() > 1 && std::isupper(static_cast<unsigned char>(text[0])) &&
      std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  complaint.message = text.empty() ? "the model is malformed" : text;
  return complaint;
}

/// Runs `action`, so that whatever it throws becomes the outcome.
template <typename Action>
static Outcome guard(Action action) {
  try {
    action();
    return std::nullopt;
  } catch (const std::bad_alloc &) {
    return Complaint{"out of memory", "", ""};
  } catch (const std::exception &error) {
    return rewrite(error.what());
  } catch (...) {
    return Complaint{"unknown failure in the ONNX library", "", ""};
  }
}

Outcome checkModel(const proto::ModelProto &model) {
  return guard([&] { ::onnx::checker::check_model(model); });
}

Outcome inlineFunctions(proto::ModelProto &model) {
  return guard([&] { ::onnx::inliner::InlineLocalFunctions(model, /*convert_version=*/true); });
}

Outcome convertToNewestVersion(proto::ModelProto &model) {
  return guard(
      [&] { model = ::onnx::version_conversion::ConvertVersion(model, *getNewestVersion("")); });
}

/// Adds the attributes that `node` leaves out and `schema` has a default for.
static void addDefaultAttributes(proto::NodeProto &node, const ::onnx::OpSchema &schema) {
  for (const auto &[name, attribute] : schema.attributes()) {
    bool isPresent = false;
    for (const proto::AttributeProto &present : node.attribute())
      isPresent |= present.name() == name;
    if (!isPresent && attribute.default_value.has_type())
      *node.add_attribute() = attribute.default_value;
  }
}

static void addDefaultAttributes(proto::GraphProto &graph) {
  for (proto::NodeProto &node : *graph.mutable_node()) {
    for (proto::AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        addDefaultAttributes(*attribute.mutable_g());
    const ::onnx::OpSchema *schema =
        ::onnx::OpSchemaRegistry::Schema(node.op_type(), node.domain());
    if (schema && !schema->has_type_and_shape_inference_function())
      addDefaultAttributes(node, *schema);
  }
}

/// Sizes that it does not know are zeros to the library where it computes those of an Attention's
/// results.
static void forgetMisreadSizes(const proto::NodeProto &node, proto::TypeProto &result) {
  if (node.op_type() != "Attention" || !node.domain().empty() || !result.tensor_type().has_shape())
    return;
  for (auto &dim : *result.mutable_tensor_type()->mutable_shape()->mutable_dim())
    if (dim.has_dim_value() && dim.dim_value() == 0)
      dim.clear_dim_value();
}

static void forgetMisreadSizes(proto::GraphProto &graph) {
  std::unordered_map<std::string, const proto::NodeProto *> makers;
  for (proto::NodeProto &node : *graph.mutable_node()) {
    for (proto::AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        forgetMisreadSizes(*attribute.mutable_g());
    for (const std::string &output : node.output())
      makers[output] = &node;
  }
  for (auto *values : {graph.mutable_value_info(), graph.mutable_output()})
    for (proto::ValueInfoProto &value : *values)
      if (auto maker = makers.find(value.name()); maker != makers.end())
        forgetMisreadSizes(*maker->second, *value.mutable_type());
}

Outcome inferShapes(proto::ModelProto &model) {
  return guard([&] {
    addDefaultAttributes(*model.mutable_graph());
    ::onnx::ShapeInferenceOptions options(/*check_type=*/true, /*strict_mode=*/1,
                                          /*data_prop=*/true);
    ::onnx::shape_inference::InferShapes(model, ::onnx::OpSchemaRegistry::Instance(), options);
    forgetMisreadSizes(*model.mutable_graph());
  });
}

/// The body of an operator, built for `node` where it depends on it.
static std::optional<proto::FunctionProto>
buildBody(const proto::NodeProto &node, const ::onnx::OpSchema &schema,
          const std::vector<proto::TypeProto> &inputTypes) {
  if (const proto::FunctionProto *body = schema.GetFunction())
    return *body;
  proto::FunctionProto body;
  if (schema.HasContextDependentFunction() &&
      schema.BuildContextDependentFunction(::onnx::FunctionBodyBuildContextImpl(node, inputTypes),
                                           body))
    return body;
  return std::nullopt;
}

void setDefaultAttributes(proto::NodeProto &node, int version) {
  (void)guard([&] {
    if (const ::onnx::OpSchema *schema =
            ::onnx::OpSchemaRegistry::Schema(node.op_type(), version, node.domain()))
      addDefaultAttributes(node, *schema);
  });
}

std::optional<proto::FunctionProto>
getFunctionBody(proto::NodeProto &node, int version,
                const std::vector<proto::TypeProto> &inputTypes) {
  std::optional<proto::FunctionProto> body;
  Outcome complaint = guard([&] {
    const ::onnx::OpSchema *schema =
        ::onnx::OpSchemaRegistry::Schema(node.op_type(), version, node.domain());
    if (!schema)
      return;
    addDefaultAttributes(node, *schema);
    body = buildBody(node, *schema, inputTypes);
  });
  if (complaint)
    return std::nullopt;
  return body;
}

/// Infers an operator that has no function for it through its body in other operators, if it has
/// one.
static void inferThroughBody(proto::NodeProto &node, const ::onnx::OpSchema &schema,
                             const std::vector<Operand> &operands,
                             ::onnx::InferenceContext &context) {
  std::vector<proto::TypeProto> types;
  for (const Operand &operand : operands)
    types.push_back(operand.type.value_or(proto::TypeProto()));
  std::optional<proto::FunctionProto> body = buildBody(node, schema, types);
  if (!body)
    return;
  // Bodies end in Reshape to the shape of an operand, which takes following sizes through them.
  ::onnx::shape_inference::DataValueMap elements;
  ::onnx::shape_inference::InferShapeForFunctionNode(
      *body, ::onnx::OpSchemaRegistry::Instance(), context,
      ::onnx::ShapeInferenceOptions(/*check_type=*/false, /*strict_mode=*/1, /*data_prop=*/true),
      /*model_local_functions_map=*/{}, /*symbol_table=*/nullptr, &elements);
}

Outcome inferResultTypes(proto::NodeProto &node, int version, std::vector<Operand> &operands,
                         std::vector<proto::TypeProto> &results) {
  results.assign(static_cast<size_t>(node.output_size()), proto::TypeProto());
  return guard([&] {
    const ::onnx::OpSchema *schema =
        ::onnx::OpSchemaRegistry::Schema(node.op_type(), version, node.domain());
    if (!schema)
      return;
    if (!schema->has_type_and_shape_inference_function())
      addDefaultAttributes(node, *schema);

    std::unordered_map<std::string, proto::TypeProto *> types;
    std::unordered_map<std::string, const proto::TensorProto *> data;
    ::onnx::shape_inference::DataValueMap elements;
    for (size_t i = 0; i < operands.size(); ++i) {
      const std::string &name = node.input(static_cast<int>(i));
      if (operands[i].type)
        types[name] = &*operands[i].type;
      if (operands[i].data)
        data[name] = &*operands[i].data;
      if (operands[i].elements)
        elements[name] = *operands[i].elements;
    }
    ::onnx::shape_inference::InferenceContextImpl context(
        node, types, data, {}, ::onnx::ShapeInferenceOptions(), &elements);
    // Some functions of this domain read types without asking whether there are any.
    bool isComplete = std::ranges::all_of(node.input(), [&](const std::string &input) {
      return input.empty() || types.count(input);
    });
    if (!isComplete && node.domain() == "ai.onnx.ml")
      return;
    if (schema->has_type_and_shape_inference_function())
      schema->GetTypeAndShapeInferenceFunction()(context);
    else
      inferThroughBody(node, *schema, operands, context);
    for (size_t i = 0; i < results.size(); ++i) {
      results[i] = *context.getOutputType(i);
      forgetMisreadSizes(node, results[i]);
    }
  });
}

//===----------------------------------------------------------------------===//
// Operators that the library does not know
//===----------------------------------------------------------------------===//

/// Infers the types of a node's results through the body that `definition` writes for it.
static void inferThroughOwnBody(const OperatorDefinition &definition,
                                ::onnx::InferenceContext &context) {
  proto::NodeProto node;
  node.set_domain(definition.domain);
  node.set_op_type(definition.name);
  for (const OperatorDefinition::Attribute &attribute : definition.attributes) {
    if (const proto::AttributeProto *given = context.getAttribute(attribute.preset.name()))
      *node.add_attribute() = *given;
    else if (attribute.hasDefault)
      *node.add_attribute() = attribute.preset;
  }
  std::vector<Operand> operands(context.getNumInputs());
  ::onnx::shape_inference::DataValueMap elements;
  for (size_t i = 0; i < operands.size(); ++i) {
    std::string name = "input" + std::to_string(i);
    node.add_input(context.hasInput(i) ? name : "");
    if (!context.hasInput(i))
      continue;
    if (const proto::TypeProto *type = context.getInputType(i))
      operands[i].type = *type;
    if (const proto::TensorProto *data = context.getInputData(i))
      operands[i].data = *data;
    if (const proto::TensorShapeProto *values = context.getSymbolicInput(i))
      elements[name] = *values;
  }
  for (size_t i = 0; i < context.getNumOutputs(); ++i)
    node.add_output(context.hasOutput(i) ? "output" + std::to_string(i) : "");
  std::optional<proto::FunctionProto> body = definition.writeBody(node, operands);
  if (!body)
    return;
  proto::OperatorSetIdProto &import = *body->add_opset_import();
  import.set_domain("");
  import.set_version(*getNewestVersion(""));
  ::onnx::shape_inference::InferShapeForFunctionNode(
      *body, ::onnx::OpSchemaRegistry::Instance(), context,
      ::onnx::ShapeInferenceOptions(/*check_type=*/true, /*strict_mode=*/1, /*data_prop=*/true),
      /*model_local_functions_map=*/{}, /*symbol_table=*/nullptr, &elements);
  // Functions have all outputs; those that the node leaves out are of no type.
  for (size_t i = 0; i < context.getNumOutputs(); ++i)
    if (!context.hasOutput(i))
      context.getOutputType(i)->Clear();
}

static void registerOperator(const OperatorDefinition &definition) {
  ::onnx::OpSchema schema(definition.name, __FILE__, __LINE__);
  schema.SetDomain(definition.domain).SinceVersion(1);
  auto option = [](const OperatorDefinition::Parameter &parameter) {
    if (parameter.isVariadic)
      return ::onnx::OpSchema::Variadic;
    return parameter.isOptional ? ::onnx::OpSchema::Optional : ::onnx::OpSchema::Single;
  };
  int index = 0;
  for (const OperatorDefinition::Parameter &input : definition.inputs)
    schema.Input(index++, input.name, "", input.type, option(input), !input.isVariadic);
  index = 0;
  for (const OperatorDefinition::Parameter &output : definition.outputs)
    schema.Output(index++, output.name, "", output.type, option(output));
  for (const auto &[name, allowed] : definition.types)
    schema.TypeConstraint(name, allowed, "");
  for (const OperatorDefinition::Attribute &attribute : definition.attributes) {
    ::onnx::OpSchema::Attribute declared(attribute.preset.name(), "", attribute.preset.type(),
                                         attribute.isRequired);
    if (attribute.hasDefault)
      declared.default_value = attribute.preset;
    schema.Attr(std::move(declared));
  }
  schema.TypeAndShapeInferenceFunction([definition](::onnx::InferenceContext &context) {
    inferThroughOwnBody(definition, context);
  });
  ::onnx::RegisterSchema(std::move(schema));
}

void registerOperators(const std::vector<OperatorDefinition> &definitions) {
  (void)guard([&] {
    auto &domains = ::onnx::OpSchemaRegistry::DomainToVersionRange::Instance();
    for (const OperatorDefinition &definition : definitions) {
      if (!domains.Map().count(definition.domain))
        domains.AddDomainToVersion(definition.domain, 1, 1);
      registerOperator(definition);
    }
  });
}

std::optional<int> getNewestVersion(const std::string &domain) {
  const auto &versions = ::onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  auto found = versions.find(domain);
  if (found == versions.end())
    return std::nullopt;
  return found->second.second;
}

int getNewestFormatVersion() { return static_cast<int>(proto::IR_VERSION); }

std::optional<Signature> getSignature(const std::string &domain, const std::string &name,
                                      int version) {
  const ::onnx::OpSchema *schema = ::onnx::OpSchemaRegistry::Schema(name, version, domain);
  if (!schema)
    return std::nullopt;
  Signature signature;
  auto convert = [](const auto &from, std::vector<Signature::Parameter> &to) {
    for (const auto &parameter : from)
      to.push_back({parameter.GetOption() == ::onnx::OpSchema::Optional,
                    parameter.GetOption() == ::onnx::OpSchema::Variadic});
  };
  convert(schema->inputs(), signature.inputs);
  convert(schema->outputs(), signature.outputs);
  for (const auto &[attributeName, attribute] : schema->attributes())
    if (attribute.type == proto::AttributeProto::GRAPH)
      signature.graphAttributes.push_back(attributeName);
  std::sort(signature.graphAttributes.begin(), signature.graphAttributes.end());
  return signature;
}

} // namespace tenon::library
