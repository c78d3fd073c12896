// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Target.cpp - processors as a target ---------------------------------===//
//
// Joins the parts that make code for processors: the chips, the generator of
// contractions, and the generic way that takes everything else.
//
//===----------------------------------------------------------------------===//

#include "targets/cpu/Target.h"

#include "dialects/nn/Nn.h"

#include "lib/codegen/Codegen.h"
#include "lib/codegen/contraction/Contraction.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace tenon::cpu {

namespace {

struct EmbeddedChip {
  llvm::StringLiteral name, text;
};

/// The chips/*.json as they were when this was built, sorted by name.
constexpr EmbeddedChip embeddedChips[] = {
#include "targets/cpu/Chips.inc"
};

class CpuTarget : public Target {
public:
  explicit CpuTarget(ChipDescription chip) : chip(std::move(chip)) {}

  std::string getName() const override { return "cpu:" + chip.name; }

  Claim claim(Operation *op) const override {
    // Whatever can be written as loops can be compiled; what cannot has no numbers in it.
    for (Type type : llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()),
                                              SmallVector<Type>(op->getResultTypes()))) {
      Type element = getElementTypeOrSelf(type);
      if (!element.isIntOrIndexOrFloat())
        return {Claim::Kind::Declined,
                llvm::formatv("elements of type {0} are no numbers", element).str(), 0};
    }
    // The generator keeps rows of a head in registers. Otherwise the scores need memory, too.
    if (auto attention = dyn_cast<nn::AttentionOp>(op);
        attention && (attention.getQuery().getType().isDynamicDim(3) ||
                      attention.getValue().getType().isDynamicDim(3)))
      return {Claim::Kind::Declined, "its head size is not known", 0};
    // Groups are taken apart, and its padded input has no bound.
    if (auto conv = dyn_cast<nn::ConvOp>(op);
        conv && conv.getGroups() > 1 && !conv.isDepthwise() &&
        ShapedType::isDynamicShape(conv.getInput().getType().getShape().drop_front()))
      return {Claim::Kind::Declined, "it has groups, and its input's size is not known", 0};
    // Its parts need the spread input in memory, which only the plan of the whole program can give.
    if (isa<nn::ConvTransposeOp>(op))
      return {Claim::Kind::Declined, "it is computed as a convolution of the spread input", 0};
    return {Claim::Kind::Codegen, "", 0};
  }

  std::optional<plan::PackingAttr> packingFor(plan::KernelOp kernel,
                                              unsigned argument) const override {
    return choosePacking(kernel, argument, chip);
  }

  FailureOr<TargetImage> compileKernels(ArrayRef<plan::KernelOp> kernels,
                                        const TargetOptions &options) const override {
    CodegenOptions codegen;
    codegen.chip = chip;
    codegen.optimize = options.optimize;
    codegen.threads = options.threads;
    codegen.cacheDirectory = options.cacheDirectory;
    codegen.generators.push_back(generateContraction);
    FailureOr<CompiledImage> compiled = tenon::compileKernels(kernels, codegen);
    if (failed(compiled))
      return failure();
    TargetImage image{
        std::move(compiled->bytes), compiled->triple, compiled->cpu, compiled->features, {}};
    for (KernelCode &kernel : compiled->kernels)
      image.kernels.push_back({kernel.entry, std::move(kernel.declined)});
    return image;
  }

private:
  ChipDescription chip;
};

} // namespace

std::vector<std::string> getChipNames() {
  std::vector<std::string> names;
  for (const EmbeddedChip &chip : embeddedChips)
    names.push_back(chip.name.str());
  return names;
}

llvm::Expected<ChipDescription> findChip(StringRef name) {
  if (name == "host")
    return describeHostChip();
  for (const EmbeddedChip &chip : embeddedChips)
    if (chip.name == name)
      return parseChipDescription(chip.text, (name + ".json").str());
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 "the target cpu has no chip '" + name + "', only host, " +
                                     llvm::join(getChipNames(), ", "));
}

ChipDescription getBaselineChip() {
#if defined(__x86_64__)
  return llvm::cantFail(findChip("x86-64-v2"));
#elif defined(__aarch64__)
  return llvm::cantFail(findChip("aarch64"));
#else
#error "no chip is the baseline of this processor's architecture"
#endif
}

std::unique_ptr<Target> createTarget(ChipDescription chip) {
  return std::make_unique<CpuTarget>(std::move(chip));
}

} // namespace tenon::cpu
