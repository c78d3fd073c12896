// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ScheduleObjects.cpp - host functions in the program ----------------===//
//
// Every object has a place of its own, which is filled where the value is made.
// A function's last reader of a value gets the place's own reference, so that a
// loop that appends to a sequence has the only one, and appends in place.
//
//===----------------------------------------------------------------------===//

#include "lib/schedule/Scheduler.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace tenon {

Value Scheduler::object(Location location) {
  return rt::ObjectOp::create(builder, location, builder.getType<rt::ObjectType>());
}

SmallVector<Value> Scheduler::allSizes(Value tensor) {
  SmallVector<Value> all, dynamic = mapped(sizesOf[tensor]);
  auto next = dynamic.begin();
  for (int64_t size : cast<RankedTensorType>(tensor.getType()).getShape())
    all.push_back(ShapedType::isDynamic(size) ? *next++ : index(tensor.getLoc(), size));
  return all;
}

bool Scheduler::isLastUse(OpOperand &use) {
  Value value = use.get();
  // The caller's values and constants stay; so does what others may come to read again.
  if (!buffers.lookup(value).getDefiningOp<rt::ObjectOp>())
    return false;
  Block *block = use.getOwner()->getBlock();
  if (value.getParentBlock() != block)
    return false;
  return llvm::all_of(value.getUses(), [&](OpOperand &other) {
    if (&other == &use)
      return true;
    // A tensor that was unwrapped lies in the object.
    return other.getOwner()->getBlock() == block && other.getOwner() != use.getOwner() &&
           other.getOwner()->isBeforeInBlock(use.getOwner()) &&
           !isa<plan::UnwrapOp>(other.getOwner());
  });
}

LogicalResult Scheduler::scheduleHost(plan::HostOp call) {
  Location location = call.getLoc();
  SmallVector<Value> reads, writes;
  SmallVector<int64_t> moves;
  for (OpOperand &use : call.getInputsMutable()) {
    if (isLastUse(use))
      moves.push_back(reads.size());
    reads.push_back(buffers.lookup(use.get()));
  }
  for (Value result : call.getOutputs())
    writes.push_back(buffers[result] = object(location));
  rt::HostCallOp::create(builder, location, call.getFunction(), call.getVersion(), reads, writes,
                         call.getParametersAttr(), moves);
  return success();
}

LogicalResult Scheduler::scheduleWrap(plan::WrapOp wrap) {
  Value place = buffers[wrap] = object(wrap.getLoc());
  rt::WrapOp::create(builder, wrap.getLoc(), buffers.lookup(wrap.getSource()), wrap.getElement(),
                     allSizes(wrap.getSource()), place);
  return success();
}

LogicalResult Scheduler::scheduleUnwrap(plan::UnwrapOp unwrap) {
  Location location = unwrap.getLoc();
  auto type = cast<RankedTensorType>(unwrap.getTensor().getType());
  SmallVector<Type> types{bufferType()};
  types.append(type.getRank(), builder.getIndexType());
  auto made = rt::UnwrapOp::create(builder, location, types, buffers.lookup(unwrap.getSource()),
                                   unwrap.getElement());
  buffers[unwrap.getTensor()] = made.getBuffer();
  auto dims = unwrap.getDims().begin();
  for (auto [axis, size] : llvm::enumerate(type.getShape())) {
    Value found = made.getSizes()[axis];
    if (ShapedType::isDynamic(size)) {
      scalars.map(*dims++, found);
      continue;
    }
    Value expected = index(location, size);
    Value same =
        arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, found, expected);
    check(location, same,
          "a tensor has {0} elements along axis " + llvm::Twine(axis) + ", expected {1}",
          {found, expected});
  }
  return success();
}

LogicalResult Scheduler::scheduleObjectDim(plan::ObjectDimOp dim) {
  SmallVector<Type> types{bufferType()};
  types.append(dim.getRank(), builder.getIndexType());
  auto made = rt::UnwrapOp::create(builder, dim.getLoc(), types, buffers.lookup(dim.getSource()),
                                   dim.getElement());
  scalars.map(dim.getResult(), made.getSizes()[dim.getAxis()]);
  return success();
}

} // namespace tenon
