// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is written is what is read.

#include "lib/artifact/Format.h"
#include "lib/artifact/Reader.h"
#include "lib/artifact/Serializer.h"
#include "test/artifact/TestArtifact.h"

namespace tenon::test {

using namespace artifact;

namespace {

TEST(RoundTrip, everyPartComesBack) {
  TemporaryFolder folder;
  Writer writer;
  fillWithEverything(writer);
  Status status = writer.write(folder.path("m.tenon"));
  ASSERT_TRUE(status.ok()) << status.message();
  std::unique_ptr<Artifact> artifact;
  status = Artifact::openFile(folder.path("m.tenon"), artifact);
  ASSERT_TRUE(status.ok()) << status.message();
  const Module &m = artifact->module();
  EXPECT_EQ(m.provenance.producer, "tenon 9.9");
  EXPECT_EQ(m.provenance.modelHash, (Hash128{1, 2}));
  EXPECT_EQ(m.dimensions[0].multiple, 2);
  EXPECT_EQ(m.outputs[2].containers, (std::vector{Container::Optional, Container::Map}));
  EXPECT_FALSE(m.inputs[1].ranked);
  EXPECT_EQ(m.constants[1].strings[1], "bc");
  EXPECT_EQ(m.outputs[0].inPlaceInput, 0u);
  const Program &p = m.programs[0];
  EXPECT_EQ(p.kernels[0].entry, 0x1240u);
  EXPECT_EQ(p.kernels[0].nodes[1], "Add_2");
  EXPECT_EQ(std::get<HostCall>(p.body[11].operation).function, "strings.split");
  EXPECT_EQ(p.body[0].queue, 1);
  EXPECT_EQ(p.body[0].event, 1u);
  // Every field of every instruction and slot: serialised again, the module gives the same bytes.
  std::string file = contents(folder.path("m.tenon"));
  FileHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  std::vector<std::byte> again = serializeModule(m);
  ASSERT_EQ(again.size(), header.moduleSize);
  EXPECT_EQ(std::memcmp(again.data(), file.data() + header.moduleOffset, again.size()), 0);

  auto text = [](std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  };
  EXPECT_EQ(text(artifact->weight(0)), "some weight");
  EXPECT_EQ(text(artifact->constant(std::get<ConstantSlot>(p.slots[3].storage))), "a constant");
  EXPECT_EQ(text(artifact->section(p.modules[0].section)), "not really an image");
  for (const Section &section : m.sections)
    EXPECT_EQ(section.offset % sectionAlignment, 0u);
  EXPECT_TRUE(artifact->checkWeights().ok());
}

TEST(RoundTrip, weightsAreAlignedAndWhole) {
  TemporaryFolder folder;
  Writer writer;
  fillWithEverything(writer);
  // Sizes around chunk borders; each weight's bytes tell its index and place.
  std::vector<uint64_t> sizes = {
      0, 1, 63, 64, 65, weightChunkSize - 200, weightChunkSize, 2 * weightChunkSize + 1, 5, 0};
  auto byteAt = [](size_t weight, uint64_t offset) {
    return static_cast<std::byte>(weight * 31 + offset * 7 + offset / 251);
  };
  for (size_t i = 0; i < sizes.size(); ++i)
    writer.addWeight({.name = "w" + std::to_string(i), .source = {}, .recipe = ""}, sizes[i],
                     [i, byteAt, expected = uint64_t(0)](
                         uint64_t offset, std::span<std::byte> into) mutable -> Status {
                       EXPECT_EQ(offset, expected) << "in order and without gaps";
                       EXPECT_LE(into.size(), weightChunkSize);
                       expected += into.size();
                       for (size_t k = 0; k < into.size(); ++k)
                         into[k] = byteAt(i, offset + k);
                       return {};
                     });
  for (std::string external : {"", "m.weights"}) {
    if (!external.empty()) { // sources count from zero again
      Writer fresh;
      fillWithEverything(fresh);
      std::vector<std::vector<std::byte>> kept;
      for (size_t i = 0; i < sizes.size(); ++i) {
        kept.emplace_back(sizes[i]);
        for (size_t k = 0; k < sizes[i]; ++k)
          kept[i][k] = byteAt(i, k);
      }
      for (size_t i = 0; i < sizes.size(); ++i)
        fresh.addWeight({.name = "w" + std::to_string(i), .source = {}, .recipe = ""}, kept[i]);
      ASSERT_TRUE(
          fresh.write(folder.path("m.tenon"), {.externalWeights = folder.path(external)}).ok());
      EXPECT_LT(contents(folder.path("m.tenon")).size(), 100000u);
    } else {
      Status status = writer.write(folder.path("m.tenon"));
      ASSERT_TRUE(status.ok()) << status.message();
    }
    std::unique_ptr<Artifact> artifact;
    Status status = Artifact::openFile(folder.path("m.tenon"), artifact);
    ASSERT_TRUE(status.ok()) << status.message();
    for (size_t i = 0; i < sizes.size(); ++i) {
      std::span<const std::byte> bytes = artifact->weight(static_cast<uint32_t>(i + 1));
      ASSERT_EQ(bytes.size(), sizes[i]);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes.data()) % dataAlignment, 0u);
      for (size_t k = 0; k < bytes.size(); ++k)
        ASSERT_EQ(bytes[k], byteAt(i, k)) << "weight " << i << " byte " << k;
    }
    EXPECT_TRUE(artifact->checkWeights().ok());
  }
}

