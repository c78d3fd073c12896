// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions on strings that need no other project.

#include "test/host/TestCall.h"

#include <cmath>
#include <limits>

namespace tenon::host::test {
namespace {

using testing::ElementsAre;
using Strings = std::vector<std::string>;

Value stringScalar(std::string_view text) { return stringTensor({}, {std::string(text)}); }

TEST(StringConcat, broadcasts) {
  TestCall concat("string.concat");
  Value joined =
      concat({stringTensor({2, 1}, {"a", "b"}), stringTensor({3}, {"x", "", "\xc3\xa9"})});
  EXPECT_THAT(joined.shape(), ElementsAre(2, 3));
  EXPECT_EQ(stringsOf(joined), (Strings{"ax", "a", "a\xc3\xa9", "bx", "b", "b\xc3\xa9"}));
  EXPECT_EQ(concat({stringTensor({0, 1}, {}), stringTensor({3}, {"x", "y", "z"})}).count(), 0);
  EXPECT_EQ(concat.error({stringTensor({2}, {"a", "b"}), stringTensor({3}, {"x", "y", "z"})}),
            "shapes [2] and [3] cannot be broadcast to one");
}

TEST(StringEqual, broadcasts) {
  TestCall equal("string.equal");
  Value same = equal({stringTensor({2, 2}, {"a", "b", "", "a"}), stringScalar("a")});
  EXPECT_THAT(same.elements<bool>(), ElementsAre(true, false, false, true));
}

TEST(StringSplit, atDelimiters) {
  TestCall split("string.split", {{"delimiter", stringScalar("--")}});
  std::vector<Value> results = split.run({stringTensor({3}, {"a--b--c", "--", ""})}, 2);
  EXPECT_THAT(results[0].shape(), ElementsAre(3, 3));
  EXPECT_EQ(stringsOf(results[0]), (Strings{"a", "b", "c", "", "", "", "", "", ""}));
  EXPECT_THAT(results[1].elements<int64_t>(), ElementsAre(3, 2, 1));
}

TEST(StringSplit, atWhiteSpace) {
  // A space, a tab and U+3000 are one separator.
  std::vector<Value> results =
      TestCall("string.split").run({stringTensor({2}, {"  a \t\xe3\x80\x80 b  ", " "})}, 2);
  EXPECT_EQ(stringsOf(results[0]), (Strings{"a", "b", "", ""}));
  EXPECT_THAT(results[1].elements<int64_t>(), ElementsAre(2, 0));
}

TEST(StringSplit, leavesTheRestWhole) {
  TestCall split("string.split", {{"maxsplit", scalar<int64_t>(1)}});
  EXPECT_EQ(stringsOf(split.run({stringScalar(" a  b  c ")}, 2)[0]), (Strings{"a", "b  c "}));
  TestCall atComma("string.split",
                   {{"maxsplit", scalar<int64_t>(1)}, {"delimiter", stringScalar(",")}});
  EXPECT_EQ(stringsOf(atComma.run({stringScalar("a,b,c")}, 2)[0]), (Strings{"a", "b,c"}));
}

TEST(StringSplit, ofNothing) {
  std::vector<Value> results = TestCall("string.split").run({stringTensor({0, 2}, {})}, 2);
  EXPECT_THAT(results[0].shape(), ElementsAre(0, 2, 0));
  EXPECT_THAT(results[1].shape(), ElementsAre(0, 2));
}

TEST(StringPick, countsThroughItsSources) {
  TestCall pick("string.pick");
  Value first = stringTensor({2}, {"a", "b"}), none = stringTensor({0}, {}),
        second = stringTensor({1, 1}, {"c"});
  Value picked = pick({tensor<int32_t>({2, 2}, {3, 2, 0, 1}), first, none, second});
  EXPECT_THAT(picked.shape(), ElementsAre(2, 2));
  EXPECT_EQ(stringsOf(picked), (Strings{"c", "b", "", "a"}));
  EXPECT_EQ(pick.error({scalar<int64_t>(4), first, second}), "position 4 is not among 3 strings");
  EXPECT_EQ(pick.error({scalar<int64_t>(-1), first, second}), "position -1 is not among 3 strings");
}

TEST(StringEncode, findsTheFirstOfEqualKeys) {
  TestCall encode("string.encode", {{"keys_strings", stringTensor({3}, {"a", "b", "a"})},
                                    {"values_int64s", tensor<int64_t>({3}, {5, 6, 7})},
                                    {"default_int64", scalar<int64_t>(9)}});
  EXPECT_THAT(encode({stringTensor({3}, {"b", "a", "c"})}).elements<int64_t>(),
              ElementsAre(6, 5, 9));
  EXPECT_EQ(TestCall("string.encode", {{"keys_strings", stringTensor({1}, {"a"})}}).problem(),
            "1 keys have 0 values");
}

TEST(StringFromNumbers, asThePythonOfTheReference) {
  TestCall write("string.from_numbers");
  EXPECT_EQ(stringsOf(write(
                {tensor<float>({10}, {0.1f, 1.0f, -2.5f, 1e20f, 1e-7f, 1e-4f, 123456.79f, -0.0f,
                                      std::numeric_limits<float>::infinity(), std::nanf("")})})),
            (Strings{"0.1", "1.0", "-2.5", "1e+20", "1e-07", "0.0001", "123456.79", "-0.0", "inf",
                     "nan"}));
  EXPECT_EQ(stringsOf(write({tensor<double>({4}, {9999999999999998.0, 1e16, 0.1, 5e-324})})),
            (Strings{"9999999999999998.0", "1e+16", "0.1", "5e-324"}));
  EXPECT_EQ(stringsOf(write({tensor<int64_t>({2}, {INT64_MIN, 36})})),
            (Strings{"-9223372036854775808", "36"}));
  EXPECT_EQ(stringsOf(write({tensor<uint8_t>({1}, {255})})), (Strings{"255"}));
  const bool bits[] = {true, false};
  EXPECT_EQ(stringsOf(write({makeTensor(TENON_BOOL, {2}, bits, 2)})), (Strings{"True", "False"}));
}

TEST(StringFromNumbers, narrowFloatsHaveTheFewestDigits) {
  TestCall write("string.from_numbers");
  // 0.1, 1/3, 65504, the smallest subnormal, 2048, -inf
  const uint16_t halves[] = {0x2e66, 0x3555, 0x7bff, 0x0001, 0x6800, 0xfc00};
  EXPECT_EQ(stringsOf(write({makeTensor(TENON_FLOAT16, {6}, halves, sizeof(halves))})),
            (Strings{"0.1", "0.3333", "65500.0", "6e-08", "2048.0", "-inf"}));
  const uint16_t brains[] = {0x3dcd, 0x7f7f, 0xc000};
  EXPECT_EQ(stringsOf(write({makeTensor(TENON_BFLOAT16, {3}, brains, sizeof(brains))})),
            (Strings{"0.1", "3.39e+38", "-2.0"}));
}

template <typename T>
Value readAs(int64_t type, const Strings &texts) {
  return TestCall("string.to_numbers", {{"to", scalar<int64_t>(type)}})(
      {stringTensor({static_cast<int64_t>(texts.size())}, texts)});
}

TEST(StringToNumbers, readsWhatTheStandardNames) {
  Value read = readAs<float>(
      TENON_FLOAT, {"3.14", "1000", "1e-5", "1E8", " 2 ", "+INF", "-inf", "1e400", "-1e-400"});
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(read.elements<float>(),
              ElementsAre(3.14f, 1000, 1e-5f, 1e8f, 2, infinity, -infinity, infinity, 0));
  EXPECT_TRUE(std::isnan(readAs<float>(TENON_FLOAT, {"NaN"}).elements<float>()[0]));
  EXPECT_THAT(readAs<int64_t>(TENON_INT64, {"9223372036854775807", "+5", "100.5", "-1e3"})
                  .elements<int64_t>(),
              ElementsAre(INT64_MAX, 5, 100, -1000));
  EXPECT_THAT(readAs<bool>(TENON_BOOL, {"True", "0", "2.5", "false"}).elements<bool>(),
              ElementsAre(true, false, true, false));
}

TEST(StringToNumbers, saysWhatIsNoNumber) {
  TestCall bytes("string.to_numbers", {{"to", scalar<int64_t>(TENON_UINT8)}});
  EXPECT_EQ(bytes.error({stringTensor({2}, {"255", "256"})}),
            "'256' (element 1) is no unsigned integer of 8 bits");
  EXPECT_EQ(bytes.error({stringScalar("-1")}), "'-1' (element 0) is no unsigned integer of 8 bits");
  TestCall floats("string.to_numbers", {{"to", scalar<int64_t>(TENON_FLOAT)}});
  for (const char *text : {"Hello World!", "", "1 2", "0x10", "+-1", "--1", "1e", "+"})
    EXPECT_EQ(floats.error({stringScalar(text)}),
              "'" + std::string(text) + "' (element 0) is no number");
}

} // namespace
} // namespace tenon::host::test
