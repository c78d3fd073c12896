// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tenon verify: compiles a model, runs it, and compares every output with what is expected: with
// the files of an ONNX test folder, with given values, or with what ONNX Runtime computes from the
// same inputs with each node run as written.
#include "tools/tenon/Compare.h"
#include "tools/tenon/Compilation.h"
#include "tools/tenon/Files.h"
#include "tools/tenon/LoadedModel.h"
#include "tools/tenon/Npz.h"
#include "tools/tenon/Reference.h"
#include "tools/tenon/Runner.h"
#include "tools/tenon/TemporaryFolder.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

namespace {

/// Inputs and what they should give.
struct DataSet {
  std::string inputs;   // as --inputs takes it
  std::string expected; // empty: ask ONNX Runtime
};

/// One model to verify.
struct Subject {
  std::string name; // as given
  std::string model;
  std::vector<DataSet> data;
};

/// How one model ended: compiled or not, and each output of each data set.
struct Verdict {
  enum class Outcome { equal, different, rejected, failed, bug } outcome = Outcome::equal;
  std::string message; // why it was rejected or failed
  struct Output {
    std::string dataSet, name, type;
    Comparison comparison;
  };
  std::vector<Output> outputs;
};

class Verifier {
public:
  Verifier(const opt::InputArgList &arguments, unsigned threads, Tolerance tolerance,
           std::optional<Runner> runner, TemporaryFolder &folder)
      : arguments(arguments), threads(threads), tolerance(tolerance), runner(std::move(runner)),
        folder(folder) {}

  Verdict verify(const Subject &subject);

private:
  /// `compiled` is the file that `model` was loaded from.
  Error runDataSet(const LoadedModel &model, const std::string &compiled, const Subject &subject,
                   const DataSet &data, Verdict &verdict);
  Expected<std::vector<NamedValue>>
  askReference(const std::string &model, ArrayRef<NamedValue> inputs, ArrayRef<Port> outputs);

  const opt::InputArgList &arguments;
  unsigned threads;
  Tolerance tolerance;
  std::optional<Runner> runner; // of the compiled model; none: this process
  TemporaryFolder &folder;
  std::optional<Reference> reference; // started when first needed, kept for all models
  std::string referenceModel;
};

} // namespace

static Verdict ended(Verdict::Outcome outcome, std::string message) {
  Verdict verdict;
  verdict.outcome = outcome;
  verdict.message = std::move(message);
  return verdict;
}

Verdict Verifier::verify(const Subject &subject) {
  std::string compiled = folder.file("model.tenon");
  Expected<CompileOptions> options = compileOptions(arguments, subject.model, compiled);
  if (!options)
    return ended(Verdict::Outcome::failed, toString(options.takeError()));
  CompileReport report;
  std::string diagnostics;
  if (ExitCode code = compileModel(arguments, std::move(*options), report, &diagnostics);
      code != done)
    return ended(code == ourBug ? Verdict::Outcome::bug : Verdict::Outcome::rejected, diagnostics);
  Expected<LoadedModel> model =
      runner ? LoadedModel::inspect(compiled) : LoadedModel::load(compiled, threads);
  if (!model)
    return ended(Verdict::Outcome::failed, toString(model.takeError()));
  Verdict verdict;
  for (const DataSet &data : subject.data)
    if (Error error = runDataSet(*model, compiled, subject, data, verdict))
      return ended(Verdict::Outcome::failed, toString(std::move(error)));
  (void)sys::fs::remove(compiled);
  return verdict;
}

Error Verifier::runDataSet(const LoadedModel &model, const std::string &compiled,
                           const Subject &subject, const DataSet &data, Verdict &verdict) {
  const Signature &signature = model.signature();
  Expected<std::vector<NamedValue>> inputs =
      readInputs(arguments, data.inputs, signature.inputs, /*compiledHere=*/true);
  if (!inputs)
    return inputs.takeError();
  Expected<std::vector<NamedValue>> actual =
      runner ? runner->run(compiled, signature, *inputs) : model.run(*inputs);
  if (!actual)
    return actual.takeError();
  Expected<std::vector<NamedValue>> expected =
      data.expected.empty() ? askReference(subject.model, *inputs, signature.outputs)
                            : readValues(data.expected, signature.outputs, "output");
  if (!expected)
    return expected.takeError();
  for (const NamedValue &output : *actual) {
    const Value *want = findValue(*expected, output.name);
    Comparison comparison = compare(output.value, *want, tolerance);
    if (!comparison.equal)
      verdict.outcome = Verdict::Outcome::different;
    std::string type = describe(output.value);
    verdict.outputs.push_back({data.inputs, output.name, type, std::move(comparison)});
  }
  return Error::success();
}

