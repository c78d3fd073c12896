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
