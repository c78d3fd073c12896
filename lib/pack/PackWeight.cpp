// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackWeight.cpp -----------------------------------------------------===//

#include "lib/pack/PackWeight.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstring>

using namespace mlir;

namespace tenon {

PackedWeight::PackedWeight(ArrayRef<char> bytes, RankedTensorType logical,
                           plan::PackingAttr packing)
    : bytes(bytes), elementBytes(llvm::divideCeil(logical.getElementTypeBitWidth(), 8)),
      logicalShape(logical.getShape()) {
  int64_t rank = logical.getRank();
  logicalStrides.assign(rank, 1);
  for (int64_t dim = rank - 2; dim >= 0; --dim)
    logicalStrides[dim] = logicalStrides[dim + 1] * logicalShape[dim + 1];

  RankedTensorType packed = packing.packedType(logical);
  llvm::append_range(packedShape, packed.getShape());
  packedElements = packed.getNumElements();
  SmallVector<int64_t> tileOf(rank, 1);
  for (auto [position, tile] : llvm::zip_equal(packing.getInnerDimsPos(), packing.getInnerTiles()))
    tileOf[position] = tile;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t dim = packing.getOuterDimsPerm().empty() ? i : packing.getOuterDimsPerm()[i];
    logicalDim.push_back(dim);
    step.push_back(tileOf[dim]);
  }
  for (int64_t position : packing.getInnerDimsPos()) {
    logicalDim.push_back(position);
    step.push_back(1);
  }
}

/// `count` elements that are `stride` elements apart.
template <typename T>
static void gather(std::byte *into, const char *from, int64_t count, int64_t stride) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(into + i * sizeof(T), from + i * stride * sizeof(T), sizeof(T));
}

void PackedWeight::copyElements(std::byte *into, int64_t source, int64_t count,
                                int64_t stride) const {
  const char *from = bytes.data() + source * elementBytes;
  if (stride == 1)
    std::memcpy(into, from, count * elementBytes);
  else if (elementBytes == 1)
    gather<uint8_t>(into, from, count, stride);
  else if (elementBytes == 2)
    gather<uint16_t>(into, from, count, stride);
  else if (elementBytes == 4)
    gather<uint32_t>(into, from, count, stride);
  else if (elementBytes == 8)
    gather<uint64_t>(into, from, count, stride);
  else
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(into + i * elementBytes, from + i * stride * elementBytes, elementBytes);
}

void PackedWeight::readElements(int64_t first, std::byte *into, int64_t count) const {
  int64_t packedRank = packedShape.size(), rank = logicalShape.size();
  // The packed index of the first element, then counted up like an odometer, a row at a time.
  SmallVector<int64_t> index(packedRank), position(rank);
  for (int64_t dim = packedRank - 1, rest = first; dim >= 0; --dim) {
    index[dim] = rest % packedShape[dim];
    rest /= packedShape[dim];
  }
  int64_t last = packedRank - 1, along = logicalDim[last];
  for (int64_t done = 0; done < count;) {
    std::fill(position.begin(), position.end(), 0);
    for (int64_t dim = 0; dim < packedRank; ++dim)
      position[logicalDim[dim]] += index[dim] * step[dim];
    int64_t row = std::min(packedShape[last] - index[last], count - done);
    // How much of the row is there; padding follows.
    int64_t inside = llvm::divideCeilSigned(logicalShape[along] - position[along], step[last]);
    inside = std::clamp<int64_t>(inside, 0, row);
    int64_t source = 0;
    for (int64_t dim = 0; dim < rank; ++dim) {
      if (dim != along && position[dim] >= logicalShape[dim])
        inside = 0;
      source += position[dim] * logicalStrides[dim];
    }
    std::byte *begin = into + done * elementBytes;
    if (inside > 0)
      copyElements(begin, source, inside, step[last] * logicalStrides[along]);
    std::memset(begin + inside * elementBytes, 0, (row - inside) * elementBytes);
    done += row;
    index[last] += row;
    for (int64_t dim = last; dim > 0 && index[dim] == packedShape[dim]; --dim) {
      index[dim] = 0;
      ++index[dim - 1];
    }
  }
}

void PackedWeight::read(uint64_t offset, std::span<std::byte> into) const {
  // Pieces may begin and end within an element.
  SmallVector<std::byte, 16> element(elementBytes);
  while (!into.empty()) {
    uint64_t first = offset / elementBytes, skip = offset % elementBytes;
    size_t taken = into.size() / elementBytes * elementBytes;
    if (skip == 0 && taken != 0) {
      readElements(first, into.data(), taken / elementBytes);
    } else {
      taken = std::min<size_t>(elementBytes - skip, into.size());
      readElements(first, element.data(), 1);
      std::memcpy(into.data(), element.data() + skip, taken);
    }
    into = into.subspan(taken);
    offset += taken;
  }
}

} // namespace tenon
