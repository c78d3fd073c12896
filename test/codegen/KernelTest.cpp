// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelTest.cpp - kernels compiled, run and compared with C++ --------===//
//
// What kernel-run cannot check by comparing two of our own ways of compiling: that
// functions are what their names say, and what a cache, another chip or a kernel that
// cannot be compiled lead to.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Codegen.h"
#include "lib/codegen/Passes.h"
#include "targets/cpu/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

// Last: the system's <link.h> defines the names of LLVM's ELF constants as macros.
#include "test/codegen/LoadedImage.h"

using namespace mlir;
using namespace tenon;
using ::testing::HasSubstr;

namespace {

class Kernels : public ::testing::Test {
protected:
  Kernels() : context(registry()) { context.loadAllAvailableDialects(); }

  static DialectRegistry registry() {
    DialectRegistry registry;
    registerCodegenDialects(registry);
    return registry;
  }

  static CodegenOptions optionsFor(StringRef chip, bool optimize = true) {
    CodegenOptions options;
    options.chip = llvm::cantFail(cpu::findChip(chip));
    options.optimize = optimize;
    options.threads = 1;
    return options;
  }

  OwningOpRef<ModuleOp> parse(const std::string &text) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    return module;
  }

  static SmallVector<plan::KernelOp> kernelsOf(ModuleOp module) {
    return llvm::to_vector(module.getOps<plan::KernelOp>());
  }

  /// Compiles the one kernel of `text` and runs all of its groups.
  void run(const std::string &text, ArrayRef<void *> buffers, ArrayRef<int64_t> sizes,
           const CodegenOptions &options) {
    OwningOpRef<ModuleOp> module = parse(text);
    auto kernels = kernelsOf(*module);
    FailureOr<CompiledImage> image = compileKernels(kernels, options);
    ASSERT_TRUE(succeeded(image)) << text;
    LoadedImage loaded(image->bytes);
    auto kernel = loaded.at(image->kernels[0].entry);
    for (int64_t group = 0, count = countGroups(*kernels[0].getCount(), sizes); group < count;
         ++group)
      kernel(buffers.data(), sizes.data(), group);
  }

  MLIRContext context;
};

/// y = body(a, b), element by element, where `body` is MLIR text that defines %y.
std::string elementwise(const std::string &type, const std::string &body,
                        const std::string &result) {
  return "plan.kernel @k(%0: tensor<?x" + type + ">, %1: tensor<?x" + type + ">) -> tensor<?x" +
         result +
         "> {\n"
         "  %c0 = arith.constant 0 : index\n"
         "  %n = tensor.dim %0, %c0 : tensor<?x" +
         type +
         ">\n"
         "  %e = tensor.empty(%n) : tensor<?x" +
         result +
         ">\n"
         "  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, "
         "affine_map<(i) -> "
         "(i)>], iterator_types = [\"parallel\"]} ins(%0, %1 : tensor<?x" +
         type + ">, tensor<?x" + type + ">) outs(%e : tensor<?x" + result +
         ">) {\n  ^bb0(%a: " + type + ", %b: " + type + ", %o: " + result + "):\n" + body +
         "\n    linalg.yield %y : " + result + "\n  } -> tensor<?x" + result +
         ">\n  plan.yield %r : tensor<?x" + result + ">\n}\n";
}

//===----------------------------------------------------------------------===//
// Elementary functions
//===----------------------------------------------------------------------===//

struct Function {
  const char *name;
  double (*exact)(double, double);
  double low, high;
  unsigned operands = 1;
};

template <double (*f)(double)>
double unary(double x, double) {
  return f(x);
}

