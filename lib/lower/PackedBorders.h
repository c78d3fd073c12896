// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where elements of fewer than 8 bits are packed: the model's inputs, outputs and weights, and
// objects.

#ifndef TENON_LIB_LOWER_PACKEDBORDERS_H
#define TENON_LIB_LOWER_PACKEDBORDERS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace tenon::lower {

/// The signless integer that a packed element is.
mlir::Type getPackedElement(mlir::Type onnxElement);

/// The elements of a packed tensor, a byte each.
mlir::Value unpackElements(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value packed,
                           mlir::Type onnxElement);

/// Elements that are a byte each, as a packed tensor, of `type` where that is given.
mlir::Value packElements(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value elements,
                         mlir::Type onnxElement, mlir::RankedTensorType type = {});

/// Made before a module is lowered, while types tell what is packed; `unpack` completes the lowered
/// module, in which all elements are still one byte each.
class PackedBorders {
public:
  explicit PackedBorders(mlir::ModuleOp module);

  /// Gives arguments, results and weights their packed types (signless integers of their width) and
  /// inserts what converts them: plan.reinterpret to bytes and a linalg.generic over their parts.
  void unpack();

private:
  mlir::ModuleOp module;
  /// The ONNX types of the functions and the ONNX element types of the weights that have such.
  llvm::StringMap<mlir::FunctionType> functions;
  llvm::StringMap<mlir::Type> weights;
};

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_PACKEDBORDERS_H
