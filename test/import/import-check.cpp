// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports a model and prints the module, for tests of the importer alone:
//   import-check MODEL.onnx [--dim NAME=SIZE | NAME=MIN..MAX]… [--quiet] [--weights] [--locations]
//   import-check --contrib-operators < NAMES
// --weights prints each weight's size and hash after the module. --contrib-operators prints the
// table of contrib operators, and of the names that it reads, one a line, why they are not in it.
// Exit code 1 if the import fails.

#include "lib/import/Import.h"

#include "dialects/plan/Plan.h"
#include "lib/import/contrib/ContribOperators.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <iostream>

using namespace mlir;

static int printContribOperators() {
  for (const tenon::import::ContribOperator &row : tenon::import::getContribOperators())
    llvm::outs() << row.name << "|" << row.inputs << "|" << row.outputs << "|" << row.attributes
                 << "|" << row.types << "\n";
  for (std::string name; std::getline(std::cin, name);)
    if (!tenon::import::findContribOperator(name))
      llvm::outs() << name << ": " << tenon::import::explainMissingContribOperator(name) << "\n";
  return 0;
}

int main(int argc, char **argv) {
  llvm::cl::opt<std::string> path(llvm::cl::Positional, llvm::cl::desc("MODEL.onnx"));
  llvm::cl::list<std::string> dims("dim", llvm::cl::desc("bounds of a dynamic dimension"));
  llvm::cl::opt<bool> quiet("quiet", llvm::cl::desc("do not print the module"));
  llvm::cl::opt<bool> showWeights("weights",
                                  llvm::cl::desc("print the size and hash of each weight"));
  llvm::cl::opt<bool> operators("contrib-operators",
                                llvm::cl::desc("print the table of contrib operators"));
  llvm::cl::opt<bool> locations("locations", llvm::cl::desc("print locations"));
  llvm::InitLLVM init(argc, argv);
  llvm::cl::ParseCommandLineOptions(argc, argv, "import-check\n");

  if (operators)
    return printContribOperators();

  tenon::ImportOptions options;
  for (llvm::StringRef dim : dims) {
    auto [name, range] = dim.split('=');
    tenon::ImportOptions::DimensionBounds bounds;
    auto [low, high] = range.split("..");
    int64_t max;
    if (low.getAsInteger(10, bounds.min) ||
        (range.contains("..") ? high : low).getAsInteger(10, max)) {
      llvm::errs() << "import-check: expected NAME=SIZE or NAME=MIN..MAX, found " << dim << "\n";
      return 2;
    }
    bounds.max = max;
    options.dims[name] = bounds;
  }

  MLIRContext context;
  ScopedDiagnosticHandler handler(&context, [](Diagnostic &diagnostic) {
    diagnostic.getLocation()->print(llvm::errs());
    llvm::errs() << ": "
                 << (diagnostic.getSeverity() == DiagnosticSeverity::Error ? "error" : "note")
                 << ": " << diagnostic << "\n";
    return success();
  });
  tenon::WeightTable weights;
  FailureOr<OwningOpRef<ModuleOp>> module = tenon::importModel(path, options, context, weights);
  if (failed(module))
    return 1;
  if (!quiet)
    (*module)->print(llvm::outs(), OpPrintingFlags().enableDebugInfo(locations));
  if (showWeights)
    (*module)->walk([&](tenon::plan::WeightOp weight) {
      llvm::outs() << weight.getSymName() << ": " << weights.find(weight.getSymName())->size()
                   << " bytes, " << weights.contentHash(weight.getSymName()).substr(0, 16) << "\n";
    });
  return 0;
}
