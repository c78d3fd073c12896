// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Artifacts that are damaged, cut off, or made to harm. Loading gives an error or the model runs as
// if nothing had happened; nothing crashes.

#include "lib/artifact/Format.h"
#include "test/runtime/TestModel.h"

#include <cstring>
#include <thread>

namespace tenon::test {

using namespace artifact;

namespace {

class Damage : public testing::Test {
protected:
  void SetUp() override {
    tenon_runtime_options options;
    tenon_runtime_options_init(&options);
    options.threads = 1;
    // Hostile sizes must meet a limit, not the machine's memory.
    options.allocate = [](void *, size_t size, size_t alignment) -> void * {
      return size > (64 << 20)
                 ? nullptr
                 : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    };
    options.free = [](void *, void *memory, size_t, size_t) { std::free(memory); };
    ASSERT_EQ(tenon_runtime_create(&options, &runtime, nullptr), TENON_OK);
  }
  void TearDown() override { tenon_runtime_release(runtime); }

  tenon_status load(std::span<const std::byte> bytes, tenon_model *&model) {
    model = nullptr;
    tenon_status status =
        tenon_model_load_memory(runtime, bytes.data(), bytes.size(), nullptr, &model, &error);
    EXPECT_EQ(status == TENON_OK, model != nullptr);
    if (status != TENON_OK)
      EXPECT_NE(error.message[0], '\0');
    return status;
  }

  /// Loads and, if that works, expects the right answer of the add model.
  bool loadsAndRuns(std::span<const std::byte> bytes) {
    tenon_model *model = nullptr;
    if (load(bytes, model) != TENON_OK)
      return false;
    std::vector<float> a(256, 1), b(256, 2), y(256);
    tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {256}), tensorOf(b, TENON_FLOAT, {256})};
    tenon_tensor output = tensorOf(y, TENON_FLOAT, {256});
    EXPECT_EQ(tenon_run(model, inputs, 2, &output, 1, &error), TENON_OK) << error.message;
    EXPECT_EQ(y, std::vector<float>(256, 300));
    tenon_model_release(model);
    return true;
  }

  tenon_runtime *runtime = nullptr;
  tenon_error error = {};
};

/// 64-byte aligned, so that loading does not copy it.
struct AlignedBytes {
  explicit AlignedBytes(const std::vector<std::byte> &bytes)
      : size(bytes.size()),
        data(static_cast<std::byte *>(std::aligned_alloc(64, (bytes.size() + 127) / 64 * 64))) {
    std::memcpy(data, bytes.data(), size);
  }
  ~AlignedBytes() { std::free(data); }
  std::span<std::byte> span() { return {data, size}; }
  size_t size;
  std::byte *data;
};

TEST_F(Damage, flippedBitsAtEveryByte) {
  AlignedBytes bytes(staticAddModel());
  ASSERT_TRUE(loadsAndRuns(bytes.span()));
  FileHeader header;
  std::memcpy(&header, bytes.data, sizeof(header));
  size_t structured = header.moduleOffset + header.moduleSize, survived = 0;
  for (size_t i = 0; i < bytes.size; ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (i >= sizeof(FileHeader) && bit != i % 8)
        continue; // everywhere once, in the header every bit
      bytes.data[i] ^= static_cast<std::byte>(1 << bit);
      bool ran = loadsAndRuns(bytes.span());
      bytes.data[i] ^= static_cast<std::byte>(1 << bit);
      EXPECT_FALSE(ran && i < structured) << "byte " << i << " is not protected";
      survived += ran;
    }
  }
  EXPECT_LT(survived, bytes.size) << "only the gaps between sections are not protected";
}

TEST_F(Damage, cutOffAtEveryByte) {
  AlignedBytes bytes(staticAddModel());
  for (size_t size = 0; size < bytes.size; ++size)
    ASSERT_FALSE(loadsAndRuns(bytes.span().first(size))) << size << " bytes";
}

TEST_F(Damage, anyAlignmentWillDo) {
  std::vector<std::byte> bytes = staticAddModel();
  for (size_t shift : {1, 8, 63}) {
    std::vector<std::byte> shifted(shift);
    shifted.insert(shifted.end(), bytes.begin(), bytes.end());
    EXPECT_TRUE(loadsAndRuns(std::span(shifted).subspan(shift))) << error.message;
  }
}

/// Repairs the hashes, as an attacker would.
void rehash(std::span<std::byte> bytes) {
  FileHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.moduleHash = hashBytes(bytes.subspan(header.moduleOffset, header.moduleSize));
  header.headerHash = hashHeader(header);
  std::memcpy(bytes.data(), &header, sizeof(header));
}