const Function functions[] = {
    {"exp", unary<std::exp>, -80, 80},       {"expm1", unary<std::expm1>, -2, 2},
    {"log", unary<std::log>, 1e-30, 1e3},    {"log1p", unary<std::log1p>, -0.9, 10},
    {"log2", unary<std::log2>, 1e-30, 1e3},  {"log10", unary<std::log10>, 1e-30, 1e3},
    {"sin", unary<std::sin>, -100, 100},     {"cos", unary<std::cos>, -100, 100},
    {"tan", unary<std::tan>, -1.5, 1.5},     {"asin", unary<std::asin>, -1, 1},
    {"acos", unary<std::acos>, -1, 1},       {"atan", unary<std::atan>, -50, 50},
    {"sinh", unary<std::sinh>, -20, 20},     {"cosh", unary<std::cosh>, -20, 20},
    {"tanh", unary<std::tanh>, -10, 10},     {"asinh", unary<std::asinh>, -1000, 1000},
    {"acosh", unary<std::acosh>, 1, 1000},   {"atanh", unary<std::atanh>, -0.99, 0.99},
    {"erf", unary<std::erf>, -6, 6},         {"erfc", unary<std::erfc>, -6, 6},
    {"cbrt", unary<std::cbrt>, -100, 100},   {"sqrt", unary<std::sqrt>, 0, 100},
    {"round", unary<std::round>, -100, 100}, {"floor", unary<std::floor>, -100, 100},
    {"powf", std::pow, 0.01, 20, 2},         {"atan2", std::atan2, -10, 10, 2},
};

class ElementaryFunctions : public Kernels, public ::testing::WithParamInterface<Function> {
protected:
  /// The largest difference from `exact`, relative to its value or to `least`, whichever is larger.
  template <typename Float>
  void compare(const char *type, double tolerance, double least) {
    const Function &function = GetParam();
    std::mt19937 random(7);
    std::uniform_real_distribution<double> in(function.low, function.high);
    constexpr int64_t count = 1003;
    std::vector<Float> a(count), b(count), y(count);
    for (int64_t index = 0; index < count; ++index) {
      a[index] = in(random);
      b[index] = in(random);
    }
    std::string call = std::string("    %y = math.") + function.name +
                       (function.operands == 2 ? " %a, %b : " : " %a : ") + type;
    // The reference does without fused multiply-add.
    for (bool optimize : {true, false}) {
      run(elementwise(type, call, type), {a.data(), b.data(), y.data()}, {count, count, count},
          optionsFor("host", optimize));
      for (int64_t index = 0; index < count; ++index) {
        double exact = function.exact(a[index], b[index]);
        EXPECT_NEAR(y[index], exact, tolerance * std::max(std::fabs(exact), least))
            << function.name << "(" << a[index] << ", " << b[index] << ")";
      }
    }
  }
};

TEST_P(ElementaryFunctions, OfFloat32) { compare<float>("f32", 4e-6, 1e-2); }
TEST_P(ElementaryFunctions, OfFloat64) { compare<double>("f64", 4e-14, 1e-3); }
INSTANTIATE_TEST_SUITE_P(All, ElementaryFunctions, ::testing::ValuesIn(functions),
                         [](const auto &info) { return std::string(info.param.name); });

TEST_F(Kernels, RemaindersAreExact) {
  std::vector<float> a = {5.5f, -5.5f, 1e30f, 3.f, 0.f, 1e-40f, 7.f, -1.f, INFINITY, 1.f};
  std::vector<float> b = {2.f, 2.f, 3.7f, -5.f, 3.f, 3e-42f, INFINITY, 1.f, 2.f, 0.f};
  std::vector<float> y(a.size());
  int64_t count = a.size();
  run(elementwise("f32", "    %y = arith.remf %a, %b : f32", "f32"), {a.data(), b.data(), y.data()},
      {count, count, count}, optionsFor("host"));
  for (int64_t index = 0; index < count; ++index) {
    float exact = std::fmod(a[index], b[index]);
    EXPECT_TRUE(y[index] == exact || (std::isnan(y[index]) && std::isnan(exact)))
        << a[index] << " % " << b[index] << " = " << exact << ", not " << y[index];
  }
}

TEST_F(Kernels, PowersOfIntegers) {
  std::vector<int64_t> a = {3, -3, 2, 0, 0, 7, -1, -1, 5, 2},
                       b = {4, 3, 62, 0, 5, 0, -3, -2, -1, 64}, y(a.size());
  std::vector<int64_t> expected = {81, -27, int64_t(1) << 62, 1, 0, 1, -1, 1, 0, 0};
  int64_t count = a.size();
  run(elementwise("i64", "    %y = math.ipowi %a, %b : i64", "i64"), {a.data(), b.data(), y.data()},
      {count, count, count}, optionsFor("host"));
  EXPECT_EQ(y, expected);
}

