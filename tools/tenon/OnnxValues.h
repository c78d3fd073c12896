// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values as ONNX itself stores them: one protobuf message a file (TensorProto, SequenceProto,
// OptionalProto or MapProto), as in the folders of ONNX's own tests. A file does not say which of
// these it is; the model's signature does.
#ifndef TENON_TOOLS_TENON_ONNXVALUES_H
#define TENON_TOOLS_TENON_ONNXVALUES_H

#include "tools/tenon/Value.h"

namespace tenon::cli {

/// Which message a file holds.
enum class OnnxMessage { tensor, sequence, optional, map };

/// Parses the content of a .pb file. Errors: not the message, a type or shape that does not fit the
/// data.
llvm::Expected<Value> parseOnnxValue(llvm::StringRef file, OnnxMessage message);

/// The content of a .pb file that holds `value` under `name`; an empty optional needs
/// OnnxMessage::optional.
std::string formatOnnxValue(llvm::StringRef name, const Value &value, OnnxMessage message);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_ONNXVALUES_H
