// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Prepare.h. Works on the model's protobuf messages in place.

#include "lib/import/Prepare.h"

#include "lib/import/OnnxLibrary.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <map>
#include <set>

using namespace mlir;

namespace tenon::import {

void walkGraphs(proto::GraphProto &graph, function_ref<void(proto::GraphProto &)> visit) {
  visit(graph);
  for (proto::NodeProto &node : *graph.mutable_node())
    for (proto::AttributeProto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        walkGraphs(*attribute.mutable_g(), visit);
      for (proto::GraphProto &inner : *attribute.mutable_graphs())
        walkGraphs(inner, visit);
    }
}

void walkNodes(proto::GraphProto &graph, function_ref<void(proto::NodeProto &)> visit) {
  walkGraphs(graph, [&](proto::GraphProto &inner) {
    for (proto::NodeProto &node : *inner.mutable_node())
      visit(node);
  });
}

//===----------------------------------------------------------------------===//
// Normal form
//===----------------------------------------------------------------------===//

static void clearNegativeDimensions(proto::ValueInfoProto &value) {
  if (!value.type().has_tensor_type() || !value.type().tensor_type().has_shape())
    return;
  for (proto::TensorShapeProto::Dimension &dim :
       *value.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
    if ((dim.has_dim_value() && dim.dim_value() < 0) ||
        (dim.has_dim_param() && dim.dim_param().empty()))
      dim.clear_value();
}

static void normalizeGraph(proto::GraphProto &graph, llvm::StringSet<> &names, unsigned &counter) {
  llvm::StringSet<> initialized;
  for (const proto::TensorProto &tensor : graph.initializer())
    initialized.insert(tensor.name());
  for (const proto::SparseTensorProto &tensor : graph.sparse_initializer())
    initialized.insert(tensor.values().name());
  keepIf(*graph.mutable_input(),
         [&](const proto::ValueInfoProto &input) { return !initialized.contains(input.name()); });

  for (auto *values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
    for (proto::ValueInfoProto &value : *values)
      clearNegativeDimensions(value);

  for (proto::NodeProto &node : *graph.mutable_node()) {
    if (node.domain() == "ai.onnx")
      node.clear_domain();
    unsigned index = counter++;
    if (!node.name().empty())
      continue;
    std::string name = node.op_type() + "_" + std::to_string(index);
    while (!names.insert(name).second)
      name += "_";
    node.set_name(name);
  }
}

namespace {
/// One walk over the graphs, outer ones first.
class NameUniquifier {
public:
  explicit NameUniquifier(proto::GraphProto &main) {
    walkGraphs(main, [&](proto::GraphProto &graph) {
      visitDefinitions(graph, [&](std::string &name) { all.insert(name); });
    });
    run(main, {});
  }

private:
  template <typename Visit>
  static void visitDefinitions(proto::GraphProto &graph, Visit visit) {
    for (proto::ValueInfoProto &input : *graph.mutable_input())
      visit(*input.mutable_name());
    for (proto::TensorProto &tensor : *graph.mutable_initializer())
      visit(*tensor.mutable_name());
    for (proto::NodeProto &node : *graph.mutable_node())
      for (std::string &output : *node.mutable_output())
        visit(output);
  }

  /// `renamed` are the values of enclosing graphs that have another name now.
  void run(proto::GraphProto &graph, std::map<std::string, std::string> renamed) {
    std::set<std::string> own;
    visitDefinitions(graph, [&](std::string &name) {
      // A second definition in one graph is a mistake, and the checker's to report.
      if (name.empty() || !own.insert(name).second)
        return;
      renamed.erase(name);
      if (seen.insert(name).second)
        return;
      std::string unique = name;
      for (unsigned i = 0; !all.insert(unique).second; ++i)
        unique = name + "_" + std::to_string(i);
      seen.insert(unique);
      renamed[name] = unique;
    });
    auto rename = [&](std::string &name) {
      if (auto found = renamed.find(name); found != renamed.end())
        name = found->second;
    };
    if (!renamed.empty()) {
      visitDefinitions(graph, rename);
      for (auto *values : {graph.mutable_output(), graph.mutable_value_info()})
        for (proto::ValueInfoProto &value : *values)
          rename(*value.mutable_name());
    }
    for (proto::NodeProto &node : *graph.mutable_node()) {
      for (std::string &input : *node.mutable_input())
        rename(input);
      for (proto::AttributeProto &attribute : *node.mutable_attribute())
        if (attribute.has_g())
          run(*attribute.mutable_g(), renamed);
    }
  }

  llvm::StringSet<> all, seen;
};
} // namespace

void makeNamesUnique(proto::ModelProto &model) {
  NameUniquifier uniquifier(*model.mutable_graph());
}

void normalize(proto::ModelProto &model) {
  if (model.ir_version() < 3 && model.opset_import_size() == 0)
    model.add_opset_import()->set_version(1);
  model.set_ir_version(library::getNewestFormatVersion());
  auto canonicalize = [](auto *imports) {
    for (proto::OperatorSetIdProto &import : *imports)
      if (import.domain() == "ai.onnx")
        import.clear_domain();
  };
  canonicalize(model.mutable_opset_import());

  llvm::StringSet<> names;
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) { names.insert(node.name()); });
  unsigned counter = 0;
  walkGraphs(*model.mutable_graph(),
             [&](proto::GraphProto &graph) { normalizeGraph(graph, names, counter); });
  makeNamesUnique(model);

  for (proto::FunctionProto &function : *model.mutable_functions()) {
    canonicalize(function.mutable_opset_import());
    for (proto::NodeProto &node : *function.mutable_node())
      if (node.domain() == "ai.onnx")
        node.clear_domain();
  }
}

//===----------------------------------------------------------------------===//
// Dimensions
//===----------------------------------------------------------------------===//

template <typename Visit>
static void walkDimensions(proto::TypeProto &type, Visit visit) {
  if (type.has_tensor_type() && type.tensor_type().has_shape()) {
    for (proto::TensorShapeProto::Dimension &dim :
         *type.mutable_tensor_type()->mutable_shape()->mutable_dim())
      visit(dim);
  } else if (type.has_sequence_type()) {
    walkDimensions(*type.mutable_sequence_type()->mutable_elem_type(), visit);
  } else if (type.has_optional_type()) {
    walkDimensions(*type.mutable_optional_type()->mutable_elem_type(), visit);
  }
}

LogicalResult fixDimensions(proto::ModelProto &model, const ImportOptions &options,
                            Diagnostics &diagnostics) {
  if (options.dims.empty())
    return success();
  std::set<std::string> known;
  for (proto::ValueInfoProto &input : *model.mutable_graph()->mutable_input())
    walkDimensions(*input.mutable_type(), [&](proto::TensorShapeProto::Dimension &dim) {
      if (dim.has_dim_param())
        known.insert(dim.dim_param());
    });
  LogicalResult result = success();
  for (const auto &entry : options.dims) {
    StringRef name = entry.getKey();
    const ImportOptions::DimensionBounds &bounds = entry.getValue();
    if (!known.count(name.str())) {
      InFlightDiagnostic diagnostic = diagnostics.error()
                                      << "no input has a dimension '" << name << "'";
      if (known.empty())
        diagnostic << ": the model has no named dimensions";
      else
        diagnostic << ": expected one of " << llvm::join(known, ", ");
      result = failure();
    } else if (bounds.min < 0 || (bounds.max && *bounds.max < bounds.min)) {
      result = diagnostics.error()
               << "dimension '" << name << "' has impossible bounds: " << bounds.min << " to "
               << bounds.max.value_or(bounds.min);
    }
  }
  if (failed(result))
    return failure();

  walkGraphs(*model.mutable_graph(), [&](proto::GraphProto &graph) {
    for (auto *values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
      for (proto::ValueInfoProto &value : *values)
        walkDimensions(*value.mutable_type(), [&](proto::TensorShapeProto::Dimension &dim) {
          auto bounds = options.dims.find(dim.has_dim_param() ? dim.dim_param() : "");
          if (bounds != options.dims.end() && bounds->getValue().max == bounds->getValue().min)
            dim.set_dim_value(bounds->getValue().min);
        });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Annotations
//===----------------------------------------------------------------------===//

NodeAnnotations::NodeAnnotations(proto::ModelProto &model, int64_t version) : version(version) {
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) {
    Annotation annotation{node.name(), node.metadata_props(), node.device_configurations()};
    if (node.domain().empty() && node.input_size() &&
        (node.op_type() == "Upsample" || node.op_type() == "Scatter"))
      byFirstInput[node.input(0)] = annotation;
    for (const std::string &output : node.output())
      if (!output.empty())
        byOutput[output] = annotation;
  });
}

const NodeAnnotations::Annotation *NodeAnnotations::find(const proto::NodeProto &node) const {
  for (const std::string &output : node.output())
    if (auto found = byOutput.find(output); found != byOutput.end())
      return &found->getValue();
  if (node.name().empty() && (node.op_type() == "Resize" || node.op_type() == "ScatterElements"))
    if (auto found = byFirstInput.find(node.input(0)); found != byFirstInput.end())
      return &found->getValue();
  return nullptr;
}

void NodeAnnotations::reattach(proto::GraphProto &graph) const {
  // An adapter puts new nodes right before or after the one it adapts. The new ones have no name:
  // they take the name of the node whose place they took, else that of their neighbour.
  for (proto::NodeProto &node : *graph.mutable_node()) {
    if (version <= 10 && node.domain().empty() && node.op_type() == "Resize")
      restoreResize(node);
    const Annotation *annotation = find(node);
    if (!annotation)
      continue;
    if (node.name().empty())
      node.set_name(annotation->name);
    // Two branches may use one name for different values.
    if (node.name() != annotation->name)
      continue;
    *node.mutable_metadata_props() = annotation->metadata;
    *node.mutable_device_configurations() = annotation->devices;
  }
  std::string previous;
  // Backwards, so that nodes before the adapted one find its name.
  for (proto::NodeProto &node : llvm::reverse(*graph.mutable_node())) {
    if (node.name().empty() && !previous.empty())
      node.set_name(previous);
    previous = node.name();
  }
  for (proto::NodeProto &node : *graph.mutable_node()) {
    if (node.name().empty())
      node.set_name(previous);
    previous = node.name();
  }
}

void NodeAnnotations::reattach(proto::ModelProto &model) const {
  walkGraphs(*model.mutable_graph(), [&](proto::GraphProto &graph) { reattach(graph); });
}

} // namespace tenon::import
