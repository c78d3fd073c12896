// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command `tenon`: finds the subcommand. Each has a file of its own; the work is done by
// lib/driver and lib/runtime.
#include "tools/tenon/Command.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <unistd.h>

using namespace llvm;
using namespace tenon::cli;

ArrayRef<const Command *> tenon::cli::allCommands() {
  static const Command *const commands[] = {&compileCommand, &runCommand,     &benchCommand,
                                            &verifyCommand,  &inspectCommand, &explainCommand};
  return commands;
}

static void printHelp(raw_ostream &stream) {
  stream << "Example:\n"
            "  tenon compile model.onnx -o model.tenon\n"
            "  tenon run model.tenon --inputs in.npz --outputs out.npz\n\n"
            "Compiles ONNX models ahead of time and runs what it compiled.\n\n"
            "Usage: tenon <command> ...\n\n"
            "Commands ('tenon <command> --help' explains each):\n";
  for (const Command *command : allCommands())
    stream << "  " << left_justify(command->name, 10) << command->summary << '\n';
  stream << "\nExit codes: 0 done, 1 the input is wrong or unsupported, 2 wrong usage, 70 a bug in "
            "Tenon\n";
}

/// A crash is a bug of ours, whatever the input: the exit code says so.
static void exitAsOurBug(void *) { _exit(ourBug); }

int main(int argc, char **argv) {
  // In the order in which a crash is to be reported: what it is, where, and with which exit code
  // the process ends.
  PrettyStackTraceProgram commandLine(argc, argv);
  sys::PrintStackTraceOnErrorSignal(argv[0]);
  sys::AddSignalHandler(exitAsOurBug, nullptr);
  // A limit on the size of files is then an error of the write, as a full disk is, and not the end
  // of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  setBugReportMsg(bugReport);
  // A crash while compiling is then a failure of a phase, which leaves a reproducer.
  CrashRecoveryContext::Enable();
  if (argc < 2) {
    printHelp(errs());
    return wrongUsage;
  }
  StringRef name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    printHelp(outs());
    return done;
  }
  if (name == "--version") {
    outs() << "tenon " TENON_VERSION "\n";
    return done;
  }
  const Command *const *command =
      find_if(allCommands(), [&](const Command *c) { return c->name == name; });
  if (command != allCommands().end())
    return runSubcommand(**command, ArrayRef(argv + 2, argc - 2));
  fail("no command '" + name + "'", wrongUsage);
  printHelp(errs());
  return wrongUsage;
}
