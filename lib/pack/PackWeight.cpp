// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackWeight.cpp -----------------------------------------------------===//

#include "lib/pack/PackWeight.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>

using namespace mlir;

namespace tenon {

PackedWeight::PackedWeight(ArrayRef<char> bytes, RankedTensorType logical, plan::PackingAttr packing)
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

void PackedWeight::read(uint64_t offset, std::span<std::byte> into) const {
  int64_t packedRank = packedShape.size(), rank = logicalShape.size();
  // The packed index of the first element, then counted up like an odometer.
  SmallVector<int64_t> index(packedRank);
  int64_t element = offset / elementBytes, skip = offset % elementBytes;
  for (int64_t dim = packedRank - 1, rest = element; dim >= 0; --dim) {
    index[dim] = rest % packedShape[dim];
    rest /= packedShape[dim];
  }
  SmallVector<int64_t> position(rank);
  for (size_t done = 0; done < into.size();) {
    std::fill(position.begin(), position.end(), 0);
    for (int64_t dim = 0; dim < packedRank; ++dim)
      position[logicalDim[dim]] += index[dim] * step[dim];
    bool inside = true;
    int64_t source = 0;
    for (int64_t dim = 0; dim < rank; ++dim) {
      inside &= position[dim] < logicalShape[dim];
      source += position[dim] * logicalStrides[dim];
    }
    size_t count = std::min<size_t>(elementBytes - skip, into.size() - done);
    if (inside)
      std::memcpy(&into[done], bytes.data() + source * elementBytes + skip, count);
    else
      std::memset(&into[done], 0, count);
    done += count;
    skip = 0;
    for (int64_t dim = packedRank - 1; dim >= 0 && ++index[dim] == packedShape[dim]; --dim)
      index[dim] = 0;
  }
}

} // namespace tenon
