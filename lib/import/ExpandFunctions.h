// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replaces operators by the bodies in other operators that the standard gives for them, where a
// kernel of ours would gain nothing. What is worth a kernel stays whole, although it has a body as
// well: recovering a Softmax from its parts is what the rest of the compiler wants to be spared.

#ifndef TENON_LIB_IMPORT_EXPANDFUNCTIONS_H
#define TENON_LIB_IMPORT_EXPANDFUNCTIONS_H

#include "lib/import/BodyBuilder.h"
#include "lib/import/Diagnostics.h"
#include "onnx/onnx_pb.h"

namespace tenon::import {

namespace proto = ::onnx;

/// Makes each node of `model` that is to be expanded a call of a function of the model's own, which
/// holds the body for this node, and returns whether there are any. Bodies depend on the types of
/// the operands: infer them before. Nodes whose body cannot be told stay as they are; of those that
/// have no other form, the reason is reported, all at once, as soon as there is nothing else to
/// expand. To be called again after the calls were inlined, because bodies use operators with
/// bodies. `reinterpret` is what KnownValues says.
mlir::FailureOr<bool> expandFunctions(proto::ModelProto &model,
                                      decltype(KnownValues::reinterpret) reinterpret,
                                      Diagnostics &diagnostics);

/// After inlining: names the nodes of bodies after the node that they come from.
void nameExpandedNodes(proto::ModelProto &model);

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_EXPANDFUNCTIONS_H
