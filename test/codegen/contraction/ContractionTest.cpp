// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ContractionTest.cpp - choices of the contraction generator ---------===//
//
// What is chosen, for chips that are described here, so that the tests hold on every
// machine. That the code computes the right thing is tested by running it (*.mlir).
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Contraction.h"
#include "lib/codegen/KernelFunction.h"
#include "lib/codegen/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include <gmock/gmock.h>

using namespace mlir;
using namespace tenon;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

ChipDescription makeAvx512() {
  ChipDescription chip;
  chip.triple = "x86_64-unknown-linux-gnu";
  chip.vectorBits = 512;
  chip.vectorRegisters = 32;
  chip.l1Bytes = 48 << 10;
  chip.l2Bytes = 2 << 20;
  chip.instructionSets = {"avx512f"};
  return chip;
}

ChipDescription makeAvx2() {
  ChipDescription chip = makeAvx512();
  chip.vectorBits = 256;
  chip.vectorRegisters = 16;
  chip.instructionSets = {"avx2", "fma"};
  return chip;
}

class ContractionTest : public testing::Test {
protected:
  ContractionTest() {
    DialectRegistry registry;
    registerCodegenDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  plan::KernelOp parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return module ? *module->getOps<plan::KernelOp>().begin() : plan::KernelOp();
  }

  func::FuncOp generate(const std::string &text, const ChipDescription &chip) {
    plan::KernelOp kernel = parse(text);
    declined.clear();
    FailureOr<func::FuncOp> function = generateContraction(kernel, chip, declined);
    if (failed(function))
      return nullptr;
    kernel.erase();
    EXPECT_TRUE(succeeded(verify(*module)));
    return *function;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string declined;
};

/// A matrix product without an epilogue. `attributes` may hold a strategy.
std::string makeMatmul(StringRef lhs, StringRef rhs, StringRef result, StringRef attributes = "",
                       StringRef maps = "") {
  return llvm::formatv(R"(
    plan.kernel @k(%x: tensor<{0}>, %w: tensor<{1}>) -> tensor<{2}> {3} {{
      %zero = arith.constant 0.0 : f32
      %c0 = arith.constant 0 : index
      %size = tensor.dim %x, %c0 : tensor<{0}>
      %empty = tensor.empty({4}) : tensor<{2}>
      %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<{2}>) -> tensor<{2}>
      %y = linalg.matmul {5} ins(%x, %w : tensor<{0}>, tensor<{1}>) outs(%init : tensor<{2}>) -> tensor<{2}>
      plan.yield %y : tensor<{2}>
    })",
                       lhs, rhs, result, attributes, result.starts_with("?") ? "%size" : "", maps)
      .str();
}

std::string makeConvolution(StringRef input, StringRef filter, StringRef result, StringRef pads,
                            int64_t groups) {
  return llvm::formatv(R"(
    plan.kernel @k(%x: tensor<{0}>, %w: tensor<{1}>) -> tensor<{2}> {{
      %y = nn.conv channels_last %x, %w strides = [1, 1] dilations = [1, 1] pads = [{3}] groups = {4}
        : (tensor<{0}>, tensor<{1}>) -> tensor<{2}>
      plan.yield %y : tensor<{2}>
    })",
                       input, filter, result, pads, groups)
      .str();
}

/// The numbers of accumulators of the innermost loops that carry any, in order.
SmallVector<int64_t> countAccumulators(func::FuncOp function) {
  SmallVector<int64_t> counts;
  function.walk([&](scf::ForOp loop) {
    if (loop.getNumRegionIterArgs() && loop.getBody()->getOps<scf::ForOp>().empty())
      counts.push_back(loop.getNumRegionIterArgs());
  });
  return counts;
}

constexpr StringLiteral transposedRhs =
    "indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, "
    "affine_map<(m, n, k) -> (m, n)>]";

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

TEST_F(ContractionTest, PacksColumnsIntoPanelsAsWideAsTheTile) {
  std::optional<plan::PackingAttr> packing =
      choosePacking(parse(makeMatmul("?x768xf32", "768x3072xf32", "?x3072xf32")), 1, makeAvx512());
  ASSERT_TRUE(packing);
  EXPECT_THAT(packing->getInnerDimsPos(), ElementsAre(1));
  EXPECT_THAT(packing->getInnerTiles(), ElementsAre(32));
  EXPECT_THAT(packing->getOuterDimsPerm(), ElementsAre(1, 0));

  packing =
      choosePacking(parse(makeMatmul("?x768xf32", "768x3072xf32", "?x3072xf32")), 1, makeAvx2());
  ASSERT_TRUE(packing);
  EXPECT_THAT(packing->getInnerTiles(), ElementsAre(16));
}