TEST_F(Kernels, SpecialValuesOfFloat64) {
  std::vector<double> a = {INFINITY, -INFINITY, NAN, 0.0, 800, -800, 1e-310, -1.0};
  std::vector<double> y(a.size());
  int64_t count = a.size();
  for (auto [name, exact] : {std::pair<const char *, double (*)(double)>{"exp", std::exp},
                             {"log", std::log},
                             {"tanh", std::tanh},
                             {"erf", std::erf},
                             {"atan", std::atan},
                             {"sin", std::sin}}) {
    run(elementwise("f64", std::string("    %y = math.") + name + " %a : f64", "f64"),
        {a.data(), a.data(), y.data()}, {count, count, count}, optionsFor("host"));
    for (int64_t index = 0; index < count; ++index) {
      double expected = exact(a[index]);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(y[index])) << name << "(" << a[index] << ") = " << y[index];
      else
        EXPECT_DOUBLE_EQ(y[index], expected) << name << "(" << a[index] << ")";
    }
  }
}

TEST_F(Kernels, BrainFloatsRoundToNearestEven) {
  // The middle between two neighbours goes to the even one, just above it upwards.
  std::vector<uint32_t> a = {0x3f800000, 0x3f808000, 0x3f818000,
                             0x3f808001, 0x7f800000, 0xbf80ffff};
  std::vector<uint16_t> y(a.size()), expected = {0x3f80, 0x3f80, 0x3f82, 0x3f81, 0x7f80, 0xbf81};
  int64_t count = a.size();
  for (StringRef chip : {"x86-64-v2", "x86-64-v3", "host"}) {
    run(elementwise("f32", "    %y = arith.truncf %a : f32 to bf16", "bf16"),
        {a.data(), a.data(), y.data()}, {count, count, count}, optionsFor(chip));
    EXPECT_EQ(y, expected) << chip.str();
    std::vector<double> wide(y.size());
    run(elementwise("bf16", "    %y = arith.extf %a : bf16 to f64", "f64"),
        {y.data(), y.data(), wide.data()}, {count, count, count}, optionsFor(chip));
    EXPECT_THAT(wide, ::testing::ElementsAre(1, 1, 1.015625, 1.0078125, INFINITY, -1.0078125))
        << chip.str();
  }
}

#ifdef __x86_64__
TEST_F(Kernels, TheReferenceRoundsAlikeOnEveryChip) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> in(-4, 4);
  constexpr int64_t count = 1003;
  std::vector<float> a(count), b(count);
  for (std::vector<float> *values : {&a, &b})
    for (float &value : *values)
      value = in(random);
  // What a chip with fused multiply-add would fuse: by permission, and in the exponential.
  std::string text = elementwise("f32",
                                 "    %p = arith.mulf %a, %b fastmath<fast> : f32\n"
                                 "    %s = arith.addf %p, %b fastmath<fast> : f32\n"
                                 "    %h = arith.truncf %s : f32 to f16\n"
                                 "    %w = arith.extf %h : f16 to f32\n"
                                 "    %x = math.exp %w : f32\n"
                                 "    %y = arith.addf %x, %p fastmath<fast> : f32",
                                 "f32");
  std::vector<float> first(count), y(count);
  for (StringRef chip : {"x86-64-v2", "x86-64-v3", "host"}) {
    run(text, {a.data(), b.data(), y.data()}, {count, count, count},
        optionsFor(chip, /*optimize=*/false));
    if (chip == "x86-64-v2")
      first = y;
    EXPECT_EQ(y, first) << chip.str();
  }
}
#endif

