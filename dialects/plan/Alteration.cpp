// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Alteration.cpp -----------------------------------------------------===//

#include "dialects/plan/Alteration.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;

OpOperand *tenon::plan::findAltered(Value value) {
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return nullptr;
  if (auto style = dyn_cast<DestinationStyleOpInterface>(result.getOwner()))
    return style.getTiedOpOperand(result);
  auto loop = dyn_cast<scf::ForOp>(result.getOwner());
  if (!loop)
    return nullptr;
  unsigned position = result.getResultNumber();
  OpOperand *first = findFirstAltered(loop.getBody()->getTerminator()->getOperand(position));
  bool carries = first && first->get() == loop.getRegionIterArg(position);
  return carries ? &loop.getInitArgsMutable()[position] : nullptr;
}

OpOperand *tenon::plan::findFirstAltered(Value value) {
  OpOperand *first = nullptr;
  while (OpOperand *next = findAltered(value)) {
    first = next;
    value = next->get();
  }
  return first;
}
