// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/Arithmetic.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tenon::runtime {
namespace {

using artifact::ArithmeticKind;

int64_t compute(ArithmeticKind kind, int64_t lhs, int64_t rhs) {
  int64_t result = 12345;
  EXPECT_TRUE(evaluate(kind, lhs, rhs, false, result));
  return result;
}

TEST(Arithmetic, divisionRoundsAsItSays) {
  for (int64_t a = -20; a <= 20; ++a) {
    for (int64_t b = -7; b <= 7; ++b) {
      if (b == 0)
        continue;
      double exact = static_cast<double>(a) / static_cast<double>(b);
      EXPECT_EQ(compute(ArithmeticKind::FloorDivide, a, b), std::floor(exact)) << a << "/" << b;
      EXPECT_EQ(compute(ArithmeticKind::CeilDivide, a, b), std::ceil(exact)) << a << "/" << b;
      EXPECT_EQ(compute(ArithmeticKind::FloorModulo, a, b),
                a - b * static_cast<int64_t>(std::floor(exact)))
          << a << "%" << b;
    }
  }
}

TEST(Arithmetic, nothingTraps) {
  int64_t result = 0;
  for (ArithmeticKind kind :
       {ArithmeticKind::FloorDivide, ArithmeticKind::CeilDivide, ArithmeticKind::FloorModulo})
    EXPECT_FALSE(evaluate(kind, 1, 0, false, result));
  EXPECT_EQ(compute(ArithmeticKind::FloorDivide, INT64_MIN, -1), INT64_MAX);
  EXPECT_EQ(compute(ArithmeticKind::CeilDivide, INT64_MIN, -1), INT64_MAX);
  EXPECT_EQ(compute(ArithmeticKind::FloorDivide, -7, -1), 7);
  EXPECT_EQ(compute(ArithmeticKind::FloorModulo, INT64_MIN, -1), 0);
}

TEST(Arithmetic, whatIsTooLargeStaysLarge) {
  EXPECT_EQ(compute(ArithmeticKind::Add, INT64_MAX, 1), INT64_MAX);
  EXPECT_EQ(compute(ArithmeticKind::Add, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(compute(ArithmeticKind::Subtract, INT64_MIN, 1), INT64_MIN);
  EXPECT_EQ(compute(ArithmeticKind::Subtract, 0, INT64_MIN), INT64_MAX);
  EXPECT_EQ(compute(ArithmeticKind::Multiply, INT64_MAX, 2), INT64_MAX);
  EXPECT_EQ(compute(ArithmeticKind::Multiply, INT64_MAX, -2), INT64_MIN);
  EXPECT_EQ(compute(ArithmeticKind::Multiply, INT64_MIN, -1), INT64_MAX);
  // 2^62 + 2 rows of four elements are not eight elements.
  EXPECT_EQ(compute(ArithmeticKind::Multiply, (int64_t(1) << 62) + 2, 4), INT64_MAX);
}

TEST(Arithmetic, comparisonsAndChoice) {
  EXPECT_EQ(compute(ArithmeticKind::Minimum, -3, 4), -3);
  EXPECT_EQ(compute(ArithmeticKind::Maximum, -3, 4), 4);
  EXPECT_EQ(compute(ArithmeticKind::Equal, 4, 4), 1);
  EXPECT_EQ(compute(ArithmeticKind::NotEqual, 4, 4), 0);
  EXPECT_EQ(compute(ArithmeticKind::Less, 4, 4), 0);
  EXPECT_EQ(compute(ArithmeticKind::LessEqual, 4, 4), 1);
  EXPECT_EQ(compute(ArithmeticKind::And, 2, 4), 1);
  EXPECT_EQ(compute(ArithmeticKind::And, 2, 0), 0);
  EXPECT_EQ(compute(ArithmeticKind::Or, 0, 4), 1);
  int64_t result = 0;
  EXPECT_TRUE(evaluate(ArithmeticKind::Select, 7, 8, true, result));
  EXPECT_EQ(result, 7);
  EXPECT_TRUE(evaluate(ArithmeticKind::Select, 7, 8, false, result));
  EXPECT_EQ(result, 8);
}

} // namespace
} // namespace tenon::runtime
