// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the importer says what is wrong: one message per mistake, at the location of the node or the
// file.

#ifndef TENON_LIB_IMPORT_DIAGNOSTICS_H
#define TENON_LIB_IMPORT_DIAGNOSTICS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "onnx/onnx_pb.h"

namespace tenon::import {

class Diagnostics {
public:
  Diagnostics(mlir::MLIRContext &context, llvm::StringRef file)
      : file(mlir::FileLineColLoc::get(&context, file, 0, 0)) {}

  mlir::Location getLocation() const { return file; }

  mlir::Location getLocation(llvm::StringRef name) const {
    if (name.empty())
      return file;
    return mlir::NameLoc::get(mlir::StringAttr::get(file.getContext(), name), file);
  }

  /// An error about the whole model.
  mlir::InFlightDiagnostic error() { return mlir::emitError(file); }

  /// An error about a node: "Conv 'conv1': …". A node without a name goes by that of its output.
  mlir::InFlightDiagnostic error(const ::onnx::NodeProto &node) {
    std::string op = node.domain().empty() ? node.op_type() : node.domain() + "." + node.op_type();
    bool isNamed = !node.name().empty() || node.output_size() == 0;
    const std::string &name = isNamed ? node.name() : node.output(0);
    return std::move(mlir::emitError(getLocation(name))
                     << op << (isNamed ? " '" : " that makes '") << name << "': ");
  }

  /// An error about a tensor: "tensor 'w': …".
  mlir::InFlightDiagnostic errorInTensor(llvm::StringRef name) {
    return std::move(mlir::emitError(getLocation(name)) << "tensor '" << name << "': ");
  }

private:
  mlir::Location file;
};

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_DIAGNOSTICS_H
