// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Emitter.h - building one contraction kernel's function ----*- C++ -*-===//
//
// Private to this folder. What the parts of the generator share while they build a
// function: its buffers as flat memrefs, its sizes as values, and index arithmetic that
// folds. Values that do not change within the function (constants, strides, buffers)
// are kept in a prologue at its start, so that they can be used anywhere.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CONTRACTION_EMITTER_H
#define TENON_LIB_CODEGEN_CONTRACTION_EMITTER_H

#include "lib/codegen/contraction/Blocking.h"
#include "lib/codegen/contraction/ContractionSpec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon::contraction {

/// Elements of a flat memref from `offset` on.
struct Pointer {
  mlir::Value memref;
  mlir::Value offset;
};

/// The accumulators of a register tile, row by row.
using Tile = llvm::SmallVector<mlir::Value, 32>;

/// A panel of the right-hand side: `columns` adjacent elements for each step of the reduction.
struct Panel {
  Pointer start;
  mlir::AffineExpr depthStride;
  llvm::SmallVector<mlir::AffineExpr, 2> tapStrides;
  /// How far ahead lie the elements that are wanted next, to be brought nearer meanwhile; or null.
  mlir::Value ahead;
};

class Emitter {
public:
  Emitter(const ContractionSpec &spec, const Blocking &blocking, mlir::func::FuncOp function);

  const ContractionSpec &spec;
  const Blocking &blocking;
  mlir::func::FuncOp function;
  mlir::ImplicitLocOpBuilder b;
  mlir::VectorType vectorType; ///< One register of the accumulator's element.
  mlir::Value group;

  //===--- Values that hold throughout the function ------------------------------------------===//
  mlir::Value index(int64_t value);
  /// The value of an expression over the kernel's sizes.
  mlir::Value expression(mlir::AffineExpr expression);
  /// The elements of a kernel tensor, arguments first, as a flat memref.
  mlir::Value buffer(unsigned tensor) { return buffers[tensor]; }
  /// Scratch memory on the stack, aligned to a cache line.
  mlir::Value scratch(int64_t elements, mlir::Type element);
  /// A vector that repeats a constant.
  mlir::Value splat(mlir::TypedAttr value);

  //===--- Index arithmetic on non-negative numbers ------------------------------------------===//
  mlir::Value add(mlir::Value left, mlir::Value right);
  mlir::Value sub(mlir::Value left, mlir::Value right);
  mlir::Value mul(mlir::Value left, mlir::Value right);
  mlir::Value div(mlir::Value left, mlir::Value right);
  mlir::Value rem(mlir::Value left, mlir::Value right);
  mlir::Value max(mlir::Value left, mlir::Value right);
  mlir::Value min(mlir::Value left, mlir::Value right);
  mlir::Value ceilDiv(mlir::Value left, int64_t right);
  mlir::Value add(mlir::Value left, int64_t right) { return add(left, index(right)); }
  mlir::Value mul(mlir::Value left, mlir::AffineExpr right) { return mul(left, expression(right)); }

  /// The vector type of the register tile with another element.
  mlir::VectorType vectorOf(mlir::Type element) const {
    return mlir::VectorType::get(blocking.lanes, element);
  }
  /// A vector whose lane i tells whether i < count.
  mlir::Value maskBelow(mlir::Value count);
  /// Loads and stores of one register; `mask` may be null. Lanes that are masked out read as zero.
  mlir::Value load(mlir::Type element, Pointer from, mlir::Value mask = {});
  void store(mlir::Value vector, Pointer to, mlir::Value mask = {});

  /// Masks of the columns of the panel that begins at `column`, one per vector; none where every
  /// panel is whole.
  llvm::SmallVector<mlir::Value> columnMasks(mlir::Value column);

  /// The sum of index times stride over the outer loops.
  mlir::Value outerOffset(const Access &access, mlir::ArrayRef<mlir::Value> outerIndices);

private:
  /// Builds `create()` at the end of the prologue.
  mlir::Value inPrologue(llvm::function_ref<mlir::Value()> create);

