// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Codegen.cpp - kernels to one image of machine code ------------------===//
//
// A kernel may be tried more than once: first as tiles with their temporaries in near
// caches; should one of those have no bound, again with producers repeated instead of
// kept. Only the last try's errors are reported.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Codegen.h"

#include "dialects/nn/Nn.h"
#include "lib/codegen/GenerateAttention.h"
#include "lib/codegen/KernelFunction.h"
#include "lib/codegen/MachineCode.h"
#include "lib/codegen/ObjectCache.h"
#include "lib/codegen/Passes.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ThreadPool.h"
#include <map>

using namespace mlir;

namespace tenon {

/// Part of every key: raised whenever the same kernel compiles to something else than before.
static constexpr StringLiteral codegenVersion = "7";

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// The kernel as text of its own: no locations, a fixed name, no grid.
static std::string serialize(plan::KernelOp kernel) {
  OwningOpRef<Operation *> copy(kernel->cloneWithoutRegions());
  IRMapping mapping;
  auto clone = cast<plan::KernelOp>(*copy);
  kernel.getBody().cloneInto(&clone.getBody(), mapping);
  clone.setSymName("kernel");
  clone.removeCountAttr();
  clone.removeTargetAttr();
  std::string text;
  llvm::raw_string_ostream stream(text);
  clone->print(stream, OpPrintingFlags().useLocalScope().printGenericOpForm());
  return text;
}

static std::string describe(const ChipDescription &chip) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << chip.triple << ' ' << chip.cpu << ' ' << llvm::join(chip.features, ",") << ' '
         << chip.vectorBits << ' ' << chip.vectorRegisters << ' ' << chip.l1Bytes << ' '
         << chip.l2Bytes << ' ' << chip.l3Bytes << '\n';
  return text;
}

static std::string makeKey(StringRef text, const CodegenOptions &options) {
  std::string input = codegenVersion.str() + (options.optimize ? " O2 " : " O0 ") +
                      describe(options.chip) + text.str();
  llvm::TruncatedBLAKE3<16> hasher;
  hasher.update(input);
  auto hash = hasher.final();
  return "k" + llvm::toHex(ArrayRef<uint8_t>(hash), /*LowerCase=*/true);
}

//===----------------------------------------------------------------------===//
// One kernel
//===----------------------------------------------------------------------===//

namespace {
/// Compiles the text of one kernel in contexts of its own.
class KernelCompiler {
public:
  KernelCompiler(StringRef text, StringRef symbol, const CodegenOptions &options)
      : text(text), symbol(symbol), options(options),
        context(registry(), MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
  }

  FailureOr<CompiledKernel> compile(bool assembly, std::string &error) {
    ScopedDiagnosticHandler collect(&context, [&](Diagnostic &diagnostic) {
      llvm::raw_string_ostream stream(errors);
      if (!errors.empty())
        stream << "; ";
      stream << diagnostic;
      return success();
    });
    CompiledKernel result;
    OwningOpRef<ModuleOp> module = toLoops(result.declined);
    if (!module || failed(toObject(*module, assembly, result))) {
      error = errors;
      return failure();
    }
    return result;
  }

private:
  static DialectRegistry registry() {
    DialectRegistry registry;
    registerCodegenDialects(registry);
    return registry;
  }

  OwningOpRef<ModuleOp> parse() { return parseSourceString<ModuleOp>(text, &context); }

  /// A module that holds the kernel's function in loops; null after an error.
  OwningOpRef<ModuleOp> toLoops(std::string &declined) {
    if (OwningOpRef<ModuleOp> module = generate(declined))
      return module;
    SmallVector<KernelPipelineOptions> tries;
    if (!options.optimize)
      tries.push_back({/*optimize=*/false, /*distribute=*/false, /*recompute=*/false});
    tries.push_back({options.optimize, /*distribute=*/true, /*recompute=*/false});
    tries.push_back({options.optimize, /*distribute=*/true, /*recompute=*/true});
    for (const KernelPipelineOptions &attempt : tries) {
      errors.clear();
      OwningOpRef<ModuleOp> module = parse();
      if (!module)
        return {};
      PassManager passes(&context);
      passes.enableVerifier(true);
      buildKernelToLoopsPipeline(passes, attempt);
      if (succeeded(passes.run(*module)))
        return module;
    }
    return {};
  }

