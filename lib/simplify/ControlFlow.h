// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ControlFlow.h - subgraphs of If, Loop and Scan ------------*- C++ -*-===//
//
// What a loop carries from iteration to iteration has the type that both the
// first value and the value of any later iteration have. Where sizes change,
// they are dynamic; where the number of dimensions changes, there is none. The
// type is found as a fixed point: from the first value's type, the body is
// inferred again until nothing changes, which the number of dimensions bounds.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_SIMPLIFY_CONTROLFLOW_H
#define TENON_LIB_SIMPLIFY_CONTROLFLOW_H

#include "dialects/onnx/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace tenon {

/// What values of both types have in common; null where they are of different kinds.
mlir::Type joinTypes(mlir::Type a, mlir::Type b);

/// Infers the types in the subgraphs of an onnx.If, onnx.Loop or onnx.Scan and of
/// its results; `inferBlock` does so for the operations of a block. Does nothing
/// for other operations.
void inferControlFlow(mlir::Operation &op, llvm::function_ref<void(mlir::Block &)> inferBlock);

/// Puts the operations of the branch that is taken in the place of `op`; gives the first of them,
/// or what comes after `op` where there is none.
mlir::Block::iterator takeBranch(onnx::IfOp op, bool condition);

/// Erases operations whose results nobody uses, in subgraphs too; from the last to the first, so
/// that chains disappear whole.
void eraseDead(mlir::Block &block);

/// Gives a function the result types of what it returns. A result that has a rank only since now
/// also says what every tensor of a model's signature must say of its dimensions.
void updateResultTypes(mlir::func::FuncOp function);

} // namespace tenon

#endif // TENON_LIB_SIMPLIFY_CONTROLFLOW_H
