// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A phase that crashes: the compilation fails, says that it is a bug, and leaves a file that shows
// it again.

#include "lib/driver/Driver.h"
#include "lib/driver/Registration.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace llvm;

namespace tenon {
namespace {

struct Crash : testing::Test {
  void SetUp() override {
    ASSERT_FALSE(sys::fs::createUniqueDirectory("tenon-driver", folder));
    CrashRecoveryContext::Enable();
  }
  void TearDown() override {
    CrashRecoveryContext::Disable();
    sys::fs::remove_directories(folder);
  }

  /// Compiles with a crash at the beginning of a phase; returns the reproducer.
  std::string crashIn(StringRef phase) {
    CompileOptions options;
    options.input = TENON_TEST_MODEL;
    options.output = (folder + "/o.tenon").str();
    options.reproducer = (folder + "/o.reproducer.mlir").str();
    options.dims = {{"batch", 1, 16}};
    options.onPhase = [&](StringRef name, unsigned, unsigned) {
      if (name == phase)
        std::abort();
    };
    CompileReport report;
    EXPECT_TRUE(failed(compile(options, report, failure)));
    EXPECT_FALSE(sys::fs::exists(options.output));
    ErrorOr<std::unique_ptr<MemoryBuffer>> written = MemoryBuffer::getFile(options.reproducer);
    return written ? (*written)->getBuffer().str() : "";
  }

  SmallString<128> folder;
  CompileFailure failure;
};

TEST_F(Crash, leavesTheModuleOfThePhase) {
  std::string text = crashIn("pack");
  EXPECT_TRUE(failure.bug);
  EXPECT_EQ(joinMessages(failure), "the phase 'pack' crashed");
  EXPECT_THAT(text, testing::HasSubstr("--target cpu -O2 --dim batch=1..16\n"));
  EXPECT_THAT(text, testing::HasSubstr("// the phase 'pack' crashed\n"));
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  EXPECT_TRUE(mlir::parseSourceString<mlir::ModuleOp>(text, &context));
  EXPECT_THAT(text, testing::HasSubstr("plan.dispatch"));
}

TEST_F(Crash, ofTheImporterNamesTheModel) {
  std::string text = crashIn("import");
  EXPECT_TRUE(failure.bug);
  EXPECT_THAT(text, testing::HasSubstr("// model: " TENON_TEST_MODEL "\n"));
}

} // namespace
} // namespace tenon
