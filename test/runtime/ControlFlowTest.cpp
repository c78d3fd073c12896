// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/TestModel.h"

namespace tenon::test {

using namespace artifact;

namespace {

int64_t runOne(std::vector<std::byte> bytes, int64_t argument) {
  Loaded loaded(std::move(bytes));
  std::vector<int64_t> in = {argument}, out = {-1};
  tenon_tensor input = tensorOf(in, TENON_INT64, {}), output = tensorOf(out, TENON_INT64, {});
  tenon_error error = {};
  EXPECT_EQ(tenon_run(loaded.model, &input, 1, &output, 1, &error), TENON_OK) << error.message;
  return out[0];
}

struct Scalar : ModelBuilder {
  Scalar() {
    input("x", ElementType::Int64, {});
    output("y", ElementType::Int64, {});
    in = slot(InputSlot{0});
    out = slot(OutputSlot{0});
    zero = constant(0);
    one = constant(1);
    x = reg();
    body(LoadElement{x, in, zero, ElementType::Int64});
  }
  uint32_t in, out, zero, one, x;
};

TEST(ControlFlow, branchesTakeOneSide) {
  // y = x < 10 ? x + 1 : x * x
  Scalar b;
  uint32_t ten = b.constant(10), small = b.reg(), y = b.reg();
  b.body(Arithmetic{ArithmeticKind::Less, small, b.x, ten, none});
  b.body(Branch{small, 5});
  b.body(Arithmetic{ArithmeticKind::Add, y, b.x, b.one, none});
  b.body(Jump{6});
  b.body(Arithmetic{ArithmeticKind::Multiply, y, b.x, b.x, none});
  b.body(StoreElement{b.out, b.zero, y, ElementType::Int64});
  std::vector<std::byte> bytes = b.finish();
  EXPECT_EQ(runOne(bytes, 3), 4);
  EXPECT_EQ(runOne(bytes, 12), 144);
}

TEST(ControlFlow, loopsCountAndNest) {
  // y = the number of pairs (i, j) with 0 <= j <= i < x
  Scalar b;
  uint32_t i = b.reg(), j = b.reg(), more = b.reg(), y = b.reg();
  b.body(Loop{12});                                                // 1
  b.body(Arithmetic{ArithmeticKind::Less, more, i, b.x, none});    // 2
  b.body(Branch{more, 13});                                        // 3
  b.body(Constant{j, 0});                                          // 4
  b.body(Loop{10});                                                // 5
  b.body(Arithmetic{ArithmeticKind::Add, y, y, b.one, none});      // 6
  b.body(Arithmetic{ArithmeticKind::Add, j, j, b.one, none});      // 7
  b.body(Arithmetic{ArithmeticKind::LessEqual, more, j, i, none}); // 8
  b.body(Branch{more, 11});                                        // 9
  b.body(Repeat{5});                                               // 10
  b.body(Arithmetic{ArithmeticKind::Add, i, i, b.one, none});      // 11
  b.body(Repeat{1});                                               // 12
  b.body(StoreElement{b.out, b.zero, y, ElementType::Int64});      // 13
  std::vector<std::byte> bytes = b.finish();
  EXPECT_EQ(runOne(bytes, 0), 0);
  EXPECT_EQ(runOne(bytes, 1), 1);
  EXPECT_EQ(runOne(bytes, 5), 15);
}

TEST(ControlFlow, registersStartAnewWithEachRun) {
  Scalar b;
  uint32_t y = b.reg();
  b.body(Arithmetic{ArithmeticKind::Add, y, y, b.one, none});
  b.body(StoreElement{b.out, b.zero, y, ElementType::Int64});
  Loaded loaded(b.finish());
  std::vector<int64_t> in = {0}, out = {-1};
  tenon_tensor input = tensorOf(in, TENON_INT64, {}), output = tensorOf(out, TENON_INT64, {});
  for (int run = 0; run < 3; ++run) {
    ASSERT_EQ(tenon_run(loaded.model, &input, 1, &output, 1, nullptr), TENON_OK);
    EXPECT_EQ(out[0], 1);
  }
}

/// Carries one number in `current` through x iterations that each store current + 2 in `next`.
int64_t iterate(SlotStorage storage, int64_t iterations) {
  Scalar b;
  uint32_t current = b.slot(storage), next = b.slot(storage);
  uint32_t i = b.reg(), more = b.reg(), value = b.reg(), two = b.constant(2), bytes = b.constant(8);
  bool allocated = std::holds_alternative<AllocatedSlot>(storage);
  auto give = [&](uint32_t slot) {
    // A temporary has its memory; something stands there to keep the indices.
    b.body(allocated ? Operation(Allocate{slot, bytes}) : Operation(Constant{more, 0}));
  };
  give(current);                                                     // 1
  b.body(StoreElement{current, b.zero, b.zero, ElementType::Int64}); // 2
  b.body(Loop{11});                                                  // 3
  b.body(Arithmetic{ArithmeticKind::Less, more, i, b.x, none});      // 4
  b.body(Branch{more, 12});                                          // 5
  b.body(LoadElement{value, current, b.zero, ElementType::Int64});   // 6
  b.body(Arithmetic{ArithmeticKind::Add, value, value, two, none});  // 7
  give(next);                                                        // 8
  b.body(StoreElement{next, b.zero, value, ElementType::Int64});     // 9
  b.body(Swap{current, next});                                       // 10
  b.body(Repeat{3});                                                 // 11
  b.body(LoadElement{value, current, b.zero, ElementType::Int64});   // 12
  b.body(StoreElement{b.out, b.zero, value, ElementType::Int64});    // 13
  // The number of the iteration counts where the loop has a place for it.
  b.program.body[10].operation = Arithmetic{ArithmeticKind::Add, i, i, b.one, none};
  b.program.body.insert(b.program.body.begin() + 11, Instruction(Swap{current, next}));
  std::get<Loop>(b.program.body[3].operation).end = 12;
  std::get<Branch>(b.program.body[5].operation).otherwise = 13;
  return runOne(b.finish(), iterations);
}

TEST(ControlFlow, iterationsHandOnWhatTheyComputed) {
  for (int64_t iterations : {0, 1, 2, 5}) {
    EXPECT_EQ(iterate(AllocatedSlot{}, iterations), 2 * iterations);
    EXPECT_EQ(iterate(TemporarySlot{8, none, -1, 1, 13}, iterations), 2 * iterations);
  }
}

TEST(ControlFlow, keptMemoryGrows) {
  // Appends the numbers 0 to x - 1 to a buffer that starts without memory; y = their sum.
  Scalar b;
  uint32_t all = b.slot(AllocatedSlot{}), eight = b.constant(8);
  uint32_t i = b.reg(), more = b.reg(), value = b.reg(), next = b.reg(), bytes = b.reg(),
           sum = b.reg();
  b.body(Loop{9});                                                        // 1
  b.body(Arithmetic{ArithmeticKind::Less, more, i, b.x, none});           // 2
  b.body(Branch{more, 10});                                               // 3
  b.body(Arithmetic{ArithmeticKind::Add, next, i, b.one, none});          // 4
  b.body(Arithmetic{ArithmeticKind::Multiply, bytes, next, eight, none}); // 5
  b.body(Allocate{all, bytes, true});                                     // 6
  b.body(StoreElement{all, i, i, ElementType::Int64});                    // 7
  b.body(Arithmetic{ArithmeticKind::Add, i, next, b.zero, none});         // 8
  b.body(Repeat{1});                                                      // 9
  b.body(Loop{16});                                                       // 10
  b.body(Arithmetic{ArithmeticKind::Less, more, b.zero, i, none});        // 11
  b.body(Branch{more, 17});                                               // 12
  b.body(Arithmetic{ArithmeticKind::Subtract, i, i, b.one, none});        // 13
  b.body(LoadElement{value, all, i, ElementType::Int64});                 // 14
  b.body(Arithmetic{ArithmeticKind::Add, sum, sum, value, none});         // 15
  b.body(Repeat{10});                                                     // 16
  b.body(StoreElement{b.out, b.zero, sum, ElementType::Int64});           // 17
  std::vector<std::byte> bytesOfModel = b.finish();
  for (int64_t count : {0, 1, 2, 100, 5000})
    EXPECT_EQ(runOne(bytesOfModel, count), count * (count - 1) / 2);
}

void checkElement(ElementType element, int64_t value, int64_t expected) {
  ModelBuilder b;
  b.input("x", ElementType::Int64, {});
  b.output("y", ElementType::Int64, {});
  uint32_t in = b.slot(InputSlot{0}), out = b.slot(OutputSlot{0});
  uint32_t scratch = b.slot(TemporarySlot{64, none, -1, 0, 4});
  uint32_t zero = b.constant(0), three = b.constant(3), r = b.reg();
  b.body(LoadElement{r, in, zero, ElementType::Int64});
  b.body(StoreElement{scratch, three, r, element});
  b.body(LoadElement{r, scratch, three, element});
  b.body(StoreElement{out, zero, r, ElementType::Int64});
  b.body(Wait{0});
  b.program.eventCount = 1;
  EXPECT_EQ(runOne(b.finish(), value), expected) << elementTypeName(element);
}

TEST(ControlFlow, elementsKeepTheirSign) {
  checkElement(ElementType::Bool, 256, 1);
  checkElement(ElementType::Bool, 0, 0);
  checkElement(ElementType::Int8, 0xff, -1);
  checkElement(ElementType::UInt8, -1, 0xff);
  checkElement(ElementType::Int16, 0x18000, -32768);
  checkElement(ElementType::UInt16, -1, 0xffff);
  checkElement(ElementType::Int32, 0xffffffff, -1);
  checkElement(ElementType::UInt32, -1, 0xffffffff);
  checkElement(ElementType::Int64, INT64_MIN, INT64_MIN);
}

TEST(ControlFlow, elementsOutsideAreErrors) {
  Scalar b;
  b.body(LoadElement{b.x, b.in, b.x, ElementType::Int32});
  Loaded loaded(b.finish());
  for (int64_t index : {int64_t(-1), int64_t(2), INT64_MAX, INT64_MIN}) {
    std::vector<int64_t> in = {index}, out = {0};
    tenon_tensor input = tensorOf(in, TENON_INT64, {}), output = tensorOf(out, TENON_INT64, {});
    tenon_error error = {};
    EXPECT_EQ(tenon_run(loaded.model, &input, 1, &output, 1, &error), TENON_CHECK_FAILED);
    EXPECT_NE(std::string(error.message).find("of a buffer of 2 elements"), std::string::npos)
        << error.message;
  }
}

} // namespace
} // namespace tenon::test
