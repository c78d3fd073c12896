// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The option table and what every subcommand does with it. The table comes from Options.td; nothing
// here is global but constants.
#include "tools/tenon/Command.h"
#include "tools/tenon/Files.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Option/Arg.h"
#include "llvm/Option/Option.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

#define OPTTABLE_STR_TABLE_CODE
#include "tools/tenon/Options.inc"
#undef OPTTABLE_STR_TABLE_CODE
#define OPTTABLE_PREFIXES_TABLE_CODE
#include "tools/tenon/Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

static constexpr opt::OptTable::Info optionTable[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "tools/tenon/Options.inc"
#undef OPTION
};

namespace {
class Options : public opt::GenericOptTable {
public:
  Options() : GenericOptTable(OptionStrTable, OptionPrefixesTable, optionTable) {
    setDashDashParsing(true);
  }
};
} // namespace

int fail(const Twine &message, ExitCode code) {
  outs().flush();
  WithColor::error(errs(), "tenon") << message << '\n';
  return code;
}

int fail(Error error, ExitCode code) { return fail(toString(std::move(error)), code); }

int failUsage(const Command &command, const Twine &message) {
  fail(message, wrongUsage);
  errs() << "usage: tenon " << command.name << ' ' << command.usage << "\n"
         << "'tenon " << command.name << " --help' explains\n";
  return wrongUsage;
}

static void printHelp(const Options &table, const Command &command) {
  outs() << "Example:\n"
         << command.example << '\n'
         << command.summary << "\n\nUsage: tenon " << command.name << ' ' << command.usage
         << "\n\n";
  std::string text;
  raw_string_ostream stream(text);
  table.printHelp(stream, "", "", /*ShowHidden=*/false, /*ShowAllAliases=*/false,
                  opt::Visibility(command.visibility));
  // The options alone: LLVM's own overview and usage lines come first and say nothing new.
  StringRef options = text;
  size_t start = options.find("OPTIONS:\n");
  outs() << "Options:\n"
         << (start == StringRef::npos ? options
                                      : options.drop_front(start + StringRef("OPTIONS:\n").size()));
}

int runSubcommand(const Command &command, ArrayRef<const char *> arguments) {
  Options table;
  unsigned missingIndex = 0, missingCount = 0;
  opt::InputArgList parsed =
      table.ParseArgs(arguments, missingIndex, missingCount, opt::Visibility(command.visibility));
  if (parsed.hasArg(OPT_help)) {
    printHelp(table, command);
    return done;
  }
  if (missingCount)
    return failUsage(command,
                     Twine("option '") + parsed.getArgString(missingIndex) + "' needs a value");
  for (const opt::Arg *unknown : parsed.filtered(OPT_UNKNOWN)) {
    std::string text = unknown->getAsString(parsed), nearest;
    bool similar = table.findNearest(text, nearest, opt::Visibility(command.visibility)) <= 2;
    return failUsage(command, "unknown option '" + text + "'" +
                                  (similar ? "; did you mean '" + nearest + "'?" : ""));
  }
  return command.run(parsed);
}

Expected<std::optional<int64_t>> numberOption(const opt::InputArgList &arguments, OptionID option,
                                              int64_t smallest) {
  const opt::Arg *given = arguments.getLastArg(option);
  if (!given)
    return std::nullopt;
  int64_t number;
  if (StringRef(given->getValue()).getAsInteger(10, number) || number < smallest)
    return createStringError("%s takes a whole number from %lld on, not '%s'",
                             given->getOption().getPrefixedName().str().c_str(),
                             static_cast<long long>(smallest), given->getValue());
  return number;
}

Expected<RandomOptions> randomOptions(const opt::InputArgList &arguments) {
  RandomOptions options;
  Expected<std::optional<int64_t>> seed = numberOption(arguments, OPT_seed, 0);
  if (!seed)
    return seed.takeError();
  options.seed = seed->value_or(0);
  for (StringRef text : arguments.getAllArgValues(OPT_dim)) {
    // Bounds (batch=1..64) are for compiling; inputs are drawn with the first of them.
    auto [name, value] = text.split('=');
    int64_t size;
    if (name.empty() || value.split("..").first.getAsInteger(10, size) || size < 0)
      return createStringError("--dim takes a name and a size, such as batch=4, not '%s'",
                               text.str().c_str());
    options.sizes[name] = size;
  }
  for (StringRef text : arguments.getAllArgValues(OPT_range)) {
    auto [name, value] = text.rsplit('=');
    auto [low, high] = value.split("..");
    double from, to;
    if (name.empty() || low.getAsDouble(from) || high.getAsDouble(to))
      return createStringError("--range takes a name and two bounds, such as ids=0..1000, not '%s'",
                               text.str().c_str());
    options.ranges[name] = {from, to};
  }
  return options;
}

Expected<std::vector<NamedValue>> readInputs(const opt::InputArgList &arguments, StringRef what,
                                             ArrayRef<Port> inputs, bool compiledHere) {
  if (what != "random")
    return readValues(what, inputs, "input");
  Expected<RandomOptions> options = randomOptions(arguments);
  if (!options)
    return options.takeError();
  if (compiledHere) {
    StringMap<int64_t> dynamic;
    for (const Port &port : inputs)
      for (const Dimension &dimension : port.dimensions)
        if (auto size = options->sizes.find(dimension.name); size != options->sizes.end())
          dynamic[dimension.name] = size->second;
    options->sizes = std::move(dynamic);
  }
  return drawInputs(inputs, *options);
}

Expected<unsigned> threadCount(const opt::InputArgList &arguments) {
  Expected<std::optional<int64_t>> number = numberOption(arguments, OPT_threads, 1);
  if (!number)
    return number.takeError();
  return number->value_or(hardware_concurrency().compute_thread_count());
}

void printJson(json::Value value) { outs() << value << '\n'; }

} // namespace tenon::cli
