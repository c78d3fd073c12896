// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ScheduleControlFlow.cpp - branches and loops of the program --------===//
//
// scf.if and scf.while lose their tensors here: scalars stay operands and results,
// tensors become places that are declared before and written inside. Scheduler.h
// says which.
//
//===----------------------------------------------------------------------===//

#include "lib/schedule/Scheduler.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace tenon {

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

void Scheduler::direct(Value value, Block &block, Value buffer) {
  Operation *origin = originOf(value).getDefiningOp();
  // A dispatch elsewhere computes it for others, too, or not each time.
  if (isa_and_nonnull<plan::DispatchOp>(origin) && origin->getBlock() == &block)
    destinations.try_emplace(originOf(value), Destination{std::nullopt, buffer});
}

void Scheduler::handOn(OpOperand &use, Value buffer) {
  Value value = use.get(), from = buffers.lookup(value);
  if (from == buffer)
    return;
  if (isObject(value)) {
    rt::ShareOp::create(builder, value.getLoc(), from, buffer, isLastUse(use));
    return;
  }
  Value bytes = bytesOf(value);
  if (buffer.getDefiningOp<rt::DynamicOp>())
    rt::AllocateOp::create(builder, value.getLoc(), buffer, bytes, /*keep=*/false);
  if (!isConstantIntValue(bytes, 0))
    rt::CopyOp::create(builder, value.getLoc(), from, buffer, bytes);
}

Value Scheduler::declare(Value result) {
  Location location = result.getLoc();
  if (isObject(result))
    return object(location);
  auto type = cast<RankedTensorType>(result.getType());
  if (type.hasStaticShape())
    return temporary(location, bytesOf(result));
  // The sizes are scalars beside it, unless they are the same whatever happens.
  for (Operation *user : result.getUsers())
    if (auto sized = dyn_cast<plan::SizedOp>(user))
      if (llvm::all_of(sized.getDims(), [&](Value dim) { return scalars.contains(dim); }))
        return temporary(location, bytesOf(sized.getResult()));
  return rt::DynamicOp::create(builder, location, bufferType());
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

LogicalResult Scheduler::scheduleIf(scf::IfOp branch) {
  SmallVector<Value> places(branch.getNumResults());
  SmallVector<Type> scalarTypes;
  for (auto [result, place] : llvm::zip_equal(branch.getResults(), places)) {
    if (hasPlace(result))
      buffers[result] = place = declare(result);
    else
      scalarTypes.push_back(result.getType());
  }
  bool hasElse = !branch.getElseRegion().empty();
  auto made = scf::IfOp::create(builder, branch.getLoc(), scalarTypes,
                                scalars.lookup(branch.getCondition()),
                                /*addThenBlock=*/true, hasElse);
  auto fill = [&](Block &from, Block *into) -> LogicalResult {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(into);
    Operation *yield = from.getTerminator();
    for (auto [value, place] : llvm::zip_equal(yield->getOperands(), places))
      if (place)
        direct(value, from, place);
    if (failed(schedule(from)))
      return failure();
    SmallVector<Value> given;
    for (auto [use, place] : llvm::zip_equal(yield->getOpOperands(), places)) {
      if (place)
        handOn(use, place);
      else
        given.push_back(scalars.lookup(use.get()));
    }
    // A block that was made without results has its terminator.
    if (into->empty() || !into->back().hasTrait<OpTrait::IsTerminator>())
      scf::YieldOp::create(builder, yield->getLoc(), given);
    return success();
  };
  if (failed(fill(*branch.thenBlock(), made.thenBlock())) ||
      (hasElse && failed(fill(*branch.elseBlock(), made.elseBlock()))))
    return failure();
  auto next = made.getResults().begin();
  for (Value result : branch.getResults())
    if (!hasPlace(result))
      scalars.map(result, *next++);
  return success();
}

/// One of two values, copied: which one is known only when it runs.
LogicalResult Scheduler::scheduleSelect(arith::SelectOp select) {
  Location location = select.getLoc();
  Value place = buffers[select] = declare(select.getResult());
  scf::IfOp::create(
      builder, location, scalars.lookup(select.getCondition()),
      [&](OpBuilder &nested, Location) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToEnd(nested.getInsertionBlock());
        handOn(select.getTrueValueMutable(), place);
        scf::YieldOp::create(builder, location);
      },
      [&](OpBuilder &nested, Location) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToEnd(nested.getInsertionBlock());
        handOn(select.getFalseValueMutable(), place);
        scf::YieldOp::create(builder, location);
      });
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The argument of the first region that `value`, an argument of the second one, is; or null.
static BlockArgument carriedArgument(scf::WhileOp loop, Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != loop.getAfterBody())
    return {};
  auto handed = dyn_cast<BlockArgument>(loop.getConditionOp().getArgs()[argument.getArgNumber()]);
  return handed && handed.getOwner() == loop.getBeforeBody() ? handed : BlockArgument();
}

