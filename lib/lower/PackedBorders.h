// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where elements of fewer than 8 bits are packed: the model's inputs, outputs and weights.

#ifndef TENON_LIB_LOWER_PACKEDBORDERS_H
#define TENON_LIB_LOWER_PACKEDBORDERS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace tenon::lower {

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
