// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs with values: host functions, objects in loops, what callers get wrong, and programs that
// were made to harm.

#include "tenon/runtime.hpp"

#include "test/runtime/TestModel.h"

#include <gmock/gmock.h>

#include <chrono>

namespace tenon::test {

using namespace artifact;
using testing::HasSubstr;

namespace {

artifact::Value listType(const std::string &name) {
  artifact::Value value;
  value.name = name;
  value.element = ElementType::Float32;
  value.containers = {Container::Sequence};
  return value;
}

/// A model whose first input and output are lists of floats, with a tensor x of one axis beside.
struct ListModel : ModelBuilder {
  ListModel() {
    writer.module().inputs.push_back(listType("list"));
    input("x", ElementType::Float32, {Axis::unnamed()});
    writer.module().outputs.push_back(listType("longer"));
    list = slot(InputSlot{0});
    x = slot(InputSlot{1});
    longer = slot(OutputSlot{0});
    wrapped = slot(ObjectSlot{});
    size = dim(1, 0);
  }
  void insert(uint32_t from, uint32_t to, std::vector<uint32_t> moved = {}) {
    body(HostCall{"sequence.insert", 1, {}, {from, wrapped}, {to}, std::move(moved), "Insert"});
  }
  uint32_t list, x, longer, wrapped, size;
};

std::vector<std::byte> insertModel() {
  ListModel b;
  b.body(Wrap{b.wrapped, b.x, ElementType::Float32, {b.size}});
  b.insert(b.list, b.longer);
  return b.finish();
}

class ValueRun : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(Runtime::create(nullptr, runtime, error)); }

  void load(std::vector<std::byte> artifact) {
    bytes = std::move(artifact);
    ASSERT_TRUE(Model::loadMemory(runtime, bytes.data(), bytes.size(), model, error))
        << error.message;
  }
  tenon::Value floats(std::vector<float> values) {
    tenon::Value made;
    std::vector<int64_t> dims{static_cast<int64_t>(values.size())};
    EXPECT_TRUE(
        tenon::Value::makeTensor(runtime, tensorOf(values, TENON_FLOAT, dims), made, error));
    return made;
  }
  tenon::Value listOf(const std::vector<const tenon_value *> &elements) {
    tenon::Value made;
    EXPECT_TRUE(tenon::Value::makeSequence(runtime, elements, made, error));
    return made;
  }
  /// The message of a run that fails.
  std::string messageOf(const std::vector<const tenon_value *> &inputs, tenon_status expected) {
    std::vector<tenon::Value> outputs;
    EXPECT_FALSE(model.runValues(inputs, outputs, error));
    EXPECT_EQ(error.status, expected);
    return error.message;
  }
  /// The message of a run of a program made by hand, with a list of one tensor and a tensor.
  std::string messageOf(ModelBuilder &builder, tenon_status expected) {
    load(builder.finish());
    tenon::Value x = floats({1, 2}), list = listOf({x.get()});
    return messageOf({list.get(), x.get()}, expected);
  }

  std::vector<std::byte> bytes; // what the model lies in
  tenon::Runtime runtime;
  tenon::Model model;
  tenon::Error error = {};
};

TEST_F(ValueRun, givesValues) {
  load(insertModel());
  EXPECT_EQ(model.input(0).container_count, 1);
  EXPECT_EQ(model.input(0).containers[0], TENON_VALUE_SEQUENCE);
  EXPECT_EQ(model.input(0).rank, -1);
  EXPECT_EQ(model.input(1).container_count, 0);
  tenon::Value first = floats({1}), x = floats({2, 3}), list = listOf({first.get()});
  for (int run = 0; run < 3; ++run) {
    std::vector<tenon::Value> outputs;
    ASSERT_TRUE(model.runValues({list.get(), x.get()}, outputs, error)) << error.message;
    ASSERT_EQ(outputs[0].count(), 2);
    EXPECT_EQ(outputs[0].element(0).get(), first.get()) << "shared";
    tenon_tensor tensor;
    ASSERT_TRUE(outputs[0].element(1).tensor(tensor, error));
    EXPECT_EQ(tensor.dims[0], 2);
    EXPECT_EQ(static_cast<const float *>(tensor.data)[1], 3);
    EXPECT_EQ(list.count(), 1) << "the caller's is not changed";
  }
}