TEST_F(Kernels, NarrowFloatsConvertAsTheProcessorDoes) {
  // All halves to f32 and back; the chip without instructions for it against the one with.
  constexpr int64_t count = 1 << 16;
  std::vector<uint16_t> half(count), back(count);
  std::vector<float> single(count), expected(count);
  for (int64_t index = 0; index < count; ++index)
    half[index] = index;
  for (auto [chip, result] : {std::pair("x86-64-v2", &single), std::pair("x86-64-v3", &expected)})
    run(elementwise("f16", "    %y = arith.extf %a : f16 to f32", "f32"),
        {half.data(), half.data(), result->data()}, {count, count, count}, optionsFor(chip));
  for (int64_t index = 0; index < count; ++index)
    ASSERT_TRUE(single[index] == expected[index] ||
                (std::isnan(single[index]) && std::isnan(expected[index])))
        << index;

  std::mt19937 random(11);
  std::uniform_real_distribution<float> in(-70000, 70000), tiny(-7e-5f, 7e-5f);
  for (int64_t index = 0; index < count; ++index)
    single[index] = index % 2 ? in(random) : tiny(random);
  for (auto [chip, result] : {std::pair("x86-64-v2", &back), std::pair("x86-64-v3", &half)})
    run(elementwise("f32", "    %y = arith.truncf %a : f32 to f16", "f16"),
        {single.data(), single.data(), result->data()}, {count, count, count}, optionsFor(chip));
  EXPECT_EQ(back, half);
}

/// A float of 8 or 4 bits, whose code is a byte in memory.
struct NarrowFloat {
  const char *type;
  const llvm::fltSemantics &semantics;
  unsigned bits = 8;

  std::string toCode() const {
    return bits == 8 ? std::string("    %y = arith.bitcast %f : ") + type + " to i8"
                     : std::string("    %c = arith.bitcast %f : ") + type +
                           " to i4\n    %y = arith.extui %c : i4 to i8";
  }
  std::string fromCode() const {
    return bits == 8 ? std::string("    %f = arith.bitcast %a : i8 to ") + type + "\n"
                     : std::string("    %c = arith.trunci %a : i8 to i4\n    %f = arith.bitcast %c "
                                   ": i4 to ") +
                           type + "\n";
  }
};

std::vector<NarrowFloat> narrowFloats() {
  return {{"f8E4M3FN", llvm::APFloat::Float8E4M3FN()},
          {"f8E4M3FNUZ", llvm::APFloat::Float8E4M3FNUZ()},
          {"f8E5M2", llvm::APFloat::Float8E5M2()},
          {"f8E5M2FNUZ", llvm::APFloat::Float8E5M2FNUZ()},
          {"f4E2M1FN", llvm::APFloat::Float4E2M1FN(), 4}};
}

TEST_F(Kernels, AllCodesOfNarrowFloatsAreTheNumbersTheyStandFor) {
  std::vector<uint8_t> codes(256);
  std::vector<float> values(256);
  for (int code = 0; code < 256; ++code)
    codes[code] = code;
  std::vector<NarrowFloat> formats = narrowFloats();
  formats.push_back({"f8E8M0FNU", llvm::APFloat::Float8E8M0FNU()});
  for (const NarrowFloat &format : formats) {
    run(elementwise("i8", format.fromCode() + "    %y = arith.extf %f : " + format.type + " to f32",
                    "f32"),
        {codes.data(), codes.data(), values.data()}, {256, 256, 256}, optionsFor("host"));
    for (int code = 0; code < 256; ++code) {
      llvm::APFloat exact(format.semantics, llvm::APInt(8, code).trunc(format.bits));
      bool lost;
      exact.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &lost);
      EXPECT_TRUE(exact.isNaN() ? std::isnan(values[code])
                                : exact.bitwiseIsEqual(llvm::APFloat(values[code])))
          << format.type << ' ' << code << ": " << values[code];
    }
  }
}

/// Truncates `values`, of MLIR type `from`, to each narrow float and compares with APFloat.
template <typename T, typename Run>
void expectTruncation(const std::vector<T> &values, const char *from, Run run) {
  std::vector<uint8_t> codes(values.size());
  for (const NarrowFloat &format : narrowFloats()) {
    run(elementwise(from,
                    std::string("    %f = arith.truncf %a : ") + from + " to " + format.type +
                        "\n" + format.toCode(),
                    "i8"),
        codes.data());
    for (size_t index = 0; index < values.size(); ++index) {
      llvm::APFloat exact(values[index]);
      bool lost;
      // A format without NaN has -0 for it here, and its largest number for infinity, as all of
      // ONNX's tools have it; APFloat has another answer.
      if (!exact.isFinite() && format.bits == 4) {
        EXPECT_EQ(codes[index], exact.isNaN() ? 8 : exact.isNegative() ? 15 : 7);
        continue;
      }
      exact.convert(format.semantics, llvm::APFloat::rmNearestTiesToEven, &lost);
      llvm::APFloat result(format.semantics, llvm::APInt(8, codes[index]).trunc(format.bits));
      ASSERT_TRUE(exact.isNaN() ? result.isNaN() : exact.bitwiseIsEqual(result))
          << format.type << " of " << values[index] << " is " << int(codes[index]);
    }
  }
}

