// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WeightTable.cpp ----------------------------------------------------===//

#include "lib/weights/WeightTable.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

using namespace llvm;

namespace tenon {

bool WeightTable::addSlice(StringRef symbol, std::shared_ptr<MemoryBuffer> file,
                           ArrayRef<char> bytes) {
  return entries.try_emplace(symbol, Entry{std::move(file), bytes}).second;
}

bool WeightTable::addOwned(StringRef symbol, std::string bytes) {
  auto owner = std::make_shared<std::string>(std::move(bytes));
  ArrayRef<char> view(owner->data(), owner->size());
  return entries.try_emplace(symbol, Entry{std::move(owner), view}).second;
}

bool WeightTable::addAlias(StringRef symbol, StringRef existing) {
  auto entry = entries.find(existing);
  if (entry == entries.end())
    return false;
  Entry shared = entry->second;
  return entries.try_emplace(symbol, std::move(shared)).second;
}

std::optional<ArrayRef<char>> WeightTable::find(StringRef symbol) const {
  auto entry = entries.find(symbol);
  if (entry == entries.end())
    return std::nullopt;
  return entry->second.bytes;
}

std::string WeightTable::contentHash(StringRef symbol) const {
  std::optional<ArrayRef<char>> bytes = find(symbol);
  if (!bytes)
    return {};
  auto digest =
      BLAKE3::hash(ArrayRef(reinterpret_cast<const uint8_t *>(bytes->data()), bytes->size()));
  return toHex(ArrayRef(digest), /*LowerCase=*/true);
}

} // namespace tenon
