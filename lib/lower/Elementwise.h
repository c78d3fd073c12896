// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How elementwise operators are described: a name and a function that computes one element.
//
// f16 and bf16 elements reach the function as f32 and its result is rounded back, so that every
// function has one accuracy. Rounding a sum, product or quotient twice gives the same as once for
// these types.

#ifndef TENON_LIB_LOWER_ELEMENTWISE_H
#define TENON_LIB_LOWER_ELEMENTWISE_H

#include "lib/lower/Lowering.h"

namespace tenon::lower {

/// Builds scalar arithmetic on floats or integers, whichever the operands are. Integers are
/// unsigned where the operator's first operand is.
class Scalar {
public:
  Scalar(ImplicitLocOpBuilder &builder, Operation *op, bool isUnsigned)
      : builder(builder), op(op), isUnsigned(isUnsigned) {}

  /// A constant of the type of `like`.
  Value constant(double value, Value like);
  Value add(Value a, Value b);
  Value subtract(Value a, Value b);
  Value multiply(Value a, Value b);
  /// Integers: rounds towards zero; division by zero gives the dividend, since it must not trap.
  Value divide(Value a, Value b);
  Value negate(Value a);
  Value absolute(Value a);
  /// NaN if one of them is. The sign of zero is not specified.
  Value minimum(Value a, Value b);
  Value maximum(Value a, Value b);
  Value less(Value a, Value b);
  Value equal(Value a, Value b);
  Value select(Value condition, Value yes, Value no);
  /// Scaled and shifted: a * factor + term.
  Value affine(Value a, double factor, double term);
  Value exp(Value a);
  Value sigmoid(Value a);
  /// log(1 + exp(a)) without overflow.
  Value softplus(Value a);
  Value tanh(Value a);

  bool isFloat(Value value) const { return isa<FloatType>(value.getType()); }

  ImplicitLocOpBuilder &builder;
  Operation *op;         ///< the ONNX operation, for its attributes
  const bool isUnsigned; ///< of the elements of its first operand
};

/// Computes one element of the result; the value for an absent operand is null.
using ElementPayload = Value (*)(Scalar &scalar, ValueRange elements);

/// Adds the lowering of the operation named `operation`, of any number of operands and one result.
void addElementwise(const TypeConverter &converter, RewritePatternSet &patterns,
                    StringRef operation, ElementPayload payload);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_ELEMENTWISE_H
