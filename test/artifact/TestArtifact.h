// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module that uses every part of the format, and a folder for its files.

#ifndef TENON_TEST_ARTIFACT_TESTARTIFACT_H
#define TENON_TEST_ARTIFACT_TESTARTIFACT_H

#include "lib/artifact/Writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tenon::test {

inline std::vector<std::byte> bytesOf(const char *text) {
  std::vector<std::byte> bytes(std::strlen(text));
  std::memcpy(bytes.data(), text, bytes.size());
  return bytes;
}

/// Fills `writer` with one of everything. The image is no real one: the artifact does not look.
inline void fillWithEverything(artifact::Writer &writer) {
  using namespace artifact;
  Module &module = writer.module();
  module.provenance = {"tenon 9.9", "--target cpu", {1, 2}, "every part"};
  module.dimensions = {{"batch", 1, 64, 2}, {"sequence", 0, INT64_MAX, 1}};
  Value x, y, z;
  x.name = "x";
  x.element = ElementType::Float32;
  x.axes = {Axis::dimension(0), Axis::dimension(1), Axis::fixed(3), Axis::unnamed()};
  y.name = "y";
  y.element = ElementType::Float32;
  y.axes = {Axis::fixed(4), Axis::fixed(5)};
  y.inPlaceInput = 0;
  z.name = "z";
  z.element = ElementType::Int64;
  z.axes = {Axis::unnamed()};
  Value map = z, strings = z, any = z;
  map.name = "map";
  map.axes.clear();
  map.containers = {Container::Optional, Container::Map};
  map.key = ElementType::String;
  strings.name = "strings";
  strings.element = ElementType::String;
  any.name = "any";
  any.axes.clear();
  any.ranked = false;
  module.inputs = {x, any};
  module.outputs = {y, z, map, strings};
  module.constants = {{ElementType::Int64, {2}, std::vector<uint8_t>(16, 1), {}},
                      {ElementType::String, {1, 2}, {}, {"a", "bc"}}};

  Program p;
  p.devices = {{"cpu"}};
  KernelModule kernels;
  kernels.section = writer.addKernelImage(bytesOf("not really an image"));
  kernels.triple = "x86_64-unknown-linux-gnu";
  kernels.cpu = "sapphirerapids";
  kernels.features = "+avx2,+fma";
  p.modules = {kernels};
  Kernel kernel;
  kernel.name = "matmul";
  kernel.entry = 0x1240;
  kernel.bufferCount = 2;
  kernel.sizeCount = 1;
  kernel.nodes = {"MatMul_1", "Add_2"};
  kernel.flops = 1e9;
  p.kernels = {kernel};
  ConstantSlot constant = writer.addConstant(bytesOf("a constant"));
  Weight weight;
  weight.name = "w";
  weight.source = {3, 4};
  weight.recipe = "pack 8x16";
  static const std::vector<std::byte> weightBytes = bytesOf("some weight");
  uint32_t w = writer.addWeight(weight, weightBytes);
  p.slots = {
      {InputSlot{0}, 0},
      {OutputSlot{0}, 0},
      {WeightSlot{w}, 0},
      {constant, 0},
      {TemporarySlot{128, none, 64, 0, 4}, 0},
      {AllocatedSlot{}, 0},
      {ViewSlot{4, 32, none}, 0},
      {ViewSlot{6, 0, 1}, 0},
      {ObjectSlot{}, 0},
      {ObjectConstantSlot{1}, 0},
      {ContentSlot{8}, 0},
      {InputSlot{1}, 0},
      {OutputSlot{2}, 0},
  };
  p.arenaSizes = {192};
  p.registerCount = 4;
  p.eventCount = 2;
  p.prologue = {
      Operation(Constant{0, -7}),
      Operation(ReadDimension{1, 0, 1}),
      Operation(Arithmetic{ArithmeticKind::Select, 2, 0, 1, 1}),
      Operation(Check{2, "'{0}' is wrong", {0}}),
      Operation(SetShape{1, {1}}),
  };
  p.body = {
      Operation(Launch{0, {0, 4}, {1}, 2}),
      Operation(Copy{4, 3, 0}),
      Operation(Fill{6, 1, 0x1122334455667788, 8}),
      Operation(LoadElement{3, 7, 0, ElementType::Int32}),
      Operation(StoreElement{4, 0, 3, ElementType::Bool}),
      Operation(Allocate{5, 0, true}),
      Operation(Loop{9}),
      Operation(Branch{0, 10}),
      Operation(Jump{9}),
      Operation(Repeat{6}),
      Operation(Wait{1}),
      // Objects.
      Operation(
          HostCall{"strings.split", 3, {{"axis", 0}}, {8, none, 9}, {12, none}, {0}, "Split"}),
      Operation(Swap{5, 5}),
      Operation(Swap{8, 8}),
      Operation(Wrap{8, 0, ElementType::Float32, {0, 1}}),
      Operation(Unwrap{11, ElementType::Int4, {2, 3}, "Add"}),
      Operation(Share{12, 8, true}),
  };
  p.body[0].queue = 1;
  p.body[0].event = 1;
  module.programs = {p};
}

class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tenon-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string path(const std::string &name) const { return folder_ + "/" + name; }
  /// The names of everything in it, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(folder_))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

private:
  std::string folder_;
};

inline std::string contents(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace tenon::test

#endif // TENON_TEST_ARTIFACT_TESTARTIFACT_H
