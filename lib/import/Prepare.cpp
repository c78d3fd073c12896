// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/import/Prepare.h"

#include "lib/import/OnnxLibrary.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <map>
#include <set>

using namespace mlir;

namespace tenon::import {

/// Inlining stops being sensible long before this many nodes; functions that call each other twice
/// at each of 60 levels must not take the machine down.
static constexpr uint64_t kMaxNodesAfterInlining = 20'000'000;

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
// Checks
//===----------------------------------------------------------------------===//

static StringRef canonicalDomain(StringRef domain) { return domain == "ai.onnx" ? "" : domain; }

static std::string describeDomain(StringRef domain) {
  return domain.empty() ? "ai.onnx" : domain.str();
}

/// What is wrong with the equation of an Einsum; empty if nothing is. Checked here because the
/// library's own parser does not end on some that are ill-formed.
static std::string checkEquation(StringRef equation) {
  std::string text;
  llvm::copy_if(equation, std::back_inserter(text), [](char c) { return !llvm::isSpace(c); });
  auto [left, right] = StringRef(text).split("->");
  bool hasRight = StringRef(text).contains("->");
  std::set<char> labels;
  auto checkTerm = [&](StringRef term) {
    size_t ellipsis = term.find("...");
    std::string letters = term.str();
    if (ellipsis != StringRef::npos)
      letters.erase(ellipsis, 3);
    labels.insert(letters.begin(), letters.end());
    return llvm::all_of(letters, llvm::isAlpha);
  };
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  bool isValid = llvm::all_of(terms, checkTerm);
  std::set<char> inputs = labels;
  if (isValid && hasRight)
    isValid = checkTerm(right) && labels == inputs;
  if (isValid)
    return "";
  return ("equation '" + equation +
          "' is malformed: expected terms of letters (and '...') separated by commas, and "
          "after '->' one term with letters of those")
      .str();
}

namespace {

using Imports = llvm::StringMap<int64_t>;
using FunctionKey = std::pair<std::string, std::string>;

/// Checks the operators of a model, its functions and subgraphs, and collects what it finds into
/// few messages.
class OperatorCheck {
public:
  OperatorCheck(const proto::ModelProto &model, Diagnostics &diagnostics)
      : model(model), diagnostics(diagnostics) {}

  LogicalResult run();

private:
  LogicalResult
  readImports(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &from,
              Imports &to);
  template <typename Nodes>
  void checkNodes(const Nodes &nodes, const Imports &imports, const FunctionKey *caller);
  LogicalResult checkCalls();

