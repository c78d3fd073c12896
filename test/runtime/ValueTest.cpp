// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values by themselves: what is put in comes out, what does not fit is refused.

#include "tenon/runtime.hpp"

#include "test/runtime/TestModel.h"

#include <gmock/gmock.h>

namespace tenon::test {

namespace {

class Values : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(Runtime::create(nullptr, runtime, error)); }

  template <typename T>
  tenon::Value tensor(std::vector<T> values, tenon_element_type element,
                      std::vector<int64_t> dims) {
    tenon::Value made;
    EXPECT_TRUE(tenon::Value::makeTensor(runtime, tensorOf(values, element, dims), made, error))
        << error.message;
    return made;
  }
  tenon::Value strings(const std::vector<std::string> &texts) {
    std::vector<tenon_string> views;
    for (const std::string &text : texts)
      views.push_back({text.data(), text.size()});
    return tensor(views, TENON_STRING, {static_cast<int64_t>(texts.size())});
  }
  tenon::Value sequence(const std::vector<const tenon_value *> &elements) {
    tenon::Value made;
    EXPECT_TRUE(tenon::Value::makeSequence(runtime, elements, made, error)) << error.message;
    return made;
  }

  tenon::Runtime runtime;
  tenon::Error error = {};
};

TEST_F(Values, tensorsAreCopied) {
  std::vector<float> data = {1, 2, 3, 4};
  tenon::Value value;
  ASSERT_TRUE(tenon::Value::makeTensor(runtime, tensorOf(data, TENON_FLOAT, {2, 2}), value, error));
  data[0] = 9;
  tenon_tensor view;
  ASSERT_TRUE(value.tensor(view, error));
  EXPECT_EQ(view.rank, 2);
  EXPECT_EQ(view.byte_size, 16);
  EXPECT_EQ(static_cast<const float *>(view.data)[0], 1);
  EXPECT_EQ(value.count(), 4);
  EXPECT_EQ(value.kind(), TENON_VALUE_TENSOR);
}

TEST_F(Values, stringsMayHoldAnything) {
  tenon::Value value = strings({"", std::string("a\0b", 3), "\u00e4"});
  tenon_tensor view;
  ASSERT_TRUE(value.tensor(view, error));
  auto *texts = static_cast<const tenon_string *>(view.data);
  EXPECT_EQ(texts[0].size, 0u);
  EXPECT_EQ(std::string(texts[1].data, texts[1].size), std::string("a\0b", 3));
  EXPECT_EQ(std::string(texts[2].data, texts[2].size), "\u00e4");
}

TEST_F(Values, containersShare) {
  tenon::Value a = tensor<int64_t>({1}, TENON_INT64, {1}), optional, empty;
  tenon::Value list = sequence({a.get(), a.get()});
  EXPECT_EQ(list.count(), 2);
  EXPECT_EQ(list.element(1).get(), a.get());
  EXPECT_EQ(list.element(2).get(), nullptr);
  ASSERT_TRUE(tenon::Value::makeOptional(runtime, list.get(), optional, error));
  ASSERT_TRUE(tenon::Value::makeOptional(runtime, nullptr, empty, error));
  EXPECT_EQ(optional.count(), 1);
  EXPECT_EQ(empty.count(), 0);
  const tenon_value *address = a.get();
  a.reset();
  list.reset();
  EXPECT_EQ(optional.element(0).element(0).get(), address) << "kept by what holds it";
  runtime.reset();
  tenon_tensor view;
  EXPECT_TRUE(optional.element(0).element(0).tensor(view, error)) << "so is the runtime";
}

TEST_F(Values, maps) {
  tenon::Value keys = strings({"b", "a"}), values = tensor<float>({2, 1}, TENON_FLOAT, {2}), map;
  ASSERT_TRUE(tenon::Value::makeMap(runtime, keys, values, map, error)) << error.message;
  EXPECT_EQ(map.count(), 2);
  EXPECT_EQ(map.element(0).get(), keys.get());
  EXPECT_EQ(map.element(1).get(), values.get());
}

TEST_F(Values, whatDoesNotFitIsRefused) {
  tenon::Value number = tensor<float>({1}, TENON_FLOAT, {1}), text = strings({"a"}), made;
  auto refused = [&](bool succeeded) {
    EXPECT_FALSE(succeeded);
    EXPECT_EQ(error.status, TENON_INVALID_ARGUMENT);
    EXPECT_FALSE(made);
    return std::string(error.message);
  };
  EXPECT_EQ(
      refused(tenon::Value::makeSequence(runtime, {number.get(), text.get()}, made, error)),
      "a sequence holds values of one type, but is given a tensor of string after a tensor of "
      "float");
  EXPECT_EQ(refused(tenon::Value::makeSequence(runtime, {nullptr}, made, error)),
            "element 0 of a sequence is NULL");
  EXPECT_EQ(refused(tenon::Value::makeMap(runtime, number, number, made, error)),
            "the keys of a map are of type float, expected integers or strings");
  tenon::Value twice = strings({"a", "b", "a"}), three = tensor<float>({1, 2, 3}, TENON_FLOAT, {3});
  EXPECT_EQ(refused(tenon::Value::makeMap(runtime, twice, three, made, error)),
            "a map has a key twice");
  EXPECT_EQ(refused(tenon::Value::makeMap(runtime, text, three, made, error)),
            "a map has 1 keys, but 3 values");
  EXPECT_EQ(refused(tenon::Value::makeMap(runtime, sequence({}), three, made, error)),
            "the keys and the values of a map are tensors of one axis");

  std::vector<float> data = {1, 2};
  auto tensorRefused = [&](auto change) {
    tenon_tensor tensor = tensorOf(data, TENON_FLOAT, {2});
    change(tensor);
    return refused(tenon::Value::makeTensor(runtime, tensor, made, error));
  };
  EXPECT_EQ(tensorRefused([](tenon_tensor &t) { t.dims[0] = 3; }),
            "a tensor has 8 bytes of data, its shape needs 12");
  EXPECT_EQ(tensorRefused([](tenon_tensor &t) { t.dims[0] = -1; }),
            "axis 0 of a tensor is negative");
  EXPECT_EQ(tensorRefused([](tenon_tensor &t) { t.dims[0] = INT64_MAX; }), "a tensor is too large");
  EXPECT_EQ(tensorRefused([](tenon_tensor &t) { t.rank = 17; }),
            "a tensor has 17 axes, expected 0 to 16");
  EXPECT_EQ(tensorRefused([](tenon_tensor &t) { t.element = TENON_UNDEFINED; }),
            "a tensor has an unknown element type");
  EXPECT_EQ(tensorRefused([](tenon_tensor &t) { t.data = nullptr; }),
            "a tensor has 0 bytes of data, its shape needs 8");
}

TEST_F(Values, nestingIsBounded) {
  tenon::Value value = tensor<float>({1}, TENON_FLOAT, {1});
  for (int depth = 0; depth < 16; ++depth) {
    tenon::Value outer;
    ASSERT_TRUE(tenon::Value::makeOptional(runtime, value.get(), outer, error)) << depth;
    value = std::move(outer);
  }
  tenon::Value outer;
  EXPECT_FALSE(tenon::Value::makeOptional(runtime, value.get(), outer, error));
  EXPECT_STREQ(error.message, "values nest deeper than 16 times");
}

} // namespace
} // namespace tenon::test
