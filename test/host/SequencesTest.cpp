// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences and optionals.

#include "test/host/TestCall.h"

namespace tenon::host::test {
namespace {

using testing::ElementsAre;

Value numbers(std::vector<float> elements) {
  Shape shape{static_cast<int64_t>(elements.size())};
  return tensor<float>(shape, elements);
}

TEST(Sequence, atCountsFromBothEnds) {
  TestCall at("sequence.at");
  Value list = sequenceOf({numbers({1}), numbers({2, 3})});
  EXPECT_THAT(at({list, scalar<int64_t>(0)}).elements<float>(), ElementsAre(1));
  EXPECT_THAT(at({list, scalar<int32_t>(-1)}).elements<float>(), ElementsAre(2, 3));
  EXPECT_EQ(at.error({list, scalar<int64_t>(2)}), "position 2 is not in a sequence of 2 elements");
  EXPECT_EQ(at.error({list, scalar<int64_t>(-3)}),
            "position -3 is not in a sequence of 2 elements");
  EXPECT_EQ(at.error({list, tensor<int64_t>({2}, {0, 1})}),
            "the position is a tensor of shape [2], expected one element");
}

TEST(Sequence, insertLeavesTheOldOneAlone) {
  TestCall insert("sequence.insert");
  Value list = sequenceOf({numbers({1})});
  Value longer = insert({list, numbers({2}), scalar<int64_t>(0)});
  EXPECT_EQ(list.count(), 1);
  ASSERT_EQ(longer.count(), 2);
  EXPECT_THAT(longer[0].elements<float>(), ElementsAre(2));
  EXPECT_THAT(longer[1].elements<float>(), ElementsAre(1));
  EXPECT_EQ(insert.error({list, scalar<int64_t>(2)}),
            "a sequence holds values of one type, but is given a tensor of int64 after a tensor of "
            "float");
}

TEST(Sequence, insertEditsWhatNobodyElseHas) {
  TestCall insert("sequence.insert");
  Value list = sequenceOf({numbers({1})});
  const tenon_value *address = list.get();
  std::vector<Value> inputs;
  inputs.push_back(std::move(list));
  inputs.push_back(numbers({2}));
  Value longer = insert(std::move(inputs));
  EXPECT_EQ(longer.get(), address);
  EXPECT_EQ(longer.count(), 2);
}

TEST(Sequence, eraseAndLength) {
  TestCall erase("sequence.erase"), length("sequence.length");
  Value list = sequenceOf({numbers({1}), numbers({2}), numbers({3})});
  EXPECT_EQ(length({list}).integer(0), 3);
  Value last = erase({list});
  EXPECT_THAT(last[1].elements<float>(), ElementsAre(2));
  Value first = erase({list, scalar<int64_t>(-3)});
  EXPECT_THAT(first[0].elements<float>(), ElementsAre(2));
  EXPECT_EQ(erase.error({sequenceOf({})}), "the sequence is empty, there is no element to erase");
}

TEST(Sequence, split) {
  TestCall split("sequence.split", {{"axis", scalar<int64_t>(-1)}});
  Value x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  Value columns = split({x});
  ASSERT_EQ(columns.count(), 3);
  EXPECT_THAT(columns[1].shape(), ElementsAre(2, 1));
  EXPECT_THAT(columns[1].elements<float>(), ElementsAre(2, 5));
  Value pairs = split({x, scalar<int64_t>(2)});
  ASSERT_EQ(pairs.count(), 2);
  EXPECT_THAT(pairs[0].elements<float>(), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(pairs[1].shape(), ElementsAre(2, 1));
  Value parts = split({x, tensor<int32_t>({3}, {0, 1, 2})});
  EXPECT_THAT(parts[0].shape(), ElementsAre(2, 0));
  EXPECT_THAT(parts[2].elements<float>(), ElementsAre(2, 3, 5, 6));
  EXPECT_EQ(split.error({x, tensor<int32_t>({2}, {1, 1})}),
            "the parts have 2 elements together, the axis has 3");
  EXPECT_EQ(split.error({x, scalar<int32_t>(0)}), "a part cannot have 0 elements");
  EXPECT_EQ(split.error({x, tensor<int32_t>({2}, {4, -1})}), "a part cannot have -1 elements");
  EXPECT_EQ(split.error({scalar<float>(1)}), "axis -1 is not one of a tensor of rank 0");
  EXPECT_EQ(split({tensor<float>({2, 0}, {})}).count(), 0);
  EXPECT_EQ(split.error({tensor<float>({0, int64_t(1) << 40}, {})}),
            "an axis of 1099511627776 elements cannot be split");
  TestCall rows("sequence.split", {{"keepdims", scalar<int64_t>(0)}});
  EXPECT_THAT(rows({x})[1].shape(), ElementsAre(3));
  EXPECT_THAT(rows({x, scalar<int64_t>(1)})[1].shape(), ElementsAre(1, 3));
  EXPECT_THAT(stringsOf(rows({stringTensor({2, 2}, {"a", "b", "c", "d"})})[1]),
              ElementsAre("c", "d"));
}

TEST(Sequence, concat) {
  TestCall concat("sequence.concat", {{"axis", scalar<int64_t>(1)}});
  Value joined = concat({sequenceOf({tensor<float>({2, 1}, {1, 2}), tensor<float>({2, 0}, {}),
                                     tensor<float>({2, 2}, {3, 4, 5, 6})})});
  EXPECT_THAT(joined.shape(), ElementsAre(2, 3));
  EXPECT_THAT(joined.elements<float>(), ElementsAre(1, 3, 4, 2, 5, 6));
  TestCall stack("sequence.concat",
                 {{"axis", scalar<int64_t>(-1)}, {"new_axis", scalar<int64_t>(1)}});
  Value stacked = stack({sequenceOf({numbers({1, 2}), numbers({3, 4})})});
  EXPECT_THAT(stacked.shape(), ElementsAre(2, 2));
  EXPECT_THAT(stacked.elements<float>(), ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(stringsOf(stack({sequenceOf({stringTensor({}, {"a"}), stringTensor({}, {"b"})})})),
              ElementsAre("a", "b"));
  EXPECT_EQ(concat.error({sequenceOf({})}), "the sequence is empty, there is nothing to join");
  EXPECT_EQ(stack.error({sequenceOf({numbers({1, 2}), numbers({3})})}),
            "tensors of shapes [2] and [1] cannot be joined along axis -1");
  EXPECT_EQ(concat.error({sequenceOf({sequenceOf({})})}),
            "the sequence holds other values than tensors");
}

TEST(Optional, hasContentOrNot) {
  TestCall get("optional.get"), has("optional.has"), make("optional.make");
  EXPECT_TRUE(has({make({numbers({1})})}).elements<bool>()[0]);
  EXPECT_FALSE(has({optionalOf({})}).elements<bool>()[0]);
  EXPECT_FALSE(has({Value()}).elements<bool>()[0]);
  EXPECT_TRUE(has({numbers({1})}).elements<bool>()[0]);
  EXPECT_THAT(get({make({numbers({1})})}).elements<float>(), ElementsAre(1));
  EXPECT_EQ(get.error({optionalOf({})}), "the optional is empty");
}

} // namespace
} // namespace tenon::host::test
