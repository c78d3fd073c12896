// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelRun.cpp - compile one kernel, run it, compare with -O0 --------===//
//
//   kernel-run file.mlir --size=37 --size=128 [--time] [--tolerance=1e-5] [--chip=x86-64-v3]
//
// The file holds one plan.kernel. `--size` gives its `sizes` in the order of the calling
// convention: dynamic dimensions of arguments and then of results, then index arguments. All
// arguments get random numbers. The optimised kernel's results are compared with
// those of the same kernel compiled at -O0; memory behind every buffer is checked for
// stray writes. With `--time` the best time of many runs on one thread is printed.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Codegen.h"
#include "lib/codegen/Passes.h"
#include "lib/codegen/contraction/Contraction.h"
#include "targets/cpu/Target.h"
#include "test/codegen/LoadedImage.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace tenon;
namespace cl = llvm::cl;

namespace {

/// What the command line asks for, copied: linking resets all of llvm::cl's options.
struct Arguments {
  std::string file, chip;
  SmallVector<int64_t> sizes;
  double tolerance, flops, scale;
  int64_t low, high;
  bool positive, time, assembly, generic, reference;
};

Arguments parse(int argc, char **argv) {
  // LLVM keeps pointers to options for good.
  static cl::OptionCategory category{"kernel-run"};
  static cl::opt<std::string> file{cl::Positional, cl::desc("<file>"), cl::Required,
                                   cl::cat(category)};
  static cl::list<int64_t> sizes{"size", cl::desc("Entries of `sizes`"), cl::cat(category)};
  static cl::opt<std::string> chip{"chip", cl::desc("Chip to compile for"), cl::init("host"),
                                   cl::cat(category)};
  static cl::opt<double> tolerance{"tolerance", cl::desc("Largest accepted difference"),
                                   cl::init(1e-5), cl::cat(category)};
  static cl::opt<double> flops{"flops", cl::desc("Operations of one run, for GFLOP/s"), cl::init(0),
                               cl::cat(category)};
  static cl::opt<int64_t> low{"low", cl::desc("Smallest random integer"), cl::init(0),
                              cl::cat(category)};
  static cl::opt<int64_t> high{"high", cl::desc("Largest random integer"), cl::init(7),
                               cl::cat(category)};
  static cl::opt<double> scale{"scale", cl::desc("Random floats are in [-scale, scale]"),
                               cl::init(1), cl::cat(category)};
  static cl::opt<bool> positive{"positive", cl::desc("Random floats are in (0, scale]"),
                                cl::cat(category)};
  static cl::opt<bool> time{"time", cl::desc("Measure"), cl::cat(category)};
  static cl::opt<bool> assembly{"assembly", cl::desc("Print the assembly text and do not run"),
                                cl::cat(category)};
  static cl::opt<bool> generic{"generic", cl::desc("Leave out the generators"), cl::cat(category)};
  static cl::opt<bool> reference{"print-reference", cl::desc("Print the first results of -O0"),
                                 cl::cat(category)};
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "Compiles one kernel, runs it and compares it with -O0.\n");
  return {file,      chip,     SmallVector<int64_t>(sizes.begin(), sizes.end()),
          tolerance, flops,    scale,
          low,       high,     positive,
          time,      assembly, generic,
          reference};
}

constexpr size_t guardBytes = 256;
constexpr unsigned char guard = 0xA5;

struct Buffer {
  RankedTensorType type;
  SmallVector<int64_t> shape;
  int64_t elements = 1, width = 1;
  std::vector<unsigned char> storage;
  unsigned char *data = nullptr;

