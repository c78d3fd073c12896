// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/runtime/TestModel.h"

#include <cstdio>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <stdlib.h>

namespace tenon::test {

using namespace artifact;

std::vector<std::byte> readFile(const std::string &path) {
  std::vector<std::byte> bytes;
  FILE *file = std::fopen(path.c_str(), "rb");
  if (!file) {
    ADD_FAILURE() << "cannot open " << path;
    return bytes;
  }
  std::byte buffer[4096];
  while (size_t size = std::fread(buffer, 1, sizeof(buffer), file))
    bytes.insert(bytes.end(), buffer, buffer + size);
  std::fclose(file);
  return bytes;
}

uint64_t symbolAddress(const std::vector<std::byte> &image, const std::string &name) {
  auto at = [&]<typename T>(uint64_t offset, T value) {
    std::memcpy(&value, image.data() + offset, sizeof(T));
    return value;
  };
  auto header = at(0, Elf64_Ehdr());
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    auto section = at(header.e_shoff + i * sizeof(Elf64_Shdr), Elf64_Shdr());
    if (section.sh_type != SHT_DYNSYM)
      continue;
    auto strings = at(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr), Elf64_Shdr());
    for (uint64_t j = 0; j < section.sh_size / sizeof(Elf64_Sym); ++j) {
      auto symbol = at(section.sh_offset + j * sizeof(Elf64_Sym), Elf64_Sym());
      if (name == reinterpret_cast<const char *>(image.data()) + strings.sh_offset + symbol.st_name)
        return symbol.st_value;
    }
  }
  ADD_FAILURE() << "no symbol " << name;
  return 0;
}

ModelBuilder::ModelBuilder() : image_(readFile(TENON_TEST_IMAGES "/kernels.so")) {
  program.devices.push_back({"cpu"});
  writer.module().provenance.producer = "test";
}

uint32_t ModelBuilder::dimension(const std::string &name, int64_t min, int64_t max,
                                 int64_t multiple) {
  writer.module().dimensions.push_back({name, min, max, multiple});
  return static_cast<uint32_t>(writer.module().dimensions.size() - 1);
}

uint32_t ModelBuilder::input(const std::string &name, ElementType element, std::vector<Axis> axes) {
  Value value;
  value.name = name;
  value.element = element;
  value.axes = std::move(axes);
  writer.module().inputs.push_back(std::move(value));
  return static_cast<uint32_t>(writer.module().inputs.size() - 1);
}

uint32_t ModelBuilder::output(const std::string &name, ElementType element,
                              std::vector<Axis> axes) {
  Value value;
  value.name = name;
  value.element = element;
  value.axes = std::move(axes);
  writer.module().outputs.push_back(std::move(value));
  return static_cast<uint32_t>(writer.module().outputs.size() - 1);
}

uint32_t ModelBuilder::kernel(const std::string &name, uint32_t buffers, uint32_t sizes) {
  if (program.modules.empty()) {
    KernelModule module;
    module.section = writer.addKernelImage(image_);
    module.cpu = "generic";
    program.modules.push_back(std::move(module));
  }
  Kernel kernel;
  kernel.name = name;
  kernel.entry = symbolAddress(image_, name);
  kernel.bufferCount = buffers;
  kernel.sizeCount = sizes;
  kernel.nodes = {"node/" + name};
  kernel.flops = 1;
  program.kernels.push_back(std::move(kernel));
  return static_cast<uint32_t>(program.kernels.size() - 1);
}

uint32_t ModelBuilder::slot(SlotStorage storage) {
  program.slots.push_back({storage, 0});
  return static_cast<uint32_t>(program.slots.size() - 1);
}

uint32_t ModelBuilder::constant(int64_t value) {
  uint32_t result = reg();
  prologue(Constant{result, value});
  return result;
}

uint32_t ModelBuilder::dim(uint32_t input, uint32_t axis) {
  uint32_t result = reg();
  prologue(ReadDimension{result, input, axis});
  return result;
}

uint32_t ModelBuilder::arithmetic(ArithmeticKind kind, uint32_t lhs, uint32_t rhs) {
  uint32_t result = reg();
  prologue(Arithmetic{kind, result, lhs, rhs, none});
  return result;
}

Status ModelBuilder::write(const std::string &path, const WriteOptions &options) {
  writer.module().programs.clear();
  writer.module().programs.push_back(program);
  return writer.write(path, options);
}

std::vector<std::byte> ModelBuilder::finish() {
  TemporaryFolder folder;
  Status status = write(folder.path("model.tenon"));
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? readFile(folder.path("model.tenon")) : std::vector<std::byte>();
}

std::vector<std::byte> addModel() {
  ModelBuilder b;
  Axis n = Axis::dimension(b.dimension("n"));
  b.input("a", ElementType::Float32, {n});
  b.input("b", ElementType::Float32, {n});
  b.output("y", ElementType::Float32, {n});
  uint32_t size = b.dim(0, 0);
  uint32_t bytes = b.arithmetic(ArithmeticKind::Multiply, size, b.constant(4));
  uint32_t groups = b.arithmetic(ArithmeticKind::CeilDivide, size, b.constant(64));
  b.prologue(SetShape{0, {size}});
  uint32_t zero = b.constant(0);
  uint32_t add = b.kernel("add", 3, 1), scale = b.kernel("scale", 2, 2);
  uint32_t a = b.slot(InputSlot{0}), c = b.slot(InputSlot{1}), y = b.slot(OutputSlot{0});
  uint32_t sum = b.slot(TemporarySlot{0, bytes, -1, 0, 1});
  b.body(Launch{add, {a, c, sum}, {size}, groups});
  b.body(Launch{scale, {sum, y}, {size, zero}, groups});
  return b.finish();
}

std::vector<std::byte> staticAddModel() {
  ModelBuilder b;
  b.input("a", ElementType::Float32, {Axis::fixed(256)});
  b.input("b", ElementType::Float32, {Axis::fixed(256)});
  b.output("y", ElementType::Float32, {Axis::fixed(256)});
  uint32_t size = b.constant(256), groups = b.constant(4), one = b.constant(1);
  uint32_t add = b.kernel("add", 3, 1), scale = b.kernel("scale", 2, 2);
  uint32_t a = b.slot(InputSlot{0}), c = b.slot(InputSlot{1}), y = b.slot(OutputSlot{0});
  uint32_t sum = b.slot(TemporarySlot{1024, none, 0, 0, 1});
  uint32_t more = b.slot(TemporarySlot{1024, none, 1024, 1, 2});
  b.program.arenaSizes = {2048};
  b.body(Launch{add, {a, c, sum}, {size}, groups});
  b.body(Launch{scale, {sum, more}, {size, one}, groups});
  b.body(Launch{scale, {more, y}, {size, one}, groups});
  return b.finish();
}

Loaded::Loaded(std::vector<std::byte> bytes, int32_t threads) : bytes_(std::move(bytes)) {
  tenon_error error = {};
  tenon_runtime_options options;
  tenon_runtime_options_init(&options);
  options.threads = threads;
  EXPECT_EQ(tenon_runtime_create(&options, &runtime, &error), TENON_OK) << error.message;
  EXPECT_EQ(tenon_model_load_memory(runtime, bytes_.data(), bytes_.size(), nullptr, &model, &error),
            TENON_OK)
      << error.message;
}

Loaded::~Loaded() {
  tenon_model_release(model);
  tenon_runtime_release(runtime);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "tenon-test-XXXXXX").string();
  folder_ = mkdtemp(name.data()) ? name : ".";
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

} // namespace tenon::test
