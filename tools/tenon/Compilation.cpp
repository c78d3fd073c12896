// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon/Compilation.h"
#include "tools/tenon/Progress.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Option/Arg.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace tenon::cli {

/// "batch=4", "batch=1..64", "batch=1..".
static Expected<DimensionBound> parseBound(StringRef text) {
  auto [name, value] = text.split('=');
  DimensionBound bound;
  bound.name = name.str();
  auto [low, high] = value.split("..");
  bool isRange = value.contains("..");
  int64_t max = 0;
  bool wrong = name.empty() || low.getAsInteger(10, bound.min) || bound.min < 0;
  if (!wrong && !isRange)
    bound.max = bound.min;
  if (!wrong && isRange && !high.empty()) {
    wrong = high.getAsInteger(10, max) || max < bound.min;
    bound.max = max;
  }
  if (wrong)
    return createStringError(
        "--dim takes a name with a size or bounds, such as batch=4 or batch=1..64, not '%s'",
        text.str().c_str());
  return bound;
}

static Expected<std::string> phaseOption(StringRef phase, StringRef option) {
  if (is_contained(phaseNames(), phase))
    return phase.str();
  return createStringError("no phase '%s' for %s; the phases are %s", phase.str().c_str(),
                           option.str().c_str(), join(phaseNames(), ", ").c_str());
}

Expected<CompileOptions> compileOptions(const opt::InputArgList &arguments, StringRef input,
                                        StringRef output) {
  CompileOptions options;
  options.input = input.str();
  options.output = output.str();
  options.target = arguments.getLastArgValue(OPT_target, "cpu").str();
  if (const opt::Arg *level = arguments.getLastArg(OPT_O0, OPT_O2))
    options.optLevel = level->getOption().matches(OPT_O0) ? 0 : 2;
  for (const std::string &text : arguments.getAllArgValues(OPT_dim)) {
    Expected<DimensionBound> bound = parseBound(text);
    if (!bound)
      return bound.takeError();
    options.dims.push_back(std::move(*bound));
  }
  if (const opt::Arg *phase = arguments.getLastArg(OPT_stop_after)) {
    Expected<std::string> name = phaseOption(phase->getValue(), "--stop-after");
    if (!name)
      return name.takeError();
    options.stopAfter = *name;
  }
  for (const std::string &phase : arguments.getAllArgValues(OPT_dump_after)) {
    Expected<std::string> name = phaseOption(phase, "--dump-after");
    if (!name)
      return name.takeError();
    options.dumpAfter.push_back(*name);
  }
  options.verifyEach = arguments.hasArg(OPT_verify_each);
  return options;
}

/// One line a phase: how long it took, and the most memory the process had used when it ended.
static void printPhases(const CompileReport &report) {
  double total = 0;
  for (const CompileReport::Phase &phase : report.phases) {
    errs() << formatv("{0,-10} {1,8:f3} s  {2,8:f1} MiB\n", phase.name, phase.seconds,
                      static_cast<double>(phase.peakBytes) / (1 << 20));
    total += phase.seconds;
  }
  errs() << formatv("{0,-10} {1,8:f3} s\n", "total", total);
  for (const CompileReport::Kernel &kernel : report.kernels)
    if (!kernel.declined.empty())
      errs() << "plain kernel " << kernel.name << ": " << kernel.declined << '\n';
}

ExitCode compileModel(const opt::InputArgList &arguments, CompileOptions options,
                      CompileReport &report, std::string *diagnostics) {
  Progress progress;
  options.reproducer = (sys::path::stem(options.input) + ".reproducer.mlir").str();
  options.onPhase = [&](StringRef phase, unsigned position, unsigned count) {
    progress.show(formatv("[{0}/{1}] {2}", position + 1, count, phase).str());
  };
  CompileFailure failure;
  bool compiled = succeeded(compile(options, report, failure));
  progress.clear();
  if (arguments.hasArg(OPT_verbose))
    printPhases(report);
  if (compiled)
    return done;
  if (diagnostics)
    *diagnostics = joinMessages(failure);
  else
    for (const CompileFailure::Message &message : failure.messages)
      fail(message.text);
  if (failure.bug)
    errs() << bugReport
           << (failure.reproducer.empty() ? "" : "add the file '" + failure.reproducer + "'\n");
  return failure.bug ? ourBug : wrongInput;
}

} // namespace tenon::cli
