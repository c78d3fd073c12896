// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Our own table of conversions, for what the library's version converter lacks or gets wrong. Each
// rewrites a node into operators that the converter brings to the newest opset as it should.

#include "lib/import/OnnxLibrary.h"
#include "lib/import/Prepare.h"
#include "lib/import/contrib/ContribOperators.h"

#include <set>

using namespace mlir;

namespace tenon::import {

/// ONNX Runtime has operators of its own in the default domain, among them some that the standard
/// got later, and its tools write them; other tools write the standard's ones into its domain.
/// Moves each to where it is defined. `version` is the opset of the default domain around it.
static bool moveRuntimeOperator(proto::NodeProto &node, int64_t version) {
  auto isStandard = [&] {
    return library::getSignature("", node.op_type(), static_cast<int>(version)).has_value();
  };
  bool isDefault = node.domain().empty() || node.domain() == "ai.onnx";
  if (isDefault && findContribOperator(node.op_type()) && !isStandard())
    node.set_domain(kContribDomain);
  else if (node.domain() == kContribDomain && !findContribOperator(node.op_type()) && isStandard())
    node.clear_domain();
  return node.domain() == kContribDomain;
}

/// Imports the domain of the contrib operators where one is used: like ONNX Runtime, which knows it
/// without being told.
static void
importContribDomain(google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &imports) {
  if (llvm::any_of(imports, [](const auto &import) { return import.domain() == kContribDomain; }))
    return;
  proto::OperatorSetIdProto &import = *imports.Add();
  import.set_domain(kContribDomain);
  import.set_version(1);
}

/// The opset of the default domain among `imports`.
static int64_t
getStandardVersion(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &imports) {
  int64_t version = 1;
  for (const proto::OperatorSetIdProto &import : imports)
    if (import.domain().empty() || import.domain() == "ai.onnx")
      version = import.version();
  return version;
}

/// Applies moveRuntimeOperator to the graph and to the model's functions.
static void moveRuntimeOperators(proto::ModelProto &model) {
  // Operators that the model defines itself are what it says they are.
  std::set<std::pair<std::string, std::string>> defined;
  for (const proto::FunctionProto &function : model.functions())
    defined.emplace(function.domain() == "ai.onnx" ? "" : function.domain(), function.name());
  auto visit = [&](proto::NodeProto &node, int64_t version, auto &imports) {
    if (defined.count({node.domain() == "ai.onnx" ? "" : node.domain(), node.op_type()}))
      return;
    if (moveRuntimeOperator(node, version))
      importContribDomain(imports);
  };
  int64_t version = getStandardVersion(model.opset_import());
  walkNodes(*model.mutable_graph(),
            [&](proto::NodeProto &node) { visit(node, version, *model.mutable_opset_import()); });
  for (proto::FunctionProto &function : *model.mutable_functions()) {
    version = getStandardVersion(function.opset_import());
    auto visitInner = [&](proto::NodeProto &node) {
      visit(node, version, *function.mutable_opset_import());
    };
    for (proto::NodeProto &node : *function.mutable_node()) {
      visitInner(node);
      for (proto::AttributeProto &attribute : *node.mutable_attribute())
        if (attribute.has_g())
          walkNodes(*attribute.mutable_g(), visitInner);
    }
    // The model imports all that its functions do: inlining asks for it.
    if (llvm::any_of(function.opset_import(),
                     [](const auto &import) { return import.domain() == kContribDomain; }))
      importContribDomain(*model.mutable_opset_import());
  }
}

/// Scan of opset 8 runs over the elements of a batch, the first dimension of all its operands. The
/// library's converter drops that dimension. Here it becomes a Scan over the batch around a Scan
/// over the elements; to survive the converter, both are spelled as in opset 8, with an empty first
/// operand. (One that has sequence lengths there is refused by the converter.)
static void nestBatchedScan(proto::NodeProto &node) {
  if (node.input_size() < 2 || !node.input(0).empty() || node.output_size() == 0)
    return;
  proto::NodeProto inner = node;
  proto::GraphProto batch;
  batch.set_name(node.name() + ".batch");
  for (int i = 1; i < node.input_size(); ++i) {
    std::string name = node.output(0) + ".batch_input_" + std::to_string(i);
    inner.set_input(i, name);
    batch.add_input()->set_name(name);
  }
  for (int i = 0; i < node.output_size(); ++i) {
    std::string name = node.output(0) + ".batch_output_" + std::to_string(i);
    inner.set_output(i, name);
    batch.add_output()->set_name(name);
  }
  *batch.add_node() = std::move(inner);

  keepIf(*node.mutable_attribute(), [](const proto::AttributeProto &attribute) {
    return attribute.name() == "body" || attribute.name() == "num_scan_inputs";
  });
  for (proto::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.name() == "body")
      *attribute.mutable_g() = batch;
    else
      attribute.set_i(node.input_size() - 1);
  }
}