/// A model of everything but kernels: those are machine code, and machine code is trusted.
std::vector<std::byte> modelWithoutKernels() {
  ModelBuilder b;
  Axis n = Axis::dimension(b.dimension("n"));
  b.input("x", ElementType::Int64, {n});
  b.output("y", ElementType::Int64, {n});
  b.writer.module().outputs[0].inPlaceInput = 0;
  std::vector<int64_t> numbers = {5, 6, 7};
  uint32_t constant = b.slot(b.writer.addConstant(std::as_bytes(std::span(numbers))));
  uint32_t weight = b.slot(WeightSlot{b.writer.addWeight({.name = "w", .source = {}, .recipe = "r"},
                                                         std::as_bytes(std::span(numbers)))});
  uint32_t size = b.dim(0, 0), eight = b.constant(8), zero = b.constant(0), three = b.constant(3);
  uint32_t bytes = b.arithmetic(ArithmeticKind::Multiply, size, eight);
  uint32_t enough = b.arithmetic(ArithmeticKind::LessEqual, three, size);
  b.prologue(Check{enough, "too short: {0}", {size}});
  uint32_t x = b.slot(InputSlot{0}), y = b.slot(OutputSlot{0});
  uint32_t scratch = b.slot(TemporarySlot{0, bytes, -1, 0, 9}), late = b.slot(AllocatedSlot{});
  uint32_t view = b.slot(ViewSlot{scratch, 8, none});
  uint32_t moving = b.slot(ViewSlot{scratch, 0, eight});
  uint32_t i = b.reg(), more = b.reg(), value = b.reg();
  b.body(Copy{scratch, x, bytes});
  b.body(Copy{view, constant, eight});
  b.body(Copy{moving, weight, eight});
  b.body(Loop{8});
  b.body(Arithmetic{ArithmeticKind::Add, i, i, eight, none});
  b.body(Arithmetic{ArithmeticKind::Less, more, i, bytes, none});
  b.body(Branch{more, 9});
  b.body(LoadElement{value, scratch, zero, ElementType::Int64});
  b.body(Repeat{3});
  b.body(Fill{view, eight, 1, 4});
  b.body(Allocate{late, bytes});
  b.body(SetShape{0, {size}});
  b.body(StoreElement{y, zero, value, ElementType::Int64});
  b.body(Jump{14});
  return b.finish();
}

TEST_F(Damage, structuresMadeToHarm) {
  AlignedBytes bytes(modelWithoutKernels());
  FileHeader header;
  std::memcpy(&header, bytes.data, sizeof(header));
  size_t loaded = 0, refused = 0;
  auto attempt = [&] {
    rehash(bytes.span());
    tenon_model *model = nullptr;
    if (load(bytes.span(), model) != TENON_OK) {
      ++refused;
      return;
    }
    ++loaded;
    // It may compute anything, for ever, but not harm. Give it a moment.
    std::vector<int64_t> x(4, 1);
    std::vector<tenon_tensor> inputs(static_cast<size_t>(tenon_model_input_count(model)),
                                     tensorOf(x, TENON_INT64, {4}));
    std::vector<tenon_tensor> outputs(static_cast<size_t>(tenon_model_output_count(model)));
    tenon_execution *execution = nullptr;
    ASSERT_EQ(tenon_run_async(model, inputs.data(), static_cast<int32_t>(inputs.size()),
                              outputs.data(), static_cast<int32_t>(outputs.size()), &execution,
                              &error),
              TENON_OK);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    tenon_execution_cancel(execution);
    tenon_execution_wait(execution, &error);
    tenon_execution_release(execution);
    for (tenon_tensor &output : outputs)
      tenon_tensor_release(runtime, &output);
    tenon_model_release(model);
  };
  std::span<std::byte> module = bytes.span().subspan(header.moduleOffset, header.moduleSize);
  for (size_t i = 0; i < module.size(); ++i) {
    for (unsigned flip : {0x01, 0x80, 0xff}) {
      module[i] ^= static_cast<std::byte>(flip);
      attempt();
      module[i] ^= static_cast<std::byte>(flip);
    }
  }
  for (size_t i = 0; i + 4 <= module.size(); i += 4) {
    uint32_t saved;
    std::memcpy(&saved, module.data() + i, 4);
    for (uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffff0u, saved + 4, saved - 4}) {
      std::memcpy(module.data() + i, &value, 4);
      attempt();
    }
    std::memcpy(module.data() + i, &saved, 4);
  }
  EXPECT_GT(loaded, 100u);
  EXPECT_GT(refused, 100u);
}

TEST_F(Damage, headersMadeToHarm) {
  AlignedBytes bytes(staticAddModel());
  FileHeader original;
  std::memcpy(&original, bytes.data, sizeof(original));
  auto attempt = [&](auto change) {
    FileHeader header = original;
    change(header);
    header.headerHash = hashHeader(header);
    std::memcpy(bytes.data, &header, sizeof(header));
    tenon_model *model = nullptr;
    tenon_status status = load(bytes.span(), model);
    EXPECT_NE(status, TENON_OK);
    return status;
  };
  for (uint64_t value :
       {uint64_t(0), uint64_t(1), uint64_t(64), uint64_t(1) << 31, UINT64_MAX - 63, UINT64_MAX}) {
    if (value != original.moduleOffset)
      attempt([&](FileHeader &header) { header.moduleOffset = value; });
    attempt([&](FileHeader &header) { header.moduleSize = value; });
    attempt([&](FileHeader &header) { header.fileSize = value; });
  }
  EXPECT_EQ(attempt([](FileHeader &header) { header.formatVersion = formatVersion + 1; }),
            TENON_UNSUPPORTED);
  EXPECT_EQ(attempt([](FileHeader &header) { header.minimalRuntime = 999999999; }),
            TENON_UNSUPPORTED);
  EXPECT_NE(std::string(error.message).find("needs runtime 999.999.999 or newer"),
            std::string::npos)
      << error.message;
}

} // namespace
} // namespace tenon::test
