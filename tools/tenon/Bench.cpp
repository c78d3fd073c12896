// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tenon bench: how fast a model runs here, and beside ONNX Runtime. Two systems are timed in turns,
// run by run, so that whatever else the computer does falls on both alike.
#include "tools/tenon/Compilation.h"
#include "tools/tenon/LoadedModel.h"
#include "tools/tenon/Npz.h"
#include "tools/tenon/Profile.h"
#include "tools/tenon/Reference.h"
#include "tools/tenon/Statistics.h"
#include "tools/tenon/TemporaryFolder.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

// Without --runs: as many as fit in this time, within these bounds.
static constexpr double timeBudget = 3000;
static constexpr size_t fewestRuns = 10, mostRuns = 1000;

namespace {
struct Samples {
  std::vector<double> ours, theirs;
};
} // namespace

/// One run of each in turns; `reference` may be null.
static Expected<Samples> measure(LoadedModel::Repetition &repetition, Reference *reference,
                                 std::optional<int64_t> runs) {
  Samples samples;
  double spent = 0;
  // The first round warms caches and is not counted.
  for (size_t round = 0;; ++round) {
    bool enough = runs ? round > static_cast<size_t>(*runs)
                       : round > mostRuns || (round > fewestRuns && spent > timeBudget);
    if (enough)
      return samples;
    Expected<double> ours = repetition.time();
    if (!ours)
      return ours.takeError();
    Expected<double> theirs = reference ? reference->time() : Expected<double>(0);
    if (!theirs)
      return theirs.takeError();
    if (round == 0)
      continue;
    spent += *ours + *theirs;
    samples.ours.push_back(*ours);
    if (reference)
      samples.theirs.push_back(*theirs);
  }
}

static void printLine(StringRef name, const Statistics &statistics) {
  outs() << formatv("{0,-12} min {1:f3}  median {2:f3}  p90 {3:f3}  p99 {4:f3} ms  ({5} runs)\n",
                    name, statistics.min(), statistics.median(), statistics.percentile(0.9),
                    statistics.percentile(0.99), statistics.runs());
}

static json::Object toJson(const Statistics &statistics) {
  return json::Object{{"median_ms", statistics.median()},
                      {"p90_ms", statistics.percentile(0.9)},
                      {"p99_ms", statistics.percentile(0.99)},
                      {"min_ms", statistics.min()},
                      {"runs", static_cast<int64_t>(statistics.runs())}};
}

/// ONNX Runtime, with the model loaded and fed.
static Expected<Reference> startReference(const opt::InputArgList &arguments, StringRef model,
                                          unsigned threads, ArrayRef<NamedValue> inputs,
                                          const TemporaryFolder &folder, std::string &version) {
  Expected<Reference> reference = Reference::start(arguments.getLastArgValue(OPT_python));
  if (!reference)
    return reference.takeError();
  Expected<std::string> loaded = reference->load(model, threads, /*optimize=*/true);
  if (!loaded)
    return loaded.takeError();
  version = *loaded;
  std::string file = folder.file("inputs.npz");
  if (Error error = writeNpz(file, inputs))
    return error;
  if (Error error = reference->feed(file))
    return error;
  return reference;
}

static int bench(const opt::InputArgList &arguments) {
  std::vector<std::string> files = arguments.getAllArgValues(OPT_INPUT);
  if (files.size() != 1)
    return failUsage(benchCommand, "expected one model, compiled or .onnx");
  Expected<unsigned> threads = threadCount(arguments);
  if (!threads)
    return failUsage(benchCommand, toString(threads.takeError()));
  Expected<std::optional<int64_t>> runs = numberOption(arguments, OPT_runs, 1);
  if (!runs)
    return failUsage(benchCommand, toString(runs.takeError()));
  StringRef against = arguments.getLastArgValue(OPT_against);
  bool isOnnx = StringRef(files.front()).ends_with(".onnx");
  std::string original = isOnnx ? files.front() : arguments.getLastArgValue(OPT_model).str();
  if (!against.empty() && against != "onnxruntime")
    return failUsage(benchCommand, "--against takes 'onnxruntime', not '" + against + "'");
  if (!against.empty() && original.empty())
    return failUsage(benchCommand,
                     "--against needs the ONNX model that was compiled: --model M.onnx");

  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return fail(folder.takeError());
  std::string compiled = files.front();
  if (isOnnx) {
    compiled = folder->file("model.tenon");
    Expected<CompileOptions> options = compileOptions(arguments, files.front(), compiled);
    if (!options)
      return failUsage(benchCommand, toString(options.takeError()));
    CompileReport report;
    if (ExitCode code = compileModel(arguments, std::move(*options), report); code != done)
      return code;
  }
  Expected<LoadedModel> model = LoadedModel::load(compiled, *threads);
  if (!model)
    return fail(model.takeError());
  Expected<std::vector<NamedValue>> inputs =
      readInputs(arguments, arguments.getLastArgValue(OPT_inputs, "random"),
                 model->signature().inputs, isOnnx);
  if (!inputs)
    return fail(inputs.takeError());
  Expected<LoadedModel::Repetition> repetition = model->prepare(*inputs);
  if (!repetition)
    return fail(repetition.takeError());

  std::optional<Reference> reference;
  std::string version;
  if (!against.empty()) {
    Expected<Reference> started =
        startReference(arguments, original, *threads, *inputs, *folder, version);
    if (!started)
      return fail(started.takeError());
    reference.emplace(std::move(*started));
  }
  Expected<Samples> samples = measure(*repetition, reference ? &*reference : nullptr, *runs);
  if (!samples)
    return fail(samples.takeError());

  Statistics ours(std::move(samples->ours));
  if (!arguments.hasArg(OPT_json)) {
    for (const NamedValue &input : *inputs)
      outs() << input.name << ": " << describe(input.value.tensor) << '\n';
    printLine("tenon", ours);
  }
  json::Object answer = toJson(ours);
  answer["threads"] = *threads;
  if (reference) {
    Statistics theirs(std::move(samples->theirs));
    double ratio = ours.median() / theirs.median();
    if (!arguments.hasArg(OPT_json)) {
      printLine("onnxruntime", theirs);
      outs() << formatv("{0} thread{1}: {2:f2} times onnxruntime's median ({3})\n", *threads,
                        *threads == 1 ? "" : "s", ratio, version);
    }
    json::Object other = toJson(theirs);
    other["version"] = version;
    answer["onnxruntime"] = std::move(other);
    answer["ratio"] = ratio;
  }
  if (arguments.hasArg(OPT_profile)) {
    // A model of its own: runs that are watched wait for each kernel.
    Expected<std::vector<KernelTime>> kernels =
        profileKernels(compiled, *threads, *inputs, std::min<size_t>(ours.runs(), 100));
    if (!kernels)
      return fail(kernels.takeError());
    if (!arguments.hasArg(OPT_json))
      printProfile(*kernels);
    answer["kernels"] = toJson(*kernels);
  }
  if (arguments.hasArg(OPT_json))
    printJson(std::move(answer));
  return done;
}

const Command benchCommand = {
    "bench",
    "Times a model, alone or in turns with ONNX Runtime.",
    "M.tenon|M.onnx [--inputs WHAT] [options]",
    "  tenon bench model.onnx --dim batch=8 --against onnxruntime\n"
    "  tenon bench model.tenon --inputs in.npz --threads 2 --json\n",
    BenchVis,
    bench,
};

} // namespace tenon::cli
