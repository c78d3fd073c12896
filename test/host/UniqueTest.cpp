// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/host/TestCall.h"

#include <cmath>

namespace tenon::host::test {
namespace {

using testing::ElementsAre;

TEST(Unique, sortsElements) {
  std::vector<Value> results =
      TestCall("unique.find").run({tensor<float>({2, 3}, {2, 1, 1, 3, 4, 3})}, 4);
  EXPECT_THAT(results[0].elements<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(results[1].elements<int64_t>(), ElementsAre(1, 0, 3, 4));
  EXPECT_THAT(results[2].elements<int64_t>(), ElementsAre(1, 0, 0, 2, 3, 2));
  EXPECT_THAT(results[3].elements<int64_t>(), ElementsAre(2, 1, 2, 1));
}

TEST(Unique, keepsTheOrder) {
  TestCall find("unique.find", {{"sorted", scalar<int64_t>(0)}});
  std::vector<Value> results = find.run({stringTensor({4}, {"b", "a", "b", "c"})}, 4);
  EXPECT_EQ(stringsOf(results[0]), (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_THAT(results[1].elements<int64_t>(), ElementsAre(0, 1, 3));
  EXPECT_THAT(results[2].elements<int64_t>(), ElementsAre(0, 1, 0, 2));
  EXPECT_THAT(results[3].elements<int64_t>(), ElementsAre(2, 1, 1));
}

TEST(Unique, alongAnAxis) {
  // The standard's fourth example.
  TestCall find("unique.find", {{"axis", scalar<int64_t>(-2)}});
  Value input = tensor<double>({2, 4, 2}, {1, 1, 0, 1, 2, 1, 0, 1, 1, 1, 0, 1, 2, 1, 0, 1});
  std::vector<Value> results = find.run({input}, 4);
  EXPECT_THAT(results[0].shape(), ElementsAre(2, 3, 2));
  EXPECT_THAT(results[0].elements<double>(), ElementsAre(0, 1, 1, 1, 2, 1, 0, 1, 1, 1, 2, 1));
  EXPECT_THAT(results[1].elements<int64_t>(), ElementsAre(1, 0, 2));
  EXPECT_THAT(results[2].elements<int64_t>(), ElementsAre(1, 0, 2, 0));
  EXPECT_THAT(results[3].elements<int64_t>(), ElementsAre(2, 1, 1));
  EXPECT_EQ(find.error({tensor<float>({1}, {1})}), "axis -2 is not one of a tensor of rank 1");
}

TEST(Unique, ofWhatIsNoNumber) {
  float nan = std::nanf("");
  std::vector<Value> results =
      TestCall("unique.find").run({tensor<float>({4}, {nan, -0.0f, nan, 0})}, 4);
  EXPECT_EQ(results[0].count(), 2);
  EXPECT_THAT(results[2].elements<int64_t>(), ElementsAre(1, 0, 1, 0));
  // 1, -1, nan, -0, 0, another nan
  const uint16_t halves[] = {0x3c00, 0xbc00, 0x7e00, 0x8000, 0x0000, 0xfe01};
  results =
      TestCall("unique.find").run({makeTensor(TENON_FLOAT16, {6}, halves, sizeof(halves))}, 4);
  EXPECT_THAT(results[0].elements<uint16_t>(), ElementsAre(0xbc00, 0x8000, 0x3c00, 0x7e00));
  EXPECT_THAT(results[3].elements<int64_t>(), ElementsAre(1, 2, 1, 2));
}

TEST(Unique, ofNothing) {
  std::vector<Value> results = TestCall("unique.find").run({tensor<int64_t>({0}, {})}, 4);
  for (const Value &result : results)
    EXPECT_THAT(result.shape(), ElementsAre(0));
}

} // namespace
} // namespace tenon::host::test
