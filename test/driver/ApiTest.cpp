// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler's C interface: what it writes, what it tells, and what it refuses.

#include "tenon/compiler.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct CompilerApi : testing::Test {
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("tenon-driver", folder));
    tenon_compile_options_init(&options);
    options.user = this;
    options.message = [](void *user, const char *message) {
      static_cast<CompilerApi *>(user)->messages.push_back(message);
    };
    options.phase = [](void *user, const char *phase, int32_t, int32_t) {
      static_cast<CompilerApi *>(user)->phases.push_back(phase);
    };
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string file(llvm::StringRef name) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  }

  llvm::SmallString<128> folder;
  tenon_compile_options options;
  std::vector<std::string> messages, phases;
};

TEST_F(CompilerApi, compilesWhatTheRuntimeLoads) {
  tenon_compile_dim batch = {"batch", 1, 16};
  options.dims = &batch;
  options.dim_count = 1;
  tenon_compile_report report = {};
  report.struct_size = sizeof(report);
  std::string output = file("digits.tenon");
  ASSERT_EQ(tenon_compile(TENON_TEST_MODEL, output.c_str(), &options, &report), TENON_COMPILE_OK);
  EXPECT_TRUE(messages.empty());
  EXPECT_EQ(phases.front(), "import");
  EXPECT_EQ(phases.back(), "emit");
  EXPECT_GT(report.node_count, 0);
  EXPECT_GT(report.kernel_count, 0);
  uint64_t size = 0;
  ASSERT_FALSE(llvm::sys::fs::file_size(output, size));
  EXPECT_EQ(static_cast<uint64_t>(report.artifact_bytes), size);

  tenon_error error;
  tenon_runtime *runtime = nullptr;
  tenon_model *model = nullptr;
  ASSERT_EQ(tenon_runtime_create(nullptr, &runtime, &error), TENON_OK) << error.message;
  ASSERT_EQ(tenon_model_load_file(runtime, output.c_str(), &model, &error), TENON_OK)
      << error.message;
  tenon_value_info input;
  ASSERT_EQ(tenon_model_input(model, 0, &input, &error), TENON_OK);
  EXPECT_EQ(input.dims[0].max, 16);
  tenon_model_release(model);
  tenon_runtime_release(runtime);
}

TEST_F(CompilerApi, writesTheSameFileWithAnyNumberOfThreads) {
  options.target = "cpu:x86-64-v3";
  std::string contents[2];
  for (int32_t threads : {1, 2}) {
    options.threads = threads;
    std::string output = file(std::to_string(threads) + ".tenon");
    ASSERT_EQ(tenon_compile(TENON_TEST_MODEL, output.c_str(), &options, nullptr), TENON_COMPILE_OK);
    auto buffer = llvm::MemoryBuffer::getFile(output, /*IsText=*/false);
    ASSERT_TRUE(bool(buffer));
    contents[threads - 1] = (*buffer)->getBuffer().str();
  }
  EXPECT_TRUE(contents[0] == contents[1]);
}

TEST_F(CompilerApi, saysWhatIsWrongWithTheModel) {
  std::string output = file("o.tenon");
  EXPECT_EQ(tenon_compile(file("none.onnx").c_str(), output.c_str(), &options, nullptr),
            TENON_COMPILE_FAILED);
  EXPECT_THAT(messages, ElementsAre(HasSubstr("No such file")));
  EXPECT_FALSE(llvm::sys::fs::exists(output));
}

TEST_F(CompilerApi, saysWhatIsWrongWithTheTarget) {
  options.target = "abacus";
  EXPECT_EQ(tenon_compile(TENON_TEST_MODEL, file("o.tenon").c_str(), &options, nullptr),
            TENON_COMPILE_FAILED);
  EXPECT_THAT(messages, ElementsAre(HasSubstr("x86-64-v3")));
}

TEST_F(CompilerApi, refusesWrongArguments) {
  std::string output = file("o.tenon");
  auto status = [&] { return tenon_compile(TENON_TEST_MODEL, output.c_str(), &options, nullptr); };
  EXPECT_EQ(tenon_compile(nullptr, output.c_str(), &options, nullptr),
            TENON_COMPILE_INVALID_ARGUMENT);
  tenon_compile_dim batch = {"batch", 3, 2};
  options.dims = &batch;
  options.dim_count = 1;
  EXPECT_EQ(status(), TENON_COMPILE_INVALID_ARGUMENT);
  options.dim_count = 0;
  options.level = 1;
  EXPECT_EQ(status(), TENON_COMPILE_INVALID_ARGUMENT);
  EXPECT_THAT(messages,
              ElementsAre(HasSubstr("model"), HasSubstr("3..2"), HasSubstr("level is 1")));
  options.struct_size = sizeof(options) + 1;
  EXPECT_EQ(status(), TENON_COMPILE_INVALID_ARGUMENT);
  EXPECT_FALSE(llvm::sys::fs::exists(output));
}

} // namespace
