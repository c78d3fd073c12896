// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packed weights against linalg.pack's definition, element by element: every recipe in pieces that
// begin and end anywhere.

#include "lib/pack/PackWeight.h"

#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

#include <cstring>
#include <numeric>

using namespace mlir;

namespace tenon {
namespace {

struct Recipe {
  std::vector<int64_t> shape, positions, tiles, permutation;
};

/// linalg.pack with zeros as padding, as its documentation defines it.
std::vector<std::byte> packSlowly(const std::vector<std::byte> &bytes, const Recipe &recipe,
                                  int64_t elementBytes) {
  int64_t rank = recipe.shape.size();
  std::vector<int64_t> tileOf(rank, 1), order(recipe.permutation), packed;
  for (size_t i = 0; i < recipe.positions.size(); ++i)
    tileOf[recipe.positions[i]] = recipe.tiles[i];
  if (order.empty()) {
    order.resize(rank);
    std::iota(order.begin(), order.end(), 0);
  }
  for (int64_t dim : order)
    packed.push_back((recipe.shape[dim] + tileOf[dim] - 1) / tileOf[dim]);
  packed.insert(packed.end(), recipe.tiles.begin(), recipe.tiles.end());
  int64_t count = std::accumulate(packed.begin(), packed.end(), int64_t{1}, std::multiplies<>());
  std::vector<std::byte> result(count * elementBytes);
  for (int64_t element = 0; element < count; ++element) {
    std::vector<int64_t> index(packed.size()), position(rank);
    int64_t rest = element;
    for (int64_t dim = packed.size() - 1; dim >= 0; --dim) {
      index[dim] = rest % packed[dim];
      rest /= packed[dim];
    }
    for (int64_t i = 0; i < rank; ++i)
      position[order[i]] = index[i] * tileOf[order[i]];
    for (size_t i = 0; i < recipe.positions.size(); ++i)
      position[recipe.positions[i]] += index[rank + i];
    int64_t source = 0;
    bool inside = true;
    for (int64_t dim = 0; dim < rank; ++dim) {
      inside &= position[dim] < recipe.shape[dim];
      source = source * recipe.shape[dim] + position[dim];
    }
    if (inside)
      std::memcpy(&result[element * elementBytes], &bytes[source * elementBytes], elementBytes);
  }
  return result;
}

TEST(PackedWeight, isWhatLinalgPackMakes) {
  MLIRContext context;
  context.loadDialect<plan::PlanDialect>();
  Builder builder(&context);
  const Recipe recipes[] = {
      {{10}, {0}, {4}, {}},
      {{16, 12}, {1}, {4}, {}},
      {{7, 13}, {1}, {8}, {1, 0}},
      {{7, 13}, {0}, {4}, {1, 0}},
      {{5, 7}, {0, 1}, {2, 3}, {}},
      {{5, 7}, {1, 0}, {3, 2}, {1, 0}},
      {{9, 3, 3, 5}, {3, 0}, {2, 4}, {3, 1, 2, 0}},
      {{2, 1, 6}, {}, {}, {2, 0, 1}},
  };
  for (const Recipe &recipe : recipes)
    for (unsigned width : {8, 16, 32, 64}) {
      int64_t elementBytes = width / 8, count = 1;
      for (int64_t size : recipe.shape)
        count *= size;
      std::vector<std::byte> bytes(count * elementBytes);
      for (size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(1 + (i * 37 + i / 251) % 255);
      auto type = RankedTensorType::get(recipe.shape, builder.getIntegerType(width));
      auto packing =
          plan::PackingAttr::get(&context, recipe.positions, recipe.tiles, recipe.permutation);
      PackedWeight packed({reinterpret_cast<const char *>(bytes.data()), bytes.size()}, type,
                          packing);
      std::vector<std::byte> expected = packSlowly(bytes, recipe, elementBytes);
      ASSERT_EQ(packed.size(), expected.size());
      for (size_t piece : {expected.size(), size_t{1}, size_t{5}, size_t{17}}) {
        std::vector<std::byte> found(expected.size(), std::byte{0xee});
        for (size_t offset = 0; offset < found.size(); offset += piece)
          packed.read(offset,
                      std::span(found).subspan(offset, std::min(piece, found.size() - offset)));
        EXPECT_EQ(found, expected) << "width " << width << ", pieces of " << piece;
      }
    }
}

} // namespace
} // namespace tenon
