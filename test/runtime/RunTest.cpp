// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One run: results, shapes, views, outputs, and what callers get wrong.

#include "test/runtime/TestModel.h"

#include <gmock/gmock.h>

namespace tenon::test {

using namespace artifact;
using testing::HasSubstr;

namespace {

std::vector<float> ramp(size_t size, float step) {
  std::vector<float> values(size);
  for (size_t i = 0; i < size; ++i)
    values[i] = static_cast<float>(i) * step;
  return values;
}

std::string messageOf(const Loaded &loaded, std::vector<tenon_tensor> inputs,
                      std::vector<tenon_tensor> outputs,
                      tenon_status expected = TENON_INVALID_ARGUMENT) {
  tenon_error error = {};
  EXPECT_EQ(tenon_run(loaded.model, inputs.data(), static_cast<int32_t>(inputs.size()),
                      outputs.data(), static_cast<int32_t>(outputs.size()), &error),
            expected)
      << error.message;
  EXPECT_EQ(error.status, expected);
  for (tenon_tensor &output : outputs)
    EXPECT_TRUE(output.data == nullptr || output.byte_size > 0);
  return error.message;
}

TEST(Run, computesWithDynamicShapes) {
  Loaded loaded(addModel());
  for (size_t size : {1, 63, 64, 65, 1000, 0, 100000, 64}) {
    std::vector<float> a = ramp(size, 1), b = ramp(size, 2), y(size, -1);
    y.reserve(1); // an address also when it is empty
    int64_t n = static_cast<int64_t>(size);
    tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {n}), tensorOf(b, TENON_FLOAT, {n})};
    tenon_tensor output = tensorOf(y, TENON_FLOAT, {n});
    tenon_error error = {};
    ASSERT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
    EXPECT_EQ(output.rank, 1);
    EXPECT_EQ(output.dims[0], n);
    for (size_t i = 0; i < size; ++i)
      ASSERT_EQ(y[i], 3 * static_cast<float>(i)) << "of " << size;
  }
}

TEST(Run, computesWithPlacesDecidedAheadOfTime) {
  Loaded loaded(staticAddModel());
  std::vector<float> a = ramp(256, 1), b = ramp(256, 1), y(256);
  tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {256}), tensorOf(b, TENON_FLOAT, {256})};
  tenon_tensor output = tensorOf(y, TENON_FLOAT, {256});
  tenon_error error = {};
  ASSERT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
  for (size_t i = 0; i < 256; ++i)
    ASSERT_EQ(y[i], 200 * static_cast<float>(i));
}

TEST(Run, allocatesOutputsWithoutData) {
  Loaded loaded(addModel());
  std::vector<float> a = ramp(100, 1), b = ramp(100, 1);
  tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {100}), tensorOf(b, TENON_FLOAT, {100})};
  tenon_tensor output = {};
  tenon_error error = {};
  ASSERT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
  ASSERT_NE(output.data, nullptr);
  EXPECT_EQ(output.byte_size, 400);
  EXPECT_EQ(output.element, TENON_FLOAT);
  EXPECT_EQ(static_cast<float *>(output.data)[99], 198);
  tenon_tensor_release(loaded.runtime, &output);
  EXPECT_EQ(output.data, nullptr);
}

TEST(Run, viewsReachIntoSlots) {
  // y = x[2:5] for int64 x[8], and z = x with its first half doubled in value by copies.
  ModelBuilder b;
  b.input("x", ElementType::Int64, {Axis::fixed(8)});
  b.input("start", ElementType::Int64, {});
  b.output("y", ElementType::Int64, {Axis::fixed(3)});
  uint32_t x = b.slot(InputSlot{0}), start = b.slot(InputSlot{1}), y = b.slot(OutputSlot{0});
  uint32_t offset = b.reg();
  uint32_t half = b.slot(ViewSlot{x, 8, none});
  uint32_t view = b.slot(ViewSlot{half, 0, offset});
  uint32_t zero = b.constant(0), eight = b.constant(8), bytes = b.constant(24);
  b.body(LoadElement{offset, start, zero, ElementType::Int64});
  b.body(Arithmetic{ArithmeticKind::Multiply, offset, offset, eight, none});
  b.body(Copy{y, view, bytes});
  Loaded loaded(b.finish());
  std::vector<int64_t> values = {0, 10, 20, 30, 40, 50, 60, 70}, from = {1}, result(3);
  tenon_tensor inputs[] = {tensorOf(values, TENON_INT64, {8}), tensorOf(from, TENON_INT64, {})};
  tenon_tensor output = tensorOf(result, TENON_INT64, {3});
  tenon_error error = {};
  ASSERT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
  EXPECT_EQ(result, (std::vector<int64_t>{20, 30, 40}));

  for (int64_t bad : {int64_t(-1), int64_t(5), int64_t(8), INT64_MAX / 8}) {
    from[0] = bad;
    EXPECT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_CHECK_FAILED);
    EXPECT_THAT(error.message, HasSubstr("copy"));
  }
}