  const proto::ModelProto &model;
  Diagnostics &diagnostics;
  std::map<FunctionKey, const proto::FunctionProto *> functions;
  /// How often a function (or the graph: the key {"", ""}) calls each function, and how many nodes
  /// it has itself.
  std::map<FunctionKey, std::map<FunctionKey, uint64_t>> calls;
  std::map<FunctionKey, uint64_t> sizes;
  /// Messages about operators, with the first node that each concerns and how many there are.
  std::map<std::string, std::pair<const proto::NodeProto *, unsigned>> problems;
};

} // namespace

LogicalResult OperatorCheck::readImports(
    const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &from, Imports &to) {
  for (const proto::OperatorSetIdProto &import : from) {
    StringRef domain = canonicalDomain(import.domain());
    std::optional<int> newest = library::getNewestVersion(domain.str());
    if (import.version() < 1 || (newest && import.version() > *newest)) {
      InFlightDiagnostic diagnostic = diagnostics.error()
                                      << "opset " << import.version() << " of "
                                      << describeDomain(domain) << " is not known: expected 1";
      if (newest)
        diagnostic << " to " << *newest << "; export the model with an older opset";
      else
        diagnostic << " or more";
      return failure();
    }
    to[domain] = import.version();
  }
  return success();
}

template <typename Nodes>
void OperatorCheck::checkNodes(const Nodes &nodes, const Imports &imports,
                               const FunctionKey *caller) {
  FunctionKey self = caller ? *caller : FunctionKey();
  for (const proto::NodeProto &node : nodes) {
    ++sizes[self];
    for (const proto::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        checkNodes(attribute.g().node(), imports, caller);
      for (const proto::GraphProto &graph : attribute.graphs())
        checkNodes(graph.node(), imports, caller);
    }

    FunctionKey callee(canonicalDomain(node.domain()).str(), node.op_type());
    if (functions.count(callee)) {
      ++calls[self][callee];
      continue;
    }
    std::string problem;
    auto import = imports.find(callee.first);
    if (import == imports.end()) {
      problem = "domain '" + describeDomain(callee.first) +
                "' is not imported by the model, so operator " + node.op_type() + " has no version";
    } else if (library::getNewestVersion(callee.first) &&
               !library::getSignature(callee.first, callee.second,
                                      static_cast<int>(import->second))) {
      problem = "there is no operator " + node.op_type() + " in opset " +
                std::to_string(import->second) + " of " + describeDomain(callee.first);
    } else if (callee.first.empty() && callee.second == "Einsum") {
      for (const proto::AttributeProto &attribute : node.attribute())
        if (attribute.name() == "equation" && attribute.ref_attr_name().empty())
          problem = checkEquation(attribute.s());
    }
    if (!problem.empty()) {
      auto &[first, count] = problems[problem];
      first = first ? first : &node;
      ++count;
    }
  }
}

LogicalResult OperatorCheck::checkCalls() {
  // Depth first over the call graph. `total` is the number of nodes after inlining; 0 while a
  // function is being visited.
  std::map<FunctionKey, uint64_t> total;
  LogicalResult result = success();
  auto visit = [&](auto &self, const FunctionKey &key, unsigned depth) -> uint64_t {
    auto [it, isNew] = total.try_emplace(key, 0);
    if (!isNew) {
      if (it->second == 0 && succeeded(result))
        result = diagnostics.error()
                 << "function '" << key.second << "' of domain '" << describeDomain(key.first)
                 << "' calls itself: recursion is not allowed in ONNX";
      return it->second;
    }
    if (depth > 500) {
      if (succeeded(result))
        result = diagnostics.error() << "functions call each other more than 500 levels deep";
      return 1;
    }
    uint64_t size = std::max<uint64_t>(sizes[key], 1);
    for (const auto &[callee, times] : calls[key]) {
      uint64_t inner = self(self, callee, depth + 1);
      if (failed(result))
        return 1;
      size = llvm::SaturatingMultiplyAdd(inner, times, size);
    }
    return total[key] = size;
  };
  uint64_t size = visit(visit, FunctionKey(), 0);
  // Functions that nothing calls may still call themselves.
  for (const auto &[key, function] : functions)
    visit(visit, key, 0);
  if (succeeded(result) && size > kMaxNodesAfterInlining)
    return diagnostics.error() << "the model's functions make more than " << kMaxNodesAfterInlining
                               << " nodes when inlined";
  return result;
}

LogicalResult OperatorCheck::run() {
  if (!model.has_graph() || (model.graph().node_size() == 0 && model.graph().output_size() == 0))
    return diagnostics.error() << "not an ONNX model: it has no graph";
  if (model.ir_version() > library::getNewestFormatVersion())
    return diagnostics.error() << "the file format (IR version " << model.ir_version()
                               << ") is newer than the newest that is known, "
                               << library::getNewestFormatVersion();
  Imports imports;
  if (failed(readImports(model.opset_import(), imports)))
    return failure();
  // The first file formats had no versions: opset 1 is meant.
  if (model.ir_version() < 3 && imports.empty())
    imports[""] = 1;
  if (imports.empty())
    return diagnostics.error()
           << "the model does not say which opset it uses (opset_import is missing)";

  for (const proto::FunctionProto &function : model.functions())
    functions[{canonicalDomain(function.domain()).str(), function.name()}] = &function;
  checkNodes(model.graph().node(), imports, nullptr);
  for (const proto::FunctionProto &function : model.functions()) {
    FunctionKey key(canonicalDomain(function.domain()).str(), function.name());
    Imports inner;
    if (failed(readImports(function.opset_import(), inner)))
      return failure();
    checkNodes(function.node(), inner, &key);
  }
  for (const auto &[problem, where] : problems) {
    InFlightDiagnostic diagnostic = diagnostics.error(*where.first) << problem;
    if (where.second > 1)
      diagnostic << " (" << where.second << " nodes)";
  }
  if (!problems.empty())
    return failure();
  return checkCalls();
}

LogicalResult checkVersions(const proto::ModelProto &model, Diagnostics &diagnostics) {
  return OperatorCheck(model, diagnostics).run();
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