TEST(RoundTrip, damagedWeightsAreNamed) {
  TemporaryFolder folder;
  Writer writer;
  fillWithEverything(writer);
  std::vector<std::byte> large(3 * weightChunkSize, std::byte{5});
  writer.addWeight({.name = "left", .source = {}, .recipe = ""}, large);
  writer.addWeight({.name = "right", .source = {}, .recipe = ""}, large);
  ASSERT_TRUE(writer.write(folder.path("m.tenon")).ok());
  std::string bytes = contents(folder.path("m.tenon"));
  bytes[bytes.size() - 10] = 6;
  std::ofstream(folder.path("m.tenon"), std::ios::binary) << bytes;
  std::unique_ptr<Artifact> artifact;
  Status status = Artifact::openFile(folder.path("m.tenon"), artifact);
  ASSERT_TRUE(status.ok()) << "weights are not read when loading: " << status.message();
  EXPECT_EQ(artifact->checkWeights().message(), "damaged chunks of 1 MiB hold the weights 'right'");
}

TEST(RoundTrip, weightFilesMustBelong) {
  TemporaryFolder folder;
  auto write = [&](const char *name, std::byte value) {
    Writer writer;
    fillWithEverything(writer);
    std::vector<std::byte> bytes(100, value);
    writer.addWeight({.name = "w", .source = {}, .recipe = ""}, bytes);
    EXPECT_TRUE(writer
                    .write(folder.path(std::string(name) + ".tenon"),
                           {.externalWeights = folder.path(std::string(name) + ".weights")})
                    .ok());
  };
  write("a", std::byte{1});
  write("b", std::byte{2});
  std::unique_ptr<Artifact> artifact;
  ASSERT_TRUE(Artifact::openFile(folder.path("a.tenon"), artifact).ok());
  auto open = [&] { return Artifact::openFile(folder.path("a.tenon"), artifact); };

  std::string right = contents(folder.path("a.weights"));
  std::filesystem::copy_file(folder.path("b.weights"), folder.path("a.weights"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_NE(open().message().find("holds the weights of another model"), std::string::npos);
  std::ofstream(folder.path("a.weights"), std::ios::binary) << right.substr(0, right.size() - 1);
  EXPECT_NE(open().message().find("is cut off"), std::string::npos);
  std::ofstream(folder.path("a.weights"), std::ios::binary) << "something else";
  EXPECT_NE(open().message().find("is not a weight file"), std::string::npos);
  std::filesystem::remove(folder.path("a.weights"));
  EXPECT_EQ(open().code(), StatusCode::InputOutput);
  EXPECT_NE(open().message().find("the model's weights: cannot open"), std::string::npos);
}

TEST(RoundTrip, otherFilesAreRefused) {
  TemporaryFolder folder;
  std::unique_ptr<Artifact> artifact;
  EXPECT_EQ(Artifact::openFile(folder.path("nothing"), artifact).message(),
            "cannot open '" + folder.path("nothing") + "': No such file or directory");
  EXPECT_NE(Artifact::openFile(folder.path("."), artifact).message().find("not a regular file"),
            std::string::npos);
  for (const char *text : {"", "PK",
                           "\x08\x0a some onnx file that is longer than the header is, "
                           "so that it is looked at"}) {
    std::ofstream(folder.path("other"), std::ios::binary) << text;
    EXPECT_NE(
        Artifact::openFile(folder.path("other"), artifact).message().find("not a tenon artifact"),
        std::string::npos);
  }
  EXPECT_EQ(artifact, nullptr);
}

} // namespace
} // namespace tenon::test