/// Until opset 12, Hardmax looked at its input as a matrix, cut at `axis`; the library's converter
/// takes it for what it is now, an operation along one axis. Adds what makes the matrix before it
/// and undoes it after it.
static void flattenHardmax(proto::GraphProto &graph) {
  google::protobuf::RepeatedPtrField<proto::NodeProto> nodes;
  nodes.Swap(graph.mutable_node());
  for (proto::NodeProto &node : nodes) {
    if (node.op_type() != "Hardmax" || !node.domain().empty() || node.input_size() != 1 ||
        node.output_size() != 1) {
      graph.add_node()->Swap(&node);
      continue;
    }
    int64_t axis = 1;
    for (const proto::AttributeProto &attribute : node.attribute())
      if (attribute.name() == "axis")
        axis = attribute.i();
    std::string input = node.input(0), output = node.output(0);
    auto add = [&](const char *op, std::initializer_list<std::string> inputs,
                   const std::string &result) {
      proto::NodeProto &added = *graph.add_node();
      added.set_op_type(op);
      added.set_name(node.name());
      added.mutable_input()->Assign(inputs.begin(), inputs.end());
      added.add_output(result);
      return &added;
    };
    auto setAxis = [](proto::NodeProto &on, int64_t value) {
      proto::AttributeProto &attribute = *on.add_attribute();
      attribute.set_name("axis");
      attribute.set_type(proto::AttributeProto::INT);
      attribute.set_i(value);
    };
    add("Shape", {input}, output + ".shape");
    setAxis(*add("Flatten", {input}, output + ".matrix"), axis);
    setAxis(*add("Hardmax", {output + ".matrix"}, output + ".hardmax"), 1);
    add("Reshape", {output + ".hardmax", output + ".shape"}, output);
  }
}

void restoreResize(proto::NodeProto &node) {
  auto set = [&](const char *name, const char *value) {
    proto::AttributeProto &attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(proto::AttributeProto::STRING);
    attribute.set_s(value);
  };
  keepIf(*node.mutable_attribute(), [](const proto::AttributeProto &attribute) {
    return attribute.name() != "coordinate_transformation_mode" &&
           attribute.name() != "nearest_mode";
  });
  set("coordinate_transformation_mode", "asymmetric");
  set("nearest_mode", "floor");
  // The converter makes up a region of interest, which nothing reads in this mode.
  if (node.input_size() > 1)
    node.set_input(1, "");
}

bool nameResizeLengths(proto::ModelProto &model) {
  bool changed = false;
  walkGraphs(*model.mutable_graph(), [&](proto::GraphProto &graph) {
    google::protobuf::RepeatedPtrField<proto::NodeProto> nodes;
    nodes.Swap(graph.mutable_node());
    for (proto::NodeProto &node : nodes) {
      if (node.op_type() == "Resize" && node.domain().empty() && node.input_size() > 3 &&
          !node.input(3).empty()) {
        auto add = [&](const char *op, std::initializer_list<std::string> inputs,
                       const char *suffix) {
          proto::NodeProto &added = *graph.add_node();
          added.set_op_type(op);
          added.set_name(node.name());
          added.mutable_input()->Assign(inputs.begin(), inputs.end());
          added.add_output(node.output(0) + suffix);
          return &added;
        };
        auto axes = llvm::find_if(node.attribute(), [](const proto::AttributeProto &attribute) {
          return attribute.name() == "axes";
        });
        if (axes != node.attribute().end()) {
          proto::AttributeProto &count = *add("Constant", {}, ".count")->add_attribute();
          count.set_name("value");
          count.set_type(proto::AttributeProto::TENSOR);
          count.mutable_t()->set_data_type(proto::TensorProto::INT64);
          count.mutable_t()->add_dims(1);
          count.mutable_t()->add_int64_data(axes->ints_size());
        } else {
          add("Shape", {node.input(0)}, ".shape");
          add("Shape", {node.output(0) + ".shape"}, ".count");
        }
        add("Reshape", {node.input(3), node.output(0) + ".count"}, ".sizes");
        node.set_input(3, node.output(0) + ".sizes");
        changed = true;
      }
      graph.add_node()->Swap(&node);
    }
  });
  return changed;
}

void adaptOperators(proto::ModelProto &model) {
  moveRuntimeOperators(model);
  int64_t version = getStandardVersion(model.opset_import());
  if (version >= 5 && version <= 12)
    walkGraphs(*model.mutable_graph(), [](proto::GraphProto &graph) { flattenHardmax(graph); });
  if (version != 8)
    return;
  // Inner graphs first, since an adapted node holds a Scan that must not be adapted again.
  auto visit = [](auto &self, proto::GraphProto &graph) -> void {
    for (proto::NodeProto &node : *graph.mutable_node()) {
      for (proto::AttributeProto &attribute : *node.mutable_attribute())
        if (attribute.has_g())
          self(self, *attribute.mutable_g());
      if (node.op_type() == "Scan" && (node.domain().empty() || node.domain() == "ai.onnx"))
        nestBatchedScan(node);
    }
  };
  visit(visit, *model.mutable_graph());
}

} // namespace tenon::import