TEST_F(ValueRun, runsOnAThreadOfItsOwn) {
  load(insertModel());
  tenon::Value x = floats({2}), list = listOf({});
  const tenon_value *inputs[] = {list.get(), x.get()};
  tenon_value *output = nullptr;
  tenon_execution *execution = nullptr;
  ASSERT_EQ(tenon_run_values_async(model.get(), inputs, 2, &output, 1, &execution, &error),
            TENON_OK);
  EXPECT_EQ(tenon_execution_wait(execution, &error), TENON_OK) << error.message;
  tenon_execution_release(execution);
  EXPECT_EQ(tenon_value_get_count(output), 1);
  tenon_value_release(output);
}

TEST_F(ValueRun, tensorsAreValuesToo) {
  load(addModel());
  tenon::Value a = floats({1, 2}), b = floats({3, 4});
  std::vector<tenon::Value> outputs;
  ASSERT_TRUE(model.runValues({a.get(), b.get()}, outputs, error)) << error.message;
  tenon_tensor tensor;
  ASSERT_TRUE(outputs[0].tensor(tensor, error));
  EXPECT_EQ(static_cast<const float *>(tensor.data)[1], 6);
}

TEST_F(ValueRun, theContentOfAnObjectIsMemory) {
  ListModel b;
  uint32_t y = b.output("y", ElementType::Float32, {Axis::unnamed()});
  uint32_t kept = b.slot(ObjectSlot{}), out = b.slot(OutputSlot{y}),
           content = b.slot(ContentSlot{kept}), n = b.reg(), bytes = b.reg(), four = b.constant(4);
  b.body(Wrap{b.wrapped, b.x, ElementType::Float32, {b.size}});
  b.body(Share{kept, b.wrapped, false});
  b.body(Unwrap{kept, ElementType::Float32, {n}, "Get"});
  b.body(Arithmetic{ArithmeticKind::Multiply, bytes, n, four, none});
  b.body(SetShape{y, {n}});
  b.body(Copy{out, content, bytes});
  b.body(Share{b.longer, b.list, false});
  load(b.finish());
  tenon::Value x = floats({5, 6}), list = listOf({});
  std::vector<tenon::Value> outputs;
  ASSERT_TRUE(model.runValues({list.get(), x.get()}, outputs, error)) << error.message;
  tenon_tensor tensor;
  ASSERT_TRUE(outputs[1].tensor(tensor, error));
  EXPECT_EQ(static_cast<const float *>(tensor.data)[1], 6);
}