  /// Asks the generators; null when all decline.
  OwningOpRef<ModuleOp> generate(std::string &declined) {
    OwningOpRef<ModuleOp> original = parse();
    if (!original)
      return {};
    std::vector<KernelGenerator> generators;
    // Attention has no generic form: it is generated at -O0 too, then in plain loops.
    if (original->walk([](nn::AttentionOp) { return WalkResult::interrupt(); }).wasInterrupted())
      generators.push_back(
          [&](plan::KernelOp kernel, const ChipDescription &chip, std::string &reason) {
            return generateAttention(kernel, chip, options.optimize, reason);
          });
    if (options.optimize)
      llvm::append_range(generators, options.generators);
    for (const KernelGenerator &generator : generators) {
      OwningOpRef<ModuleOp> module = original->clone();
      auto kernel = *module->getOps<plan::KernelOp>().begin();
      std::string reason;
      FailureOr<func::FuncOp> function = generator(kernel, options.chip, reason);
      if (succeeded(function)) {
        kernel.erase();
        if (succeeded(verify(*module))) {
          declined.clear();
          return module;
        }
        reason = "it generated an invalid function: " + errors;
        errors.clear();
      }
      declined += (declined.empty() ? "" : "; ") + reason;
    }
    return {};
  }

  LogicalResult toObject(ModuleOp module, bool assembly, CompiledKernel &result) {
    auto function = *module.getOps<func::FuncOp>().begin();
    function.setSymName(symbol);
    AffineMap count = getKernelCount(function);
    if (!count)
      return function.emitError("has no grid");
    llvm::raw_string_ostream(result.count) << AffineMapAttr::get(count);
    // Where the loops it came from are is of no use below, and would only differ.
    PassManager passes(&context);
    buildKernelToLlvmPipeline(passes, machineOptions());
    if (failed(passes.run(module)))
      return failure();
    llvm::Expected<std::string> code =
        emitMachineCode(module, options.chip, {options.optimize, assembly});
    if (!code)
      return module.emitError() << llvm::toString(code.takeError());
    result.object = std::move(*code);
    return success();
  }

  MachineOptions machineOptions() const {
    const ChipDescription &chip = options.chip;
    // The reference rounds alike everywhere: it takes no instruction that some chips lack.
    if (!options.optimize)
      return {/*fma=*/false, /*nativeF16=*/false, /*nativeBf16=*/false};
    return {chip.isAArch64() || chip.has("fma"), chip.isAArch64() || chip.has("f16c"),
            chip.has("avx512bf16") || (chip.isAArch64() && chip.has("bf16"))};
  }

  StringRef text, symbol;
  const CodegenOptions &options;
  MLIRContext context;
  std::string errors;
};

/// One distinct kernel: everyone who has it, and what it became.
struct Unit {
  std::string text;
  SmallVector<unsigned> users;
  FailureOr<CompiledKernel> result = failure();
  std::string error;
};
} // namespace

//===----------------------------------------------------------------------===//
// All kernels
//===----------------------------------------------------------------------===//

/// The object of a module that holds nothing.
static FailureOr<std::string> compileNothing(const CodegenOptions &options) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  DialectRegistry registry;
  registerCodegenDialects(registry);
  context.appendDialectRegistry(registry);
  llvm::Expected<std::string> object =
      emitMachineCode(*module, options.chip, {options.optimize, /*assembly=*/false});
  if (!object)
    return emitError(UnknownLoc::get(&context), llvm::toString(object.takeError()));
  return std::move(*object);
}

