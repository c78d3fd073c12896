// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Scheduler.h - a function of dispatches as a program -------*- C++ -*-===//
//
// The state of `schedule-program`: which buffer holds a tensor, how large it is,
// and where a tensor that is about to be computed should lie.
//
// Tensors are values, buffers are places. Where control flow joins (the result of
// a branch, the value that a loop carries) the place is declared before it, and a
// dispatch that computes the value writes straight there; what cannot is copied:
//   - the result of an scf.if has one buffer, which both branches write;
//   - what an scf.while carries has two: the iteration reads `current` and writes
//     `next`, and at its end they change places (rt.swap). A value whose size is
//     the same in all iterations and known before the loop lies in temporaries,
//     which the memory plan places; any other in dynamic buffers, which every
//     iteration gives as much memory as it needs.
//   - what a loop collects (plan.append) has one dynamic buffer, which grows.
// Objects are handed on in the same way, but by reference; where a reference is the last one it is
// moved, so that the host function that gets it may change the value in place.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_SCHEDULE_SCHEDULER_H
#define TENON_LIB_SCHEDULE_SCHEDULER_H

#include "lib/fuse/Sizes.h"
#include "lib/schedule/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

namespace tenon {

class Scheduler {
public:
  Scheduler(mlir::func::FuncOp function, mlir::SymbolTable &symbols)
      : function(function), symbols(symbols), sizes(function), builder(function.getContext()) {}

  /// Replaces the function by an rt.program of its name.
  mlir::LogicalResult run();

private:
  /// Where a tensor should be written: an output of the model, or a buffer that is declared
  /// already.
  struct Destination {
    std::optional<unsigned> output;
    mlir::Value buffer; ///< rt.temporary, or rt.dynamic to be given memory
  };
  /// What a loop carries.
  struct Cell {
    mlir::Value current, next; ///< no `next`: what is in `current` stays there
  };

  mlir::ArrayAttr border(bool outputs);
  mlir::LogicalResult prepareSizes();
  mlir::LogicalResult addInputs();
  /// Which dispatch result is written straight into which output.
  void findOutputs();

  mlir::LogicalResult schedule(mlir::Block &block);
  mlir::LogicalResult schedule(mlir::Operation &op);
  mlir::LogicalResult scheduleDispatch(plan::DispatchOp dispatch);
  mlir::LogicalResult scheduleReshape(plan::ReshapeOp reshape);
  /// That both shapes hold the same number of elements, once, where it is not known.
  void checkReshape(plan::ReshapeOp reshape);
  /// The run goes on only if `condition` holds. The message names the node; {0}, {1}, ... in it are
  /// `values`.
  void check(mlir::Location location, mlir::Value condition, const llvm::Twine &message,
             mlir::ValueRange values);
  mlir::LogicalResult scheduleReturn(mlir::func::ReturnOp returnOp);
  /// A scalar that a kernel computed.
  mlir::LogicalResult scheduleRead(mlir::tensor::ExtractOp extract);

  // Control flow, in ScheduleControlFlow.cpp.
  mlir::LogicalResult scheduleIf(mlir::scf::IfOp branch);
  mlir::LogicalResult scheduleWhile(mlir::scf::WhileOp loop);
  mlir::LogicalResult scheduleSelect(mlir::arith::SelectOp select);
  mlir::LogicalResult scheduleAppend(plan::AppendOp append);
  mlir::FailureOr<Cell> carry(mlir::scf::WhileOp loop, unsigned position);
  mlir::LogicalResult scheduleIteration(mlir::scf::WhileOp loop, mlir::ArrayRef<Cell> cells);
  /// Makes `value`, which `block` computes, be written to `buffer` where its own operation can do
  /// so.
  void direct(mlir::Value value, mlir::Block &block, mlir::Value buffer);
  /// Has what `use` hands on in `buffer`, by copying it unless it was written there.
  void handOn(mlir::OpOperand &use, mlir::Value buffer);
  /// A buffer for a result of control flow: a temporary if its size is known by now, else dynamic;
  /// or a place for an object.
  mlir::Value declare(mlir::Value result);

  // Objects, in ScheduleObjects.cpp.
  mlir::LogicalResult scheduleHost(plan::HostOp call);
  mlir::LogicalResult scheduleWrap(plan::WrapOp wrap);
  mlir::LogicalResult scheduleUnwrap(plan::UnwrapOp unwrap);
  mlir::LogicalResult scheduleObjectDim(plan::ObjectDimOp dim);
  /// An empty place.
  mlir::Value object(mlir::Location location);
  /// All sizes of a tensor.
  mlir::SmallVector<mlir::Value> allSizes(mlir::Value tensor);
  /// Whether `use` is the last one of an object, whose place nobody looks at afterwards.
  bool isLastUse(mlir::OpOperand &use);

  /// The buffer for a new tensor: where it should be written, else a temporary.
  mlir::Value allocate(mlir::Value tensor);
  mlir::Value elementsOf(mlir::Value tensor);
  mlir::Value bytesOf(mlir::Value tensor);
  mlir::Value sizeOfSymbol(plan::DimOp op);
  mlir::Value temporary(mlir::Location location, mlir::Value bytes);
  mlir::Value index(mlir::Location location, int64_t value);
  mlir::SmallVector<mlir::Value> mapped(mlir::ValueRange values);
  mlir::Type bufferType() { return builder.getType<rt::BufferType>(); }

  static bool isTensor(mlir::Value value) {
    return mlir::isa<mlir::RankedTensorType>(value.getType());
  }
  static bool isObject(mlir::Value value) { return mlir::isa<plan::ObjectType>(value.getType()); }
  /// Whether a value has a place, and is no scalar.
  static bool hasPlace(mlir::Value value) { return isTensor(value) || isObject(value); }
  /// The value that has the bytes of `value` first: through reshapes and bindings of sizes.
  static mlir::Value originOf(mlir::Value value);

  mlir::func::FuncOp function;
  mlir::SymbolTable &symbols;
  SizeResolver sizes;
  mlir::OpBuilder builder;
  rt::ProgramOp program;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  llvm::DenseMap<mlir::Value, mlir::SmallVector<mlir::Value>>
      sizesOf; ///< dynamic ones, as the function has them
  llvm::DenseMap<mlir::Value, Destination> destinations;
  llvm::SmallPtrSet<mlir::Operation *, 8> checked;
  mlir::IRMapping scalars;
};

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_SCHEDULER_H
