// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tenon-run: runs a compiled model on a machine that has nothing of the compiler, such as the board
// it was compiled for. Links Tenon's runtime and the C++ library, nothing else, so values are numpy
// arrays only; `tenon run` takes more forms.
#include "tools/tenon-run/Arrays.h"
#include "tools/tenon/Statistics.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

using namespace tenon;
using namespace tenon::cli;

namespace {

enum ExitCode { done = 0, wrongInput = 1, wrongUsage = 2 };

constexpr char help[] =
    "Example:\n"
    "  tenon-run model.tenon --inputs in --outputs out\n\n"
    "Runs a compiled model with Tenon's runtime alone. Values are folders of numpy arrays.\n\n"
    "Usage: tenon-run M.tenon [options]\n\n"
    "Options:\n"
    "  --inputs <folder>   NAME.npy for every input, or input_<i>.npy in the order of the graph\n"
    "  --outputs <folder>  Where to write output_<i>.npy (made if missing)\n"
    "  --threads <number>  Threads to run with (default: one per core)\n"
    "  --runs <number>     Run so many times more and print how long that took\n"
    "  --version           Show the version\n"
    "  -h, --help          Show this text\n\n"
    "Exit codes: 0 done, 1 the input is wrong or unsupported, 2 wrong usage\n";

struct Arguments {
  std::string model, inputs, outputs;
  int32_t threads = 0, runs = 0; // 0: not given
};

int fail(const std::string &message, ExitCode code = wrongInput) {
  std::fprintf(stderr, "tenon-run: error: %s\n", message.c_str());
  return code;
}

ExitCode failUsage(const std::string &message) {
  fail(message, wrongUsage);
  std::fputs("usage: tenon-run M.tenon [options]\n'tenon-run --help' explains\n", stderr);
  return wrongUsage;
}

/// Fills `arguments` in, or says how the process ends: help was asked for, or there was a mistake.
std::optional<ExitCode> parse(const std::vector<std::string> &words, Arguments &arguments) {
  struct Setting {
    const char *name;
    std::string *text;
    int32_t *number;
  } settings[] = {{"--inputs", &arguments.inputs, nullptr},
                  {"--outputs", &arguments.outputs, nullptr},
                  {"--threads", nullptr, &arguments.threads},
                  {"--runs", nullptr, &arguments.runs}};
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string &word = words[i];
    if (word == "-h" || word == "--help" || word == "--version") {
      std::fputs(word == "--version" ? "tenon-run " TENON_VERSION "\n" : help, stdout);
      return done;
    }
    if (!word.starts_with('-')) {
      if (!arguments.model.empty())
        return failUsage("expected one compiled model");
      arguments.model = word;
      continue;
    }
    // `--name value` and `--name=value` are the same.
    size_t equals = word.find('=');
    std::string name = word.substr(0, equals);
    const Setting *setting = std::find_if(std::begin(settings), std::end(settings),
                                          [&](const Setting &known) { return name == known.name; });
    if (setting == std::end(settings))
      return failUsage("unknown option '" + word + "'");
    if (equals == word.npos && ++i == words.size())
      return failUsage("option '" + name + "' needs a value");
    std::string value = equals == word.npos ? words[i] : word.substr(equals + 1);
    if (setting->text) {
      *setting->text = value;
      continue;
    }
    const char *last = value.data() + value.size();
    auto [end, error] = std::from_chars(value.data(), last, *setting->number);
    if (error != std::errc() || end != last || *setting->number < 1)
      return failUsage(name + " takes a whole number from 1 on, not '" + value + "'");
  }
  if (arguments.model.empty())
    return failUsage("expected one compiled model");
  return std::nullopt;
}

/// Runs into memory of our own `count` times, so that nothing is allocated while the time is taken.
bool measure(const Model &model, const std::vector<tenon_tensor> &inputs,
             const std::vector<tenon_tensor> &shaped, int32_t count, Error &error) {
  std::vector<tenon_tensor> outputs = shaped;
  std::vector<std::vector<std::byte>> memory;
  for (tenon_tensor &output : outputs)
    output.data = memory.emplace_back(output.byte_size).data();
  std::vector<double> milliseconds;
  for (int32_t i = 0; i < count; ++i) {
    auto start = std::chrono::steady_clock::now();
    if (!model.run(inputs, outputs, error))
      return false;
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }
  Statistics statistics(std::move(milliseconds));
  std::printf("min %.3f  median %.3f  p90 %.3f ms  (%zu runs)\n", statistics.min(),
              statistics.median(), statistics.percentile(0.9), statistics.runs());
  return true;
}

int run(const Arguments &arguments) {
  Error error = {};
  Runtime runtime;
  Model model;
  tenon_runtime_options options;
  tenon_runtime_options_init(&options);
  options.threads = arguments.threads;
  if (!Runtime::create(&options, runtime, error) ||
      !Model::loadFile(runtime, arguments.model, model, error))
    return fail(error.message);
  if (arguments.inputs.empty() && model.inputCount() > 0)
    return failUsage("--inputs is missing: a folder with a .npy file for every input");

  std::vector<Tensor> values;
  if (Status status = readInputs(arguments.inputs, model, values); !status.ok())
    return fail(status.message());
  std::vector<tenon_tensor> inputs, outputs(model.outputCount());
  for (Tensor &value : values)
    inputs.push_back(tenon_tensor_make(value.bytes.data(), static_cast<int64_t>(value.bytes.size()),
                                       static_cast<tenon_element_type>(value.type),
                                       static_cast<int32_t>(value.shape.size()),
                                       value.shape.data()));
  if (!model.run(inputs, outputs, error))
    return fail(error.message);
  if (!arguments.outputs.empty()) {
    if (Status status = writeOutputs(arguments.outputs, outputs); !status.ok())
      return fail(status.message());
  } else {
    for (size_t i = 0; i < outputs.size(); ++i)
      std::printf("%s: %s\n", model.output(i).name, describe(outputs[i]).c_str());
  }
  bool timed = arguments.runs == 0 || measure(model, inputs, outputs, arguments.runs, error);
  for (tenon_tensor &output : outputs)
    tenon_tensor_release(runtime.get(), &output);
  return timed ? done : fail(error.message);
}

} // namespace

int main(int argc, char **argv) {
  Arguments arguments;
  std::optional<ExitCode> ended = parse(std::vector<std::string>(argv + 1, argv + argc), arguments);
  return ended ? *ended : run(arguments);
}
