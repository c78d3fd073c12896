// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What counts as equal.
#include "tools/tenon/Compare.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

using namespace llvm;
using namespace tenon::cli;

namespace {

template <typename T>
Value vectorOf(ElementType type, std::initializer_list<T> elements) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape.push_back(static_cast<int64_t>(elements.size()));
  tensor.bytes.resize(elements.size() * sizeof(T));
  std::memcpy(tensor.bytes.data(), elements.begin(), tensor.bytes.size());
  return Value::ofTensor(std::move(tensor));
}
Value floats(std::initializer_list<float> elements) {
  return vectorOf<float>(ElementType::f32, elements);
}

constexpr float infinity = std::numeric_limits<float>::infinity();
const float nan = std::nanf("");

TEST(Compare, DifferencesAreMeasuredAgainstTheLargestMagnitude) {
  Value expected = floats({0.0f, 1.0f, -100.0f});
  EXPECT_TRUE(compare(floats({0.09f, 1.0f, -100.0f}), expected, {}).equal);
  Comparison wrong = compare(floats({0.11f, 1.0f, -100.0f}), expected, {});
  EXPECT_FALSE(wrong.equal);
  EXPECT_NE(wrong.reason.find("at [0]"), std::string::npos) << wrong.reason;
  EXPECT_FALSE(compare(floats({0.09f, 1.0f, -100.0f}), expected, {1e-4}).equal);
}

TEST(Compare, ElementwiseDifferencesAreMeasuredAgainstEachElement) {
  Value expected = floats({1.0f, 100.0f});
  Tolerance tolerance{std::nullopt, Tolerance::Elementwise{1e-2, 1e-3}};
  EXPECT_TRUE(compare(floats({1.01f, 100.9f}), expected, tolerance).equal);
  // The large element would excuse this one, were it a fraction of the largest.
  EXPECT_TRUE(compare(floats({1.5f, 100.0f}), expected, {1e-2}).equal);
  Comparison wrong = compare(floats({1.5f, 100.9f}), expected, tolerance);
  EXPECT_FALSE(wrong.equal);
  EXPECT_NE(wrong.reason.find("0.5 at [0]"), std::string::npos) << wrong.reason;
  EXPECT_TRUE(compare(floats({0.0009f, 100.0f}), floats({0.0f, 100.0f}), tolerance).equal);
  EXPECT_FALSE(compare(floats({nan, 100.0f}), expected, tolerance).equal);
  // Two units in the last place of bf16, 1.0 and 1 + 2^-6: allowed like in ONNX's own runner.
  EXPECT_TRUE(compare(vectorOf<uint16_t>(ElementType::bf16, {0x3F82}),
                      vectorOf<uint16_t>(ElementType::bf16, {0x3F80}), tolerance)
                  .equal);
  EXPECT_FALSE(compare(vectorOf<uint16_t>(ElementType::bf16, {0x3F84}),
                       vectorOf<uint16_t>(ElementType::bf16, {0x3F80}), tolerance)
                   .equal);
}

TEST(Compare, NanOnlyWhereNanIsExpected) {
  EXPECT_TRUE(compare(floats({nan, 1}), floats({nan, 1}), {}).equal);
  EXPECT_FALSE(compare(floats({nan, 1}), floats({0, 1}), {}).equal);
  EXPECT_FALSE(compare(floats({0, 1}), floats({nan, 1}), {}).equal);
  EXPECT_FALSE(compare(floats({1, nan}), floats({nan, 1}), {}).equal);
}

TEST(Compare, InfinitiesMustBeEqual) {
  EXPECT_TRUE(compare(floats({infinity, 1}), floats({infinity, 1}), {}).equal);
  EXPECT_FALSE(compare(floats({-infinity, 1}), floats({infinity, 1}), {}).equal);
  // An infinite element is no scale for the others.
  EXPECT_FALSE(compare(floats({infinity, 2}), floats({infinity, 1}), {}).equal);
}

TEST(Compare, AllZeroAllowsNothingElse) {
  EXPECT_TRUE(compare(floats({0, -0.0f}), floats({0, 0}), {}).equal);
  EXPECT_FALSE(compare(floats({0, 1e-20f}), floats({0, 0}), {}).equal);
}

TEST(Compare, IntegersExactly) {
  int64_t big = int64_t(1) << 60;
  EXPECT_TRUE(compare(vectorOf<int64_t>(ElementType::i64, {big}),
                      vectorOf<int64_t>(ElementType::i64, {big}), {1.0})
                  .equal);
  // A double cannot tell these two apart; the comparison must.
  EXPECT_FALSE(compare(vectorOf<int64_t>(ElementType::i64, {big + 1}),
                       vectorOf<int64_t>(ElementType::i64, {big}), {1.0})
                   .equal);
}

TEST(Compare, TypesAndShapes) {
  Comparison wrong = compare(floats({1, 2}), vectorOf<int32_t>(ElementType::i32, {1, 2}), {});
  EXPECT_EQ(wrong.reason, "expected 2xi32, found 2xf32");
  EXPECT_EQ(compare(floats({1, 2}), floats({1, 2, 3}), {}).reason, "expected 3xf32, found 2xf32");
  EXPECT_EQ(compare(Value(), floats({1}), {}).reason, "expected a tensor, found an empty optional");
}

TEST(Compare, NearlyConstantIsWeakEvidence) {
  EXPECT_TRUE(compare(floats({1, 1, 1}), floats({1, 1, 1}), {}).nearlyConstant);
  EXPECT_FALSE(compare(floats({1, 2, 1}), floats({1, 2, 1}), {}).nearlyConstant);
  EXPECT_FALSE(compare(floats({1}), floats({1}), {}).nearlyConstant);
}

TEST(Compare, SequencesElementByElement) {
  Value expected = Value::ofSequence({floats({1}), floats({2})});
  EXPECT_TRUE(compare(Value::ofSequence({floats({1}), floats({2})}), expected, {}).equal);
  Comparison wrong = compare(Value::ofSequence({floats({1}), floats({3})}), expected, {});
  EXPECT_EQ(wrong.reason.rfind("element 1 of the sequence: ", 0), 0u) << wrong.reason;
  EXPECT_EQ(compare(Value::ofSequence({}), expected, {}).reason,
            "expected a sequence of 2, found one of 0");
}

} // namespace