Expected<std::vector<NamedValue>> Verifier::askReference(const std::string &model,
                                                         ArrayRef<NamedValue> inputs,
                                                         ArrayRef<Port> outputs) {
  if (!reference) {
    Expected<Reference> started = Reference::start(arguments.getLastArgValue(OPT_python));
    if (!started)
      return started.takeError();
    reference.emplace(std::move(*started));
  }
  if (referenceModel != model) {
    if (Error error = reference->load(model, threads, /*optimize=*/false).takeError())
      return std::move(error);
    referenceModel = model;
  }
  std::string from = folder.file("inputs.npz"), to = folder.file("expected.npz");
  if (Error error = writeNpz(from, inputs))
    return std::move(error);
  if (Error error = reference->feed(from))
    return std::move(error);
  if (Error error = reference->save(to))
    return std::move(error);
  return readValues(to, outputs, "output");
}

/// A .onnx file, or a folder as ONNX's own tests have it: model.onnx with test_data_set_<i>/.
static Expected<Subject> subjectOf(const opt::InputArgList &arguments, const std::string &path) {
  Subject subject{path, path, {}};
  std::vector<std::string> inputs = arguments.getAllArgValues(OPT_inputs),
                           expected = arguments.getAllArgValues(OPT_expected);
  if (!expected.empty() && expected.size() != inputs.size())
    return createStringError("%zu --inputs but %zu --expected", inputs.size(), expected.size());
  for (auto [i, what] : enumerate(inputs))
    subject.data.push_back({what, expected.empty() ? std::string() : expected[i]});
  if (!sys::fs::is_directory(path)) {
    if (subject.data.empty())
      subject.data.push_back({"random", ""});
    return subject;
  }
  auto inFolder = [](StringRef folder, const Twine &name) {
    SmallString<128> joined(folder);
    sys::path::append(joined, name);
    return joined.str().str();
  };
  subject.model = inFolder(path, "model.onnx");
  if (!sys::fs::exists(subject.model))
    return createStringError(
        "'%s' has no model.onnx; expected an .onnx file or an ONNX test folder", path.c_str());
  for (unsigned i = 0; inputs.empty(); ++i) {
    std::string data = inFolder(path, "test_data_set_" + Twine(i));
    if (!sys::fs::is_directory(data))
      break;
    bool complete = sys::fs::exists(inFolder(data, "output_0.pb"));
    subject.data.push_back({data, complete ? data : std::string()});
  }
  if (subject.data.empty())
    subject.data.push_back({"random", ""});
  return subject;
}

static StringRef outcomeName(Verdict::Outcome outcome) {
  switch (outcome) {
  case Verdict::Outcome::equal:
    return "equal";
  case Verdict::Outcome::different:
    return "different";
  case Verdict::Outcome::rejected:
    return "rejected"; // by the compiler, with a reason
  case Verdict::Outcome::failed:
    return "failed"; // to run, or to be compared
  case Verdict::Outcome::bug:
    return "bug"; // of the compiler
  }
  return "";
}

static void printVerdict(const Subject &subject, const Verdict &verdict) {
  outs() << subject.name << ": ";
  WithColor(outs(), verdict.outcome == Verdict::Outcome::equal ? HighlightColor::Note
                                                               : HighlightColor::Error)
      << outcomeName(verdict.outcome);
  outs() << '\n';
  if (!verdict.message.empty())
    outs() << verdict.message << '\n';
  for (const Verdict::Output &output : verdict.outputs) {
    outs() << "  " << output.name << " (" << output.type << "): ";
    const Comparison &comparison = output.comparison;
    if (!comparison.equal)
      outs() << comparison.reason;
    else if (!comparison.allowed.empty())
      outs() << "largest difference " << shortNumber(comparison.largestDifference) << ", allowed "
             << comparison.allowed;
    else
      outs() << "exactly equal";
    if (comparison.nearlyConstant)
      outs() << "; weak evidence: the expected values are nearly constant";
    outs() << '\n';
  }
  outs().flush();
}

