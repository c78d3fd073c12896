// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Packing.cpp - how a weight is best laid out ------------------------===//
//
// A panel holds as many columns as the register tile is wide, adjacent for each step of
// the reduction, and the steps one after the other, so that the innermost loop
// reads memory from front to back.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Blocking.h"
#include "lib/codegen/contraction/Contraction.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

std::optional<plan::PackingAttr>
tenon::choosePacking(plan::KernelOp kernel, unsigned tensorArgument, const ChipDescription &chip) {
  std::string reason;
  FailureOr<ContractionSpec> spec = recognize(kernel, reason);
  if (failed(spec) || spec->rhs.panel || spec->rhs.packingOrder.empty() ||
      spec->rhs.access.tensor != tensorArgument || spec->lhs.tensor == tensorArgument ||
      llvm::any_of(spec->leaves, [&](const Access &leaf) { return leaf.tensor == tensorArgument; }))
    return std::nullopt;

  int64_t lanes = chip.lanes(spec->element.getWidth()), vectors = chooseVectors(*spec, chip);
  if (spec->rhs.grouped)
    // No panel may hold columns of two groups.
    while (vectors > 0 && *spec->column.constantSize() % (vectors * lanes) != 0)
      --vectors;
  if (lanes < 2 || vectors == 0)
    return std::nullopt;
  return plan::PackingAttr::get(kernel.getContext(), {int64_t(spec->rhs.columnDimension)},
                                {vectors * lanes}, spec->rhs.packingOrder);
}
