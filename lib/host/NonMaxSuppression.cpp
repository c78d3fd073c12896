// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NonMaxSuppression: of boxes that overlap, only the one with the best score.
//
// Boxes are taken in falling order of score, the first of equals first; one is selected unless it
// overlaps one that is selected already. Arithmetic is in float, as in ONNX's reference
// implementation, because whether a threshold is passed hangs on the last bit.

#include "lib/host/Families.h"

#include <algorithm>
#include <cmath>

namespace tenon::host {

namespace {

struct Box {
  float top, left, bottom, right;

  float area() const { return (bottom - top) * (right - left); }
};

/// Corners are in any order: [y1, x1, y2, x2]; or [x centre, y centre, width, height].
Box readBox(std::span<const float, 4> box, bool isCentred) {
  if (isCentred)
    return {box[1] - box[3] / 2, box[0] - box[2] / 2, box[1] + box[3] / 2, box[0] + box[2] / 2};
  return {std::min(box[0], box[2]), std::min(box[1], box[3]), std::max(box[0], box[2]),
          std::max(box[1], box[3])};
}

bool overlap(const Box &a, const Box &b, float threshold) {
  float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (!(width > 0) || !(height > 0))
    return false;
  float common = width * height;
  float all = a.area() + b.area() - common;
  if (!(common > 0) || !(a.area() > 0) || !(b.area() > 0) || !(all > 0))
    return false;
  return common / all > threshold;
}

/// The only element of an input that may be absent.
template <typename T>
Status readLimit(const Call &call, size_t index, const char *name, T &limit) {
  Value input = call.input(index);
  if (!input || input.count() == 0)
    return {};
  if (input.count() != 1)
    return failed(std::string(name) + " has the shape " + shapeText(input.shape()) +
                  ", expected one element");
  limit = input.elements<T>()[0];
  return {};
}

Status select(const Attributes &attributes, Call &call) {
  Value boxes = call.input(0), scores = call.input(1), made;
  int64_t batches = boxes.shape()[0], count = boxes.shape()[1], classes = scores.shape()[1];
  if (boxes.shape()[2] != 4 || scores.shape()[0] != batches || scores.shape()[2] != count)
    return failed("boxes of shape " + shapeText(boxes.shape()) + " and scores of shape " +
                  shapeText(scores.shape()) +
                  ", expected [batches, boxes, 4] and [batches, classes, boxes]");
  int64_t most = 0;
  float overlapLimit = 0, scoreLimit = 0;
  TENON_RETURN_IF_ERROR(readLimit(call, 2, "max_output_boxes_per_class", most));
  TENON_RETURN_IF_ERROR(readLimit(call, 3, "iou_threshold", overlapLimit));
  TENON_RETURN_IF_ERROR(readLimit(call, 4, "score_threshold", scoreLimit));
  bool hasScoreLimit = call.hasInput(4) && call.input(4).count() == 1;
  bool isCentred = attributes.integer("center_point_box", 0) != 0;

  std::vector<int64_t> selected;
  std::vector<Box> corners(static_cast<size_t>(count));
  std::vector<int64_t> order;
  std::vector<Box> kept;
  for (int64_t batch = 0; batch < batches && most > 0; ++batch) {
    auto all = boxes.elements<float>().subspan(static_cast<size_t>(batch * count * 4));
    for (size_t i = 0; i < corners.size(); ++i)
      corners[i] = readBox(all.subspan(i * 4).first<4>(), isCentred);
    for (int64_t label = 0; label < classes; ++label) {
      auto score =
          scores.elements<float>().subspan(static_cast<size_t>((batch * classes + label) * count));
      order.clear();
      // What is not a number is no score.
      for (int64_t i = 0; i < count; ++i)
        if (float s = score[static_cast<size_t>(i)];
            !std::isnan(s) && (!hasScoreLimit || s > scoreLimit))
          order.push_back(i);
      std::ranges::sort(order, [&](int64_t a, int64_t b) {
        float left = score[static_cast<size_t>(a)], right = score[static_cast<size_t>(b)];
        return left > right || (left == right && a < b);
      });
      kept.clear();
      for (int64_t candidate : order) {
        if (static_cast<int64_t>(kept.size()) >= most)
          break;
        const Box &box = corners[static_cast<size_t>(candidate)];
        if (std::ranges::any_of(
                kept, [&](const Box &other) { return overlap(box, other, overlapLimit); }))
          continue;
        kept.push_back(box);
        selected.insert(selected.end(), {batch, label, candidate});
      }
    }
  }

  std::span<int64_t> elements;
  TENON_RETURN_IF_ERROR(
      call.makeTensor({static_cast<int64_t>(selected.size() / 3), 3}, made, elements));
  std::ranges::copy(selected, elements.begin());
  call.set(0, std::move(made));
  return {};
}

} // namespace

std::vector<Entry> nonMaxSuppressionFunctions() {
  static constexpr Input floats = tensorOf({TENON_FLOAT}), integer = tensorOf({TENON_INT64});
  return {{"non_max_suppression.select",
           1,
           {floats.ofRank(3), floats.ofRank(3), integer.orAbsent(), floats.orAbsent(),
            floats.orAbsent()},
           1,
           1,
           plain<select>}};
}

} // namespace tenon::host
