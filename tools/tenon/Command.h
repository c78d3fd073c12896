// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the subcommands share: exit codes, how their options are parsed, and how they report.
#ifndef TENON_TOOLS_TENON_COMMAND_H
#define TENON_TOOLS_TENON_COMMAND_H

#include "tools/tenon/RandomInputs.h"
#include "tools/tenon/Signature.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Support/JSON.h"

namespace tenon::cli {

enum ExitCode : int {
  done = 0,
  wrongInput = 1, // the model, the data or the artifact is wrong or unsupported, or `verify` found
                  // a difference
  wrongUsage = 2,
  ourBug = 70, ///< a bug in Tenon; see bugReport
};

inline constexpr char bugReport[] =
    "tenon: this is a bug in Tenon; please report it with the model and these lines\n";

/// Which subcommands take an option: the names are those of Options.td.
enum OptionVisibility : unsigned {
  DefaultVis = llvm::opt::DefaultVis,
  CompileVis = 2,
  RunVis = 4,
  BenchVis = 8,
  VerifyVis = 16,
  InspectVis = 32,
  ExplainVis = 64
};

/// Option numbers, as Options.td declares them.
enum OptionID {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "tools/tenon/Options.inc"
#undef OPTION
};

/// A subcommand: `run` gets parsed options and says how the process ends.
struct Command {
  llvm::StringRef name, summary;
  llvm::StringRef usage;   // after "tenon <name>"
  llvm::StringRef example; // a block of lines that begins the help
  unsigned visibility;     // of its options, as in Options.td
  int (*run)(const llvm::opt::InputArgList &arguments);
};

extern const Command compileCommand, runCommand, benchCommand, verifyCommand, inspectCommand,
    explainCommand;

/// All subcommands in the order in which help lists them.
llvm::ArrayRef<const Command *> allCommands();

/// Parses the arguments after the subcommand's name and runs it. Prints help, and complains about
/// unknown options.
int runSubcommand(const Command &command, llvm::ArrayRef<const char *> arguments);

/// Prints "tenon: error: ..." and returns `code`. With an llvm::Error, its messages.
int fail(const llvm::Twine &message, ExitCode code = wrongInput);
int fail(llvm::Error error, ExitCode code = wrongInput);
/// A mistake in the command line: the message and where to find help.
int failUsage(const Command &command, const llvm::Twine &message);

/// The number given to an option, or nothing when it was not given. Errors name the option.
llvm::Expected<std::optional<int64_t>> numberOption(const llvm::opt::InputArgList &arguments,
                                                    OptionID option, int64_t smallest);

/// The seed, sizes (--dim) and ranges (--range) of random inputs.
llvm::Expected<RandomOptions> randomOptions(const llvm::opt::InputArgList &arguments);

/// Reads `what` (a file, a folder) or draws it ("random"). `compiledHere`: the model was compiled
/// with the same arguments, so that a dimension that --dim fixed is no longer dynamic, and giving
/// it a size is no mistake.
llvm::Expected<std::vector<NamedValue>> readInputs(const llvm::opt::InputArgList &arguments,
                                                   llvm::StringRef what,
                                                   llvm::ArrayRef<Port> inputs, bool compiledHere);

/// How many threads to run with: --threads, or the machine's cores.
llvm::Expected<unsigned> threadCount(const llvm::opt::InputArgList &arguments);

/// One line of JSON on the standard output.
void printJson(llvm::json::Value value);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_COMMAND_H
