// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks that the ONNX library's checker lacks: that its versions are known to us, that all
// operators exist (it stops at the first), that functions neither recurse nor explode when inlined,
// and what would crash it later.

#include "lib/import/OnnxLibrary.h"
#include "lib/import/Prepare.h"
#include "lib/import/contrib/ContribOperators.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <map>
#include <set>

using namespace mlir;

namespace tenon::import {

/// Inlining stops being sensible long before this many nodes; functions that call each other twice
/// at each of 60 levels must not take the machine down.
static constexpr uint64_t kMaxNodesAfterInlining = 20'000'000;

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
      StringRef reason;
      if (callee.first == kContribDomain)
        reason = explainMissingContribOperator(callee.second);
      if (reason.empty())
        problem = "there is no operator " + node.op_type() + " in opset " +
                  std::to_string(import->second) + " of " + describeDomain(callee.first);
      else
        problem = ("this operator is not supported: " + reason).str();
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

} // namespace tenon::import
