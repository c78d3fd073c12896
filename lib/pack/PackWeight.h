// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PackWeight.h - a weight in the order its kernel reads it --*- C++ -*-===//

#ifndef TENON_LIB_PACK_PACKWEIGHT_H
#define TENON_LIB_PACK_PACKWEIGHT_H

#include "dialects/plan/Plan.h"

#include <cstddef>
#include <span>

namespace tenon {

/// The bytes of a weight after its recipe (linalg.pack with zeros as padding),
/// produced in pieces so that a packed copy is never held. The logical bytes must
/// outlive this. Elements are whole bytes.
class PackedWeight {
public:
  PackedWeight(llvm::ArrayRef<char> bytes, mlir::RankedTensorType logical,
               plan::PackingAttr packing);

  /// Size in bytes after packing.
  uint64_t size() const { return packedElements * elementBytes; }

  /// Fills `into` with the packed bytes from `offset` on.
  void read(uint64_t offset, std::span<std::byte> into) const;

private:
  /// `count` whole elements, from the packed element `first` on.
  void readElements(int64_t first, std::byte *into, int64_t count) const;
  /// `count` elements from the logical element `source` on, `stride` elements apart.
  void copyElements(std::byte *into, int64_t source, int64_t count, int64_t stride) const;

  llvm::ArrayRef<char> bytes;
  int64_t elementBytes, packedElements;
  /// Of each packed dimension: its size, the logical dimension it walks along,
  /// and how many logical elements one step of it goes.
  llvm::SmallVector<int64_t> packedShape, logicalDim, step;
  llvm::SmallVector<int64_t> logicalShape, logicalStrides;
};

} // namespace tenon

#endif // TENON_LIB_PACK_PACKWEIGHT_H