  void allocate() {
    for (int64_t size : shape)
      elements *= size;
    width = llvm::divideCeil(type.getElementType().getIntOrFloatBitWidth(), 8);
    storage.assign(elements * width + 2 * guardBytes + 64, guard);
    data = reinterpret_cast<unsigned char *>(
        llvm::alignTo(uintptr_t(storage.data()) + guardBytes, 64));
  }
  bool guardsIntact() const {
    const unsigned char *end = data + elements * width;
    return std::all_of(storage.data(), (const unsigned char *)data,
                       [](unsigned char c) { return c == guard; }) &&
           std::all_of(end, storage.data() + storage.size(),
                       [](unsigned char c) { return c == guard; });
  }
  double at(int64_t index) const {
    Type element = type.getElementType();
    llvm::APInt bits(std::max<unsigned>(width * 8, 8), 0);
    uint64_t raw = 0;
    std::memcpy(&raw, data + index * width, width);
    if (auto floating = dyn_cast<FloatType>(element)) {
      llvm::APFloat value(floating.getFloatSemantics(),
                          llvm::APInt(floating.getWidth(), raw, false, true));
      bool lost;
      value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
      return value.convertToDouble();
    }
    return double(llvm::SignExtend64(raw, std::min<unsigned>(width * 8, 64)));
  }
  void set(int64_t index, double value) {
    uint64_t raw;
    if (auto floating = dyn_cast<FloatType>(type.getElementType())) {
      llvm::APFloat number(value);
      bool lost;
      number.convert(floating.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &lost);
      raw = number.bitcastToAPInt().getZExtValue();
    } else {
      raw = static_cast<uint64_t>(static_cast<int64_t>(value));
      if (type.getElementType().isInteger(1))
        raw &= 1;
    }
    std::memcpy(data + index * width, &raw, width);
  }
};

/// All groups of a kernel in order.
struct Runner {
  LoadedImage image;
  LoadedImage::Kernel function;
  int64_t groups;

  void run(std::vector<Buffer> &buffers, ArrayRef<int64_t> sizes) {
    std::vector<void *> pointers;
    for (Buffer &buffer : buffers)
      pointers.push_back(buffer.data);
    for (int64_t group = 0; group < groups; ++group)
      function(pointers.data(), sizes.data(), group);
  }
};

std::optional<Runner> compile(plan::KernelOp kernel, const CodegenOptions &options,
                              ArrayRef<int64_t> sizes) {
  auto start = std::chrono::steady_clock::now();
  FailureOr<CompiledImage> compiled = compileKernels({kernel}, options);
  if (failed(compiled))
    return std::nullopt;
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  Runner runner{LoadedImage(compiled->bytes), nullptr, countGroups(*kernel.getCount(), sizes)};
  runner.function = runner.image.at(compiled->kernels[0].entry);
  llvm::outs() << (options.optimize ? "O2" : "O0") << ": " << runner.groups
               << " groups, compiled in " << llvm::format("%.0f", took.count()) << " ms";
  if (options.optimize && !compiled->kernels[0].declined.empty())
    llvm::outs() << ", generic because " << compiled->kernels[0].declined;
  llvm::outs() << "\n";
  return runner;
}

std::vector<Buffer> makeBuffers(plan::KernelOp kernel, ArrayRef<int64_t> sizes) {
  std::vector<Buffer> buffers;
  // Buffers point into themselves: they must not move.
  buffers.reserve(kernel.getArgumentTypes().size() + kernel.getResultTypes().size());
  for (TypeRange types : {TypeRange(kernel.getArgumentTypes()), TypeRange(kernel.getResultTypes())})
    for (Type type : types) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor)
        continue;
      Buffer &buffer = buffers.emplace_back();
      buffer.type = tensor;
      for (int64_t size : tensor.getShape()) {
        if (ShapedType::isDynamic(size)) {
          size = sizes.front();
          sizes = sizes.drop_front();
        }
        buffer.shape.push_back(size);
      }
      buffer.allocate();
    }
  return buffers;
}

void fill(std::vector<Buffer> &buffers, unsigned inputs, const Arguments &arguments) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> real(arguments.positive ? 1e-3 : -1.0, 1.0);
  std::uniform_int_distribution<int64_t> integer(arguments.low, arguments.high);
  for (Buffer &buffer : MutableArrayRef(buffers).take_front(inputs))
    for (int64_t index = 0; index < buffer.elements; ++index)
      buffer.set(index, isa<FloatType>(buffer.type.getElementType())
                            ? real(random) * arguments.scale
                            : double(integer(random)));
}

