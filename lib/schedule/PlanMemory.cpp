// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PlanMemory.cpp - offsets of temporaries ahead of time --------------===//

#include "lib/schedule/Passes.h"

#include "lib/artifact/Program.h"
#include "lib/runtime/MemoryPlanner.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/EquivalenceClasses.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_PLANMEMORY
#include "lib/schedule/Passes.h.inc"

namespace {

/// How long temporaries live, counting operations in the order in which they stand. What lies
/// outside of a loop and is used inside lives to the loop's end, because the next iteration may use
/// it again.
class Lives {
public:
  explicit Lives(rt::ProgramOp program) { number(program.getBody().front()); }

  MemoryInterval of(rt::TemporaryOp temporary, uint64_t bytes) const {
    return {bytes, begins.lookup(temporary), lastUse(temporary, temporary->getBlock())};
  }

private:
  void number(Block &block) {
    for (Operation &op : block) {
      begins[&op] = next++;
      for (Region &region : op.getRegions())
        for (Block &nested : region)
          number(nested);
      ends[&op] = next++;
    }
  }

  uint32_t lastUse(Operation *op, Block *home) const {
    uint32_t last = begins.lookup(op);
    for (Operation *user : op->getUsers()) {
      last = std::max(last, isa<rt::ViewOp>(user) ? lastUse(user, home) : begins.lookup(user));
      for (Operation *around = user; around->getBlock() != home; around = around->getParentOp())
        if (isa<scf::WhileOp>(around->getParentOp()))
          last = std::max(last, ends.lookup(around->getParentOp()));
    }
    return last;
  }

  llvm::DenseMap<Operation *, uint32_t> begins, ends;
  uint32_t next = 0;
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    SmallVector<rt::TemporaryOp> temporaries;
    std::vector<MemoryInterval> intervals;
    llvm::EquivalenceClasses<Operation *> exchanged;
    llvm::DenseMap<Operation *, size_t> positions;
    Lives lives(getOperation());
    bool isStatic = true;
    getOperation().walk([&](Operation *op) {
      if (auto swap = dyn_cast<rt::SwapOp>(op);
          swap && swap.getFirst().getDefiningOp<rt::TemporaryOp>())
        exchanged.unionSets(swap.getFirst().getDefiningOp(), swap.getSecond().getDefiningOp());
      auto temporary = dyn_cast<rt::TemporaryOp>(op);
      if (!temporary)
        return;
      APInt bytes;
      isStatic &= matchPattern(temporary.getBytes(), m_ConstantInt(&bytes));
      positions[temporary] = temporaries.size();
      temporaries.push_back(temporary);
      intervals.push_back(lives.of(temporary, isStatic ? bytes.getZExtValue() : 0));
    });
    if (!isStatic)
      return; // left to the runtime, all of them
    // What changes places lives as long as each other.
    for (const auto *group : exchanged) {
      if (!group->isLeader())
        continue;
      uint32_t first = UINT32_MAX, last = 0;
      for (Operation *member : exchanged.members(*group)) {
        first = std::min(first, intervals[positions[member]].first);
        last = std::max(last, intervals[positions[member]].last);
      }
      for (Operation *member : exchanged.members(*group)) {
        intervals[positions[member]].first = first;
        intervals[positions[member]].last = last;
      }
    }
    MemoryPlan memory;
    if (!planMemory(intervals, artifact::dataAlignment, memory)) {
      getOperation()->emitError("needs more memory than there are addresses");
      return signalPassFailure();
    }
    OpBuilder builder(&getContext());
    for (auto [temporary, offset] : llvm::zip_equal(temporaries, memory.offsets))
      temporary.setOffsetAttr(builder.getI64IntegerAttr(offset));
    getOperation().setArenaAttr(builder.getI64IntegerAttr(memory.size));
  }
};

} // namespace
} // namespace tenon
