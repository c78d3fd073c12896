// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NonMaxSuppression beyond ONNX's own cases: limits that are absent or odd, and what is malformed.

#include "test/host/TestCall.h"

#include <cmath>

namespace tenon::host::test {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

const std::vector<float> twoOverlapAndOneIsApart = {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 5, 5, 6, 6};

TEST(NonMaxSuppression, selectsTheBest) {
  TestCall select("non_max_suppression.select");
  Value boxes = tensor<float>({1, 3, 4}, twoOverlapAndOneIsApart);
  Value scores = tensor<float>({1, 1, 3}, {0.5f, 0.9f, 0.7f});
  EXPECT_THAT(select({boxes, scores, scalar<int64_t>(10), scalar(0.5f)}).elements<int64_t>(),
              ElementsAre(0, 0, 1, 0, 0, 2));
  EXPECT_THAT(
      select({boxes, scores, scalar<int64_t>(10), scalar(0.5f), scalar(0.8f)}).elements<int64_t>(),
      ElementsAre(0, 0, 1));
  // No number of boxes: none.
  EXPECT_THAT(select({boxes, scores}).shape(), ElementsAre(0, 3));
  EXPECT_THAT(select({boxes, scores, scalar<int64_t>(-1)}).shape(), ElementsAre(0, 3));
}

TEST(NonMaxSuppression, scoresThatAreNoNumbersAndDegenerateBoxes) {
  TestCall select("non_max_suppression.select");
  Value boxes = tensor<float>({1, 2, 4}, {0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_THAT(select({boxes, tensor<float>({1, 1, 2}, {std::nanf(""), 1}), scalar<int64_t>(5)})
                  .elements<int64_t>(),
              ElementsAre(0, 0, 1));
  // Boxes without area overlap none.
  EXPECT_THAT(select({boxes, tensor<float>({1, 1, 2}, {1, 1}), scalar<int64_t>(5)}).shape(),
              ElementsAre(2, 3));
}

TEST(NonMaxSuppression, saysWhatDoesNotFit) {
  TestCall select("non_max_suppression.select");
  Value boxes = tensor<float>({1, 3, 4}, twoOverlapAndOneIsApart);
  EXPECT_EQ(select.error({boxes, tensor<float>({1, 1, 2}, {1, 1})}),
            "boxes of shape [1, 3, 4] and scores of shape [1, 1, 2], expected [batches, boxes, 4] "
            "and [batches, classes, boxes]");
  EXPECT_THAT(
      select.error({boxes, tensor<float>({1, 1, 3}, {1, 1, 1}), tensor<int64_t>({2}, {1, 2})}),
      StartsWith("max_output_boxes_per_class has the shape [2]"));
}

} // namespace
} // namespace tenon::host::test
