// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Driver.cpp ---------------------------------------------------------===//
//
// Runs the phases of Pipeline.h around files: reports, dumps, and messages in the
// user's words. A diagnostic of import, simplify or lower is about the model; one
// of a later phase means that Tenon broke its own invariants.
//
//===----------------------------------------------------------------------===//

#include "lib/driver/Driver.h"

#include "lib/artifact/Format.h"
#include "lib/driver/Evaluator.h"
#include "lib/driver/Explain.h"
#include "lib/driver/Pipeline.h"
#include "lib/driver/Registration.h"
#include "lib/driver/Reproducer.h"
#include "lib/import/Import.h"
#include "lib/schedule/NodeName.h"
#include "targets/cpu/Target.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <chrono>
#include <sys/resource.h>

using namespace mlir;

namespace tenon {
namespace {

constexpr llvm::StringRef phases[] = {"import", "simplify", "lower",   "layout",   "fuse",
                                      "place",  "pack",     "codegen", "schedule", "emit"};
/// Up to this phase, what goes wrong is the model's fault.
constexpr llvm::StringRef lastPhaseOfTheModel = "lower";
/// What comes after it makes code of kernels, and says nothing new about nodes.
constexpr llvm::StringRef lastExplainedPhase = "place";

/// `model.onnx: node 'node': `, or what a location has of it.
void printLocation(llvm::raw_ostream &stream, Location location) {
  StringRef file;
  location->walk([&](Location nested) {
    if (auto line = dyn_cast<FileLineColLoc>(nested); line && file.empty())
      file = line.getFilename().strref();
    return WalkResult::advance();
  });
  if (!file.empty())
    stream << file << ": ";
  if (StringRef node = findNodeName(location); !node.empty())
    stream << "node '" << node << "': ";
}

class Compilation {
public:
  /// With an `explanation`, the compilation ends when that is filled in.
  Compilation(const CompileOptions &options, CompileReport &report, CompileFailure &failure,
              Explanation *explanation = nullptr)
      : options(options), report(report), problems(failure), explanation(explanation),
        reproducer(options) {}

  LogicalResult run() {
    if (failed(checkPhases()) || failed(findTarget()))
      return failure();
    DialectRegistry registry;
    registerDialects(registry);
    registerImportDialects(registry);
    MLIRContext context(registry);
    // Users read messages, not the IR behind them.
    context.printOpOnDiagnostic(false);
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        note(diagnostic);
      return success();
    });

    OwningOpRef<ModuleOp> module;
    WeightTable weights;
    if (failed(phase("import", [&] { return import(context, weights, module); })))
      return failure();
    if (stopped)
      return success();
    Pipeline::Options pipelineOptions;
    pipelineOptions.optimize = options.optLevel > 0;
    pipelineOptions.verifyEach = options.verifyEach;
    pipelineOptions.target.threads = options.threads;
    pipelineOptions.target.cacheDirectory = options.cacheDirectory;
    Pipeline pipeline(*module, weights, *target, pipelineOptions);
    std::unique_ptr<ConstantEvaluator> evaluator = createEvaluator(weights);
    artifact::Writer writer;
    std::pair<StringRef, std::function<LogicalResult()>> steps[] = {
        {"simplify", [&] { return pipeline.simplify(evaluator.get()); }},
        {"lower", [&] { return pipeline.lower(); }},
        {"layout", [&] { return pipeline.layout(); }},
        {"fuse", [&] { return pipeline.fuse(); }},
        {"place", [&] { return pipeline.place(); }},
        {"pack", [&] { return pipeline.pack(); }},
        {"codegen", [&] { return codegen(pipeline, *module); }},
        {"schedule", [&] { return pipeline.schedule(); }},
        {"emit", [&] { return emit(pipeline, writer); }},
    };
    for (auto &[name, step] : steps) {
      if (failed(phase(name, step)))
        return failure();
      if (explanation && name == lastExplainedPhase) {
        findFates(*module, *explanation);
        return success();
      }
      if (stopped)
        return success();
    }
    return success();
  }

private:
  LogicalResult fail(std::string message) {
    problems.messages.push_back({std::move(message), ""});
    return failure();
  }

