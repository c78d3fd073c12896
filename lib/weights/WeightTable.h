// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WeightTable.h - the bytes behind plan.weight symbols ------*- C++ -*-===//
//
// Weights never live in the IR: a plan.weight is a symbol, and this table holds
// what it stands for. Bytes are little-endian, dense and row-major; a bool is one
// byte, types narrower than a byte are packed as ONNX packs them.
//
// The table owns or shares what it points to, so a slice stays valid as long as
// the table. Adding is for one thread at a time; reading is for any number.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_WEIGHTS_WEIGHTTABLE_H
#define TENON_LIB_WEIGHTS_WEIGHTTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <optional>
#include <string>

namespace tenon {

class WeightTable {
public:
  /// Adds a slice of `file` (usually mapped), which the table keeps alive.
  /// `symbol` must be new. Returns false where it is not.
  bool addSlice(llvm::StringRef symbol, std::shared_ptr<llvm::MemoryBuffer> file,
                llvm::ArrayRef<char> bytes);

  /// Adds bytes that the table takes over.
  bool addOwned(llvm::StringRef symbol, std::string bytes);

  /// Adds a name for the bytes of `existing`, which both share. Returns false where `symbol` is not
  /// new or there is no `existing`.
  bool addAlias(llvm::StringRef symbol, llvm::StringRef existing);

  /// The bytes of `symbol`, or nothing where there is no such weight.
  std::optional<llvm::ArrayRef<char>> find(llvm::StringRef symbol) const;

  /// Drops a weight that nothing refers to any more.
  void erase(llvm::StringRef symbol) { entries.erase(symbol); }

  /// A strong hash (BLAKE3, hexadecimal) of the bytes of `symbol`; empty where there is no such
  /// weight.
  std::string contentHash(llvm::StringRef symbol) const;

private:
  struct Entry {
    std::shared_ptr<const void> owner;
    llvm::ArrayRef<char> bytes;
  };
  llvm::StringMap<Entry> entries;
};

} // namespace tenon

#endif // TENON_LIB_WEIGHTS_WEIGHTTABLE_H
