// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An allocator that fails at the n-th request, for every n; and that everything is given back.

#include "test/runtime/TestModel.h"

#include <atomic>
#include <cstdlib>

namespace tenon::test {

using namespace artifact;

namespace {

struct Allocator {
  std::atomic<int> requests{0}, alive{0};
  int failAt = -1;
  bool failAll = false;

  static void *allocate(void *user, size_t size, size_t alignment) {
    auto *self = static_cast<Allocator *>(user);
    int request = self->requests.fetch_add(1);
    if (self->failAll || request == self->failAt || size > (size_t(1) << 30))
      return nullptr;
    self->alive.fetch_add(1);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  }
  static void free(void *user, void *memory, size_t, size_t) {
    static_cast<Allocator *>(user)->alive.fetch_sub(1);
    std::free(memory);
  }
};

/// Uses all kinds of memory: an arena, a late buffer, an output.
std::vector<std::byte> hungryModel() {
  ModelBuilder b;
  Axis n = Axis::dimension(b.dimension("n"));
  b.input("x", ElementType::Int64, {n});
  b.output("y", ElementType::Int64, {n});
  uint32_t size = b.dim(0, 0), eight = b.constant(8);
  uint32_t bytes = b.arithmetic(ArithmeticKind::Multiply, size, eight);
  uint32_t x = b.slot(InputSlot{0}), y = b.slot(OutputSlot{0});
  uint32_t scratch = b.slot(TemporarySlot{0, bytes, -1, 0, 2}), late = b.slot(AllocatedSlot{});
  b.body(Copy{scratch, x, bytes});
  b.body(Allocate{late, bytes});
  b.body(Copy{late, scratch, bytes});
  b.body(SetShape{0, {size}});
  b.body(Copy{y, late, bytes});
  return b.finish();
}

class OutOfMemory : public testing::Test {
protected:
  void SetUp() override {
    tenon_runtime_options options;
    tenon_runtime_options_init(&options);
    options.threads = 2;
    options.allocate = Allocator::allocate;
    options.free = Allocator::free;
    options.allocator_user = &allocator;
    ASSERT_EQ(tenon_runtime_create(&options, &runtime, nullptr), TENON_OK);
    ASSERT_EQ(
        tenon_model_load_memory(runtime, bytes.data(), bytes.size(), nullptr, &model, nullptr),
        TENON_OK);
  }
  void TearDown() override {
    tenon_model_release(model);
    tenon_runtime_release(runtime);
    EXPECT_EQ(allocator.alive.load(), 0);
  }
  tenon_status run(tenon_tensor &output, int64_t n = 4) {
    tenon_tensor input = tensorOf(values, TENON_INT64, {n});
    return tenon_run(model, &input, 1, &output, 1, &error);
  }

  Allocator allocator;
  std::vector<std::byte> bytes = hungryModel();
  std::vector<int64_t> values = {1, 2, 3, 4};
  tenon_runtime *runtime = nullptr;
  tenon_model *model = nullptr;
  tenon_error error = {};
};

TEST_F(OutOfMemory, everyRequestMayFail) {
  int failures = 0;
  for (int failAt = 0; failAt < 10; ++failAt) {
    tenon_model_trim(model);
    allocator.requests = 0;
    allocator.failAt = failAt;
    tenon_tensor output = {};
    tenon_status status = run(output);
    if (status == TENON_OK) {
      EXPECT_EQ(static_cast<int64_t *>(output.data)[3], 4);
      tenon_tensor_release(runtime, &output);
      break;
    }
    ++failures;
    EXPECT_EQ(status, TENON_OUT_OF_MEMORY) << error.message;
    EXPECT_EQ(output.data, nullptr);
    // And everything stays usable.
    allocator.failAt = -1;
    ASSERT_EQ(run(output), TENON_OK) << error.message;
    tenon_tensor_release(runtime, &output);
  }
  EXPECT_EQ(failures, 3) << "arena, late buffer, output";
}

TEST_F(OutOfMemory, repeatedRunsAllocateNothing) {
  std::vector<int64_t> result(4);
  tenon_tensor output = tensorOf(result, TENON_INT64, {4});
  ASSERT_EQ(run(output), TENON_OK) << error.message;
  allocator.failAll = true;
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(run(output), TENON_OK) << error.message;
  EXPECT_EQ(result, values);
}

TEST_F(OutOfMemory, absurdSizes) {
  // Sizes like these come from hostile shapes; the data is never looked at.
  for (int64_t n : {int64_t(1) << 40, int64_t(1) << 59, INT64_MAX / 8, INT64_MAX}) {
    tenon_tensor output = {};
    tenon_tensor input = tenon_tensor_make(values.data(), INT64_MAX, TENON_INT64, 1, &n);
    EXPECT_NE(tenon_run(model, &input, 1, &output, 1, &error), TENON_OK);
    EXPECT_EQ(output.data, nullptr);
  }
}

} // namespace
} // namespace tenon::test
