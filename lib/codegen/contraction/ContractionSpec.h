// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ContractionSpec.h - a kernel's contraction as plain data --*- C++ -*-===//
//
// What the generator knows of a kernel after recognition: one loop nest
//
//   for outer..., row, column:
//     tile = initial + sum over taps..., depth of  lhs * rhs
//     outputs = epilogue(tile, leaves)
//
// in which every tensor is addressed linearly: an element's offset is the sum of
// index times stride over the loops. Sizes and strides are affine expressions over the
// kernel's `sizes`, so a dynamic dimension is nothing special. Loops that all
// tensors run through without gaps have been collapsed into one: a matrix product of
// [batch, sequence, K] has a single row loop, and so has a convolution, over the
// pixels of all images.
//
// The one thing that is not linear is where a convolution reads its input; `Window`
// describes it in terms of the parts that the row loop was collapsed from.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CONTRACTION_CONTRACTIONSPEC_H
#define TENON_LIB_CODEGEN_CONTRACTION_CONTRACTIONSPEC_H

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace tenon::contraction {

/// In place of a tensor's number where there is none.
inline constexpr unsigned noTensor = ~0u;

/// The value of a constant expression.
std::optional<int64_t> constantOf(mlir::AffineExpr expression);

/// One loop of the nest. `parts` are the sizes of the dimensions it was collapsed from, outermost
/// first; their product is `size`.
struct Loop {
  mlir::AffineExpr size;
  llvm::SmallVector<mlir::AffineExpr, 3> parts;

  std::optional<int64_t> constantSize() const { return constantOf(size); }
};

/// Where a tensor's element is, in elements from its start: the sum of index times stride.
/// Strides are zero for loops that the tensor does not depend on.
struct Access {
  unsigned tensor = 0; ///< Kernel tensor: arguments first, then results.
  mlir::Type element;
  llvm::SmallVector<mlir::AffineExpr, 2> outer, taps;
  mlir::AffineExpr row, column, depth;
};

/// The right-hand side. With `panel` columns to a panel, `access.column` is the distance between
/// panels and the columns of a panel are adjacent. A panel of 0 means that the tensor is not
/// packed.
struct RightHandSide {
  Access access;
  int64_t panel = 0;
  /// The value of all elements, where it is a constant that has only one. There is no tensor then
  /// and strides are 0.
  mlir::TypedAttr splat;
  /// For a tensor that could be packed, its dimensions in the order in which they are read best:
  /// outer ones, the columns, the reduction. Empty where the columns are not one dimension of an
  /// argument.
  llvm::SmallVector<int64_t> packingOrder;
  unsigned columnDimension = 0; ///< The dimension of columns, where `packingOrder` is not empty.
  bool grouped = false;         ///< Whether that dimension holds the columns of several groups.
};

/// One spatial dimension of a convolution: output coordinate `o` and tap `t` read the input at
/// `o * stride + t * dilation - pad`, where positions outside [0, inputSize) read as zero.
struct WindowDimension {
  int64_t stride, dilation, pad;
  mlir::AffineExpr inputSize;
  mlir::AffineExpr inputStride; ///< In elements.
  bool padded;                  ///< Whether any position may be outside.
};
// Spatial dimension d of a convolution with a window is tap loop d; taps are never collapsed there.

/// How a convolution reads its input. The coordinates of a row are those of `Loop::parts` of the
/// row loop preceded by the loops in `outerCoordinates`: [image, spatial...].
struct Window {
  llvm::SmallVector<unsigned, 3> outerCoordinates; ///< Indices into ContractionSpec::outer.
  mlir::AffineExpr imageStride;
  llvm::SmallVector<WindowDimension, 3> dimensions;
};

struct Output {
  mlir::Value value; ///< The tensor in the kernel's body that is written.
  Access access;
};

struct ContractionSpec {
  plan::KernelOp kernel;
  mlir::FloatType element; ///< Of both operands and the accumulator.
  llvm::SmallVector<Loop, 2> outer, taps;
  Loop row, column, depth;
  /// Every column has a left-hand side of its own, and the depth is 1: a depthwise convolution.
  bool isDepthwise = false;
  Access lhs; ///< For a convolution with a window: outer, taps and row strides are zero but for the
              ///< group's.
  RightHandSide rhs;
  std::optional<Window> window;

  mlir::Operation *root = nullptr;
  mlir::TypedAttr initial;                            ///< The tile's value before the reduction.
  std::optional<unsigned> initialLeaf;                ///< Or a leaf that is added to it.
  llvm::SmallVector<mlir::linalg::LinalgOp> epilogue; ///< Elementwise operations in order.
  llvm::SmallVector<Access> leaves;                   ///< Tensors that the epilogue reads.
  llvm::DenseMap<mlir::OpOperand *, unsigned> leafOf;
  llvm::DenseMap<mlir::OpOperand *, mlir::TypedAttr>
      splatOf; ///< Operands that are one value throughout.
  llvm::SmallVector<Output> outputs;

  /// The number of multiply-adds for one element of the result, or none where it is dynamic.
  std::optional<int64_t> constantReduction() const;
  /// Bits of an element of the operands and the accumulator.
  int64_t elementBits() const { return mlir::Type(element).getIntOrFloatBitWidth(); }
};

/// Recognises `kernel`; on failure `reason` says why it is none of ours.
mlir::FailureOr<ContractionSpec> recognize(plan::KernelOp kernel, std::string &reason);

} // namespace tenon::contraction

#endif // TENON_LIB_CODEGEN_CONTRACTION_CONTRACTIONSPEC_H
