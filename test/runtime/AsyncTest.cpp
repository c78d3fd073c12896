// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/TestModel.h"

#include <thread>

namespace tenon::test {

using namespace artifact;

namespace {

/// Runs until it is cancelled.
std::vector<std::byte> endlessModel() {
  ModelBuilder b;
  b.output("y", ElementType::Int64, {Axis::fixed(1)});
  uint32_t y = b.slot(OutputSlot{0}), eight = b.constant(8);
  b.body(Loop{2});
  b.body(Fill{y, eight, 0, 8});
  b.body(Repeat{0});
  return b.finish();
}

TEST(Async, givesTheSameResult) {
  Loaded loaded(staticAddModel());
  std::vector<float> a(256, 1), b(256, 2), y(256);
  tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {256}), tensorOf(b, TENON_FLOAT, {256})};
  tenon_tensor output = tensorOf(y, TENON_FLOAT, {256});
  tenon_error error = {};
  tenon_execution *execution = nullptr;
  ASSERT_EQ(tenon_run_async(loaded.model, inputs, 2, &output, 1, &execution, &error), TENON_OK);
  EXPECT_EQ(tenon_execution_wait(execution, &error), TENON_OK) << error.message;
  EXPECT_EQ(tenon_execution_wait(execution, &error), TENON_OK) << "waiting twice";
  EXPECT_EQ(y, std::vector<float>(256, 300));
  tenon_execution_cancel(execution); // too late, which is fine
  tenon_execution_release(execution);
}

TEST(Async, cancelStopsARun) {
  Loaded loaded(endlessModel());
  tenon_tensor output = {};
  tenon_error error = {};
  tenon_execution *execution = nullptr;
  ASSERT_EQ(tenon_run_async(loaded.model, nullptr, 0, &output, 1, &execution, &error), TENON_OK);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  tenon_execution_cancel(execution);
  EXPECT_EQ(tenon_execution_wait(execution, &error), TENON_CANCELLED);
  EXPECT_STREQ(error.message, "the execution was cancelled");
  EXPECT_EQ(output.data, nullptr) << "what the run allocated is freed";
  tenon_execution_release(execution);
  tenon_execution_release(nullptr);
}

TEST(Async, theModelOutlivesItsHandle) {
  tenon_runtime *runtime = nullptr;
  tenon_model *model = nullptr;
  std::vector<std::byte> bytes = endlessModel();
  ASSERT_EQ(tenon_runtime_create(nullptr, &runtime, nullptr), TENON_OK);
  ASSERT_EQ(tenon_model_load_memory(runtime, bytes.data(), bytes.size(), nullptr, &model, nullptr),
            TENON_OK);
  std::vector<int64_t> y(1);
  tenon_tensor output = tensorOf(y, TENON_INT64, {1});
  tenon_execution *execution = nullptr;
  ASSERT_EQ(tenon_run_async(model, nullptr, 0, &output, 1, &execution, nullptr), TENON_OK);
  tenon_runtime_release(runtime);
  tenon_model_release(model);
  tenon_execution_cancel(execution);
  tenon_execution_release(execution);
}

TEST(Async, errorsArriveAtTheWait) {
  Loaded loaded(staticAddModel());
  tenon_execution *execution = nullptr;
  tenon_error error = {};
  ASSERT_EQ(tenon_run_async(loaded.model, nullptr, 0, nullptr, 0, &execution, &error), TENON_OK);
  EXPECT_EQ(tenon_execution_wait(execution, &error), TENON_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "the model has 2 inputs, but 0 were given");
  tenon_execution_release(execution);
}

} // namespace
} // namespace tenon::test