FailureOr<CompiledImage> compileKernels(ArrayRef<plan::KernelOp> kernels,
                                        const CodegenOptions &options) {
  initializeLlvmTargets();
  CompiledImage image;
  image.triple = options.chip.triple;
  image.cpu = options.chip.cpu;
  image.features = getRequiredFeatures(options.chip);
  image.kernels.resize(kernels.size());

  // By key, so that the image does not depend on the order of kernels either.
  std::map<std::string, Unit> units;
  for (auto [position, kernel] : llvm::enumerate(kernels)) {
    std::string text = serialize(kernel);
    Unit &unit = units[makeKey(text, options)];
    unit.text = std::move(text);
    unit.users.push_back(position);
  }

  ObjectCache cache(options.cacheDirectory);
  auto compile = [&](StringRef key, Unit &unit) {
    if (std::optional<CompiledKernel> found = cache.find(key)) {
      unit.result = std::move(*found);
      return;
    }
    // A crash in one kernel is an error of that kernel, where the program has enabled recovery.
    llvm::CrashRecoveryContext recovery;
    if (!recovery.RunSafely([&] {
          unit.result =
              KernelCompiler(unit.text, key, options).compile(/*assembly=*/false, unit.error);
        }))
      unit.error = "the compiler crashed";
    if (succeeded(unit.result))
      cache.insert(key, *unit.result);
  };
  {
    llvm::DefaultThreadPool pool(llvm::hardware_concurrency(options.threads));
    for (auto &[key, unit] : units)
      pool.async([&compile, &key = key, &unit = unit] { compile(key, unit); });
    pool.wait();
  }

  bool failing = false;
  SmallVector<StringRef> objects;
  for (auto &[key, unit] : units) {
    if (succeeded(unit.result)) {
      objects.push_back(unit.result->object);
      continue;
    }
    failing = true;
    for (unsigned user : unit.users) {
      plan::KernelOp kernel = kernels[user];
      kernel->emitError() << "internal error: kernel " << kernel.getSymName()
                          << " could not be compiled for " << options.chip.name << ": "
                          << unit.error;
    }
  }
  if (failing)
    return failure();

  // A program without kernels has an image all the same: of an object without functions.
  std::string empty;
  if (objects.empty()) {
    if (FailureOr<std::string> object = compileNothing(options); succeeded(object))
      empty = std::move(*object);
    else
      return failure();
    objects.push_back(empty);
  }
  llvm::Expected<KernelImage> linked = linkImage(objects);
  if (!linked) {
    std::string message = "internal error: " + llvm::toString(linked.takeError());
    if (kernels.empty()) {
      MLIRContext context(MLIRContext::Threading::DISABLED);
      return emitError(UnknownLoc::get(&context), message);
    }
    plan::KernelOp first = kernels.front();
    return first->emitError(message);
  }
  image.bytes = std::move(linked->bytes);
  for (auto &[key, unit] : units) {
    auto entry = linked->entries.find(key);
    if (entry == linked->entries.end())
      return kernels[unit.users.front()]->emitError("internal error: the image lacks this kernel");
    for (unsigned user : unit.users) {
      plan::KernelOp kernel = kernels[user];
      Attribute count = parseAttribute(unit.result->count, kernel.getContext());
      if (!count)
        return kernel->emitError("internal error: the grid of the compiled kernel cannot be read");
      kernel.setCountAttr(cast<AffineMapAttr>(count));
      image.kernels[user] = {entry->second, unit.result->declined};
    }
  }
  return image;
}

FailureOr<std::string> compileToAssembly(plan::KernelOp kernel, const CodegenOptions &options) {
  initializeLlvmTargets();
  std::string text = serialize(kernel), error;
  FailureOr<CompiledKernel> compiled =
      KernelCompiler(text, kernel.getSymName(), options).compile(/*assembly=*/true, error);
  if (failed(compiled))
    return kernel->emitError() << error;
  return std::move(compiled->object);
}

} // namespace tenon
