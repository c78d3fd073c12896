// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineCode.cpp - from the LLVM dialect to an object file -----------===//
//
// Kernels call nothing. So LLVM is told that no library function exists, which keeps it
// from turning loops into calls of memset, and every object is searched for symbols it
// does not define before it leaves here, while the kernel's name is still at hand.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/MachineCode.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Operator.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace tenon {

template <typename... Arguments>
static llvm::Error makeError(const char *format, Arguments &&...arguments) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), format,
                                 std::forward<Arguments>(arguments)...);
}

static std::string featureString(const ChipDescription &chip) {
  std::string features;
  for (const std::string &feature : chip.features) {
    if (!features.empty())
      features += ',';
    if (feature.front() != '-')
      features += '+';
    features += feature;
  }
  return features;
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const ChipDescription &chip, bool optimize) {
  std::string error;
  llvm::Triple triple(chip.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return makeError("chip %s: %s", chip.name.c_str(), error.c_str());
  llvm::TargetOptions options;
  options.AllowFPOpFusion = optimize ? llvm::FPOpFusion::Fast : llvm::FPOpFusion::Strict;
  options.NoTrapAfterNoreturn = true;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, chip.cpu, featureString(chip), options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
      optimize ? llvm::CodeGenOptLevel::Aggressive : llvm::CodeGenOptLevel::Less));
  if (!machine)
    return makeError("chip %s: no code generator for %s", chip.name.c_str(), chip.triple.c_str());
  return machine;
}

static void setAttributes(llvm::Module &module, const ChipDescription &chip) {
  std::string features = featureString(chip);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", chip.cpu);
    if (!features.empty())
      function.addFnAttr("target-features", features);
    function.addFnAttr("no-builtins");
    function.addFnAttr("no-trapping-math", "true");
    // Processors with 512-bit registers whose scheduling models still prefer 256.
    if (chip.isX86() && chip.vectorBits >= 512)
      function.addFnAttr("prefer-vector-width", std::to_string(chip.vectorBits));
    function.setDoesNotThrow();
  }
}

/// What -O0 computes is what its operations say, on every chip: nothing may be contracted or
/// reordered.
static void forbidReordering(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (llvm::isa<llvm::FPMathOperator>(instruction))
        instruction.copyFastMathFlags(llvm::FastMathFlags()); // setting them would add to them
}

static void optimizeModule(llvm::Module &module, llvm::TargetMachine &machine, bool optimize) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = optimize;
  tuning.LoopUnrolling = optimize;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder
      .buildPerModuleDefaultPipeline(optimize ? llvm::OptimizationLevel::O2
                                              : llvm::OptimizationLevel::O1)
      .run(module, modules);
}

/// An error where the object refers to anything it does not define.
static llvm::Error checkSymbols(StringRef object) {
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "kernel"));
  if (!file)
    return file.takeError();
  SmallVector<std::string> missing;
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    auto name = symbol.getName();
    if (!name)
      return name.takeError();
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) && !name->empty() &&
        *name != "_GLOBAL_OFFSET_TABLE_")
      missing.push_back(name->str());
  }
  if (missing.empty())
    return llvm::Error::success();
  return makeError("generated code would call %s, which no kernel may",
                   llvm::join(missing, ", ").c_str());
}

llvm::Expected<std::string> emitMachineCode(ModuleOp module, const ChipDescription &chip,
                                            const MachineCodeOptions &options) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context, "kernel");
  if (!code)
    return makeError("translation to LLVM IR failed");
  auto machine = createMachine(chip, options.optimize);
  if (!machine)
    return machine.takeError();
  code->setTargetTriple((*machine)->getTargetTriple());
  code->setDataLayout((*machine)->createDataLayout());
  setAttributes(*code, chip);
  if (!options.optimize)
    forbidReordering(*code);
  optimizeModule(*code, **machine, options.optimize);

  SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager emission;
  llvm::TargetLibraryInfoImpl library((*machine)->getTargetTriple());
  library.disableAllFunctions();
  emission.add(new llvm::TargetLibraryInfoWrapperPass(library));
  auto type =
      options.assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if ((*machine)->addPassesToEmitFile(emission, stream, nullptr, type))
    return makeError("chip %s: LLVM cannot emit objects for %s", chip.name.c_str(),
                     chip.triple.c_str());
  emission.run(*code);
  if (!options.assembly)
    if (llvm::Error error = checkSymbols(bytes))
      return error;
  return std::string(bytes);
}

std::string getRequiredFeatures(const ChipDescription &chip) {
  // Instruction sets that a machine may lack, apart from what only tunes code.
  static constexpr StringLiteral instructionSets[] = {
      "sse4.2",     "popcnt",     "avx",        "avx2",        "fma",          "f16c",
      "bmi",        "bmi2",       "lzcnt",      "movbe",       "avxvnni",      "avx512f",
      "avx512bw",   "avx512cd",   "avx512dq",   "avx512vl",    "avx512vnni",   "avx512bf16",
      "avx512fp16", "avx512ifma", "avx512vbmi", "avx512vbmi2", "avx512bitalg", "avx512vpopcntdq",
      "amx-tile",   "amx-bf16",   "amx-int8",   "amx-fp16",    "gfni",         "neon",
      "rdm",        "dotprod",    "fullfp16",   "complxnum",   "bf16",         "i8mm",
      "sve",        "sve2"};
  std::string required;
  for (StringRef name : instructionSets)
    if (chip.has(name))
      required += (required.empty() ? "+" : ",+") + name.str();
  return required;
}

} // namespace tenon
