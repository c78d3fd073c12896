// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ChipTest.cpp - descriptions of chips --------------------------------===//

#include "lib/codegen/MachineCode.h"
#include "targets/cpu/Target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace tenon;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

const char *wellFormed = R"({
  "name": "n", "triple": "x86_64-unknown-linux-gnu", "cpu": "x86-64-v3", "features": ["-f16c"],
  "vector_bits": {"value": 256, "source": "s"}, "vector_registers": {"value": 16, "source": "s"},
  "l1_bytes": {"value": 32768, "source": "s"}, "l2_bytes": {"value": 262144, "source": "s"},
  "l3_bytes": {"value": 8388608, "source": "s"}
})";

/// The error that the description gives with `from` replaced by `to`.
std::string errorWith(std::string from, std::string to) {
  std::string text = wellFormed;
  text.replace(text.find(from), from.size(), to);
  llvm::Expected<ChipDescription> chip = parseChipDescription(text, "n.json");
  return chip ? "no error" : llvm::toString(chip.takeError());
}

TEST(Chips, AllThatAreBuiltInCanBeRead) {
  std::vector<std::string> names = cpu::getChipNames();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const std::string &name : names) {
    llvm::Expected<ChipDescription> chip = cpu::findChip(name);
    ASSERT_TRUE(bool(chip)) << llvm::toString(chip.takeError());
    EXPECT_EQ(chip->name, name);
    EXPECT_LE(chip->l1Bytes, chip->l2Bytes);
    EXPECT_LE(chip->l2Bytes, chip->l3Bytes);
  }
  EXPECT_THAT(names, Contains("x86-64-v3"));
}

TEST(Chips, KnowWhatTheirProcessorImplies) {
  ChipDescription v3 = llvm::cantFail(cpu::findChip("x86-64-v3"));
  EXPECT_TRUE(v3.has("avx2") && v3.has("fma"));
  EXPECT_FALSE(v3.has("avx512f"));
  EXPECT_EQ(v3.lanes(32), 8);
  EXPECT_TRUE(llvm::cantFail(cpu::findChip("sapphirerapids")).has("amx-bf16"));
  EXPECT_TRUE(llvm::cantFail(cpu::findChip("aarch64")).has("neon"));
  EXPECT_FALSE(llvm::cantFail(cpu::findChip("neoverse-v1")).has("sve"));
}

TEST(Chips, StateWhatTheMachineMustHave) {
  std::string required = getRequiredFeatures(llvm::cantFail(cpu::findChip("x86-64-v3")));
  EXPECT_THAT(required, HasSubstr("+avx2"));
  EXPECT_THAT(required, HasSubstr("+fma"));
  EXPECT_THAT(required, Not(HasSubstr("avx512")));
  // What only tunes code is no requirement.
  EXPECT_THAT(required, Not(HasSubstr("fast")));
}

TEST(Chips, TheHostIsDescribedByItself) {
  ChipDescription host = llvm::cantFail(cpu::findChip("host"));
  EXPECT_FALSE(host.instructionSets.empty());
  EXPECT_GE(host.vectorBits, 128u);
  EXPECT_GT(host.l1Bytes, 0);
}

TEST(Chips, AFeatureCanBeTakenAway) {
  llvm::Expected<ChipDescription> chip = parseChipDescription(wellFormed, "n.json");
  ASSERT_TRUE(bool(chip)) << llvm::toString(chip.takeError());
  EXPECT_FALSE(chip->has("f16c"));
}

TEST(Chips, AnUnknownNameListsTheKnown) {
  llvm::Expected<ChipDescription> chip = cpu::findChip("z80");
  ASSERT_FALSE(bool(chip));
  EXPECT_THAT(
      llvm::toString(chip.takeError()),
      testing::AllOf(HasSubstr("no chip 'z80'"), HasSubstr("host"), HasSubstr("x86-64-v3")));
}

TEST(Chips, MistakesInADescriptionAreNamed) {
  EXPECT_EQ(errorWith("\"n\"", "7"), "n.json: expected a string \"name\"");
  EXPECT_EQ(errorWith("[\"-f16c\"]", "1"), "n.json: expected an array \"features\"");
  EXPECT_EQ(errorWith("[\"-f16c\"]", "[1]"), "n.json: \"features\" are strings");
  EXPECT_EQ(errorWith("x86-64-v3", "z80"), "n.json: LLVM does not know the processor z80");
  EXPECT_THAT(errorWith("x86_64-", "pdp11-"),
              HasSubstr("no code generator for pdp11-unknown-linux-gnu"));
  EXPECT_THAT(errorWith("256,", "-256,"), HasSubstr("expected \"vector_bits\""));
  EXPECT_THAT(errorWith("256,", "65536,"), HasSubstr("implausible vector registers"));
  EXPECT_EQ(errorWith("\"value\": 256, \"source\": \"s\"", "\"value\": 256"),
            "n.json: \"vector_bits\" lacks its source");
  EXPECT_THAT(errorWith("}\n", "\n"), HasSubstr("n.json: "));
}

TEST(Chips, NestingWithoutEndIsAnError) {
  llvm::Expected<ChipDescription> chip = parseChipDescription(std::string(1000000, '['), "n.json");
  ASSERT_FALSE(bool(chip));
  EXPECT_EQ(llvm::toString(chip.takeError()), "n.json: nested more than 16 levels deep");
}

} // namespace
