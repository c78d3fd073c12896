// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/TestModel.h"

#include <algorithm>

namespace tenon::test {

using namespace artifact;

namespace {

TEST(Inspection, signature) {
  Loaded loaded(addModel());
  ASSERT_EQ(tenon_model_input_count(loaded.model), 2);
  ASSERT_EQ(tenon_model_output_count(loaded.model), 1);
  tenon_value_info info;
  ASSERT_EQ(tenon_model_input(loaded.model, 1, &info, nullptr), TENON_OK);
  EXPECT_STREQ(info.name, "b");
  EXPECT_EQ(info.element, TENON_FLOAT);
  ASSERT_EQ(info.rank, 1);
  EXPECT_EQ(info.dims[0].kind, TENON_DIM_NAMED);
  EXPECT_STREQ(info.dims[0].name, "n");
  EXPECT_EQ(info.dims[0].min, 0);
  EXPECT_EQ(info.dims[0].max, INT64_MAX);
  EXPECT_EQ(info.in_place_input, -1);
  EXPECT_EQ(tenon_model_find_input(loaded.model, "b"), 1);
  EXPECT_EQ(tenon_model_find_input(loaded.model, "y"), -1);
  EXPECT_EQ(tenon_model_find_output(loaded.model, "y"), 0);
  tenon_error error = {};
  EXPECT_EQ(tenon_model_output(loaded.model, 1, &info, &error), TENON_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "there is no output 1, the model has 1");
}

TEST(Inspection, kernelsAndProvenance) {
  Loaded loaded(staticAddModel());
  tenon_model_info info;
  tenon_model_get_info(loaded.model, &info);
  EXPECT_STREQ(info.producer, "test");
  EXPECT_STREQ(info.device, "cpu");
  EXPECT_EQ(info.kernel_count, 2);
  EXPECT_EQ(info.instruction_count, 3);
  EXPECT_GT(info.kernel_bytes, 0);
  tenon_kernel_info kernel;
  ASSERT_EQ(tenon_model_kernel(loaded.model, 1, &kernel, nullptr), TENON_OK);
  EXPECT_STREQ(kernel.name, "scale");
  EXPECT_EQ(kernel.launch_count, 2);
  EXPECT_EQ(kernel.node_count, 1);
  EXPECT_STREQ(tenon_model_kernel_node(loaded.model, 1, 0), "node/scale");
  EXPECT_EQ(tenon_model_kernel_node(loaded.model, 1, 1), nullptr);
  EXPECT_EQ(tenon_model_kernel(loaded.model, 2, &kernel, nullptr), TENON_INVALID_ARGUMENT);
}

TEST(Inspection, memoryPlansFollowShapes) {
  Loaded loaded(addModel());
  for (int64_t n : {16, 17, 1000}) {
    int64_t dims[] = {n};
    tenon_tensor inputs[] = {tenon_tensor_make(nullptr, 0, TENON_FLOAT, 1, dims),
                             tenon_tensor_make(nullptr, 0, TENON_FLOAT, 1, dims)};
    tenon_memory_plan *plan = nullptr;
    tenon_error error = {};
    ASSERT_EQ(tenon_model_plan_memory(loaded.model, inputs, 2, &plan, &error), TENON_OK)
        << error.message;
    EXPECT_EQ(tenon_memory_plan_bytes(plan), (n * 4 + 63) / 64 * 64);
    EXPECT_EQ(tenon_memory_plan_lower_bound(plan), (n * 4 + 63) / 64 * 64);
    ASSERT_EQ(tenon_memory_plan_region_count(plan), 1);
    tenon_memory_region region;
    ASSERT_EQ(tenon_memory_plan_region(plan, 0, &region, nullptr), TENON_OK);
    EXPECT_EQ(region.offset, 0);
    EXPECT_EQ(region.size, n * 4);
    EXPECT_EQ(region.first_instruction, 0);
    EXPECT_EQ(region.last_instruction, 1);
    EXPECT_EQ(tenon_memory_plan_region(plan, 1, &region, nullptr), TENON_INVALID_ARGUMENT);
    tenon_memory_plan_release(plan);
  }
}

TEST(Inspection, elementTypes) {
  EXPECT_STREQ(tenon_element_type_name(TENON_BFLOAT16), "bfloat16");
  EXPECT_STREQ(tenon_element_type_name(static_cast<tenon_element_type>(-1)), "undefined");
  EXPECT_EQ(tenon_element_bytes(TENON_INT4, 3), 2);
  EXPECT_EQ(tenon_element_bytes(TENON_FLOAT6E2M3, 4), 3);
  EXPECT_EQ(tenon_element_bytes(TENON_COMPLEX128, 2), 32);
  EXPECT_EQ(tenon_element_bytes(TENON_STRING, 1), -1);
  EXPECT_EQ(tenon_element_bytes(TENON_DOUBLE, INT64_MAX / 2), -1);
  EXPECT_EQ(tenon_element_bytes(TENON_FLOAT, -1), -1);
}

TEST(Inspection, optionsAndLog) {
  std::string log;
  tenon_runtime_options options;
  tenon_runtime_options_init(&options);
  options.threads = 1;
  options.log = [](void *user, tenon_log_level, const char *message) {
    *static_cast<std::string *>(user) += message;
  };
  options.log_user = &log;
  tenon_runtime *runtime = nullptr;
  ASSERT_EQ(tenon_runtime_create(&options, &runtime, nullptr), TENON_OK);
  std::vector<std::byte> bytes = staticAddModel();
  tenon_model *model = nullptr;
  EXPECT_EQ(tenon_model_load_memory(runtime, bytes.data(), bytes.size(), nullptr, &model, nullptr),
            TENON_OK);
  EXPECT_EQ(log, "device 'cpu' computes with 1 of 1 threads");
  tenon_model_release(model);
  tenon_runtime_release(runtime);

  tenon_error error = {};
  options.threads = -1;
  EXPECT_EQ(tenon_runtime_create(&options, &runtime, &error), TENON_INVALID_ARGUMENT);
  options.threads = 1;
  options.free = [](void *, void *, size_t, size_t) {};
  EXPECT_EQ(tenon_runtime_create(&options, &runtime, &error), TENON_INVALID_ARGUMENT);
  options.free = nullptr;
  options.struct_size = 0;
  EXPECT_EQ(tenon_runtime_create(&options, &runtime, &error), TENON_INVALID_ARGUMENT);
}

TEST(Inspection, everyLaunchIsTold) {
  std::vector<std::pair<std::string, int64_t>> launches;
  tenon_runtime_options options;
  tenon_runtime_options_init(&options);
  options.launch = [](void *user, const char *kernel, int64_t nanoseconds) {
    static_cast<decltype(launches) *>(user)->emplace_back(kernel, nanoseconds);
  };
  options.launch_user = &launches;
  tenon_runtime *runtime = nullptr;
  tenon_model *model = nullptr;
  ASSERT_EQ(tenon_runtime_create(&options, &runtime, nullptr), TENON_OK);
  std::vector<std::byte> bytes = staticAddModel();
  ASSERT_EQ(tenon_model_load_memory(runtime, bytes.data(), bytes.size(), nullptr, &model, nullptr),
            TENON_OK);
  std::vector<float> a(256, 1.5f), b(256, 2.5f), y(256);
  tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {256}), tensorOf(b, TENON_FLOAT, {256})};
  tenon_tensor output = tensorOf(y, TENON_FLOAT, {256});
  tenon_error error = {};
  ASSERT_EQ(tenon_run(model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
  ASSERT_EQ(launches.size(), 3u);
  EXPECT_EQ(std::count_if(launches.begin(), launches.end(),
                          [](const auto &launch) { return launch.first == "scale"; }),
            2);
  for (const auto &[kernel, nanoseconds] : launches)
    EXPECT_GE(nanoseconds, 0) << kernel;
  tenon_model_release(model);
  tenon_runtime_release(runtime);
}

TEST(Inspection, alternativesAreTriedInOrder) {
  // The first program is for a device that does not exist, the second for a CPU that does not, the
  // third runs.
  ModelBuilder b;
  b.output("y", ElementType::Int64, {});
  uint32_t y = b.slot(OutputSlot{0}), zero = b.constant(0), value = b.constant(42);
  b.body(StoreElement{y, zero, value, ElementType::Int64});
  (void)b.kernel("add", 3, 1);
  Program good = b.program, elsewhere = b.program, newer = b.program;
  elsewhere.devices[0].family = "abacus";
  newer.modules[0].features = "+levitation";
  TemporaryFolder folder;
  b.writer.module().programs = {elsewhere, newer};
  ASSERT_TRUE(b.writer.write(folder.path("none.tenon")).ok());
  b.writer.module().programs = {elsewhere, newer, good};
  ASSERT_TRUE(b.writer.write(folder.path("some.tenon")).ok());

  tenon_runtime *runtime = nullptr;
  tenon_model *model = nullptr;
  tenon_error error = {};
  ASSERT_EQ(tenon_runtime_create(nullptr, &runtime, nullptr), TENON_OK);
  // Looking at one needs no machine that could run it.
  ASSERT_EQ(tenon_model_inspect_file(runtime, folder.path("none.tenon").c_str(), &model, &error),
            TENON_OK)
      << error.message;
  tenon_model_info info;
  tenon_model_get_info(model, &info);
  EXPECT_STREQ(info.device, "abacus");
  EXPECT_EQ(tenon_model_output_count(model), 1);
  tenon_memory_plan *plan = nullptr;
  EXPECT_EQ(tenon_model_plan_memory(model, nullptr, 0, &plan, &error), TENON_OK) << error.message;
  tenon_memory_plan_release(plan);
  std::vector<int64_t> result(1);
  tenon_tensor output = tensorOf(result, TENON_INT64, {});
  EXPECT_EQ(tenon_run(model, nullptr, 0, &output, 1, &error), TENON_UNSUPPORTED);
  EXPECT_STREQ(error.message, "the model was opened for inspection only");
  tenon_model_release(model);

  EXPECT_EQ(tenon_model_load_file(runtime, folder.path("none.tenon").c_str(), &model, &error),
            TENON_UNSUPPORTED);
  EXPECT_NE(std::string(error.message)
                .find("no devices of the family 'abacus'; or: the model was "
                      "compiled for another CPU: this one cannot be asked "
                      "for levitation"),
            std::string::npos)
      << error.message;
  ASSERT_EQ(tenon_model_load_file(runtime, folder.path("some.tenon").c_str(), &model, &error),
            TENON_OK)
      << error.message;
  EXPECT_EQ(tenon_run(model, nullptr, 0, &output, 1, &error), TENON_OK) << error.message;
  EXPECT_EQ(result[0], 42);
  tenon_model_release(model);
  tenon_runtime_release(runtime);
}

} // namespace
} // namespace tenon::test
