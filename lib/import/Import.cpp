// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of the import, which loses nothing: parse, check, normalize (name the unnamed), detach
// weights, inline functions, convert to the newest opset, re-attach what the converter drops, infer
// shapes, expand operators that are compositions of others, build the module.

#include "lib/import/Import.h"

#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"
#include "lib/import/DetachWeights.h"
#include "lib/import/Diagnostics.h"
#include "lib/import/ExpandFunctions.h"
#include "lib/import/ModuleBuilder.h"
#include "lib/import/OnnxLibrary.h"
#include "lib/import/Prepare.h"
#include "lib/import/contrib/ContribOperators.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <climits>

using namespace mlir;

namespace tenon {

using namespace import;

void registerImportDialects(DialectRegistry &registry) {
  registry.insert<onnx::OnnxDialect, plan::PlanDialect, func::FuncDialect>();
}

/// Reports a complaint of the ONNX library at the node that it names. `action` says what the
/// library was to do.
static LogicalResult report(const library::Complaint &complaint, StringRef action,
                            Diagnostics &diagnostics) {
  InFlightDiagnostic diagnostic = emitError(diagnostics.getLocation(complaint.nodeName));
  if (!complaint.nodeName.empty())
    diagnostic << complaint.opType << " '" << complaint.nodeName << "': ";
  else if (!complaint.opType.empty())
    diagnostic << complaint.opType << ": ";
  if (!action.empty())
    diagnostic << action << ": ";
  return diagnostic << complaint.message;
}

/// The names of dimensions in the model's signature, in its order. They are all that a user can
/// name, and all that the program has to know.
static std::vector<std::string> collectDimensions(const proto::ModelProto &model) {
  std::vector<std::string> names;
  llvm::StringSet<> seen;
  for (const auto *values : {&model.graph().input(), &model.graph().output()})
    for (const proto::ValueInfoProto &value : *values)
      for (const proto::TensorShapeProto::Dimension &dim : value.type().tensor_type().shape().dim())
        if (dim.has_dim_param() && !dim.dim_param().empty() && seen.insert(dim.dim_param()).second)
          names.push_back(dim.dim_param());
  return names;
}

/// Runs the library's checker. It insists on a shape for each input and output of the main graph,
/// which the standard does not, and exporters leave out where they do not know the rank.
static LogicalResult checkStructure(proto::ModelProto &model, Diagnostics &diagnostics) {
  SmallVector<proto::TypeProto::Tensor *> withoutShape;
  for (auto *values :
       {model.mutable_graph()->mutable_input(), model.mutable_graph()->mutable_output()})
    for (proto::ValueInfoProto &value : *values)
      if (value.type().has_tensor_type() && !value.type().tensor_type().has_shape())
        withoutShape.push_back(value.mutable_type()->mutable_tensor_type());
  for (proto::TypeProto::Tensor *type : withoutShape)
    type->mutable_shape();
  library::Outcome complaint = library::checkModel(model);
  for (proto::TypeProto::Tensor *type : withoutShape)
    type->clear_shape();
  return complaint ? report(*complaint, "", diagnostics) : success();
}

/// Converts the operators of the default domain to the newest opset.
static LogicalResult convertVersion(proto::ModelProto &model, Diagnostics &diagnostics) {
  auto *imports = model.mutable_opset_import();
  auto import = llvm::find_if(*imports, [](const auto &import) { return import.domain().empty(); });
  int newest = *library::getNewestVersion("");
  if (import == imports->end() || import->version() == newest)
    return success();
  // Only nodes are converted; the signature of the graph must come back as it was.
  proto::GraphProto signature;
  *signature.mutable_input() = model.graph().input();
  *signature.mutable_output() = model.graph().output();
  NodeAnnotations annotations(model, import->version());
  std::string action = "cannot convert from opset " + std::to_string(import->version()) + " to " +
                       std::to_string(newest);
  hideOldBroadcasts(model);
  if (library::Outcome complaint = library::convertToNewestVersion(model))
    return report(*complaint, action, diagnostics);
  showOldBroadcasts(model);
  model.mutable_graph()->mutable_input()->Swap(signature.mutable_input());
  model.mutable_graph()->mutable_output()->Swap(signature.mutable_output());
  annotations.reattach(model);
  makeNamesUnique(model);
  return success();
}

/// Gives a name to each output that its operator always has but the model leaves out, so that its
/// type gets inferred.
static void nameRequiredOutputs(proto::ModelProto &model) {
  unsigned counter = 0;
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) {
    std::optional<int> version = library::getNewestVersion(node.domain());
    if (!version ||
        llvm::none_of(node.output(), [](const std::string &output) { return output.empty(); }))
      return;
    std::optional<library::Signature> signature =
        library::getSignature(node.domain(), node.op_type(), *version);
    for (auto [index, output] : llvm::enumerate(*node.mutable_output()))
      if (output.empty() && signature && index < signature->outputs.size() &&
          !signature->outputs[index].isOptional)
        output = "unused output " + std::to_string(counter++) + " of " + node.name();
  });
}

/// Infers shapes. What the exporter wrote about intermediate values is welcome, but where it
/// contradicts the operators it is dropped: exporters leave stale shapes behind when they rewrite a
/// graph.
static LogicalResult inferShapes(proto::ModelProto &model, Diagnostics &diagnostics) {
  proto::ModelProto annotated = model;
  if (!library::inferShapes(annotated)) {
    model.Swap(&annotated);
    return success();
  }
  walkGraphs(*model.mutable_graph(), [&](proto::GraphProto &graph) {
    graph.clear_value_info();
    if (&graph == model.mutable_graph())
      return;
    for (auto *values : {graph.mutable_input(), graph.mutable_output()})
      for (proto::ValueInfoProto &value : *values)
        if (value.type().has_tensor_type())
          value.mutable_type()->mutable_tensor_type()->clear_shape();
  });
  library::Outcome complaint = library::inferShapes(model);
  if (complaint && nameResizeLengths(model))
    complaint = library::inferShapes(model);
  return complaint ? report(*complaint, "", diagnostics) : success();
}

