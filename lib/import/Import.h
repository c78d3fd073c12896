// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From an ONNX file to a module of the onnx dialect, in the newest opset, with all shapes that can
// be inferred.
//
// The module has a plan.dimension per named dynamic dimension of the model's signature, a
// plan.weight per initializer or Constant above 1 KiB that is no splat, and one func.func @main.
// Each op's location is the name of its ONNX node.
//
// Errors go to the context's diagnostic handler, at the location of the node (a NameLoc around the
// file) or of the file; everything that can be found in one pass is reported in one go. Nothing the
// file contains may crash the importer.

#ifndef TENON_LIB_IMPORT_IMPORT_H
#define TENON_LIB_IMPORT_IMPORT_H

#include "lib/weights/WeightTable.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// A node as the model has it: after the model's functions were inlined, before anything is
/// converted or expanded.
struct ModelNode {
  std::string name; ///< that messages and locations use
  std::string domain, operation;
};

struct ImportOptions {
  /// What the user knows about a named dynamic dimension. min == max makes it static.
  struct DimensionBounds {
    int64_t min = 0;
    std::optional<int64_t> max;
  };
  /// By the dimension's name in the model. A name that the model's inputs do not have is an error.
  llvm::StringMap<DimensionBounds> dims;

  /// Where external data lies: the folder of the model if empty. A model that is imported from
  /// memory has no folder.
  std::string externalDataDirectory;

  /// If not null, gets the model's nodes, outer graphs first, even where the import fails later.
  std::vector<ModelNode> *nodes = nullptr;
};

/// The dialects of an imported module.
void registerImportDialects(mlir::DialectRegistry &registry);

/// Imports the model in the file `path`. Weights go to `weights`, which shares ownership of the
/// mapped files of external data and owns the bytes that lay inside the model. `weights` may hold
/// some of the model's weights after a failure.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> importModel(llvm::StringRef path,
                                                               const ImportOptions &options,
                                                               mlir::MLIRContext &context,
                                                               WeightTable &weights);

/// Imports a serialized model from memory, which is not needed any more afterwards. `name` stands
/// for the file in messages and locations.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importModel(llvm::MemoryBufferRef buffer, llvm::StringRef name, const ImportOptions &options,
            mlir::MLIRContext &context, WeightTable &weights);

} // namespace tenon

#endif // TENON_LIB_IMPORT_IMPORT_H
