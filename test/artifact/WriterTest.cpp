// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files appear whole or not at all, and depend on nothing but what was put in.

#include "lib/artifact/Format.h"
#include "lib/artifact/Reader.h"
#include "test/artifact/TestArtifact.h"

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::test {

using namespace artifact;

namespace {

using Names = std::vector<std::string>;

TEST(Writer, sameContentSameBytes) {
  TemporaryFolder folder;
  for (const char *name : {"a", "b"}) {
    Writer writer;
    fillWithEverything(writer);
    ASSERT_TRUE(writer.write(folder.path(name)).ok());
    if (name[0] == 'b')
      ASSERT_TRUE(writer.write(folder.path("b")).ok()) << "writing twice";
  }
  EXPECT_EQ(contents(folder.path("a")), contents(folder.path("b")));
  EXPECT_EQ(folder.names(), (Names{"a", "b"}));
}

TEST(Writer, constantsAreSharedAndAligned) {
  Writer writer;
  ConstantSlot a = writer.addConstant(bytesOf("one")), b = writer.addConstant(bytesOf("two")),
               c = writer.addConstant(bytesOf("one"));
  EXPECT_EQ(a.offset, c.offset);
  EXPECT_NE(a.offset, b.offset);
  EXPECT_EQ(b.offset % dataAlignment, 0u);
}

TEST(Writer, replacesAFileAndKeepsItOnFailure) {
  TemporaryFolder folder;
  std::string path = folder.path("m.tenon");
  std::ofstream(path) << "old";
  Writer good, bad;
  fillWithEverything(good);
  fillWithEverything(bad);
  bad.addWeight({.name = "encoder.w", .source = {}, .recipe = ""}, 1000,
                [](uint64_t, std::span<std::byte>) -> Status {
                  return {StatusCode::InputOutput, "the model's file is gone"};
                });
  Status status = bad.write(path, {.externalWeights = folder.path("m.weights")});
  EXPECT_EQ(status.message(), "weight 'encoder.w': the model's file is gone");
  EXPECT_EQ(contents(path), "old");
  EXPECT_EQ(folder.names(), Names{"m.tenon"});
  ASSERT_TRUE(good.write(path).ok());
  std::unique_ptr<Artifact> artifact;
  EXPECT_TRUE(Artifact::openFile(path, artifact).ok());
  EXPECT_EQ(folder.names(), Names{"m.tenon"});
}

TEST(Writer, aFullDiskLeavesNothing) {
  // A limit on file sizes stands for a disk that fills up at every possible place.
  TemporaryFolder folder;
  std::vector<std::byte> large(3 * weightChunkSize + 17, std::byte{1});
  rlimit saved;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &saved), 0);
  auto old = std::signal(SIGXFSZ, SIG_IGN);
  for (rlim_t limit : {1, 1000, 5000, 9000, 100000, 1 << 20, 2 << 20, 3 << 20}) {
    for (bool external : {false, true}) {
      Writer writer;
      fillWithEverything(writer);
      writer.addWeight({.name = "w", .source = {}, .recipe = ""}, large);
      rlimit small = {limit, saved.rlim_max};
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
      Status status = writer.write(folder.path("m.tenon"),
                                   {.externalWeights = external ? folder.path("m.weights") : ""});
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &saved), 0);
      EXPECT_EQ(status.code(), StatusCode::InputOutput);
      EXPECT_NE(status.message().find("cannot write '"), std::string::npos) << status.message();
      EXPECT_EQ(folder.names(), Names{}) << "limit " << limit;
    }
  }
  std::signal(SIGXFSZ, old);
}

TEST(Writer, wrongPlaces) {
  TemporaryFolder folder;
  Writer writer;
  fillWithEverything(writer);
  EXPECT_EQ(writer.write(folder.path("no/such/m.tenon")).message(),
            "cannot create '" + folder.path("no/such/m.tenon") + "': No such file or directory");
  EXPECT_EQ(writer.write("/dev/null").message(),
            "cannot write '/dev/null': it is not a regular file");
  EXPECT_EQ(writer.write(folder.path(".")).code(), StatusCode::InputOutput);
}

TEST(Writer, followsLinks) {
  TemporaryFolder folder;
  std::ofstream(folder.path("target")) << "old";
  ASSERT_EQ(symlink(folder.path("target").c_str(), folder.path("link").c_str()), 0);
  Writer writer;
  fillWithEverything(writer);
  ASSERT_TRUE(writer.write(folder.path("link")).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link")));
  std::unique_ptr<Artifact> artifact;
  EXPECT_TRUE(Artifact::openFile(folder.path("target"), artifact).ok());
}

TEST(Writer, otherPeopleMayRead) {
  TemporaryFolder folder;
  Writer writer;
  fillWithEverything(writer);
  mode_t mask = umask(022);
  ASSERT_TRUE(writer.write(folder.path("m.tenon")).ok());
  umask(mask);
  struct stat information;
  ASSERT_EQ(stat(folder.path("m.tenon").c_str(), &information), 0);
  EXPECT_EQ(information.st_mode & 0777, 0644u);
}

TEST(Writer, brokenModulesAreNotWritten) {
  TemporaryFolder folder;
  Writer writer;
  fillWithEverything(writer);
  writer.module().programs[0].registerCount = 1;
  Status status = writer.write(folder.path("m.tenon"));
  EXPECT_EQ(status.message(), "the compiler made an artifact that breaks its own rules: program 0: "
                              "prologue instruction 1 (read dimension): register 1 of 1");
  EXPECT_EQ(folder.names(), Names{});
}

} // namespace
} // namespace tenon::test