/// Inlines the functions of the model, and detaches what weights they bring.
static LogicalResult inlineFunctions(proto::ModelProto &model, WeightDetacher &detacher,
                                     Diagnostics &diagnostics) {
  if (library::Outcome complaint = library::inlineFunctions(model))
    return report(*complaint, "cannot inline the model's functions", diagnostics);
  nameExpandedNodes(model);
  // The bodies have brought nodes without names, and constants.
  normalize(model);
  return detacher.run(model);
}

static void listNodes(proto::ModelProto &model, const ImportOptions &options) {
  if (!options.nodes)
    return;
  options.nodes->clear();
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) {
    options.nodes->push_back({node.name(), node.domain(), node.op_type()});
  });
}

static FailureOr<OwningOpRef<ModuleOp>> importProto(proto::ModelProto &model, StringRef directory,
                                                    const ImportOptions &options,
                                                    Diagnostics &diagnostics, MLIRContext &context,
                                                    WeightTable &weights) {
  listNodes(model, options);
  registerContribOperators();
  adaptOperators(model);
  if (failed(checkVersions(model, diagnostics)))
    return failure();
  normalize(model);
  listNodes(model, options);
  if (failed(fixDimensions(model, options, diagnostics)))
    return failure();
  std::vector<std::string> dimensions = collectDimensions(model);

  llvm::StringSet<> reserved;
  reserved.insert("main");
  for (const std::string &name : dimensions)
    reserved.insert(name);
  ExternalData files(directory.str());
  WeightDetacher detacher(context, files, weights, reserved, diagnostics);
  if (failed(detacher.run(model)))
    return failure();
  if (failed(checkStructure(model, diagnostics)))
    return failure();

  if (model.functions_size() && failed(inlineFunctions(model, detacher, diagnostics)))
    return failure();
  listNodes(model, options);

  if (failed(convertVersion(model, diagnostics)))
    return failure();
  nameRequiredOutputs(model);
  if (failed(inferShapes(model, diagnostics)))
    return failure();
  auto reinterpret = [&](StringRef name, int32_t elementType, const std::vector<int64_t> &shape) {
    return detacher.reinterpret(model, name, elementType, shape);
  };
  while (true) {
    FailureOr<bool> isExpanded = expandFunctions(model, reinterpret, diagnostics);
    if (failed(isExpanded))
      return failure();
    if (!*isExpanded)
      break;
    if (failed(inlineFunctions(model, detacher, diagnostics)))
      return failure();
    nameRequiredOutputs(model);
    if (failed(inferShapes(model, diagnostics)))
      return failure();
  }

  FailureOr<OwningOpRef<ModuleOp>> module =
      buildModule(model, detacher.getDetached(), dimensions, options, diagnostics, context);
  if (failed(module) || failed(verify(module->get())))
    return failure();

  // A weight that nothing uses has no symbol, and no bytes either.
  SymbolTable table(module->get());
  for (const auto &entry : detacher.getDetached())
    if (!entry.getValue().symbol.empty() && !table.lookup(entry.getValue().symbol))
      weights.erase(entry.getValue().symbol);
  return module;
}

static FailureOr<OwningOpRef<ModuleOp>> parseAndImport(StringRef bytes, StringRef name,
                                                       StringRef directory,
                                                       const ImportOptions &options,
                                                       MLIRContext &context, WeightTable &weights,
                                                       llvm::function_ref<void()> releaseBytes) {
  DialectRegistry registry;
  registerImportDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadDialect<onnx::OnnxDialect, plan::PlanDialect, func::FuncDialect>();

  Diagnostics diagnostics(context, name);
  if (bytes.empty())
    return diagnostics.error() << "not an ONNX model: the file is empty";
  if (bytes.size() > INT_MAX)
    return diagnostics.error()
           << "the model is larger than 2 GiB, which protobuf does not allow: export it with "
              "external data";
  proto::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return diagnostics.error()
           << "not an ONNX model, or damaged or truncated: it cannot be decoded as protobuf";
  releaseBytes();
  return importProto(model, directory, options, diagnostics, context, weights);
}

FailureOr<OwningOpRef<ModuleOp>> importModel(StringRef path, const ImportOptions &options,
                                             MLIRContext &context, WeightTable &weights) {
  Diagnostics diagnostics(context, path);
  if (llvm::sys::fs::is_directory(path))
    return diagnostics.error() << "cannot open the model: it is a folder";
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return diagnostics.error() << "cannot open the model: " << file.getError().message();
  std::string directory = options.externalDataDirectory;
  if (directory.empty())
    directory = llvm::sys::path::parent_path(path).str();
  if (directory.empty())
    directory = ".";
  return parseAndImport((*file)->getBuffer(), path, directory, options, context, weights,
                        [&] { file->reset(); });
}

FailureOr<OwningOpRef<ModuleOp>> importModel(llvm::MemoryBufferRef buffer, StringRef name,
                                             const ImportOptions &options, MLIRContext &context,
                                             WeightTable &weights) {
  return parseAndImport(buffer.getBuffer(), name, options.externalDataDirectory, options, context,
                        weights, [] {});
}

} // namespace tenon
