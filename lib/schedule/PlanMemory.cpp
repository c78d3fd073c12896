// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PlanMemory.cpp - offsets of temporaries ahead of time --------------===//

#include "lib/schedule/Passes.h"

#include "lib/artifact/Program.h"
#include "lib/runtime/MemoryPlanner.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_PLANMEMORY
#include "lib/schedule/Passes.h.inc"

namespace {

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    llvm::DenseMap<Operation *, uint32_t> positions;
    uint32_t position = 0;
    for (Operation &op : getOperation().getBody().front())
      positions[&op] = position++;

    SmallVector<rt::TemporaryOp> temporaries;
    std::vector<MemoryInterval> intervals;
    for (auto temporary : getOperation().getOps<rt::TemporaryOp>()) {
      APInt bytes;
      if (!matchPattern(temporary.getBytes(), m_ConstantInt(&bytes)))
        return; // left to the runtime, all of them
      temporaries.push_back(temporary);
      intervals.push_back({bytes.getZExtValue(), positions[temporary], lastUse(temporary, positions)});
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

  static uint32_t lastUse(Operation *op, const llvm::DenseMap<Operation *, uint32_t> &positions) {
    uint32_t last = positions.lookup(op);
    for (Operation *user : op->getUsers())
      last = std::max(last, isa<rt::ViewOp>(user) ? lastUse(user, positions) : positions.lookup(user));
    return last;
  }
};

} // namespace
} // namespace tenon