TEST_F(Kernels, NarrowFloatsRoundToNearestEven) {
  // A sweep through all exponents, and for each the neighbourhood of what is in the middle of two.
  std::vector<float> values;
  for (uint64_t bits = 0; bits < uint64_t(1) << 32; bits += 65521)
    values.push_back(llvm::bit_cast<float>(uint32_t(bits)));
  for (uint32_t upper = 0; upper < 1 << 13; ++upper)
    for (int near = -1; near <= 1; ++near)
      values.push_back(llvm::bit_cast<float>((upper << 19) + near));
  int64_t count = values.size();
  expectTruncation(values, "f32", [&](const std::string &text, uint8_t *codes) {
    run(text, {values.data(), values.data(), codes}, {count, count, count}, optionsFor("host"));
  });
}

TEST_F(Kernels, DoublesAreRoundedOnceToNarrowFloats) {
  // In the middle of two, and so near to it that f32 does not see the difference.
  std::vector<double> values;
  for (uint64_t exponent = 1023 - 30; exponent <= 1023 + 20; ++exponent)
    for (uint64_t mantissa = 0; mantissa < 64; ++mantissa)
      for (int near = -1; near <= 1; ++near)
        values.push_back(llvm::bit_cast<double>((exponent << 52) + (mantissa << 46) + near));
  int64_t count = values.size();
  expectTruncation(values, "f64", [&](const std::string &text, uint8_t *codes) {
    run(text, {values.data(), values.data(), codes}, {count, count, count}, optionsFor("host"));
  });
  // Half of the last place of f16 and bf16, and a little more; subnormal too.
  std::vector<uint16_t> y(4);
  std::vector<double> a = {1 + 0x1p-11, 1 + 0x1p-11 + 0x1p-50, -(1 + 0x1p-11 + 0x1p-50), 0x1.8p-25};
  for (StringRef chip : {"x86-64-v2", "x86-64-v3", "host"}) {
    run(elementwise("f64", "    %y = arith.truncf %a : f64 to f16", "f16"),
        {a.data(), a.data(), y.data()}, {4, 4, 4}, optionsFor(chip));
    EXPECT_EQ(y, (std::vector<uint16_t>{0x3c00, 0x3c01, 0xbc01, 1})) << chip.str();
    std::vector<double> b = {1 + 0x1p-8, 1 + 0x1p-8 + 0x1p-50, -(1 + 0x1p-8 + 0x1p-50), 0x1p-134};
    run(elementwise("f64", "    %y = arith.truncf %a : f64 to bf16", "bf16"),
        {b.data(), b.data(), y.data()}, {4, 4, 4}, optionsFor(chip));
    EXPECT_EQ(y, (std::vector<uint16_t>{0x3f80, 0x3f81, 0xbf81, 0})) << chip.str();
  }
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

TEST_F(Kernels, AttentionIsSoftmaxOfProducts) {
  constexpr int64_t heads = 4, keyHeads = 2, size = 24, valueSize = 20, queries = 37, keys = 301,
                    past = 264;
  std::mt19937 random(3);
  std::uniform_real_distribution<float> in(-1, 1);
  auto make = [&](int64_t count) {
    std::vector<float> values(count);
    for (float &value : values)
      value = in(random);
    return values;
  };
  std::vector<float> q = make(heads * queries * size), k = make(keyHeads * keys * size),
                     v = make(keyHeads * keys * valueSize), mask = make(queries * keys),
                     y(heads * queries * valueSize);
  std::string text = R"(
    plan.kernel @k(%q: tensor<1x4x?x24xf32>, %k: tensor<1x2x?x24xf32>, %v: tensor<1x2x?x20xf32>, %m: tensor<?x?xf32>,
                   %past: index) -> tensor<1x4x?x20xf32> {
      %y = nn.attention %q, %k, %v scale = 0.5 mask(%m : tensor<?x?xf32>) causal offset(%past)
          : (tensor<1x4x?x24xf32>, tensor<1x2x?x24xf32>, tensor<1x2x?x20xf32>) -> tensor<1x4x?x20xf32>
      plan.yield %y : tensor<1x4x?x20xf32>
    })";
  for (bool optimize : {false, true}) {
    run(text, {q.data(), k.data(), v.data(), mask.data(), y.data()},
        {queries, keys, keys, queries, keys, queries, past}, optionsFor("host", optimize));
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < queries; ++i) {
        std::vector<double> weights(keys);
        double total = 0;
        for (int64_t j = 0; j < keys && j <= i + past; ++j) {
          double score = 0;
          for (int64_t d = 0; d < size; ++d)
            score += q[(h * queries + i) * size + d] * k[(h / 2 * keys + j) * size + d];
          total += weights[j] = std::exp(0.5 * score + mask[i * keys + j]);
        }
        for (int64_t e = 0; e < valueSize; ++e) {
          double expected = 0;
          for (int64_t j = 0; j < keys; ++j)
            expected += weights[j] / total * v[(h / 2 * keys + j) * valueSize + e];
          ASSERT_NEAR(y[(h * queries + i) * valueSize + e], expected, 1e-5)
              << h << ' ' << i << ' ' << e;
        }
      }
  }
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

