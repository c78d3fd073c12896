// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model run by another program: by `tenon-run` in an emulator, or on the machine that it
// was compiled for when that one sees the same files.
#ifndef TENON_TOOLS_TENON_RUNNER_H
#define TENON_TOOLS_TENON_RUNNER_H

#include "tools/tenon/Signature.h"
#include "tools/tenon/TemporaryFolder.h"

namespace tenon::cli {

class Runner {
public:
  /// `command` is a program with arguments, quoted as for a shell. `M.tenon --inputs FOLDER
  /// --outputs FOLDER --threads N` follow; `folder` has room for these files and must outlive the
  /// runner.
  static llvm::Expected<Runner> find(llvm::StringRef command, unsigned threads,
                                     const TemporaryFolder &folder);

  /// Runs the model in the file `model` once. `inputs` has a value for every input of the
  /// signature. Errors: values that are no tensors; the program cannot be started or fails, with
  /// what it printed.
  llvm::Expected<std::vector<NamedValue>> run(const std::string &model, const Signature &signature,
                                              llvm::ArrayRef<NamedValue> inputs) const;

private:
  explicit Runner(const TemporaryFolder &folder) : folder(folder) {}

  const TemporaryFolder &folder;
  std::string program;
  std::vector<std::string> arguments; // the program's name first
  unsigned threads = 1;
};

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_RUNNER_H
