// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of temporaries that have places in an arena: no two that live at once share memory.

#include "lib/artifact/Verifier.h"

#include "lib/artifact/Format.h"

#include <algorithm>
#include <map>
#include <set>

namespace tenon::artifact {

static Status invalid(std::string message) {
  return {StatusCode::InvalidArtifact, std::move(message)};
}

static std::string number(uint32_t value) { return std::to_string(value); }

Status verifyPlacement(const Program &program) {
  struct Placed {
    uint32_t slot;
    const TemporarySlot *temporary;
  };
  std::vector<std::vector<Placed>> placed(program.devices.size());
  bool anyPlaced = false, anyFree = false;
  for (uint32_t i = 0; i < program.slots.size(); ++i) {
    const auto *temporary = std::get_if<TemporarySlot>(&program.slots[i].storage);
    if (!temporary)
      continue;
    (temporary->offset == -1 ? anyFree : anyPlaced) = true;
    if (temporary->offset != -1)
      placed[program.slots[i].device].push_back({i, temporary});
  }
  if (anyPlaced && anyFree)
    return invalid("some temporaries have a place in the arena and others have none");
  if (anyFree || program.arenaSizes.empty()) {
    if (anyPlaced || !program.arenaSizes.empty())
      return invalid("the arena's size and the temporaries' places must be given together");
    return {};
  }
  if (program.arenaSizes.size() != program.devices.size())
    return invalid("there must be one arena size for each device");

  for (uint32_t device = 0; device < placed.size(); ++device) {
    std::vector<Placed> &order = placed[device];
    for (const Placed &p : order)
      if (p.temporary->sizeRegister != none || p.temporary->offset < 0 ||
          p.temporary->offset % dataAlignment != 0 ||
          !rangeFits(static_cast<uint64_t>(p.temporary->offset),
                     static_cast<uint64_t>(p.temporary->size), program.arenaSizes[device]))
        return invalid("slot " + number(p.slot) + ": its place does not lie in the arena");
    // Sweep over time. Those alive do not overlap, so a new one can only hit its two neighbours.
    std::erase_if(order, [](const Placed &p) { return p.temporary->size == 0; });
    std::sort(order.begin(), order.end(), [](const Placed &a, const Placed &b) {
      return std::pair(a.temporary->first, a.slot) < std::pair(b.temporary->first, b.slot);
    });
    std::map<int64_t, const Placed *> alive;     // by offset
    std::set<std::pair<uint32_t, int64_t>> ends; // last use, offset
    for (const Placed &p : order) {
      while (!ends.empty() && ends.begin()->first < p.temporary->first) {
        alive.erase(ends.begin()->second);
        ends.erase(ends.begin());
      }
      int64_t begin = p.temporary->offset, end = begin + p.temporary->size;
      auto next = alive.lower_bound(begin);
      const Placed *hit = next != alive.end() && next->first < end ? next->second : nullptr;
      if (!hit && next != alive.begin()) {
        const Placed *before = std::prev(next)->second;
        if (before->temporary->offset + before->temporary->size > begin)
          hit = before;
      }
      if (hit)
        return invalid("slots " + number(hit->slot) + " and " + number(p.slot) +
                       " share memory while both are in use");
      alive.emplace(begin, &p);
      ends.emplace(p.temporary->last, begin);
    }
  }
  return {};
}

} // namespace tenon::artifact