const std::string addition = elementwise("f32", "    %y = arith.addf %a, %b : f32", "f32");

TEST_F(Kernels, EmptyTensorsHaveNoGroups) {
  OwningOpRef<ModuleOp> module = parse(addition);
  auto kernels = kernelsOf(*module);
  ASSERT_TRUE(succeeded(compileKernels(kernels, optionsFor("host"))));
  EXPECT_EQ(countGroups(*kernels[0].getCount(), {0, 0, 0}), 0);
  EXPECT_GT(countGroups(*kernels[0].getCount(), {1000000, 1000000, 1000000}), 8);
}

TEST_F(Kernels, ImagesAreReproducible) {
  std::string other = elementwise("f32", "    %y = math.exp %a : f32", "f32");
  other.replace(other.find("@k"), 2, "@l");
  std::string first, second;
  for (std::string *bytes : {&first, &second}) {
    CodegenOptions options = optionsFor("x86-64-v3");
    options.threads = bytes == &first ? 1 : 2;
    OwningOpRef<ModuleOp> module = parse(bytes == &first ? addition + other : other + addition);
    FailureOr<CompiledImage> image = compileKernels(kernelsOf(*module), options);
    ASSERT_TRUE(succeeded(image));
    *bytes = image->bytes;
  }
  EXPECT_EQ(first, second);
}

TEST_F(Kernels, ThereMayBeNone) {
  FailureOr<CompiledImage> image = compileKernels({}, optionsFor("host"));
  ASSERT_TRUE(succeeded(image));
  LoadedImage loaded(image->bytes);
  EXPECT_TRUE(image->kernels.empty());
}

TEST_F(Kernels, EqualKernelsAreOne) {
  std::string renamed = addition;
  renamed.replace(renamed.find("@k"), 2, "@l");
  OwningOpRef<ModuleOp> module = parse(addition + renamed);
  FailureOr<CompiledImage> image = compileKernels(kernelsOf(*module), optionsFor("host"));
  ASSERT_TRUE(succeeded(image));
  EXPECT_EQ(image->kernels[0].entry, image->kernels[1].entry);
}