/// Whether a dispatch of `block` computes `value` for its one reader alone.
static bool isReadOnceIn(Value value, Block *block) {
  while (value.hasOneUse() && isa_and_nonnull<plan::ReshapeOp, plan::ReinterpretOp, plan::SizedOp>(
                                  value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto dispatch = value.getDefiningOp<plan::DispatchOp>();
  return dispatch && dispatch->getBlock() == block && value.hasOneUse();
}

/// The place of what is carried at `position`, with its first value in it.
FailureOr<Scheduler::Cell> Scheduler::carry(scf::WhileOp loop, unsigned position) {
  Location location = loop.getLoc();
  OpOperand &first = loop.getInitsMutable()[position];
  Value initial = first.get(), argument = loop.getBeforeArguments()[position];
  Value next = originOf(loop.getYieldOp()->getOperand(position));
  Cell cell;
  if (auto append = next.getDefiningOp<plan::AppendOp>()) {
    if (carriedArgument(loop, originOf(append.getSource())) != argument)
      return append.emitError("appends to something else than what its loop collects there");
    cell.current = rt::DynamicOp::create(builder, location, bufferType());
    handOn(first, cell.current);
    return cell;
  }
  bool stays = carriedArgument(loop, next) == argument;
  if (isObject(initial)) {
    cell.current = object(location);
    if (!stays)
      cell.next = object(location);
    handOn(first, cell.current);
    return cell;
  }
  // The size is the same in each iteration where the types or the scalars say so.
  bool isFixed = cast<RankedTensorType>(argument.getType()).hasStaticShape() || stays ||
                 sizesOf.lookup(initial) == sizesOf.lookup(loop.getYieldOp()->getOperand(position));
  auto owned = buffers.lookup(initial).getDefiningOp<rt::TemporaryOp>();
  if (isFixed && owned && isReadOnceIn(initial, loop->getBlock())) {
    // Nobody else reads the first value: its buffer is the loop's.
    cell.current = owned;
    if (!stays)
      cell.next = temporary(location, owned.getBytes());
    return cell;
  }
  if (isFixed) {
    Value bytes = bytesOf(initial);
    cell.current = temporary(location, bytes);
    if (!stays)
      cell.next = temporary(location, bytes);
  } else {
    cell.current = rt::DynamicOp::create(builder, location, bufferType());
    cell.next = rt::DynamicOp::create(builder, location, bufferType());
  }
  handOn(first, cell.current);
  return cell;
}

LogicalResult Scheduler::scheduleWhile(scf::WhileOp loop) {
  Location location = loop.getLoc();
  SmallVector<Cell> cells(loop.getInits().size());
  SmallVector<Value> inits;
  SmallVector<Type> resultTypes;
  for (auto [i, initial] : llvm::enumerate(loop.getInits())) {
    if (!hasPlace(initial)) {
      inits.push_back(scalars.lookup(initial));
      continue;
    }
    FailureOr<Cell> cell = carry(loop, i);
    if (failed(cell))
      return failure();
    cells[i] = *cell;
    buffers[loop.getBeforeArguments()[i]] = cell->current;
  }
  for (Value given : loop.getConditionOp().getArgs())
    if (!hasPlace(given))
      resultTypes.push_back(given.getType());

  LogicalResult filled = success();
  auto mapScalars = [&](ValueRange from, ValueRange to) {
    auto next = to.begin();
    for (Value value : from)
      if (!hasPlace(value))
        scalars.map(value, *next++);
  };
  auto made = scf::WhileOp::create(
      builder, location, resultTypes, inits,
      [&](OpBuilder &nested, Location, ValueRange arguments) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToEnd(nested.getInsertionBlock());
        mapScalars(loop.getBeforeArguments(), arguments);
        filled = schedule(*loop.getBeforeBody());
        if (failed(filled))
          return;
        scf::ConditionOp condition = loop.getConditionOp();
        SmallVector<Value> given;
        for (auto [value, argument, result] :
             llvm::zip_equal(condition.getArgs(), loop.getAfterArguments(), loop.getResults())) {
          if (hasPlace(value))
            buffers[argument] = buffers[result] = buffers.lookup(value);
          else
            given.push_back(scalars.lookup(value));
        }
        scf::ConditionOp::create(builder, location, scalars.lookup(condition.getCondition()),
                                 given);
      },
      [&](OpBuilder &nested, Location, ValueRange arguments) {
        if (failed(filled))
          return;
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToEnd(nested.getInsertionBlock());
        mapScalars(loop.getAfterArguments(), arguments);
        filled = scheduleIteration(loop, cells);
      });
  mapScalars(loop.getResults(), made.getResults());
  return filled;
}

/// The second region: all values are in their places before any two change places, because one may
/// be handed on as another.
LogicalResult Scheduler::scheduleIteration(scf::WhileOp loop, ArrayRef<Cell> cells) {
  scf::YieldOp yield = loop.getYieldOp();
  for (auto [value, cell] : llvm::zip_equal(yield->getOperands(), cells))
    if (cell.next)
      direct(value, *loop.getAfterBody(), cell.next);
  if (failed(schedule(*loop.getAfterBody())))
    return failure();
  SmallVector<Value> given;
  for (auto [use, cell] : llvm::zip_equal(yield->getOpOperands(), cells)) {
    if (!hasPlace(use.get()))
      given.push_back(scalars.lookup(use.get()));
    else if (cell.next)
      handOn(use, cell.next);
  }
  for (const Cell &cell : cells)
    if (cell.next)
      rt::SwapOp::create(builder, loop.getLoc(), cell.current, cell.next);
  scf::YieldOp::create(builder, loop.getLoc(), given);
  return success();
}

LogicalResult Scheduler::scheduleAppend(plan::AppendOp append) {
  Location location = append.getLoc();
  Value buffer = buffers.lookup(append.getSource());
  if (!buffer.getDefiningOp<rt::DynamicOp>())
    return append.emitError("appends outside of the loop that collects");
  // Rows that are there have the sizes of the new one.
  auto compare = [&](arith::CmpIPredicate predicate, Value a, Value b) {
    return builder.createOrFold<arith::CmpIOp>(location, predicate, a, b);
  };
  auto source = cast<RankedTensorType>(append.getSource().getType());
  auto row = cast<RankedTensorType>(append.getRow().getType());
  auto sourceSizes = mapped(sizesOf[append.getSource()]),
       rowSizes = mapped(sizesOf[append.getRow()]);
  auto sizeOf = [&](RankedTensorType type, ArrayRef<Value> dynamic, int64_t dim) {
    return type.isDynamicDim(dim) ? dynamic[type.getDynamicDimIndex(dim)]
                                  : index(location, type.getDimSize(dim));
  };
  Value isFirst =
      compare(arith::CmpIPredicate::eq, sizeOf(source, sourceSizes, 0), index(location, 0));
  for (int64_t dim = 0; dim < row.getRank(); ++dim) {
    Value before = sizeOf(source, sourceSizes, dim + 1), now = sizeOf(row, rowSizes, dim);
    Value same = compare(arith::CmpIPredicate::eq, before, now);
    if (matchPattern(same, m_NonZero()))
      continue;
    same = builder.createOrFold<arith::OrIOp>(location, isFirst, same);
    check(location, same,
          "a value that is collected has {0} elements along axis " + llvm::Twine(dim) +
              " now and had {1} before",
          {now, before});
  }
  Value held = bytesOf(append.getSource()), added = bytesOf(append.getRow());
  Value total = builder.createOrFold<arith::AddIOp>(location, held, added);
  rt::AllocateOp::create(builder, location, buffer, total, /*keep=*/true);
  Value end = rt::ViewOp::create(builder, location, bufferType(), buffer, held);
  rt::CopyOp::create(builder, location, buffers.lookup(append.getRow()), end, added);
  buffers[append] = buffer;
  return success();
}

} // namespace tenon
