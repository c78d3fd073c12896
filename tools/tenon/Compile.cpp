// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tenon compile: an ONNX model to a compiled file, to an object file, or to the IR after a phase.
#include "lib/artifact/AtomicFile.h"
#include "lib/artifact/Reader.h"
#include "tools/tenon/Compilation.h"
#include "tools/tenon/ObjectFile.h"
#include "tools/tenon/TemporaryFolder.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

/// Several files that appear together or not at all.
static Error writeFiles(ArrayRef<std::pair<std::string, StringRef>> contents) {
  std::vector<std::unique_ptr<artifact::AtomicFile>> files;
  for (const auto &[path, content] : contents) {
    auto &file = files.emplace_back(std::make_unique<artifact::AtomicFile>());
    Status status = file->open(path);
    if (status.ok())
      status = file->write(0, std::as_bytes(std::span(content.data(), content.size())));
    if (status.ok())
      status = file->flush();
    if (!status.ok())
      return createStringError(status.message());
  }
  for (auto &file : files)
    if (Status status = file->commit(); !status.ok())
      return createStringError(status.message());
  return Error::success();
}

/// The artifact at `compiled` as an object file at `output` and a header beside it.
static Error emitObject(const std::string &compiled, const std::string &output) {
  std::unique_ptr<artifact::Artifact> opened;
  if (Status status = artifact::Artifact::openFile(compiled, opened); !status.ok())
    return createStringError(status.message());
  std::string triple;
  for (const artifact::Program &program : opened->module().programs)
    for (const artifact::KernelModule &module : program.modules)
      triple = module.triple;
  ErrorOr<std::unique_ptr<MemoryBuffer>> bytes =
      MemoryBuffer::getFile(compiled, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes)
    return createStringError(bytes.getError(), "cannot read '%s'", compiled.c_str());
  Expected<ObjectFile> object = makeObjectFile((*bytes)->getBuffer(), output, triple);
  if (!object)
    return object.takeError();
  SmallString<128> header(output);
  sys::path::replace_extension(header, "h");
  return writeFiles({{output, object->object}, {header.str().str(), object->header}});
}

/// --stop-after: the IR goes to -o, or to the standard output.
static int stopEarly(const opt::InputArgList &arguments, CompileOptions options) {
  std::string text;
  raw_string_ostream stream(text);
  std::string output = std::exchange(options.output, "");
  options.stopStream = &stream;
  CompileReport report;
  if (ExitCode code = compileModel(arguments, std::move(options), report); code != done)
    return code;
  if (output.empty()) {
    outs() << text;
    return done;
  }
  if (Error error = writeFiles({{output, text}}))
    return fail(std::move(error));
  return done;
}

static json::Object toJson(const CompileReport &report, StringRef output) {
  json::Array phases, kernels;
  for (const CompileReport::Phase &phase : report.phases)
    phases.push_back(json::Object{
        {"name", phase.name}, {"seconds", phase.seconds}, {"peak_bytes", phase.peakBytes}});
  for (const CompileReport::Kernel &kernel : report.kernels)
    kernels.push_back(json::Object{
        {"name", kernel.name}, {"dispatches", kernel.dispatches}, {"declined", kernel.declined}});
  return json::Object{{"output", output},
                      {"nodes", report.nodes},
                      {"weight_bytes", report.weightBytes},
                      {"artifact_bytes", report.artifactBytes},
                      {"phases", std::move(phases)},
                      {"kernels", std::move(kernels)}};
}

static int compileFile(const opt::InputArgList &arguments) {
  std::vector<std::string> files = arguments.getAllArgValues(OPT_INPUT);
  if (files.size() != 1)
    return failUsage(compileCommand, "expected one ONNX model");
  std::string output = arguments.getLastArgValue(OPT_output).str();
  StringRef form = arguments.getLastArgValue(OPT_emit, "artifact");
  if (form != "artifact" && form != "object")
    return failUsage(compileCommand, "--emit takes artifact or object, not '" + form + "'");
  Expected<CompileOptions> options = compileOptions(arguments, files.front(), output);
  if (!options)
    return failUsage(compileCommand, toString(options.takeError()));
  if (!options->stopAfter.empty())
    return stopEarly(arguments, std::move(*options));
  if (output.empty())
    return failUsage(compileCommand, "-o is missing: the file to write");

  std::optional<TemporaryFolder> folder;
  if (form == "object") {
    Expected<TemporaryFolder> created = TemporaryFolder::create();
    if (!created)
      return fail(created.takeError());
    folder.emplace(std::move(*created));
    options->output = folder->file("model.tenon");
  }
  std::string compiled = options->output;
  CompileReport report;
  if (ExitCode code = compileModel(arguments, std::move(*options), report); code != done)
    return code;
  if (form == "object")
    if (Error error = emitObject(compiled, output))
      return fail(std::move(error));
  if (arguments.hasArg(OPT_json))
    printJson(toJson(report, output));
  return done;
}

const Command compileCommand = {
    "compile",
    "Compiles an ONNX model ahead of time.",
    "M.onnx -o M.tenon [options]",
    "  tenon compile model.onnx -o model.tenon\n"
    "  tenon compile model.onnx -o model.tenon --target cpu:x86-64-v3 --dim batch=1..64\n",
    CompileVis,
    compileFile,
};

} // namespace tenon::cli
