// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Reproducer.cpp -----------------------------------------------------===//

#include "lib/driver/Reproducer.h"

#include "lib/artifact/AtomicFile.h"

#include <span>

using namespace mlir;

namespace tenon {

void Reproducer::beginPhase(StringRef name, ModuleOp module) {
  if (options.reproducer.empty())
    return;
  phase = name.str();
  before = module ? OwningOpRef<ModuleOp>(module.clone()) : nullptr;
}

std::optional<std::string> Reproducer::write(StringRef messages) const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "// tenon " TENON_VERSION ", a bug in the phase '" << phase << "'\n"
         << "// model: " << options.input << "\n// options: --target " << options.target << " -O"
         << options.optLevel;
  for (const DimensionBound &bound : options.dims)
    stream << " --dim " << bound;
  stream << "\n";
  for (StringRef line : llvm::split(messages, '\n'))
    stream << "// " << line << "\n";
  stream << "// " << (before ? "What the phase was given:" : "The model itself shows it.") << "\n";
  // The generic form reads back whatever is wrong with the module.
  if (before)
    before.get()->print(stream, OpPrintingFlags().printGenericOpForm().enableDebugInfo());

  artifact::AtomicFile file;
  Status status = file.open(options.reproducer);
  if (status.ok())
    status = file.write(0, std::as_bytes(std::span(text)));
  if (status.ok())
    status = file.flush();
  if (status.ok())
    status = file.commit();
  return status.ok() ? std::nullopt : std::optional(status.message());
}

} // namespace tenon