TEST(Run, weightsAndConstantsAreRead) {
  ModelBuilder b;
  std::vector<float> weight = ramp(512, 1), constant = ramp(512, 2);
  b.output("y", ElementType::Float32, {Axis::fixed(512)});
  uint32_t w = b.writer.addWeight({.name = "w", .source = {}, .recipe = ""},
                                  std::as_bytes(std::span(weight)));
  uint32_t weightSlot = b.slot(WeightSlot{w});
  uint32_t constantSlot = b.slot(b.writer.addConstant(std::as_bytes(std::span(constant))));
  uint32_t y = b.slot(OutputSlot{0});
  uint32_t size = b.constant(512), groups = b.constant(8);
  b.body(Launch{b.kernel("add", 3, 1), {weightSlot, constantSlot, y}, {size}, groups});
  Loaded loaded(b.finish());
  std::vector<float> result(512);
  tenon_tensor output = tensorOf(result, TENON_FLOAT, {512});
  tenon_error error = {};
  ASSERT_EQ(tenon_run(loaded.model, nullptr, 0, &output, 1, &error), TENON_OK) << error.message;
  for (size_t i = 0; i < 512; ++i)
    ASSERT_EQ(result[i], 3 * static_cast<float>(i));
}

TEST(Run, fillsWithPatterns) {
  for (auto [pattern, size, expected] :
       {std::tuple(0x11ull, 1, 0x1111111111111111ull),
        std::tuple(0x2211ull, 2, 0x2211221122112211ull),
        std::tuple(0x44332211ull, 4, 0x4433221144332211ull),
        std::tuple(0x8877665544332211ull, 8, 0x8877665544332211ull)}) {
    ModelBuilder b;
    b.output("y", ElementType::UInt64, {Axis::fixed(5)});
    uint32_t y = b.slot(OutputSlot{0}), bytes = b.constant(40);
    b.body(Fill{y, bytes, pattern, static_cast<uint8_t>(size)});
    Loaded loaded(b.finish());
    std::vector<uint64_t> result(5);
    tenon_tensor output = tensorOf(result, TENON_UINT64, {5});
    tenon_error error = {};
    ASSERT_EQ(tenon_run(loaded.model, nullptr, 0, &output, 1, &error), TENON_OK) << error.message;
    EXPECT_EQ(result, std::vector<uint64_t>(5, expected));
  }
}