  LogicalResult checkPhases() {
    auto check = [&](StringRef name) -> LogicalResult {
      if (name.empty() || llvm::is_contained(phases, name))
        return success();
      return fail("there is no phase '" + name.str() + "'; they are " +
                  llvm::join(ArrayRef(phases), ", "));
    };
    for (StringRef name : options.dumpAfter)
      if (failed(check(name)))
        return failure();
    return check(options.stopAfter);
  }

  LogicalResult findTarget() {
    auto [family, chip] = StringRef(options.target).split(':');
    if (family != "cpu")
      return fail("there is no target '" + options.target +
                  "'; the targets are cpu and cpu:CHIP, with one of the chips " +
                  llvm::join(cpu::getChipNames(), ", "));
    llvm::Expected<ChipDescription> description = cpu::findChip(chip.empty() ? "host" : chip);
    if (!description)
      return fail(llvm::toString(description.takeError()));
    target = cpu::createTarget(*description);
    return success();
  }

  void note(Diagnostic &diagnostic) {
    std::string message;
    llvm::raw_string_ostream stream(message);
    printLocation(stream, diagnostic.getLocation());
    stream << diagnostic;
    for (Diagnostic &nested : diagnostic.getNotes())
      stream << "\n  " << nested;
    problems.messages.push_back({std::move(message), findNodeName(diagnostic.getLocation()).str()});
  }

  /// Runs one phase: time, memory, dumps, and whether to stop.
  LogicalResult phase(StringRef name, llvm::function_ref<LogicalResult()> step) {
    unsigned position = llvm::find(phases, name) - std::begin(phases);
    auto start = std::chrono::steady_clock::now();
    reproducer.beginPhase(name, current);
    llvm::scope_exit endPhase([&] { reproducer.endPhase(); });
    LogicalResult result = failure();
    llvm::CrashRecoveryContext recovery;
    bool crashed = !recovery.RunSafely([&] {
      if (options.onPhase)
        options.onPhase(name, position, std::size(phases));
      result = step();
    });
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    report.phases.push_back(
        {name.str(),
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
         usage.ru_maxrss * int64_t{1024}});
    if (crashed || failed(result)) {
      unsigned lastOfTheModel = llvm::find(phases, lastPhaseOfTheModel) - std::begin(phases);
      problems.bug = crashed || (position > lastOfTheModel && !outputFailed);
      if (crashed)
        problems.messages.push_back({"the phase '" + name.str() + "' crashed", ""});
      else if (problems.messages.empty())
        problems.messages.push_back(
            {"the phase '" + name.str() + "' failed without saying why", ""});
      if (problems.bug)
        writeReproducer();
      return failure();
    }
    stopped = options.stopAfter == name;
    if (llvm::is_contained(options.dumpAfter, name)) {
      llvm::raw_ostream &stream = options.dumpStream ? *options.dumpStream : llvm::errs();
      stream << "// after " << name << "\n";
      printModule(stream);
    }
    if (stopped)
      printModule(options.stopStream ? *options.stopStream : llvm::errs());
    return success();
  }

  void printModule(llvm::raw_ostream &stream) {
    current.print(stream, OpPrintingFlags().elideLargeElementsAttrs(64));
    stream << "\n";
  }

  void writeReproducer() {
    if (options.reproducer.empty())
      return;
    if (std::optional<std::string> problem = reproducer.write(joinMessages(problems)))
      problems.messages.push_back({"no reproducer could be written: " + *problem, ""});
    else
      problems.reproducer = options.reproducer;
  }

