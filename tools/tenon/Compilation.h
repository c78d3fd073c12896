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

/// Compiles, with the progress and the diagnostics on the standard error. False when the model is
/// at fault; what is wrong with it has then been said. `diagnostics`, when not null, takes what
/// would go to the standard error.
bool compileModel(const CompileOptions &options, CompileReport &report,
                  std::string *diagnostics = nullptr);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_COMPILATION_H