  mlir::Operation *prologueEnd = nullptr;
  llvm::SmallVector<mlir::Value> buffers, sizes;
  llvm::DenseMap<int64_t, mlir::Value> constants;
  llvm::DenseMap<mlir::AffineExpr, mlir::Value> expressions;
  llvm::DenseMap<mlir::Attribute, mlir::Value> splats;
};

//===--- MicroKernel.cpp ---------------------------------------------------------------------===//

/// The tile after adding `lhs * rhs` for `depth` steps. `rows` point to step 0 of each row, `start`
/// to that of the panel, whose `masks` (one per vector, or none) tell which columns there are.
Tile emitReduction(Emitter &emitter, mlir::ArrayRef<Pointer> rows, mlir::AffineExpr rowDepthStride,
                   const Panel &panel, Pointer start, mlir::ArrayRef<mlir::Value> masks,
                   mlir::Value depth, Tile tile);

//===--- Depthwise.cpp ------------------------------------------------------------------------===//

/// The whole body of a depthwise convolution's function.
void emitDepthwise(const ContractionSpec &spec, const Blocking &blocking,
                   mlir::func::FuncOp function);

//===--- Convolution.cpp ---------------------------------------------------------------------===//

/// The coordinates [image, spatial...] of a row of a convolution's result.
llvm::SmallVector<mlir::Value>
windowCoordinates(Emitter &emitter, mlir::ArrayRef<mlir::Value> outerIndices, mlir::Value row);

/// Where the rows of the left-hand side are.
class RowPointers {
public:
  RowPointers(Emitter &emitter, mlir::ArrayRef<mlir::Value> outerIndices);

  /// Prepares what depends on the rows alone. `rows` are indices of the row loop.
  void setRows(mlir::ArrayRef<mlir::Value> rows);
  /// Pointers to the start of each row's reduction at a position of the taps.
  llvm::SmallVector<Pointer> at(mlir::ArrayRef<mlir::Value> taps);

private:
  Pointer windowPointer(mlir::ArrayRef<mlir::Value> origins, mlir::Value base,
                        mlir::ArrayRef<mlir::Value> taps);

  Emitter &emitter;
  mlir::SmallVector<mlir::Value> outerIndices;
  mlir::Value outerBase, zeros;
  llvm::SmallVector<mlir::Value> bases; ///< Per row.
  /// Per row and spatial dimension: where its window begins, plus the padding.
  llvm::SmallVector<llvm::SmallVector<mlir::Value, 3>> origins;
};

/// Gathers the windows of rows [begin, end) into scratch memory, one after the other; gives its
/// start.
mlir::Value emitGatherRows(Emitter &emitter, mlir::ArrayRef<mlir::Value> outerIndices,
                           mlir::Value begin, mlir::Value end);

//===--- RuntimePacking.cpp ------------------------------------------------------------------===//

/// Packs `depth` steps of the columns from `column` on of the right-hand side, whose outer loops
/// and first step begin at `base`, into `scratch`, which has room for a multiple of a vector's
/// lanes of steps.
void emitPackPanel(Emitter &emitter, mlir::Value base, mlir::Value column, mlir::Value depth,
                   mlir::Value scratch);

//===--- Epilogue.cpp ------------------------------------------------------------------------===//

/// Where a tile is: its rows, its first column and the outer loops.
struct TilePosition {
  mlir::ArrayRef<mlir::Value> rows;
  mlir::Value column;
  mlir::ArrayRef<mlir::Value> outerIndices;
  mlir::ArrayRef<mlir::Value> masks; ///< One per vector of columns, or empty.
};

/// Applies the epilogue to a finished tile and stores the kernel's results.
void emitEpilogue(Emitter &emitter, const Tile &tile, const TilePosition &position);

} // namespace tenon::contraction

#endif // TENON_LIB_CODEGEN_CONTRACTION_EMITTER_H