TEST_F(ValueRun, appendingInALoopIsLinear) {
  ListModel b;
  uint32_t now = b.slot(ObjectSlot{}), then = b.slot(ObjectSlot{});
  uint32_t i = b.reg(), more = b.reg(), one = b.constant(1), limit = b.constant(200000);
  b.body(Wrap{b.wrapped, b.x, ElementType::Float32, {b.size}});
  b.body(Share{now, b.list, false});
  uint32_t loop = b.here();
  b.body(Loop{loop + 6});
  b.body(Arithmetic{ArithmeticKind::Less, more, i, limit, none});
  b.body(Branch{more, loop + 7});
  b.insert(now, then, {0});
  b.body(Swap{now, then});
  b.body(Arithmetic{ArithmeticKind::Add, i, i, one, none});
  b.body(Repeat{loop});
  b.body(Share{b.longer, now, true});
  load(b.finish());
  tenon::Value x = floats({1}), list = listOf({});
  std::vector<tenon::Value> outputs;
  auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(model.runValues({list.get(), x.get()}, outputs, error)) << error.message;
  EXPECT_EQ(outputs[0].count(), 200000);
  // Copying the list each time would move 20 thousand million references.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(ValueRun, callersAreToldWhatIsWrong) {
  load(insertModel());
  tenon::Value x = floats({1}), list = listOf({}), optional;
  EXPECT_EQ(messageOf({x.get(), x.get()}, TENON_INVALID_ARGUMENT),
            "input 'list' is a tensor of float, expected a sequence of a tensor of float");
  EXPECT_EQ(messageOf({list.get(), list.get()}, TENON_INVALID_ARGUMENT),
            "input 'x' is an empty sequence, expected a tensor of float");
  EXPECT_EQ(messageOf({nullptr, x.get()}, TENON_INVALID_ARGUMENT),
            "input 'list' is NULL, expected a sequence of a tensor of float");
  EXPECT_EQ(messageOf({x.get()}, TENON_INVALID_ARGUMENT),
            "the model has 2 inputs, but 1 were given");
  ASSERT_TRUE(tenon::Value::makeOptional(runtime, x.get(), optional, error));
  tenon::Value wrong = listOf({optional.get()});
  EXPECT_EQ(
      messageOf({wrong.get(), x.get()}, TENON_INVALID_ARGUMENT),
      "input 'list' is a sequence of an optional of a tensor of float, expected a sequence of "
      "a tensor of float");

  std::vector<float> data = {1};
  tenon_tensor inputs[] = {tensorOf(data, TENON_FLOAT, {1}), tensorOf(data, TENON_FLOAT, {1})};
  tenon_tensor output = {};
  EXPECT_EQ(tenon_run(model.get(), inputs, 2, &output, 1, &error), TENON_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "'list' is a sequence of a tensor of float, which only "
                              "tenon_run_values takes and gives");
}

TEST_F(ValueRun, hostFunctionsNameTheNode) {
  ListModel b;
  b.body(HostCall{"sequence.erase", 1, {}, {b.list}, {b.longer}, {}, "Drop"});
  load(b.finish());
  tenon::Value x = floats({1}), list = listOf({});
  EXPECT_EQ(messageOf({list.get(), x.get()}, TENON_CHECK_FAILED),
            "node 'Drop': the sequence is empty, there is no element to erase");
}

TEST_F(ValueRun, whatTheLibraryLacksIsFoundWhenLoading) {
  ListModel b;
  b.body(HostCall{"sequence.shuffle", 1, {}, {b.list}, {b.longer}, {}, "Shuffle"});
  std::vector<std::byte> bytes = b.finish();
  EXPECT_FALSE(Model::loadMemory(runtime, bytes.data(), bytes.size(), model, error));
  EXPECT_EQ(error.status, TENON_UNSUPPORTED);
  EXPECT_STREQ(error.message,
               "node 'Shuffle': there is no host function 'sequence.shuffle' version "
               "1 in this release");

  tenon_runtime_options options;
  tenon_runtime_options_init(&options);
  options.host_library = "/nowhere/libtenon_host.so";
  tenon::Runtime other;
  ASSERT_TRUE(Runtime::create(&options, other, error));
  bytes = insertModel();
  EXPECT_FALSE(Model::loadMemory(other, bytes.data(), bytes.size(), model, error));
  EXPECT_THAT(error.message, HasSubstr("needs the library libtenon_host.so.0 beside the runtime: "
                                       "/nowhere/libtenon_host.so: cannot open"));
  bytes = addModel();
  EXPECT_TRUE(Model::loadMemory(other, bytes.data(), bytes.size(), model, error))
      << "which other models do without";
}

