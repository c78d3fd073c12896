// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Grouping.h - which operations share a kernel --------------*- C++ -*-===//
//
// The decision of `form-kernels`, apart from the rewriting: every operation of a
// block that works on tensors is put into exactly one group. Groups are convex
// (no value leaves a group and comes back), so each can become one dispatch.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FUSE_GROUPING_H
#define TENON_LIB_FUSE_GROUPING_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>

namespace tenon {

/// Operations of one kernel, in program order; the first is its root.
struct KernelGroup {
  llvm::SmallVector<mlir::Operation *> operations;
  /// How many leading dimensions all members share. Groups that end in a
  /// contraction, a convolution or a movement of data accept only elementwise
  /// consumers over the whole result.
  int64_t sharedDims = 0;
  bool rowWise = false;
};

/// Whether `op` chooses which kernels run, and so stays between them: scf.if, scf.while (a kernel's
/// own loop is an scf.for), and arith.select of one of two tensors.
bool isControlFlow(mlir::Operation &op);

/// Whether `op` computes tensors, and so belongs in a kernel. The others are
/// free (views, weights), scalar arithmetic, or initial values that are copied
/// into every kernel that uses them.
bool isKernelWork(mlir::Operation &op);

/// Whether `op` computes with floats outside of tensors, which the program cannot: `arith` and
/// `math` operations on scalars, and reading a float from a tensor. Kernels make it again.
bool isFloatArithmetic(mlir::Operation &op);

/// Whether `op` gives only an initial value or a constant that is cheaper to
/// make again than to pass: tensor.empty, linalg.fill, splats.
bool isRematerialized(mlir::Operation &op);

/// Groups the operations of `block`. With `separate`, each is alone.
std::vector<std::unique_ptr<KernelGroup>> groupOperations(mlir::Block &block, bool separate);

} // namespace tenon

#endif // TENON_LIB_FUSE_GROUPING_H
