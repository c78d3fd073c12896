// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the command line to the driver: what `compile`, `verify` and `bench` share when they compile
// a model.
#ifndef TENON_TOOLS_TENON_COMPILATION_H
#define TENON_TOOLS_TENON_COMPILATION_H

#include "lib/driver/Driver.h"
#include "tools/tenon/Command.h"

namespace tenon::cli {

/// The driver's options from the arguments. Errors are mistakes in the command line.
llvm::Expected<CompileOptions> compileOptions(const llvm::opt::InputArgList &arguments,
                                              llvm::StringRef input, llvm::StringRef output);

/// Compiles, showing progress on a terminal, and with -v the phases with their time and memory.
/// What is wrong with the model goes to `diagnostics`, or to the standard error when that is null.
/// Returns done, wrongInput or ourBug.
ExitCode compileModel(const llvm::opt::InputArgList &arguments, CompileOptions options,
                      CompileReport &report, std::string *diagnostics = nullptr);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_COMPILATION_H
