// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A cache that the caller passes as input and output at once, from the ONNX model to the run.

#include "lib/driver/Driver.h"
#include "tenon/runtime.hpp"

#include "onnx/onnx_pb.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"

#include <fstream>

namespace {

void describe(::onnx::ValueInfoProto *value, const char *name, int32_t element,
              llvm::ArrayRef<int64_t> shape) {
  value->set_name(name);
  auto *type = value->mutable_type()->mutable_tensor_type();
  type->set_elem_type(element);
  for (int64_t size : shape)
    type->mutable_shape()->add_dim()->set_dim_value(size);
}

/// present = TensorScatter(past, update, at): two rows of two batches at places of their own.
::onnx::ModelProto makeModel() {
  ::onnx::ModelProto model;
  model.set_ir_version(10);
  model.add_opset_import()->set_version(24);
  ::onnx::GraphProto *graph = model.mutable_graph();
  graph->set_name("cache");
  describe(graph->add_input(), "update", ::onnx::TensorProto::FLOAT, {2, 1, 2, 3});
  describe(graph->add_input(), "past", ::onnx::TensorProto::FLOAT, {2, 1, 8, 3});
  describe(graph->add_input(), "at", ::onnx::TensorProto::INT64, {2});
  describe(graph->add_output(), "present", ::onnx::TensorProto::FLOAT, {2, 1, 8, 3});
  ::onnx::NodeProto *node = graph->add_node();
  node->set_op_type("TensorScatter");
  node->add_input("past");
  node->add_input("update");
  node->add_input("at");
  node->add_output("present");
  return model;
}

TEST(InPlace, aCacheIsUpdatedWhereItIs) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("tenon-driver", folder));
  llvm::scope_exit remove([&] { llvm::sys::fs::remove_directories(folder); });
  tenon::CompileOptions options;
  options.input = (folder + "/cache.onnx").str();
  options.output = (folder + "/cache.tenon").str();
  {
    std::ofstream stream(options.input, std::ios::binary);
    ASSERT_TRUE(makeModel().SerializeToOstream(&stream));
  }
  tenon::CompileReport report;
  tenon::CompileFailure failure;
  ASSERT_TRUE(succeeded(compile(options, report, failure))) << joinMessages(failure);

  tenon::Runtime runtime;
  tenon::Model model;
  tenon::Error error;
  ASSERT_TRUE(tenon::Runtime::create(nullptr, runtime, error)) << error.message;
  ASSERT_TRUE(tenon::Model::loadFile(runtime, options.output.c_str(), model, error))
      << error.message;
  tenon_value_info present;
  ASSERT_EQ(tenon_model_output(model.get(), 0, &present, &error), TENON_OK);
  EXPECT_EQ(present.in_place_input, 1);

  std::vector<float> cache(2 * 8 * 3), update(2 * 2 * 3), expected;
  for (size_t i = 0; i < cache.size(); ++i)
    cache[i] = 0.5f * i;
  for (size_t i = 0; i < update.size(); ++i)
    update[i] = -1.0f - i;
  int64_t at[] = {5, 0};
  expected = cache;
  for (int64_t batch = 0; batch < 2; ++batch)
    for (int64_t i = 0; i < 6; ++i)
      expected[batch * 24 + at[batch] * 3 + i] = update[batch * 6 + i];

  int64_t updateDims[] = {2, 1, 2, 3}, cacheDims[] = {2, 1, 8, 3}, atDims[] = {2};
  auto bytes = [](auto &data) { return static_cast<int64_t>(std::size(data) * sizeof(data[0])); };
  std::vector<tenon_tensor> inputs = {
      tenon_tensor_make(update.data(), bytes(update), TENON_FLOAT, 4, updateDims),
      tenon_tensor_make(cache.data(), bytes(cache), TENON_FLOAT, 4, cacheDims),
      tenon_tensor_make(at, bytes(at), TENON_INT64, 1, atDims)};
  std::vector<tenon_tensor> outputs = {inputs[1]};
  ASSERT_TRUE(model.run(inputs, outputs, error)) << error.message;
  EXPECT_EQ(outputs[0].data, cache.data());
  EXPECT_EQ(cache, expected);
}

} // namespace
