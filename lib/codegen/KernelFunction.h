// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelFunction.h - a kernel as a function on memory -------*- C++ -*-===//
//
// The form in which every way of generating a kernel ends, and from which one
// lowering continues to machine code:
//
//   func.func @k(%a: memref<?x384xf32>, %b: memref<384xf32>,   // tensor arguments
//                %y: memref<?x384xf32>,                        // results, written
//                %n: index,                                    // index arguments
//                %group: index)                                // in [0, count)
//       attributes {kernel, count = affine_map<()[s0, s1, s2] -> (s0 ceildiv 32)>}
//
// Invariants:
//  * Every memref is dense and row-major (identity layout), in the order of the
//    kernel's tensor arguments and then its results. Bytes per element are those of
//    the tensor's element type; i1 takes one byte.
//  * No result overlaps any other memref; arguments are only read. No alignment beyond
//    the element's own may be relied on.
//  * `count` has as symbols the entries of `sizes` in the kernel's calling convention:
//    the dynamic dimensions of all memrefs in order, then the index arguments. It is
//    semi-affine (products and quotients of symbols are allowed) and must not divide by
//    zero for any non-negative sizes.
//  * Groups may run in any order and at once; together they write every result fully.
//  * The body holds what upstream's `convert-to-llvm` and our lowering know: scf, cf,
//    arith, math, affine.apply/min/max, index, memref, vector, amx, x86vector, llvm, and
//    linalg on buffers (which becomes plain loops). No allocation but `memref.alloca` of
//    static size in the entry block.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_KERNELFUNCTION_H
#define TENON_LIB_CODEGEN_KERNELFUNCTION_H

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineMap.h"

namespace tenon {

/// Marks a function in the form above.
inline constexpr llvm::StringLiteral kernelFunctionAttribute = "kernel";
/// Its grid: an AffineMapAttr from `sizes` to the number of groups.
inline constexpr llvm::StringLiteral kernelCountAttribute = "count";

/// The arguments of a kernel function by what they are. A view: it lives no longer than the
/// function.
struct KernelFunctionArguments {
  mlir::ValueRange inputs;
  mlir::ValueRange outputs;
  mlir::ValueRange indices;
  mlir::Value group;
};

/// Creates the function for `kernel` right before it, with an entry block that is empty but for its
/// `func.return`. It has the kernel's own name, so whoever calls this erases the kernel (or the
/// function, when it turns out not to be needed) before the module is verified. `count` may be set
/// later.
mlir::func::FuncOp createKernelFunction(plan::KernelOp kernel, mlir::AffineMap count = {});

/// Splits the arguments of a function that `createKernelFunction` made for `kernel`.
KernelFunctionArguments getKernelFunctionArguments(plan::KernelOp kernel,
                                                   mlir::func::FuncOp function);

/// The size of dimension `dim` of tensor `tensor` (arguments first, then results) as an expression
/// over `sizes`: a constant, or the symbol of `kernel.getSizePosition`.
mlir::AffineExpr getSizeExpression(plan::KernelOp kernel, unsigned tensor, unsigned dim);

/// The function's grid, or null where it has none yet.
mlir::AffineMap getKernelCount(mlir::func::FuncOp function);
void setKernelCount(mlir::func::FuncOp function, mlir::AffineMap count);

} // namespace tenon

#endif // TENON_LIB_CODEGEN_KERNELFUNCTION_H
