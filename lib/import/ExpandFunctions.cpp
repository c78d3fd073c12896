// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ExpandFunctions.h. The body of an operator may depend on the node (its attributes, which
// operands it has, their types), so each node gets a function of its own, and the ONNX library's
// inliner binds attributes and makes names unique as it does for functions of the model.

#include "lib/import/ExpandFunctions.h"

#include "lib/import/FunctionBodies.h"
#include "lib/import/OnnxLibrary.h"
#include "lib/import/Prepare.h"
#include "lib/import/contrib/ContribOperators.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::import {

/// Key of the metadata that carries a node's name through the inliner.
static constexpr const char *kOriginKey = "tenon.expanded_from";
/// Domain of the functions that stand for bodies; no model can use it, since it is gone again
/// before anything else looks.
static constexpr const char *kBodyDomain = "tenon.expanded";

/// Whether a node is nothing but a composition of others, as opposed to one that a kernel
/// computes better than its parts.
static bool isComposition(const proto::NodeProto &node) {
  StringRef domain = node.domain(), name = node.op_type();
  // Kernels of attention never have the scores that this output shows.
  if (domain.empty() && name == "Attention")
    return node.output_size() > 3 && !node.output(3).empty();
  if (domain == "ai.onnx.preview")
    return name == "FlexAttention";
  return domain.empty() &&
         llvm::StringSwitch<bool>(name)
             // Losses, of operators that do the work.
             .Cases({"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"}, true)
             // Functions of positions.
             .Cases({"BlackmanWindow", "HammingWindow", "HannWindow"}, true)
             // Arithmetic on sizes around data movement.
             .Case("CenterCropPad", true)
             // Recurrences and attention whose inner parts the user gives.
             .Cases({"CausalConvWithState", "LinearAttention"}, true)
             // A loop over the elements.
             .Case("SequenceMap", true)
             .Default(false);
}

/// Types of all values and the small tensors that are constant. All values have names of their own.
static KnownValues collectValues(proto::ModelProto &model) {
  KnownValues known;
  walkGraphs(*model.mutable_graph(), [&](proto::GraphProto &graph) {
    for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
      for (const proto::ValueInfoProto &value : *values)
        known.types[value.name()] = value.type();
    for (const proto::TensorProto &tensor : graph.initializer()) {
      known.constants[tensor.name()] = tensor;
      proto::TypeProto::Tensor type;
      type.set_elem_type(tensor.data_type());
      type.mutable_shape();
      for (int64_t size : tensor.dims())
        type.mutable_shape()->add_dim()->set_dim_value(size);
      *known.types[tensor.name()].mutable_tensor_type() = type;
    }
    for (const proto::NodeProto &node : graph.node())
      if (node.domain().empty() && node.op_type() == "Constant" && node.attribute_size() == 1 &&
          node.attribute(0).has_t())
        known.constants[node.output(0)] = node.attribute(0).t();
  });
  return known;
}

/// The function that writes the body of an operator that the standard has no body for, or null.
static BodyFunction findOwnBody(StringRef domain, StringRef name) {
  if (domain == kContribDomain) {
    const ContribOperator *found = findContribOperator(name);
    return found ? found->writeBody : nullptr;
  }
  for (auto find :
       {findCategoryBody, findDeterminantBody, findFeatureBody, findRecurrentBody, findSignalBody,
        findSpatialBody, findTrainingBody, findTreeBody, findVectorMachineBody})
    if (BodyFunction write = find(domain, name))
      return write;
  return nullptr;
}