TEST_F(ContractionTest, PacksATransposedWeightAlongItsColumns) {
  std::optional<plan::PackingAttr> packing =
      choosePacking(parse(makeMatmul("?x768xf32", "3072x768xf32", "?x3072xf32", "", transposedRhs)),
                    1, makeAvx512());
  ASSERT_TRUE(packing);
  EXPECT_THAT(packing->getInnerDimsPos(), ElementsAre(0));
  EXPECT_THAT(packing->getOuterDimsPerm(), ElementsAre(0, 1));
}

TEST_F(ContractionTest, PacksAFilterWithChannelsInnermost) {
  std::optional<plan::PackingAttr> packing =
      choosePacking(parse(makeConvolution("1x14x14x256xf32", "256x256x3x3xf32", "1x14x14x256xf32",
                                          "1, 1, 1, 1", 1)),
                    1, makeAvx512());
  ASSERT_TRUE(packing);
  EXPECT_THAT(packing->getInnerDimsPos(), ElementsAre(0));
  EXPECT_THAT(packing->getOuterDimsPerm(), ElementsAre(0, 2, 3, 1));
}

TEST_F(ContractionTest, PacksNarrowResultsIntoNarrowPanels) {
  std::optional<plan::PackingAttr> packing =
      choosePacking(parse(makeMatmul("?x64xf32", "64x10xf32", "?x10xf32")), 1, makeAvx512());
  ASSERT_TRUE(packing);
  EXPECT_THAT(packing->getInnerTiles(), ElementsAre(16));
}

TEST_F(ContractionTest, NoPanelHoldsTwoGroups) {
  // 24 columns in each group: two vectors would be best, three fill the group, 16 columns do not
  // divide it.
  std::string text =
      makeConvolution("1x8x8x64xf32", "96x16x3x3xf32", "1x8x8x96xf32", "1, 1, 1, 1", 4);
  std::optional<plan::PackingAttr> packing = choosePacking(parse(text), 1, makeAvx2());
  ASSERT_TRUE(packing);
  EXPECT_EQ(24 % packing->getInnerTiles()[0], 0);
  EXPECT_FALSE(choosePacking(parse(text), 1, makeAvx512()));
}

TEST_F(ContractionTest, DoesNotPackTheLeftHandSide) {
  EXPECT_FALSE(
      choosePacking(parse(makeMatmul("64x768xf32", "768x64xf32", "64x64xf32")), 0, makeAvx512()));
}

//===----------------------------------------------------------------------===//
// Tiles and groups
//===----------------------------------------------------------------------===//

TEST_F(ContractionTest, FillsTheRegisters) {
  func::FuncOp function =
      generate(makeMatmul("140x64xf32", "64x64xf32", "140x64xf32"), makeAvx512());
  ASSERT_TRUE(function) << declined;
  EXPECT_THAT(countAccumulators(function),
              ElementsAre(14 * 2)); // 10 whole tiles, nothing left over.
}

TEST_F(ContractionTest, StaticLeftoverRowsGetATileOfTheirOwn) {
  func::FuncOp function =
      generate(makeMatmul("145x64xf32", "64x64xf32", "145x64xf32"), makeAvx512());
  ASSERT_TRUE(function) << declined;
  EXPECT_THAT(countAccumulators(function), ElementsAre(14 * 2, 5 * 2));
}

TEST_F(ContractionTest, DynamicLeftoverRowsShareFewTiles) {
  func::FuncOp function = generate(makeMatmul("?x64xf32", "64x64xf32", "?x64xf32"), makeAvx512());
  ASSERT_TRUE(function) << declined;
  EXPECT_THAT(countAccumulators(function), ElementsAre(28, 2, 8, 16, 26));
}