/// Prints how far two results are apart; whether that is acceptable.
bool compare(const Buffer &result, const Buffer &expected, double tolerance) {
  double worst = 0, largest = 0;
  int64_t wrong = 0, first = -1;
  for (int64_t index = 0; index < expected.elements; ++index) {
    double a = result.at(index), b = expected.at(index);
    largest = std::max(largest, std::isfinite(b) ? std::fabs(b) : 0);
    bool same = a == b || (std::isnan(a) && std::isnan(b));
    double difference = same ? 0 : std::fabs(a - b);
    // Relative to what is typical rather than to the element: sums may cancel.
    if (!same && !(difference <= tolerance * std::max(1.0, std::fabs(b)))) {
      ++wrong;
      first = first < 0 ? index : first;
    }
    if (std::isfinite(difference))
      worst = std::max(worst, difference);
  }
  llvm::outs() << expected.type << ": largest difference " << llvm::format("%.3g", worst)
               << ", largest value " << llvm::format("%.3g", largest);
  if (wrong)
    llvm::outs() << ", WRONG in " << wrong << " of " << expected.elements << ", first at " << first
                 << ": " << llvm::format("%g", result.at(first)) << " instead of "
                 << llvm::format("%g", expected.at(first));
  llvm::outs() << "\n";
  return wrong == 0;
}

void measure(Runner &runner, std::vector<Buffer> &buffers, ArrayRef<int64_t> sizes, double flops) {
  using Clock = std::chrono::steady_clock;
  double best = 1e30, total = 0;
  for (int run = 0; run < 10000 && (total < 1.0 || run < 5); ++run) {
    auto start = Clock::now();
    runner.run(buffers, sizes);
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
  }
  double bytes = 0;
  for (Buffer &buffer : buffers)
    bytes += buffer.elements * buffer.width;
  llvm::outs() << "best " << llvm::format("%.2f", best * 1e6) << " us, "
               << llvm::format("%.1f", bytes / best * 1e-9) << " GB/s";
  if (flops > 0)
    llvm::outs() << ", " << llvm::format("%.1f", flops / best * 1e-9) << " GFLOP/s";
  llvm::outs() << "\n";
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Arguments arguments = parse(argc, argv);

  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(arguments.file, &context);
  if (!module)
    return 1;
  auto kernels = llvm::to_vector(module->getOps<plan::KernelOp>());
  if (kernels.size() != 1) {
    llvm::errs() << arguments.file << ": expected one plan.kernel, found " << kernels.size()
                 << "\n";
    return 1;
  }
  plan::KernelOp kernel = kernels.front();
  llvm::Expected<ChipDescription> chip = cpu::findChip(arguments.chip);
  if (!chip) {
    llvm::errs() << llvm::toString(chip.takeError()) << "\n";
    return 1;
  }
  CodegenOptions options;
  options.chip = *chip;
  options.threads = 1;
  if (!arguments.generic)
    options.generators.push_back(generateContraction);
  if (arguments.assembly) {
    FailureOr<std::string> text = compileToAssembly(kernel, options);
    if (failed(text))
      return 1;
    llvm::outs() << *text;
    return 0;
  }
  if (arguments.sizes.size() != kernel.getNumSizes()) {
    llvm::errs() << "the kernel has " << kernel.getNumSizes() << " sizes, but "
                 << arguments.sizes.size() << " --size are given\n";
    return 1;
  }
  SmallVector<int64_t> sizes(arguments.sizes.begin(), arguments.sizes.end());

  CodegenOptions plain = options;
  plain.optimize = false;
  plain.generators.clear();
  std::optional<Runner> reference = compile(kernel, plain, sizes);
  std::optional<Runner> runner = compile(kernel, options, sizes);
  if (!reference || !runner)
    return 1;

  unsigned inputs = kernel.getNumTensorArguments();
  std::vector<Buffer> expected = makeBuffers(kernel, sizes), buffers = makeBuffers(kernel, sizes);
  fill(expected, inputs, arguments);
  fill(buffers, inputs, arguments);
  reference->run(expected, sizes);
  runner->run(buffers, sizes);

  bool correct = true;
  for (unsigned index = inputs; index < buffers.size(); ++index) {
    if (arguments.reference) {
      for (int64_t element = 0; element < std::min<int64_t>(expected[index].elements, 16);
           ++element)
        llvm::outs() << llvm::format("%.9g ", expected[index].at(element));
      llvm::outs() << "\n";
    }
    correct &= compare(buffers[index], expected[index], arguments.tolerance);
  }
  for (std::vector<Buffer> *list : {&expected, &buffers})
    for (auto [index, buffer] : llvm::enumerate(*list))
      if (!buffer.guardsIntact()) {
        llvm::outs() << "WRITTEN OUTSIDE of buffer " << index
                     << (list == &buffers ? " by O2" : " by O0") << "\n";
        correct = false;
      }
  if (arguments.time)
    measure(*runner, buffers, sizes, arguments.flops);
  return correct ? 0 : 1;
}