TEST(Run, sizesThatDependOnData) {
  // y = the elements of x that are not zero: read back a count, allocate, shape the output.
  ModelBuilder b;
  Axis n = Axis::dimension(b.dimension("n"));
  b.input("x", ElementType::Int64, {n});
  b.output("y", ElementType::Int64, {Axis::unnamed()});
  uint32_t count = b.kernel("count", 2, 1), compress = b.kernel("compress", 2, 1);
  uint32_t x = b.slot(InputSlot{0}), y = b.slot(OutputSlot{0});
  uint32_t counter = b.slot(TemporarySlot{8, none, -1, 0, 1});
  uint32_t late = b.slot(AllocatedSlot{});
  uint32_t size = b.dim(0, 0), zero = b.constant(0), one = b.constant(1), eight = b.constant(8);
  uint32_t found = b.reg(), bytes = b.reg();
  b.body(Launch{count, {x, counter}, {size}, one});
  b.body(LoadElement{found, counter, zero, ElementType::Int64});
  b.body(Arithmetic{ArithmeticKind::Multiply, bytes, found, eight, none});
  b.body(Allocate{late, bytes});
  b.body(Launch{compress, {x, late}, {size}, one});
  b.body(SetShape{0, {found}});
  b.body(Copy{y, late, bytes});
  Loaded loaded(b.finish());
  for (std::vector<int64_t> values :
       {std::vector<int64_t>{0, 7, 0, 8, 9, 0}, {0, 0}, {1, 2, 3, 4, 5, 6, 7, 8}, {}}) {
    std::vector<int64_t> expected;
    for (int64_t value : values)
      if (value != 0)
        expected.push_back(value);
    tenon_tensor input = tensorOf(values, TENON_INT64, {static_cast<int64_t>(values.size())});
    tenon_tensor output = {};
    tenon_error error = {};
    ASSERT_EQ(tenon_run(loaded.model, &input, 1, &output, 1, &error), TENON_OK) << error.message;
    ASSERT_EQ(output.dims[0], static_cast<int64_t>(expected.size()));
    auto *data = static_cast<int64_t *>(output.data);
    EXPECT_EQ(std::vector<int64_t>(data, data + output.dims[0]), expected);
    tenon_tensor_release(loaded.runtime, &output);
  }
  // The output's size is known only at the end: too little room is an error then.
  std::vector<int64_t> values = {1, 2, 3}, room(2);
  EXPECT_THAT(
      messageOf(loaded, {tensorOf(values, TENON_INT64, {3})}, {tensorOf(room, TENON_INT64, {2})}),
      HasSubstr("output 'y' has shape [3] and needs 24 bytes, but has room for 16"));
}

class InPlace : public testing::Test {
protected:
  static std::vector<std::byte> model() {
    ModelBuilder b;
    b.input("past", ElementType::Int64, {Axis::fixed(4)});
    b.input("other", ElementType::Int64, {Axis::fixed(4)});
    b.output("present", ElementType::Int64, {Axis::fixed(4)});
    b.writer.module().outputs[0].inPlaceInput = 0;
    uint32_t past = b.slot(InputSlot{0}), present = b.slot(OutputSlot{0});
    uint32_t bytes = b.constant(32), one = b.constant(1), value = b.constant(99);
    b.body(Copy{present, past, bytes});
    b.body(StoreElement{present, one, value, ElementType::Int64});
    return b.finish();
  }
  Loaded loaded{model()};
  std::vector<int64_t> past = {1, 2, 3, 4}, other = {5, 6, 7, 8};
};

TEST_F(InPlace, samePointerUpdates) {
  tenon_tensor inputs[] = {tensorOf(past, TENON_INT64, {4}), tensorOf(other, TENON_INT64, {4})};
  tenon_tensor output = tensorOf(past, TENON_INT64, {4});
  tenon_error error = {};
  ASSERT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
  EXPECT_EQ(past, (std::vector<int64_t>{1, 99, 3, 4}));
}

TEST_F(InPlace, otherPointersDoNot) {
  std::vector<int64_t> present(4);
  tenon_tensor inputs[] = {tensorOf(past, TENON_INT64, {4}), tensorOf(other, TENON_INT64, {4})};
  tenon_tensor output = tensorOf(present, TENON_INT64, {4});
  tenon_error error = {};
  ASSERT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
  EXPECT_EQ(present, (std::vector<int64_t>{1, 99, 3, 4}));
  EXPECT_EQ(past, (std::vector<int64_t>{1, 2, 3, 4}));
}

TEST_F(InPlace, otherOverlapsAreErrors) {
  std::vector<int64_t> both = {1, 2, 3, 4, 5};
  tenon_tensor overlapping =
      tenon_tensor_make(both.data() + 1, 32, TENON_INT64, 1, std::vector<int64_t>{4}.data());
  EXPECT_THAT(messageOf(loaded,
                        {tensorOf(both, TENON_INT64, {4}), tensorOf(other, TENON_INT64, {4})},
                        {overlapping}),
              HasSubstr("overlaps that of input 'past'; in place, both must start at the same"));
  EXPECT_THAT(messageOf(loaded,
                        {tensorOf(past, TENON_INT64, {4}), tensorOf(other, TENON_INT64, {4})},
                        {tensorOf(other, TENON_INT64, {4})}),
              HasSubstr("overlaps that of input 'other'; the model does not compute it in place"));
}

