// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random inputs are the same everywhere, lie in their ranges, and refuse what the model does not
// have.
#include "tools/tenon/RandomInputs.h"
#include <gtest/gtest.h>

using namespace llvm;
using namespace tenon::cli;

namespace {

Port port(StringRef name, ElementType type) {
  Port result;
  result.name = name.str();
  result.element = type;
  Dimension batch;
  batch.name = "batch";
  batch.min = 1;
  batch.max = 8;
  Dimension fixed;
  fixed.size = 100;
  result.dimensions = {batch, fixed};
  return result;
}

std::string reason(ArrayRef<Port> ports, const RandomOptions &options) {
  Expected<std::vector<NamedValue>> drawn = drawInputs(ports, options);
  return drawn ? std::string("accepted") : toString(drawn.takeError());
}

TEST(RandomInputs, TheSeedDecides) {
  Port ports[] = {port("x", ElementType::f32), port("y", ElementType::f32)};
  RandomOptions options;
  std::vector<NamedValue> first = cantFail(drawInputs(ports, options)),
                          second = cantFail(drawInputs(ports, options));
  EXPECT_EQ(first[0].value.tensor.bytes, second[0].value.tensor.bytes);
  EXPECT_NE(first[0].value.tensor.bytes, first[1].value.tensor.bytes);
  // Fixed for ever: results recorded with random inputs must mean the same later.
  EXPECT_EQ(first[0].value.tensor.shape, (std::vector<int64_t>{1, 100}));
  options.seed = 1;
  EXPECT_NE(cantFail(drawInputs(ports, options))[0].value.tensor.bytes,
            first[0].value.tensor.bytes);
  // One input's values do not depend on the others.
  options.seed = 0;
  EXPECT_EQ(cantFail(drawInputs(ArrayRef(ports, 2).drop_front(), options))[0].value.tensor.bytes,
            first[1].value.tensor.bytes);
}

TEST(RandomInputs, RangesHold) {
  for (ElementType type :
       {ElementType::f32, ElementType::f16, ElementType::i64, ElementType::i8, ElementType::i4}) {
    Port ports[] = {port("x", type)};
    RandomOptions options;
    options.ranges["x"] = {-3, 5};
    options.sizes["batch"] = 4;
    Tensor tensor = cantFail(drawInputs(ports, options))[0].value.tensor;
    ASSERT_EQ(tensor.elementCount(), 400);
    double low = 0, high = 0;
    for (int64_t i = 0; i < 400; ++i) {
      low = std::min(low, elementAsDouble(tensor, i));
      high = std::max(high, elementAsDouble(tensor, i));
    }
    EXPECT_GE(low, -3) << elementName(type);
    EXPECT_LT(low, -1.5) << elementName(type);
    EXPECT_LE(high, 5) << elementName(type);
    EXPECT_GT(high, 3) << elementName(type);
  }
}

TEST(RandomInputs, WhatTheModelDoesNotHaveIsRefused) {
  Port ports[] = {port("x", ElementType::f32)};
  RandomOptions options;
  options.ranges["z"] = {0, 1};
  EXPECT_EQ(reason(ports, options), "the model has no input 'z' to give a range; its inputs are x");
  options = {};
  options.sizes["bach"] = 2;
  EXPECT_EQ(reason(ports, options), "the model has no dynamic dimension 'bach'");
  options = {};
  options.sizes["batch"] = 9;
  EXPECT_EQ(reason(ports, options), "dimension 'batch' cannot be 9: the model was compiled for "
                                    "sizes from 1 to 8 that are multiples of 1");
  options = {};
  options.ranges["x"] = {1, 1};
  EXPECT_EQ(reason(ports, options), "the range of 'x' is empty");
}

} // namespace