static json::Object toJson(const Subject &subject, const Verdict &verdict) {
  json::Array outputs;
  for (const Verdict::Output &output : verdict.outputs) {
    const Comparison &comparison = output.comparison;
    outputs.push_back(json::Object{{"data_set", output.dataSet},
                                   {"name", output.name},
                                   {"type", output.type},
                                   {"equal", comparison.equal},
                                   {"reason", comparison.reason},
                                   {"largest_difference", comparison.largestDifference},
                                   {"largest_magnitude", comparison.largestMagnitude},
                                   {"tolerance", comparison.tolerance},
                                   {"weak_evidence", comparison.nearlyConstant}});
  }
  return json::Object{{"model", subject.name},
                      {"outcome", outcomeName(verdict.outcome)},
                      {"message", verdict.message},
                      {"outputs", std::move(outputs)}};
}

static Expected<Tolerance> toleranceOf(const opt::InputArgList &arguments) {
  Tolerance tolerance;
  if (const opt::Arg *given = arguments.getLastArg(OPT_tolerance)) {
    double number;
    if (StringRef(given->getValue()).getAsDouble(number) || !(number >= 0))
      return createStringError("--tolerance takes a number such as 1e-4, not '%s'",
                               given->getValue());
    tolerance.fraction = number;
  }
  if (const opt::Arg *given = arguments.getLastArg(OPT_elementwise)) {
    auto [relative, absolute] = StringRef(given->getValue()).split(',');
    Tolerance::Elementwise &numbers = tolerance.elementwise.emplace();
    if (relative.getAsDouble(numbers.relative) || absolute.getAsDouble(numbers.absolute) ||
        !(numbers.relative >= 0) || !(numbers.absolute >= 0))
      return createStringError("--elementwise takes two numbers such as 1e-3,1e-7, not '%s'",
                               given->getValue());
  }
  return tolerance;
}

static int verify(const opt::InputArgList &arguments) {
  std::vector<std::string> paths = arguments.getAllArgValues(OPT_INPUT);
  if (paths.empty())
    return failUsage(verifyCommand, "expected a model or an ONNX test folder");
  Expected<unsigned> threads = threadCount(arguments);
  if (!threads)
    return failUsage(verifyCommand, toString(threads.takeError()));
  Expected<Tolerance> tolerance = toleranceOf(arguments);
  if (!tolerance)
    return failUsage(verifyCommand, toString(tolerance.takeError()));
  if (Error error = compileOptions(arguments, "", "").takeError())
    return failUsage(verifyCommand, toString(std::move(error)));
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return fail(folder.takeError());
  std::optional<Runner> runner;
  if (const opt::Arg *command = arguments.getLastArg(OPT_runner)) {
    Expected<Runner> found = Runner::find(command->getValue(), *threads, *folder);
    if (!found)
      return failUsage(verifyCommand, toString(found.takeError()));
    runner.emplace(std::move(*found));
  }

  Verifier verifier(arguments, *threads, *tolerance, std::move(runner), *folder);
  int code = done;
  for (const std::string &path : paths) {
    Expected<Subject> subject = subjectOf(arguments, path);
    if (!subject) {
      code = fail(subject.takeError());
      continue;
    }
    Verdict verdict = verifier.verify(*subject);
    if (arguments.hasArg(OPT_json)) {
      printJson(toJson(*subject, verdict));
      outs().flush(); // a crash in the next model must not lose this one
    } else {
      printVerdict(*subject, verdict);
    }
    if (verdict.outcome == Verdict::Outcome::bug)
      code = ourBug;
    else if (verdict.outcome != Verdict::Outcome::equal && code == done)
      code = wrongInput;
  }
  return code;
}

const Command verifyCommand = {
    "verify",
    "Compiles and runs models and compares every output with ONNX Runtime or with given values.",
    "M.onnx|FOLDER... [--inputs WHAT [--expected WHAT]]... [options]",
    "  tenon verify model.onnx --dim batch=4..\n"
    "  tenon verify onnx_tests/test_conv   # model.onnx, test_data_set_0/input_0.pb, output_0.pb\n"
    "  tenon verify model.onnx --target cpu:aarch64 --runner \"qemu-aarch64 tenon-run\"\n",
    VerifyVis,
    verify,
};

} // namespace tenon::cli