TEST_F(Kernels, ImagesForOtherMachinesNeedNothingFromOutside) {
  for (StringRef chip : {"aarch64", "neoverse-n1", "neoverse-v1", "x86-64-v2", "sapphirerapids"}) {
    OwningOpRef<ModuleOp> module = parse(
        elementwise("f16", "    %t = math.tanh %a : f16\n    %y = arith.addf %t, %b : f16", "f16"));
    FailureOr<CompiledImage> image = compileKernels(kernelsOf(*module), optionsFor(chip));
    ASSERT_TRUE(succeeded(image)) << chip.str();
    auto file = llvm::cantFail(
        llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(image->bytes, "image")));
    EXPECT_EQ(file->getArch(), llvm::Triple(image->triple).getArch()) << chip.str();
    auto *elf = llvm::cast<llvm::object::ELFObjectFileBase>(file.get());
    for (const llvm::object::ELFSymbolRef &symbol : elf->getDynamicSymbolIterators())
      EXPECT_FALSE(llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined)
          << chip.str() << ": " << llvm::cantFail(symbol.getName()).str();
    for (const llvm::object::SectionRef &section : file->sections())
      EXPECT_FALSE(llvm::cantFail(section.getName()).starts_with(".rela")) << chip.str();
  }
}

TEST_F(Kernels, SegmentsShareNoPage) {
  // Memory is protected page by page, and AArch64's systems choose between pages of 4, 16 and
  // 64 KiB.
  for (auto [chip, page] : {std::pair<StringRef, uint64_t>{"aarch64", 65536},
                            {"neoverse-v1", 65536},
                            {"x86-64-v2", 4096}}) {
    OwningOpRef<ModuleOp> module = parse(elementwise("f64", "    %y = math.sin %a : f64", "f64"));
    FailureOr<CompiledImage> image = compileKernels(kernelsOf(*module), optionsFor(chip));
    ASSERT_TRUE(succeeded(image)) << chip.str();
    auto elf = llvm::cantFail(llvm::object::ELF64LEFile::create(image->bytes));
    uint64_t end = 0;
    unsigned segments = 0;
    for (const auto &header : llvm::cantFail(elf.program_headers())) {
      if (header.p_type != PT_LOAD)
        continue;
      EXPECT_GE(header.p_vaddr / page * page, end) << chip.str();
      end = llvm::alignTo(header.p_vaddr + header.p_memsz, page);
      ++segments;
    }
    EXPECT_GE(segments, 2u) << chip.str();
  }
}

TEST_F(Kernels, TheCacheIsFilledReadAndRepaired) {
  SmallString<128> directory;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("kernel-cache", directory));
  CodegenOptions options = optionsFor("host");
  options.cacheDirectory = std::string(directory);
  auto compile = [&] {
    OwningOpRef<ModuleOp> module = parse(addition);
    FailureOr<CompiledImage> image = compileKernels(kernelsOf(*module), options);
    EXPECT_TRUE(succeeded(image));
    return image->bytes;
  };
  std::string original = compile();
  std::error_code error;
  llvm::sys::fs::directory_iterator entry(directory, error), end;
  ASSERT_TRUE(!error && entry != end);
  std::string path = entry->path();
  EXPECT_EQ(entry.increment(error), end);
  EXPECT_EQ(compile(), original);
  {
    llvm::raw_fd_ostream damaged(path, error, llvm::sys::fs::OF_Append);
    damaged << "x";
  }
  EXPECT_EQ(compile(), original);
  llvm::sys::fs::remove_directories(directory);
}

TEST_F(Kernels, ATemporaryWithoutBoundIsReported) {
  // A transpose of what is computed here keeps the whole of it; its rows are reduced before.
  std::string text = R"(
    plan.kernel @k(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>) -> tensor<?x?xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      %m = tensor.dim %a, %c0 : tensor<?x?xf32>
      %k = tensor.dim %b, %c0 : tensor<?x?xf32>
      %n = tensor.dim %b, %c1 : tensor<?x?xf32>
      %e = tensor.empty(%m, %n) : tensor<?x?xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
      %p = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%f : tensor<?x?xf32>) -> tensor<?x?xf32>
      %q = linalg.matmul ins(%p, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%f : tensor<?x?xf32>) -> tensor<?x?xf32>
      plan.yield %q : tensor<?x?xf32>
    })";
  OwningOpRef<ModuleOp> module = parse(text);
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(compileKernels(kernelsOf(*module), optionsFor("host"))));
  EXPECT_THAT(message, HasSubstr("kernel k could not be compiled for host"));
  EXPECT_THAT(message, HasSubstr("needs scratch"));
}

} // namespace
