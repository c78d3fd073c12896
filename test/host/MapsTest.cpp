// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps. The expected values are ONNX Runtime's.

#include "test/host/TestCall.h"

namespace tenon::host::test {
namespace {

using testing::ElementsAre;

Value scores(const Shape &shape, std::vector<float> values) { return tensor<float>(shape, values); }

TEST(Maps, zip) {
  TestCall zip("map.zip", {{"classlabels_strings", stringTensor({2}, {"a", "b"})}});
  Value rows = zip({scores({2, 2}, {1, 2, 3, 4})});
  ASSERT_EQ(rows.count(), 2);
  EXPECT_THAT(stringsOf(rows[1].keys()), ElementsAre("a", "b"));
  EXPECT_THAT(rows[1].values().elements<float>(), ElementsAre(3, 4));
  EXPECT_EQ(zip({scores({2}, {1, 2})}).count(), 1);
  EXPECT_EQ(zip({scores({0, 2}, {})}).count(), 0);
  EXPECT_EQ(zip.error({scores({3}, {1, 2, 3})}),
            "the scores have shape [3], expected a row for 2 classes");
  TestCall numbers("map.zip", {{"classlabels_int64s", tensor<int64_t>({2}, {7, 5})}});
  EXPECT_THAT(numbers({scores({1, 2}, {1, 2})})[0].keys().elements<int64_t>(), ElementsAre(7, 5));
  EXPECT_EQ(TestCall("map.zip").problem(), "the labels of the classes are missing");
}

Value floatMap() {
  return mapOf(tensor<int64_t>({3}, {3, 0, 2}), scores({3}, {1.5f, 2e10f, 0.1f}));
}

TEST(Maps, castDense) {
  auto cast = [](const char *to, const Value &map) {
    return TestCall("map.cast", {{"cast_to", stringTensor({}, {to})}})({map});
  };
  Value floats = cast("TO_FLOAT", floatMap());
  EXPECT_THAT(floats.shape(), ElementsAre(1, 3));
  EXPECT_THAT(floats.elements<float>(), ElementsAre(2e10f, 0.1f, 1.5f));
  EXPECT_THAT(cast("TO_INT64", floatMap()).elements<int64_t>(), ElementsAre(20000000000, 0, 1));
  EXPECT_THAT(stringsOf(cast("TO_STRING", floatMap())),
              ElementsAre("20000000000.000000", "0.100000", "1.500000"));
  Value texts = mapOf(tensor<int64_t>({2}, {1, 0}), stringTensor({2}, {"3", "4.5"}));
  EXPECT_THAT(cast("TO_FLOAT", texts).elements<float>(), ElementsAre(4.5f, 3));
  Value words = mapOf(tensor<int64_t>({1}, {1}), stringTensor({1}, {"three"}));
  EXPECT_EQ(TestCall("map.cast").error({words}), "'three' is no number");
}

TEST(Maps, castSparse) {
  auto cast = [](const char *to, int64_t size) {
    return TestCall("map.cast", {{"cast_to", stringTensor({}, {to})},
                                 {"map_form", stringTensor({}, {"SPARSE"})},
                                 {"max_map", scalar<int64_t>(size)}});
  };
  EXPECT_THAT(cast("TO_FLOAT", 5)({floatMap()}).elements<float>(),
              ElementsAre(2e10f, 0, 0.1f, 1.5f, 0));
  EXPECT_THAT(stringsOf(cast("TO_STRING", 5)({floatMap()})),
              ElementsAre("20000000000.000000", "0.f", "0.100000", "1.500000", "0.f"));
  EXPECT_THAT(cast("TO_FLOAT", 2)({floatMap()}).elements<float>(), ElementsAre(2e10f, 0));
  Value negative = mapOf(tensor<int64_t>({1}, {-1}), scores({1}, {1}));
  EXPECT_EQ(cast("TO_FLOAT", 2).error({negative}), "key -1 of a sparse map is negative");
}

TEST(Maps, vectorize) {
  TestCall vectorize("map.vectorize", {{"int64_vocabulary", tensor<int64_t>({3}, {5, 3, 0})}});
  Value map = mapOf(tensor<int64_t>({2}, {3, 9}), scores({2}, {1.5f, 2}));
  EXPECT_THAT(vectorize({map}).elements<float>(), ElementsAre(0, 1.5f, 0));
  TestCall words("map.vectorize", {{"string_vocabulary", stringTensor({2}, {"x", "y"})}});
  Value texts = mapOf(stringTensor({1}, {"y"}), stringTensor({1}, {"Y"}));
  EXPECT_THAT(stringsOf(words({texts})), ElementsAre("", "Y"));
  EXPECT_EQ(words.error({map}), "the keys of the map are of another type than the vocabulary");
  Value narrow = mapOf(tensor<uint8_t>({1}, {3}), scores({1}, {1}));
  EXPECT_EQ(vectorize.error({narrow}),
            "the keys of the map are of another type than the vocabulary");
}

} // namespace
} // namespace tenon::host::test
