// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Several threads and one model.

#include "test/runtime/TestModel.h"

#include <atomic>
#include <thread>

namespace tenon::test {
namespace {

TEST(Threads, oneModelServesMany) {
  Loaded loaded(addModel(), 2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int run = 0; run < 200; ++run) {
        // Shapes alternate, so that threads share and evict each other's plans.
        size_t size = static_cast<size_t>(1 + (run * 37 + thread * 211) % 997);
        int64_t n = static_cast<int64_t>(size);
        std::vector<float> a(size, static_cast<float>(thread)), b(size, static_cast<float>(run));
        std::vector<float> y(size);
        tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {n}), tensorOf(b, TENON_FLOAT, {n})};
        tenon_tensor output = tensorOf(y, TENON_FLOAT, {n});
        if (tenon_run(loaded.model, inputs, 2, &output, 1, nullptr) != TENON_OK ||
            y != std::vector<float>(size, static_cast<float>(thread + run)))
          wrong.fetch_add(1);
        if (run % 50 == 49)
          tenon_model_trim(loaded.model);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Threads, modelsAreLoadedAndReleasedAtOnce) {
  tenon_runtime *runtime = nullptr;
  ASSERT_EQ(tenon_runtime_create(nullptr, &runtime, nullptr), TENON_OK);
  std::vector<std::byte> bytes = staticAddModel();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        tenon_model *model = nullptr;
        if (tenon_model_load_memory(runtime, bytes.data(), bytes.size(), nullptr, &model,
                                    nullptr)) {
          wrong.fetch_add(1);
          continue;
        }
        std::vector<float> a(256, 1), b(256, 1), y(256);
        tenon_tensor inputs[] = {tensorOf(a, TENON_FLOAT, {256}), tensorOf(b, TENON_FLOAT, {256})};
        tenon_tensor output = tensorOf(y, TENON_FLOAT, {256});
        if (tenon_run(model, inputs, 2, &output, 1, nullptr) != TENON_OK || y[255] != 200)
          wrong.fetch_add(1);
        tenon_model_release(model);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  tenon_runtime_release(runtime);
  EXPECT_EQ(wrong.load(), 0);
}

} // namespace
} // namespace tenon::test