  LogicalResult import(MLIRContext &context, WeightTable &weights, OwningOpRef<ModuleOp> &module) {
    ImportOptions importOptions;
    for (const DimensionBound &bound : options.dims)
      importOptions.dims[bound.name] = {bound.min, bound.max};
    std::vector<ModelNode> nodes;
    importOptions.nodes = explanation ? &nodes : nullptr;
    auto imported = importModel(options.input, importOptions, context, weights);
    for (const ModelNode &node : nodes) {
      ExplainedNode &explained = explanation->nodes.emplace_back();
      explained.name = node.name;
      explained.operation =
          node.domain.empty() ? node.operation : node.domain + "." + node.operation;
    }
    if (failed(imported))
      return failure();
    module = std::move(*imported);
    current = *module;
    for (auto function : module->getOps<func::FuncOp>())
      report.nodes += std::distance(function.front().begin(), function.front().end()) - 1;
    return success();
  }

  LogicalResult codegen(Pipeline &pipeline, ModuleOp module) {
    if (failed(pipeline.codegen()))
      return failure();
    llvm::StringMap<int64_t> dispatches;
    module.walk([&](plan::DispatchOp dispatch) { ++dispatches[dispatch.getKernel()]; });
    for (auto [kernel, code] :
         llvm::zip_equal(module.getOps<plan::KernelOp>(), pipeline.getImage().kernels))
      report.kernels.push_back(
          {kernel.getSymName().str(), dispatches.lookup(kernel.getSymName()), code.declined});
    return success();
  }

  LogicalResult emit(Pipeline &pipeline, artifact::Writer &writer) {
    artifact::Provenance &provenance = writer.module().provenance;
    provenance.producer = "tenon " TENON_VERSION;
    provenance.modelName = llvm::sys::path::filename(options.input).str();
    provenance.options = "--target " + target->getName() + " -O" + std::to_string(options.optLevel);
    llvm::raw_string_ostream stream(provenance.options);
    for (const DimensionBound &bound : options.dims)
      stream << " --dim " << bound;
    if (auto model = llvm::MemoryBuffer::getFile(options.input, /*IsText=*/false,
                                                 /*RequiresNullTerminator=*/false))
      provenance.modelHash = artifact::hashBytes(
          std::as_bytes(std::span((*model)->getBufferStart(), (*model)->getBufferSize())));
    if (failed(pipeline.emit(writer)))
      return failure();
    for (const artifact::Weight &weight : writer.module().weights)
      report.weightBytes += weight.size;
    if (options.output.empty())
      return success();
    if (Status status = writer.write(options.output); !status.ok()) {
      outputFailed = true;
      return fail(status.message());
    }
    uint64_t size = 0;
    if (!llvm::sys::fs::file_size(options.output, size))
      report.artifactBytes = size;
    return success();
  }

  const CompileOptions &options;
  CompileReport &report;
  CompileFailure &problems;
  Explanation *explanation;
  std::unique_ptr<Target> target;
  ModuleOp current;
  Reproducer reproducer;
  bool stopped = false, outputFailed = false;
};

} // namespace

ArrayRef<StringRef> phaseNames() { return phases; }

llvm::raw_ostream &operator<<(llvm::raw_ostream &stream, const DimensionBound &bound) {
  stream << bound.name << "=" << bound.min;
  if (!bound.max)
    stream << "..";
  else if (*bound.max != bound.min)
    stream << ".." << *bound.max;
  return stream;
}

std::string joinMessages(const CompileFailure &failure) {
  return llvm::join(
      llvm::map_range(failure.messages, [](const CompileFailure::Message &m) { return m.text; }),
      "\n");
}

LogicalResult explain(const CompileOptions &options, Explanation &explanation,
                      CompileFailure &failure) {
  CompileReport report;
  LogicalResult result = Compilation(options, report, failure, &explanation).run();
  for (const CompileFailure::Message &message : failure.messages)
    for (ExplainedNode &node : explanation.nodes)
      if (!message.node.empty() && node.name == message.node) {
        node.fate = ExplainedNode::Fate::Refused;
        node.reasons.push_back(message.text);
      }
  return result;
}

LogicalResult compile(const CompileOptions &options, CompileReport &report,
                      CompileFailure &failure) {
  return Compilation(options, report, failure).run();
}

} // namespace tenon
