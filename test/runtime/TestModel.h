// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small models put together by hand, and what the tests need to run them.

#ifndef TENON_TEST_RUNTIME_TESTMODEL_H
#define TENON_TEST_RUNTIME_TESTMODEL_H

#include "lib/artifact/Writer.h"
#include "tenon/runtime.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace tenon::test {

std::vector<std::byte> readFile(const std::string &path);

/// Where a function lies in an ELF shared object: the value of its dynamic symbol.
uint64_t symbolAddress(const std::vector<std::byte> &image, const std::string &name);

/// Builds one program; finish() gives the artifact's bytes.
class ModelBuilder {
public:
  ModelBuilder();

  uint32_t dimension(const std::string &name, int64_t min = 0, int64_t max = INT64_MAX,
                     int64_t multiple = 1);
  uint32_t input(const std::string &name, artifact::ElementType element,
                 std::vector<artifact::Axis> axes);
  uint32_t output(const std::string &name, artifact::ElementType element,
                  std::vector<artifact::Axis> axes);
  /// A kernel of kernels.c.
  uint32_t kernel(const std::string &name, uint32_t buffers, uint32_t sizes);
  uint32_t slot(artifact::SlotStorage storage);
  uint32_t reg() { return program.registerCount++; }

  /// A register with a number, set in the prologue.
  uint32_t constant(int64_t value);
  uint32_t dim(uint32_t input, uint32_t axis);
  uint32_t arithmetic(artifact::ArithmeticKind kind, uint32_t lhs, uint32_t rhs);
  /// The next instruction's index in the body.
  uint32_t here() const { return static_cast<uint32_t>(program.body.size()); }
  void body(artifact::Operation operation) { program.body.push_back(std::move(operation)); }
  void prologue(artifact::Operation operation) { program.prologue.push_back(std::move(operation)); }

  /// Writes the artifact to a file of its own and reads it back.
  std::vector<std::byte> finish();
  Status write(const std::string &path, const artifact::WriteOptions &options = {});

  artifact::Writer writer;
  artifact::Program program;

private:
  std::vector<std::byte> image_;
};

/// y = a + b over [n], the sum through a temporary: small but with everything in it.
std::vector<std::byte> addModel();
/// The same with sizes fixed at 256 and places in the arena decided ahead of time.
std::vector<std::byte> staticAddModel();

/// A runtime with a model; fails the test when it cannot be made.
class Loaded {
public:
  explicit Loaded(std::vector<std::byte> bytes, int32_t threads = 2);
  ~Loaded();
  Loaded(const Loaded &) = delete;
  Loaded &operator=(const Loaded &) = delete;

  tenon_runtime *runtime = nullptr;
  tenon_model *model = nullptr;

private:
  std::vector<std::byte> bytes_;
};

template <typename T>
tenon_tensor tensorOf(std::vector<T> &values, tenon_element_type element,
                      std::vector<int64_t> dims) {
  return tenon_tensor_make(values.data(), static_cast<int64_t>(values.size() * sizeof(T)), element,
                           static_cast<int32_t>(dims.size()), dims.data());
}

/// A folder of the test's own, removed with all in it at the end.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path(const std::string &name) const { return folder_ + "/" + name; }
  const std::string &folder() const { return folder_; }

private:
  std::string folder_;
};

} // namespace tenon::test

#endif // TENON_TEST_RUNTIME_TESTMODEL_H