/// The body of `node`, which gets its default attributes and the values that the body reads
/// besides; nothing if it stays whole, with the reason if there is one to tell.
static std::optional<proto::FunctionProto> getBody(proto::NodeProto &node, const KnownValues &known,
                                                   std::string &reason) {
  std::optional<int> version = library::getNewestVersion(node.domain());
  if (!version)
    return std::nullopt;
  if (BodyFunction write = findOwnBody(node.domain(), node.op_type())) {
    library::setDefaultAttributes(node, *version);
    BodyBuilder builder(node, known);
    std::optional<proto::FunctionProto> body = write(builder);
    reason = builder.getReason();
    if (body)
      for (const std::string &input : builder.getExtraInputs())
        node.add_input(input);
    else if (reason.empty() && node.domain() == kContribDomain)
      reason = "the rank or the element type of an operand is not known or not one that this "
               "operator takes";
    if (body || !isComposition(node))
      return body;
  }
  if (!isComposition(node))
    return std::nullopt;
  std::vector<proto::TypeProto> types;
  for (const std::string &input : node.input())
    types.push_back(known.types.lookup(input));
  return library::getFunctionBody(node, *version, types);
}

/// Gives the nodes of a body what the node had that they stand for. How an operand was cut among
/// devices is about values that the body does not have.
static void annotate(proto::FunctionProto &body, const proto::NodeProto &node) {
  auto visit = [&](proto::NodeProto &inner) {
    inner.clear_name();
    *inner.mutable_metadata_props() = node.metadata_props();
    *inner.mutable_device_configurations() = node.device_configurations();
    for (proto::NodeDeviceConfigurationProto &device : *inner.mutable_device_configurations())
      device.clear_sharding_spec();
    proto::StringStringEntryProto &origin = *inner.add_metadata_props();
    origin.set_key(kOriginKey);
    origin.set_value(node.name());
  };
  for (proto::NodeProto &inner : *body.mutable_node()) {
    visit(inner);
    for (proto::AttributeProto &attribute : *inner.mutable_attribute())
      if (attribute.has_g())
        walkNodes(*attribute.mutable_g(), visit);
  }
}

FailureOr<bool> expandFunctions(proto::ModelProto &model,
                                decltype(KnownValues::reinterpret) reinterpret,
                                Diagnostics &diagnostics) {
  bool mayExpand = false;
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) {
    mayExpand |= isComposition(node) || findOwnBody(node.domain(), node.op_type()) != nullptr;
  });
  if (!mayExpand)
    return false;

  // Bodies are in terms of the default domain, which the model itself may not use.
  if (llvm::none_of(model.opset_import(),
                    [](const auto &import) { return import.domain().empty(); })) {
    proto::OperatorSetIdProto &import = *model.add_opset_import();
    import.set_domain("");
    import.set_version(*library::getNewestVersion(""));
  }
  KnownValues known = collectValues(model);
  known.reinterpret = std::move(reinterpret);
  int count = 0;
  std::vector<std::pair<const proto::NodeProto *, std::string>> refused;
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) {
    std::string reason;
    std::optional<proto::FunctionProto> body = getBody(node, known, reason);
    if (!body && !reason.empty())
      refused.emplace_back(&node, reason);
    if (!body)
      return;
    annotate(*body, node);
    body->set_name(node.op_type() + "_" + std::to_string(count++));
    body->set_domain(kBodyDomain);
    // The newest version of each operator, as everywhere.
    *body->mutable_opset_import() = model.opset_import();
    node.set_domain(kBodyDomain);
    node.set_op_type(body->name());
    *model.add_functions() = std::move(*body);
  });
  // What is refused may be told more once the types that the bodies make are known.
  if (count != 0 || refused.empty())
    return count != 0;
  for (const auto &[node, reason] : refused)
    diagnostics.error(*node) << reason;
  return failure();
}

void nameExpandedNodes(proto::ModelProto &model) {
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) {
    for (const proto::StringStringEntryProto &entry : node.metadata_props())
      if (entry.key() == kOriginKey)
        node.set_name(entry.value());
    keepIf(*node.mutable_metadata_props(),
           [](const proto::StringStringEntryProto &entry) { return entry.key() != kOriginKey; });
  });
}

} // namespace tenon::import
