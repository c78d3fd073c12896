// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values travel as numpy arrays in folders; what the program prints is kept for the message when it
// fails.
#include "tools/tenon/Runner.h"
#include "tools/tenon/Files.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/StringSaver.h"

using namespace llvm;

namespace tenon::cli {

Expected<Runner> Runner::find(StringRef command, unsigned threads, const TemporaryFolder &folder) {
  BumpPtrAllocator allocator;
  StringSaver saver(allocator);
  SmallVector<const char *> words;
  cl::TokenizeGNUCommandLine(command, saver, words);
  if (words.empty())
    return createStringError("--runner is empty; expected a program such as tenon-run");
  ErrorOr<std::string> program = sys::findProgramByName(words.front());
  if (!program || !sys::fs::can_execute(*program))
    return createStringError("there is no program '%s' for --runner", words.front());
  Runner runner(folder);
  runner.program = *program;
  runner.arguments.assign(words.begin(), words.end());
  runner.threads = threads;
  return runner;
}

Expected<std::vector<NamedValue>> Runner::run(const std::string &model, const Signature &signature,
                                              ArrayRef<NamedValue> inputs) const {
  std::string from = folder.file("inputs"), to = folder.file("outputs"),
              printed = folder.file("printed");
  // What an earlier run left must not pass for this one's answer.
  for (const std::string &path : {from, to})
    (void)sys::fs::remove_directories(path);
  if (Error error = writeArrays(from, signature.inputs, inputs, "input"))
    return error;

  std::string threadCount = std::to_string(threads);
  SmallVector<StringRef> words(arguments.begin(), arguments.end());
  append_values(words, StringRef(model), "--inputs", StringRef(from), "--outputs", StringRef(to),
                "--threads", StringRef(threadCount));
  std::string problem;
  int code = sys::ExecuteAndWait(program, words, /*Env=*/std::nullopt,
                                 /*Redirects=*/{"", StringRef(printed), StringRef(printed)},
                                 /*SecondsToWait=*/0, /*MemoryLimit=*/0, &problem);
  if (code != 0) {
    auto text = MemoryBuffer::getFile(printed);
    std::string said = text ? (*text)->getBuffer().trim().str() : std::string();
    return createStringError("'%s' %s%s%s", arguments.front().c_str(),
                             code < 0 ? problem.c_str()
                                      : ("ended with exit code " + std::to_string(code)).c_str(),
                             said.empty() ? "" : ": ", said.c_str());
  }
  return readValues(to, signature.outputs, "output");
}

} // namespace tenon::cli
