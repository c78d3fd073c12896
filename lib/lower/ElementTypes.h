// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the element types of ONNX are held in tensors at this level, and conversions between them.
//
// Integers lose their signs. A type of fewer than 8 bits is held in one byte: an integer extended
// as its sign says, a float as its code; packed it is only in the model's inputs, outputs and
// weights (PackedBorders.h). Complex numbers are only moved, never computed with, so they are
// words of their width. What an element means, the types of the original operation tell.

#ifndef TENON_LIB_LOWER_ELEMENTTYPES_H
#define TENON_LIB_LOWER_ELEMENTTYPES_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// The type that holds elements of an ONNX type; null for one that cannot be held (strings).
Type getStorageType(Type onnxElement);

/// Whether elements take less than a byte at the model's border.
bool isPacked(Type onnxElement);

/// Whether an operation does more with complex numbers than to move them, which the words that hold
/// them do not allow.
bool computesWithComplex(Operation *op);

/// Constant elements of an ONNX type as they are held.
DenseElementsAttr getStorageElements(DenseElementsAttr elements);

/// How Cast deals with what the type to cast to cannot express.
struct CastMode {
  /// Of the 8-bit floats: whether what is too large becomes the largest number.
  bool saturate = true;
  /// Of f8E8M0FNU.
  enum class Round { Up, Down, Nearest } round = Round::Up;
};

/// Converts one element, as it is held, between two ONNX types as Cast does.
Value castElement(ImplicitLocOpBuilder &builder, Value element, Type from, Type to,
                  CastMode mode = {});

/// An element, as it is held, as a number of type `to` (f32 or f64), exactly where that can be.
Value elementToFloat(ImplicitLocOpBuilder &builder, Value element, Type from, Type to);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_ELEMENTTYPES_H