TEST_F(ContractionTest, StrategyPinsTheTileAndTheGroups) {
  StringRef strategy =
      "attributes {strategy = {mr = 8 : i64, nr = 48 : i64, mb = 16 : i64, nb = 96 : i64}}";
  func::FuncOp function =
      generate(makeMatmul("64x64xf32", "64x192xf32", "64x192xf32", strategy), makeAvx512());
  ASSERT_TRUE(function) << declined;
  EXPECT_THAT(countAccumulators(function), ElementsAre(24));
  EXPECT_EQ(getKernelCount(function).getSingleConstantResult(), (64 / 16) * (192 / 96));
}

TEST_F(ContractionTest, TheGridFollowsDynamicRows) {
  StringRef strategy =
      "attributes {strategy = {mr = 14 : i64, nr = 32 : i64, mb = 28 : i64, nb = 64 : i64}}";
  func::FuncOp function =
      generate(makeMatmul("?x64xf32", "64x128xf32", "?x128xf32", strategy), makeAvx512());
  ASSERT_TRUE(function) << declined;
  AffineExpr rows = getAffineSymbolExpr(0, &context);
  EXPECT_EQ(getKernelCount(function).getResult(0), rows.ceilDiv(28) * 2);
}

TEST_F(ContractionTest, ScratchMemoryIsBounded) {
  func::FuncOp function = generate(
      makeMatmul("?x9000xf32", "500x9000xf32", "?x500xf32", "", transposedRhs), makeAvx512());
  ASSERT_TRUE(function) << declined;
  int64_t bytes = 0;
  function.walk([&](memref::AllocaOp op) { bytes += op.getType().getNumElements() * 4; });
  EXPECT_GT(bytes, 0);
  EXPECT_LE(bytes, 2 * 128 << 10);
  EXPECT_TRUE(function.getOps<memref::AllocOp>().empty());
}

//===----------------------------------------------------------------------===//
// What is declined
//===----------------------------------------------------------------------===//

TEST_F(ContractionTest, DeclinesChannelsFirst) {
  EXPECT_FALSE(generate(R"(
    plan.kernel @k(%x: tensor<1x64x8x8xf32>, %w: tensor<64x64x1x1xf32>) -> tensor<1x64x8x8xf32> {
      %y = nn.conv channels_first %x, %w strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0] groups = 1
        : (tensor<1x64x8x8xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x8x8xf32>
      plan.yield %y : tensor<1x64x8x8xf32>
    })",
                        makeAvx512()));
  EXPECT_THAT(declined, HasSubstr("channels last"));
}

TEST_F(ContractionTest, DeclinesGroupsOfFewChannels) {
  EXPECT_FALSE(
      generate(makeConvolution("1x8x8x64xf32", "64x4x3x3xf32", "1x8x8x64xf32", "1, 1, 1, 1", 16),
               makeAvx512()));
  EXPECT_THAT(declined, HasSubstr("fewer than 8 channels"));
}

TEST_F(ContractionTest, DepthwiseFiltersArePackedOrDeclined) {
  std::string text =
      makeConvolution("1x8x8x64xf32", "64x1x3x3xf32", "1x8x8x64xf32", "1, 1, 1, 1", 64);
  EXPECT_FALSE(generate(text, makeAvx512()));
  EXPECT_THAT(declined, HasSubstr("not a weight"));
  // Two vectors of channels where the registers suffice, then one.
  auto panelOn = [&](const ChipDescription &chip) {
    std::optional<plan::PackingAttr> packing = choosePacking(parse(text), 1, chip);
    return packing ? packing->getInnerTiles()[0] : 0;
  };
  EXPECT_EQ(panelOn(makeAvx512()), 32);
  EXPECT_EQ(panelOn(makeAvx2()), 8);
}

TEST_F(ContractionTest, DeclinesKernelsWithoutAContraction) {
  EXPECT_FALSE(generate(R"(
    plan.kernel @k(%x: tensor<8xf32>) -> tensor<8xf32> {
      %e = tensor.empty() : tensor<8xf32>
      %y = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      plan.yield %y : tensor<8xf32>
    })",
                        makeAvx512()));
  EXPECT_THAT(declined, HasSubstr("no contraction"));
}

TEST_F(ContractionTest, DeclinesAStrategyThatDoesNotFit) {
  StringRef strategy = "attributes {strategy = {nr = 40 : i64}}";
  EXPECT_FALSE(
      generate(makeMatmul("64x64xf32", "64x192xf32", "64x192xf32", strategy), makeAvx512()));
  EXPECT_THAT(declined, HasSubstr("40 columns"));
}

} // namespace
