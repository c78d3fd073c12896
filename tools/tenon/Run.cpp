// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tenon run: a compiled model, values from files or drawn at random, values to files.
#include "tools/tenon/Command.h"
#include "tools/tenon/Files.h"
#include "tools/tenon/LoadedModel.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

static int run(const opt::InputArgList &arguments) {
  std::vector<std::string> files = arguments.getAllArgValues(OPT_INPUT);
  if (files.size() != 1)
    return failUsage(runCommand, "expected one compiled model");
  if (!arguments.hasArg(OPT_inputs))
    return failUsage(runCommand, "--inputs is missing: a file, a folder, or 'random'");
  Expected<unsigned> threads = threadCount(arguments);
  if (!threads)
    return failUsage(runCommand, toString(threads.takeError()));
  Expected<LoadedModel> model = LoadedModel::load(files.front(), *threads);
  if (!model)
    return fail(model.takeError());
  const Signature &signature = model->signature();
  Expected<std::vector<NamedValue>> inputs = readInputs(
      arguments, arguments.getLastArgValue(OPT_inputs), signature.inputs, /*compiledHere=*/false);
  if (!inputs)
    return fail(inputs.takeError());
  Expected<std::vector<NamedValue>> outputs = model->run(*inputs);
  if (!outputs)
    return fail(outputs.takeError());
  if (const opt::Arg *where = arguments.getLastArg(OPT_outputs))
    if (Error error = writeOutputs(where->getValue(), signature.outputs, *outputs))
      return fail(std::move(error));
  json::Object shown;
  for (const NamedValue &output : *outputs) {
    std::string type = describe(output.value);
    shown[output.name] = type;
    if (!arguments.hasArg(OPT_json) && !arguments.hasArg(OPT_outputs))
      outs() << output.name << ": " << type << '\n';
  }
  if (arguments.hasArg(OPT_json))
    printJson(json::Object{{"outputs", std::move(shown)}});
  return done;
}

const Command runCommand = {
    "run",
    "Runs a compiled model.",
    "M.tenon --inputs WHAT [--outputs WHERE] [options]",
    "  tenon run model.tenon --inputs in.npz --outputs out.npz\n"
    "  tenon run model.tenon --inputs test_data_set_0 --outputs answers --threads 2\n",
    RunVis,
    run,
};

} // namespace tenon::cli
