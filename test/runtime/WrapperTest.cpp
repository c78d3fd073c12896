// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C++ face, as a user sees it.

#include "tenon/runtime.hpp"

#include "test/runtime/TestModel.h"

namespace tenon::test {
namespace {

TEST(Wrapper, loadsAndRuns) {
  TemporaryFolder folder;
  std::vector<std::byte> bytes = staticAddModel();
  tenon::Error error = {};
  tenon::Runtime runtime;
  tenon::Model model;
  ASSERT_TRUE(tenon::Runtime::create(nullptr, runtime, error)) << error.message;
  EXPECT_FALSE(tenon::Model::loadFile(runtime, folder.path("none.tenon"), model, error));
  EXPECT_EQ(error.status, TENON_INPUT_OUTPUT);
  EXPECT_FALSE(model);
  ASSERT_TRUE(tenon::Model::loadMemory(runtime, bytes.data(), bytes.size(), model, error))
      << error.message;
  runtime.reset(); // the model keeps it
  ASSERT_EQ(model.inputCount(), 2u);
  EXPECT_STREQ(model.input(1).name, "b");
  EXPECT_STREQ(model.output(0).name, "y");
  std::vector<float> a(256, 1), b(256, 2), y(256);
  std::vector<tenon_tensor> inputs = {tensorOf(a, TENON_FLOAT, {256}),
                                      tensorOf(b, TENON_FLOAT, {256})};
  std::vector<tenon_tensor> outputs = {tensorOf(y, TENON_FLOAT, {256})};
  ASSERT_TRUE(model.run(inputs, outputs, error)) << error.message;
  EXPECT_EQ(y, std::vector<float>(256, 300));
  y.assign(256, 0);
  tenon::Execution execution;
  ASSERT_TRUE(model.runAsync(inputs, outputs, execution, error)) << error.message;
  ASSERT_TRUE(execution.wait(error)) << error.message;
  EXPECT_EQ(y, std::vector<float>(256, 300));
}

} // namespace
} // namespace tenon::test