TEST_F(ValueRun, emptyObjectsAreNotUsed) {
  const std::string problem = "is used before it holds a value";
  {
    ListModel b;
    b.insert(b.list, b.longer);
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT), HasSubstr(problem));
  }
  {
    ListModel b;
    b.body(Share{b.longer, b.wrapped, false});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT), HasSubstr(problem));
  }
  {
    ListModel b;
    b.body(Unwrap{b.wrapped, ElementType::Float32, {}, "Get"});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT), HasSubstr(problem));
  }
  {
    ListModel b;
    uint32_t content = b.slot(ContentSlot{b.wrapped});
    b.body(Wrap{b.longer, content, ElementType::Float32, {}});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT), HasSubstr(problem));
  }
  {
    ListModel b;
    b.body(Wrap{b.wrapped, b.x, ElementType::Float32, {b.size}});
    b.insert(b.list, b.longer, {1});
    b.insert(b.list, b.longer);
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT), HasSubstr(problem)) << "after it was moved";
  }
  {
    ListModel b;
    b.body(Wrap{b.wrapped, b.x, ElementType::Float32, {b.size}});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT), HasSubstr(problem)) << "at the end";
  }
}

TEST_F(ValueRun, contentsAreWhatTheyAre) {
  {
    ListModel b; // a sequence is no memory
    uint32_t content = b.slot(ContentSlot{b.list});
    b.body(Wrap{b.longer, content, ElementType::Float32, {}});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT),
                HasSubstr("holds a sequence of a tensor of float, whose content is no memory"));
  }
  {
    ListModel b; // nor are strings
    b.writer.module().constants = {{ElementType::String, {1}, {}, {"text"}}};
    uint32_t strings = b.slot(ObjectConstantSlot{0}), content = b.slot(ContentSlot{strings});
    b.body(Wrap{b.longer, content, ElementType::UInt8, {}});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARTIFACT),
                HasSubstr("holds a tensor of string, whose content is no memory"));
  }
  {
    ListModel b; // more than there is
    uint32_t content = b.slot(ContentSlot{b.wrapped}), many = b.constant(1000);
    b.body(Wrap{b.wrapped, b.x, ElementType::Float32, {b.size}});
    b.body(Wrap{b.longer, content, ElementType::Float32, {many}});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARGUMENT),
                HasSubstr("a tensor has 8 bytes of data, its shape needs 4000"));
  }
  {
    ListModel b; // of a negative size
    uint32_t less = b.constant(-5);
    b.body(Wrap{b.longer, b.x, ElementType::Float32, {less}});
    EXPECT_THAT(messageOf(b, TENON_INVALID_ARGUMENT), HasSubstr("axis 0 of a tensor is negative"));
  }
  {
    ListModel b;
    uint32_t n = b.reg();
    b.body(Wrap{b.wrapped, b.x, ElementType::Float32, {b.size}});
    b.body(Unwrap{b.wrapped, ElementType::Int64, {n}, "Get"});
    EXPECT_EQ(messageOf(b, TENON_CHECK_FAILED), "node 'Get': expected a tensor of int64 of rank 1, "
                                                "found a tensor of float of rank 1");
  }
  {
    ListModel b; // what comes out is of the type that the signature says
    b.body(Wrap{b.longer, b.x, ElementType::Float32, {b.size}});
    EXPECT_EQ(messageOf(b, TENON_CHECK_FAILED),
              "output 'longer' came out as a tensor of float, its signature says a sequence of a "
              "tensor of float");
  }
}

TEST_F(ValueRun, functionsCheckWhatTheyGet) {
  ListModel b;
  b.body(HostCall{"sequence.at", 1, {}, {b.list}, {b.longer}, {}, "At"});
  EXPECT_EQ(messageOf(b, TENON_INVALID_ARTIFACT), "node 'At': input 1 is absent");
  ListModel c;
  c.body(HostCall{"sequence.length", 1, {}, {c.list}, {c.longer, c.wrapped}, {}, "Length"});
  EXPECT_EQ(messageOf(c, TENON_INVALID_ARTIFACT), "node 'Length': gives 2 results");
  ListModel d;
  d.body(HostCall{"sequence.insert", 1, {}, {d.list, d.list}, {d.longer}, {}, "Insert"});
  EXPECT_THAT(messageOf(d, TENON_INVALID_ARGUMENT),
              HasSubstr("node 'Insert': a sequence holds values of one type"));
}

} // namespace
} // namespace tenon::test
