// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the patterns of all families share: sizes of dimensions as constants or index values,
// operands that are constants, reshapes, and elementwise computations with ONNX's broadcasting.
//
// A pattern is an OpConversionPattern whose operands (from the adaptor) are already tensors of
// signless types. It takes signedness from the types of the original op, calls `refuse` before it
// has created anything where it cannot lower (the reason is shown to the user), and gives a value
// of exactly the converted result type, for which `castTo` helps. An absent operand has type
// `none`; ask onnx::isAbsent.
//
// Sizes are OpFoldResults: an index attribute where known, else a value. `getDim` looks through the
// producers that lowering creates, down to `plan.dim` of a named dimension, so that `haveSameSize`
// can prove equality of sizes.

#ifndef TENON_LIB_LOWER_LOWERING_H
#define TENON_LIB_LOWER_LOWERING_H

#include "dialects/onnx/Onnx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

namespace tenon::lower {

using namespace mlir;

//===----------------------------------------------------------------------===//
// Refusing
//===----------------------------------------------------------------------===//

/// Fails to match, for a reason that the user is told: lower case, no full stop.
/// (PatternRewriter::notifyMatchFailure does not reach anyone in a dialect conversion of a release
/// build.)
LogicalResult refuse(ConversionPatternRewriter &rewriter, Operation *op, const Twine &reason);
LogicalResult refuse(ConversionPatternRewriter &rewriter, Operation *op,
                     llvm::function_ref<void(Diagnostic &)> explain);

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// Whether the elements of an ONNX value are unsigned integers (bool is, too: it extends with
/// zeros).
bool isUnsigned(Type onnxType);

/// Rank of a ranked tensor.
inline int64_t getRank(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }
inline Type getElementType(Value tensor) { return getElementTypeOrSelf(tensor.getType()); }

/// `axis` counted from the front, or failure if it is not in [-rank, rank).
FailureOr<int64_t> normalizeAxis(int64_t axis, int64_t rank);

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// Arithmetic on sizes and positions. Folds what is known, makes `arith` operations on `index` of
/// the rest; `divide` and `modulo` are for operands that are not negative and divisors that are
/// positive.
class IndexBuilder {
public:
  IndexBuilder(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  OpFoldResult constant(int64_t value) { return builder.getIndexAttr(value); }
  OpFoldResult add(OpFoldResult a, OpFoldResult b);
  OpFoldResult subtract(OpFoldResult a, OpFoldResult b);
  OpFoldResult multiply(OpFoldResult a, OpFoldResult b);
  OpFoldResult divide(OpFoldResult a, OpFoldResult b);
  OpFoldResult divideUp(OpFoldResult a, OpFoldResult b);
  OpFoldResult modulo(OpFoldResult a, OpFoldResult b);
  OpFoldResult minimum(OpFoldResult a, OpFoldResult b);
  OpFoldResult maximum(OpFoldResult a, OpFoldResult b);
  /// `a <predicate> b ? yes : no`
  OpFoldResult select(arith::CmpIPredicate predicate, OpFoldResult a, OpFoldResult b,
                      OpFoldResult yes, OpFoldResult no);
  OpFoldResult product(ArrayRef<OpFoldResult> factors);
  Value value(OpFoldResult size);

private:
  OpBuilder &builder;
  Location loc;
};

/// Size of one dimension: an attribute, or the value nearest to where the size comes from.
OpFoldResult getDim(OpBuilder &builder, Location loc, Value tensor, int64_t dim);
SmallVector<OpFoldResult> getDims(OpBuilder &builder, Location loc, Value tensor);

/// Whether getDim finds the size somewhere nearer to its origin than `tensor.dim` of this tensor.
bool canResolveDim(Value tensor, int64_t dim);

/// Whether a size or position is provably at least 0.
bool isNotNegative(OpFoldResult size);

/// Whether two sizes are provably the same (not: whether they are different).
bool haveSameSize(OpFoldResult a, OpFoldResult b);
bool haveSameSizes(ArrayRef<OpFoldResult> a, ArrayRef<OpFoldResult> b);

/// The shape that these sizes make.
SmallVector<int64_t> getShape(ArrayRef<OpFoldResult> sizes);

/// `sizes` with those that `type` knows as constants.
SmallVector<OpFoldResult> refineSizes(OpBuilder &builder, ArrayRef<OpFoldResult> sizes,
                                      RankedTensorType type);

//===----------------------------------------------------------------------===//
// Operands with meaning
//===----------------------------------------------------------------------===//

/// The elements of a constant operand, or null.
DenseElementsAttr getConstant(Value operand);

/// The elements of a small integer operand (axes, shape …) if they are all known; of a `none`
/// operand, nothing.
std::optional<SmallVector<int64_t>> getConstantIntegers(Value operand);

/// Constant axes as positions from the front, all of them where the operand is absent. Fails where
/// they are not known or out of range.
FailureOr<SmallVector<int64_t>> getAxes(Value operand, int64_t rank);

/// The elements of a 1-D (or 0-D) integer tensor of static size as sizes or positions. Fails if its
/// length is unknown.
FailureOr<SmallVector<OpFoldResult>> getIndices(OpBuilder &builder, Location loc, Value operand);

/// The only element of an integer tensor of any rank as a size or position.
OpFoldResult getScalarIndex(OpBuilder &builder, Location loc, Value operand);

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value createEmpty(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type elementType);
Value createFilled(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                   TypedAttr element);

/// `value` with exactly `type`, which differs from its own at most in which sizes are static.
Value castTo(OpBuilder &builder, Location loc, Value value, Type type);

/// The same elements in row-major order with other sizes: `source` itself, tensor.expand_shape or
/// tensor.collapse_shape where that can be proven, else plan.reshape.
Value createReshape(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> sizes);

/// As createReshape, but always a plan.reshape unless nothing changes. For views around
/// contractions and convolutions, that should compose with each other and stay out of the way of
/// fusion by reshape propagation.
Value createView(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> sizes);

/// Drops the dimensions `dims`, which are 1, by a tensor.collapse_shape.
Value dropUnitDims(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> dims);

/// Adds dimensions of size 1 so that they are the dimensions `dims` of the result, by a
/// tensor.expand_shape.
Value addUnitDims(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> dims);

Value createTranspose(OpBuilder &builder, Location loc, Value source,
                      ArrayRef<int64_t> permutation);

//===----------------------------------------------------------------------===//
// Elementwise computations
//===----------------------------------------------------------------------===//

/// Computes one element from one element of each input.
using ElementFunction =
    llvm::function_ref<Value(ImplicitLocOpBuilder &builder, ValueRange elements)>;

/// The sizes of the result of broadcasting inputs of these sizes, as ONNX (and numpy) define it.
/// Where two sizes are dynamic and not provably the same, the result is chosen at run time.
SmallVector<OpFoldResult> getBroadcastSizes(OpBuilder &builder, Location loc,
                                            ArrayRef<SmallVector<OpFoldResult>> inputSizes);

/// `source` repeated along dimensions of size 1 (and new leading dimensions) so that it has
/// `sizes`. Dimensions for which it is not known whether they are 1 are read through an index
/// computed at run time.
Value broadcastTo(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> sizes);

/// One parallel linalg.generic over the broadcast of `inputs`; a splat or scalar constant becomes a
/// constant of the body. `resultType` may know more about the shape than the inputs; the result has
/// exactly this type.
Value createElementwise(OpBuilder &builder, Location loc, ValueRange inputs,
                        RankedTensorType resultType, ElementFunction function);

/// Computes one element from its position.
using PositionFunction =
    llvm::function_ref<Value(ImplicitLocOpBuilder &builder, ArrayRef<Value> position)>;

/// A tensor of `sizes` whose elements are computed from their positions, by one parallel
/// linalg.generic without inputs.
Value createFromPositions(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                          Type elementType, PositionFunction function);

/// The only element of a tensor, as a constant where it is one, else read here.
Value readScalar(OpBuilder &builder, Location loc, Value tensor);

/// Constant of a scalar type, converted from `value`.
Value createScalar(OpBuilder &builder, Location loc, Type type, double value);
Value createIntegerScalar(OpBuilder &builder, Location loc, Type type, int64_t value);

/// Converts a scalar between numeric types (bool is i1) as ONNX's Cast does.
Value convertScalar(ImplicitLocOpBuilder &builder, Value value, Type to, bool fromUnsigned,
                    bool toUnsigned);

/// The type in which sums of `elementType` are kept: f32 for the smaller floats, else itself.
Type getAccumulatorType(Type elementType);

/// `tensor` with its elements converted by convertScalar; itself if they have the type already.
Value convertElements(OpBuilder &builder, Location loc, Value tensor, Type elementType);

} // namespace tenon::lower

#endif // TENON_LIB_LOWER_LOWERING_H