class Mistakes : public testing::Test {
protected:
  static std::vector<std::byte> model() {
    ModelBuilder b;
    Axis batch = Axis::dimension(b.dimension("batch", 1, 64, 2));
    b.input("x", ElementType::Float32, {batch, Axis::fixed(3)});
    b.input("z", ElementType::Float32, {batch});
    b.output("y", ElementType::Float32, {batch});
    b.prologue(SetShape{0, {b.dim(0, 0)}});
    uint32_t four = b.constant(4);
    b.body(Fill{b.slot(OutputSlot{0}), four, 0, 4});
    return b.finish();
  }
  tenon_tensor x(int64_t batch, int64_t columns = 3) {
    return tensorOf(values, TENON_FLOAT, {batch, columns});
  }
  tenon_tensor z(int64_t batch) { return tensorOf(values, TENON_FLOAT, {batch}); }
  tenon_tensor y() { return tensorOf(result, TENON_FLOAT, {64}); }

  Loaded loaded{model()};
  std::vector<float> values = std::vector<float>(64 * 3), result = std::vector<float>(64);
};

TEST_F(Mistakes, rightCallsPass) {
  tenon_tensor inputs[] = {x(2), z(2)}, output = y();
  tenon_error error = {};
  EXPECT_EQ(tenon_run(loaded.model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
}

TEST_F(Mistakes, wrongNumberOfTensors) {
  EXPECT_THAT(messageOf(loaded, {x(2)}, {y()}), HasSubstr("has 2 inputs, but 1 were given"));
  EXPECT_THAT(messageOf(loaded, {x(2), z(2)}, {}), HasSubstr("has 1 outputs, but 0 were given"));
}

TEST_F(Mistakes, wrongElementType) {
  tenon_tensor bad = x(2);
  bad.element = TENON_INT64;
  EXPECT_THAT(messageOf(loaded, {bad, z(2)}, {y()}),
              HasSubstr("input 'x' has element type int64, expected float"));
  bad.element = static_cast<tenon_element_type>(1000);
  EXPECT_THAT(messageOf(loaded, {bad, z(2)}, {y()}), HasSubstr("undefined"));
  tenon_tensor output = y();
  output.element = TENON_DOUBLE;
  EXPECT_THAT(messageOf(loaded, {x(2), z(2)}, {output}),
              HasSubstr("output 'y' has element type double, expected float"));
}

TEST_F(Mistakes, wrongRank) {
  EXPECT_THAT(messageOf(loaded, {z(2), z(2)}, {y()}),
              HasSubstr("input 'x' has 1 axes, expected 2: [batch, 3]"));
  tenon_tensor bad = x(2);
  bad.rank = -1;
  EXPECT_THAT(messageOf(loaded, {bad, z(2)}, {y()}), HasSubstr("has -1 axes"));
}

TEST_F(Mistakes, wrongStaticSize) {
  EXPECT_THAT(messageOf(loaded, {x(2, 4), z(2)}, {y()}),
              HasSubstr("input 'x' has shape [2, 4], expected [batch, 3]: axis 1 must be 3"));
}

TEST_F(Mistakes, namedDimensionsThatDisagree) {
  EXPECT_THAT(messageOf(loaded, {x(2), z(4)}, {y()}),
              HasSubstr("input 'z' has shape [4], expected [batch]: 'batch' is 4 here but was 2"));
}

TEST_F(Mistakes, dimensionsOutOfBounds) {
  for (int64_t batch : {0, 3, 66})
    EXPECT_THAT(messageOf(loaded, {x(batch), z(batch)}, {y()}),
                HasSubstr("the model was compiled for from 1 to 64, a multiple of 2"));
  EXPECT_THAT(messageOf(loaded, {x(-2), z(2)}, {y()}), HasSubstr("axis 0 is negative"));
}

TEST_F(Mistakes, tooLittleMemory) {
  tenon_tensor bad = x(2);
  bad.byte_size = 23;
  EXPECT_THAT(messageOf(loaded, {bad, z(2)}, {y()}),
              HasSubstr("input 'x' has 23 bytes of data, its shape needs 24"));
  bad = x(2);
  bad.data = nullptr;
  EXPECT_THAT(messageOf(loaded, {bad, z(2)}, {y()}), HasSubstr("has 0 bytes of data"));
  tenon_tensor output = y();
  output.byte_size = 4;
  EXPECT_THAT(messageOf(loaded, {x(2), z(2)}, {output}),
              HasSubstr("output 'y' has shape [2] and needs 8 bytes, but has room for 4"));
}

TEST_F(Mistakes, nullArguments) {
  tenon_error error = {};
  tenon_tensor output = y();
  EXPECT_EQ(tenon_run(nullptr, nullptr, 0, &output, 1, &error), TENON_INVALID_ARGUMENT);
  EXPECT_EQ(tenon_run(loaded.model, nullptr, 2, &output, 1, &error), TENON_INVALID_ARGUMENT);
  EXPECT_EQ(tenon_run(loaded.model, nullptr, -1, &output, 1, nullptr), TENON_INVALID_ARGUMENT);
  EXPECT_EQ(tenon_model_load_file(loaded.runtime, nullptr, nullptr, &error),
            TENON_INVALID_ARGUMENT);
  EXPECT_EQ(tenon_runtime_create(nullptr, nullptr, &error), TENON_INVALID_ARGUMENT);
}

TEST(Run, checksOfTheModelSpeak) {
  ModelBuilder b;
  Axis n = Axis::dimension(b.dimension("n"));
  b.input("x", ElementType::Int64, {n});
  uint32_t x = b.slot(InputSlot{0}), zero = b.constant(0), ten = b.constant(10), index = b.reg();
  uint32_t good = b.reg(), size = b.dim(0, 0);
  uint32_t notEmpty = b.arithmetic(ArithmeticKind::Less, zero, size);
  b.prologue(Check{notEmpty, "node 'pool': input is empty ({0} elements)", {size}});
  b.body(LoadElement{index, x, zero, ElementType::Int64});
  b.body(Arithmetic{ArithmeticKind::Less, good, index, ten, none});
  b.body(Check{
      good, "node 'gather': index {0} is out of range for an axis of {1} {2} {", {index, ten}});
  Loaded loaded(b.finish());
  std::vector<int64_t> values = {12};
  EXPECT_EQ(messageOf(loaded, {tensorOf(values, TENON_INT64, {1})}, {}, TENON_CHECK_FAILED),
            "node 'gather': index 12 is out of range for an axis of 10 {2} {");
  EXPECT_EQ(messageOf(loaded, {tensorOf(values, TENON_INT64, {0})}, {}, TENON_CHECK_FAILED),
            "node 'pool': input is empty (0 elements)");
  values[0] = 3;
  EXPECT_EQ(messageOf(loaded, {tensorOf(values, TENON_INT64, {1})}, {}, TENON_OK), "");
}

TEST(Run, namesTheOutputWhoseShapeIsWrong) {
  ModelBuilder b;
  Axis n = Axis::dimension(b.dimension("n"));
  b.input("x", ElementType::Int64, {n});
  b.output("y", ElementType::Int64, {n});
  b.prologue(SetShape{0, {b.constant(5)}});
  Loaded loaded(b.finish());
  std::vector<int64_t> values(4);
  EXPECT_EQ(
      messageOf(loaded, {tensorOf(values, TENON_INT64, {4})}, {tenon_tensor{}}, TENON_CHECK_FAILED),
      "output 'y' came out with shape [5], its signature says [n]");
}

TEST(Run, letsAnEmptyOutputHaveOtherSizes) {
  ModelBuilder b;
  Axis n = Axis::dimension(b.dimension("n"));
  b.input("x", ElementType::Int64, {n});
  b.output("y", ElementType::Int64, {Axis::unnamed(), n});
  uint32_t none = b.constant(0);
  b.prologue(SetShape{0, {none, none}});
  Loaded loaded(b.finish());
  std::vector<int64_t> values(4);
  tenon_tensor x = tensorOf(values, TENON_INT64, {4}), y = {};
  tenon_error error = {};
  ASSERT_EQ(tenon_run(loaded.model, &x, 1, &y, 1, &error), TENON_OK) << error.message;
  EXPECT_EQ(y.dims[0], 0);
  EXPECT_EQ(y.dims[1], 0);
  tenon_tensor_release(loaded.runtime, &y);
}

} // namespace
} // namespace tenon::test
