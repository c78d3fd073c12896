// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's inputs and outputs on disk, in every form the command takes:
//   FILE.npz                        keyed by the names of inputs or outputs
//   FOLDER with NAME.npy            one numpy array each
//   FOLDER with input_<i>.npy       the same, in the order of the graph (outputs: output_<i>.npy)
//   FOLDER with input_<i>.pb        ONNX messages, in the order of the graph (outputs:
//   output_<i>.pb)
#ifndef TENON_TOOLS_TENON_FILES_H
#define TENON_TOOLS_TENON_FILES_H

#include "tools/tenon/Signature.h"

namespace tenon::cli {

/// Reads a value for each of `ports` from `path`. `prefix` is "input" or "output": how numbered
/// files are called. Names that the model does not have, missing ones and wrong element types are
/// errors that list what was expected.
llvm::Expected<std::vector<NamedValue>> readValues(llvm::StringRef path, llvm::ArrayRef<Port> ports,
                                                   llvm::StringRef prefix);

/// Writes all outputs: to an archive when `path` ends in .npz, else as output_<i>.pb into a folder
/// that is made if it is missing. Everything appears, or nothing.
llvm::Error writeOutputs(llvm::StringRef path, llvm::ArrayRef<Port> ports,
                         llvm::ArrayRef<NamedValue> values);

/// Writes every value as PREFIX_<i>.npy into `folder`, as writeOutputs does: the form that
/// `tenon-run` takes. Errors: a value that is no tensor.
llvm::Error writeArrays(llvm::StringRef folder, llvm::ArrayRef<Port> ports,
                        llvm::ArrayRef<NamedValue> values, llvm::StringRef prefix);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_FILES_H
