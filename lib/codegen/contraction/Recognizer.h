// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Recognizer.h - from a kernel's body to a ContractionSpec --*- C++ -*-===//
//
// Private to this folder. Recognition goes in three steps, one file each:
//   RecognizeRoot.cpp      the contraction or convolution: its dimensions and operands
//   RecognizeEpilogue.cpp  what follows it: which dimensions each tensor runs through
//   ContractionSpec.cpp    sizes and strides; dimensions are collapsed into loops
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CONTRACTION_RECOGNIZER_H
#define TENON_LIB_CODEGEN_CONTRACTION_RECOGNIZER_H

#include "dialects/nn/Nn.h"
#include "lib/codegen/contraction/ContractionSpec.h"

#include <vector>

namespace tenon::contraction {

/// What a dimension of the root's iteration space does.
enum class Role { Outer, Row, Column, Reduction };

struct Dimension {
  Role role = Role::Outer;
  mlir::AffineExpr size; ///< Null until known.
};

/// The dimensions that a tensor's dimension runs through, each with a factor: one with factor 1 as
/// a rule, none where only index 0 is read, two for the channels of a grouped convolution.
using Coordinate = llvm::SmallVector<std::pair<unsigned, int64_t>, 2>;
/// One coordinate per dimension of a tensor.
using Mapping = llvm::SmallVector<Coordinate, 4>;

/// A tensor of the kernel as the loop nest reads or writes it.
struct MappedTensor {
  unsigned tensor = 0;
  mlir::RankedTensorType type; ///< As the body sees it, that is after reshapes.
  Mapping mapping;
  /// Width of the panels it is packed in, or 0. Then `type` is the packed type without the
  /// innermost dimension, and `packedDimension` is the one that counts panels.
  int64_t panel = 0;
  unsigned packedDimension = 0;
  mlir::TypedAttr splat = {}; ///< Set where there is no tensor but a constant with equal elements.
  bool isArgument = false;    ///< Whether `type` is the argument's own.
};

/// Strides over dimensions. A null stride keeps its dimension from being collapsed with others.
struct DimensionAccess {
  unsigned tensor = 0;
  mlir::Type element;
  llvm::SmallVector<mlir::AffineExpr> strides;
};

class Recognizer {
public:
  Recognizer(plan::KernelOp kernel, std::string &reason)
      : kernel(kernel), reason(reason), context(kernel.getContext()) {}

  mlir::FailureOr<ContractionSpec> run();

private:
  // RecognizeRoot.cpp: fills dimensions, lhs, rhs, root, window, initial.
  mlir::LogicalResult recognizeRoot();
  mlir::LogicalResult recognizeContraction(mlir::linalg::LinalgOp op);
  mlir::LogicalResult recognizeConvolution(nn::ConvOp op);
  mlir::LogicalResult recognizeInitial(mlir::Value value, const Mapping &mapping);
  mlir::FailureOr<MappedTensor> bindOperand(mlir::Value value, const Mapping &mapping);
  /// Decides which operand is the right-hand side, by what the results have innermost.
  mlir::LogicalResult assignRoles();

  // RecognizeEpilogue.cpp: fills tileMappings, leaves, outputs and spec.epilogue.
  mlir::LogicalResult recognizeEpilogue();
  mlir::LogicalResult recognizeElementwise(mlir::linalg::LinalgOp op);
  mlir::FailureOr<unsigned> addLeaf(mlir::Value value, const Mapping &mapping);

  // ContractionSpec.cpp
  std::optional<unsigned> findTensor(mlir::Value value);
  mlir::LogicalResult determineSizes();
  void noteSizes(const MappedTensor &tensor);
  mlir::AffineExpr sizeOf(const MappedTensor &tensor, unsigned dim);
  DimensionAccess accessOf(const MappedTensor &tensor);
  mlir::LogicalResult buildLoops();
  void orderForPacking(llvm::ArrayRef<unsigned> columns, llvm::ArrayRef<unsigned> reduction);
  Window buildWindow(unsigned firstRowLoop, unsigned rowLoops);

  mlir::LogicalResult decline(const llvm::Twine &why) {
    if (reason.empty())
      reason = why.str();
    return mlir::failure();
  }
  mlir::AffineExpr constant(int64_t value) { return mlir::getAffineConstantExpr(value, context); }

  plan::KernelOp kernel;
  std::string &reason;
  mlir::MLIRContext *context;
  ContractionSpec spec;
  llvm::SmallVector<Dimension> dimensions;
  MappedTensor lhs, rhs;
  std::vector<MappedTensor> leaves, outputs;
  llvm::DenseMap<mlir::Value, Mapping>
      tileMappings;    ///< Of the root's result and what is computed from it.
  nn::ConvOp windowed; ///< The root, where it is a convolution with a window.
};

} // namespace tenon::contraction

#endif // TENON_LIB_CODEGEN_CONTRACTION_RECOGNIZER_H
