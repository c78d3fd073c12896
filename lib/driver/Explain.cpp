// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Explain.cpp --------------------------------------------------------===//
//
// Locations tell which nodes an operation is for. A node that several operations
// are for has the fate that costs most: the enumerators are in that order.
//
//===----------------------------------------------------------------------===//

#include "lib/driver/Explain.h"

#include "dialects/plan/Plan.h"
#include "lib/schedule/NodeName.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace tenon {

using Fate = ExplainedNode::Fate;

static Fate fateOf(Operation &op) {
  if (isa<plan::DispatchOp>(op))
    return Fate::Kernel;
  if (isa<plan::HostOp>(op))
    return Fate::Host;
  if (isa<scf::SCFDialect>(op.getDialect()) || isa<plan::AppendOp>(op))
    return Fate::ControlFlow;
  bool isTensor = llvm::any_of(op.getResultTypes(), llvm::IsaPred<TensorType>);
  return isTensor ? Fate::View : Fate::Sizes;
}

void findFates(ModuleOp module, Explanation &explanation) {
  llvm::StringMap<std::vector<ExplainedNode *>> byName;
  for (ExplainedNode &node : explanation.nodes) {
    node.fate = Fate::Folded;
    byName[node.name].push_back(&node);
  }
  for (auto function : module.getOps<func::FuncOp>())
    function.walk([&](Operation *op) {
      Fate fate = fateOf(*op);
      for (StringRef name : collectNodeNames(op->getLoc()))
        for (ExplainedNode *node : byName.lookup(name)) {
          node->fate = std::min(node->fate, fate);
          if (auto dispatch = dyn_cast<plan::DispatchOp>(op);
              dispatch && !llvm::is_contained(node->kernels, dispatch.getKernel()))
            node->kernels.push_back(dispatch.getKernel().str());
        }
    });
}

StringRef fateName(Fate fate) {
  switch (fate) {
  case Fate::Kernel:
    return "kernel";
  case Fate::Host:
    return "host";
  case Fate::ControlFlow:
    return "control-flow";
  case Fate::View:
    return "view";
  case Fate::Sizes:
    return "sizes";
  case Fate::Folded:
    return "folded";
  case Fate::Refused:
    return "refused";
  case Fate::Unknown:
    return "unknown";
  }
  return "";
}

} // namespace tenon
