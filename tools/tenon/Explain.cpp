// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tenon explain: what compiling would make of each node of a model, or why it cannot be compiled.
#include "lib/driver/Explain.h"
#include "tools/tenon/Compilation.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

using Fate = ExplainedNode::Fate;

/// The messages that are about no node that is listed.
static std::vector<std::string> messagesOfTheModel(const Explanation &explanation,
                                                   const CompileFailure &failure) {
  StringSet<> listed;
  for (const ExplainedNode &node : explanation.nodes)
    listed.insert(node.name);
  std::vector<std::string> messages;
  for (const CompileFailure::Message &message : failure.messages)
    if (message.node.empty() || !listed.contains(message.node))
      messages.push_back(message.text);
  return messages;
}

/// In words, for people: "kernel conv_3".
static std::string describe(const ExplainedNode &node) {
  switch (node.fate) {
  case Fate::Kernel:
    return (node.kernels.size() == 1 ? "kernel " : "kernels ") + join(node.kernels, ", ");
  case Fate::Host:
    return "a function of the host library";
  case Fate::ControlFlow:
    return "control flow of the program";
  case Fate::View:
    return "another view of the same memory";
  case Fate::Sizes:
    return "sizes, computed by the program";
  case Fate::Folded:
    return "nothing of its own: folded into others or computed when compiling";
  case Fate::Refused:
    return "NOT SUPPORTED: " + join(node.reasons, "; ");
  case Fate::Unknown:
    return "not looked at: the compilation ended before";
  }
  return "";
}

static void print(const Explanation &explanation, ArrayRef<std::string> messages, bool compiles,
                  StringRef model, StringRef target) {
  outs() << model << (compiles ? " compiles" : " does not compile") << " for " << target << '\n';
  for (const std::string &message : messages)
    outs() << message << '\n';
  MapVector<Fate, int> counts;
  size_t nameWidth = 4, operationWidth = 4;
  for (const ExplainedNode &node : explanation.nodes) {
    ++counts[node.fate];
    nameWidth = std::min<size_t>(std::max(nameWidth, node.name.size()), 40);
    operationWidth = std::max(operationWidth, node.operation.size());
  }
  outs() << explanation.nodes.size() << " nodes";
  const char *separator = ": ";
  for (auto [fate, count] : counts)
    outs() << std::exchange(separator, ", ") << count << ' ' << fateName(fate);
  outs() << '\n';
  for (const ExplainedNode &node : explanation.nodes)
    outs() << left_justify(node.name, nameWidth) << "  "
           << left_justify(node.operation, operationWidth) << "  " << describe(node) << '\n';
}

static json::Object toJson(const Explanation &explanation, ArrayRef<std::string> messages,
                           bool compiles) {
  json::Array nodes;
  for (const ExplainedNode &node : explanation.nodes)
    nodes.push_back(json::Object{{"name", node.name},
                                 {"operation", node.operation},
                                 {"fate", fateName(node.fate)},
                                 {"kernels", json::Array(node.kernels)},
                                 {"reasons", json::Array(node.reasons)}});
  return json::Object{
      {"compiles", compiles}, {"messages", json::Array(messages)}, {"nodes", std::move(nodes)}};
}

static int explainFile(const opt::InputArgList &arguments) {
  std::vector<std::string> files = arguments.getAllArgValues(OPT_INPUT);
  if (files.size() != 1)
    return failUsage(explainCommand, "expected one ONNX model");
  Expected<CompileOptions> options = compileOptions(arguments, files.front(), "");
  if (!options)
    return failUsage(explainCommand, toString(options.takeError()));
  Explanation explanation;
  CompileFailure failure;
  bool compiles = succeeded(explain(*options, explanation, failure));
  // Without nodes there is nothing to explain: not a model, no such target.
  if (!compiles && explanation.nodes.empty() && !arguments.hasArg(OPT_json)) {
    for (const CompileFailure::Message &message : failure.messages)
      fail(message.text);
  } else {
    std::vector<std::string> messages = messagesOfTheModel(explanation, failure);
    if (arguments.hasArg(OPT_json))
      printJson(toJson(explanation, messages, compiles));
    else
      print(explanation, messages, compiles, sys::path::filename(files.front()), options->target);
  }
  if (failure.bug)
    errs() << bugReport;
  return compiles ? done : failure.bug ? ourBug : wrongInput;
}

const Command explainCommand = {
    "explain",
    "Tells for each node of a model what compiling makes of it, or why it cannot.",
    "M.onnx [options]",
    "  tenon explain model.onnx\n"
    "  tenon explain model.onnx --target cpu:aarch64 --json\n",
    ExplainVis,
    explainFile,
};

} // namespace tenon::cli
