// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that become calls of host functions, and objects at this level.
//
// A value is an object (`!plan.object`) where it is no tensor of numbers with a known rank:
// strings, sequences, optionals, maps, tensors of unknown rank. A host function takes and gives
// objects only; tensors are wrapped before the call and unwrapped after it.

#ifndef TENON_LIB_LOWER_HOSTFUNCTIONS_H
#define TENON_LIB_LOWER_HOSTFUNCTIONS_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// Whether a value of an ONNX type is an object.
bool isObject(Type onnxType);

/// Whether an operation may have objects as operands or results: it is a call of a host function,
/// or only hands objects on.
bool takesObjects(Operation *op);

/// `value`, of the converted type of `from`, as what `to` is converted to: an object, or a tensor
/// of `type`.
Value convertObject(OpBuilder &builder, Location loc, Value value, Type from, Type to, Type type);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_HOSTFUNCTIONS_H
