// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Creating tensors and seeing them in other shapes; what all patterns need of types and refusals.
//
// Whether a reshape only merges or only splits dimensions is decided on symbolic products: a size
// is a constant times a multiset of values, so [b, s, 12, 32] and [b, s, 384] are seen to be the
// same elements without any arithmetic.

#include "lib/lower/Lowering.h"

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

LogicalResult lower::refuse(ConversionPatternRewriter &rewriter, Operation *op,
                            llvm::function_ref<void(Diagnostic &)> explain) {
  if (RewriterBase::Listener *listener = rewriter.getConfig().listener)
    listener->notifyMatchFailure(op->getLoc(), explain);
  return failure();
}

LogicalResult lower::refuse(ConversionPatternRewriter &rewriter, Operation *op,
                            const Twine &reason) {
  return refuse(rewriter, op, [&](Diagnostic &diagnostic) { diagnostic << reason; });
}

bool lower::isUnsigned(Type onnxType) {
  Type element = getElementTypeOrSelf(onnxType);
  return element.isUnsignedInteger() || element.isInteger(1);
}

FailureOr<int64_t> lower::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return failure();
  return axis < 0 ? axis + rank : axis;
}

Type lower::getAccumulatorType(Type elementType) {
  auto type = dyn_cast<FloatType>(elementType);
  return type && type.getWidth() < 32 ? Float32Type::get(elementType.getContext()) : elementType;
}

Value lower::createEmpty(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                         Type elementType) {
  return tensor::EmptyOp::create(builder, loc, sizes, elementType);
}

Value lower::createFilled(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                          TypedAttr element) {
  Value scalar = arith::ConstantOp::create(builder, loc, element);
  Value empty = createEmpty(builder, loc, sizes, element.getType());
  return linalg::FillOp::create(builder, loc, scalar, empty).getResult(0);
}

Value lower::castTo(OpBuilder &builder, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

Value lower::readScalar(OpBuilder &builder, Location loc, Value tensor) {
  if (DenseElementsAttr elements = getConstant(tensor); elements && elements.isSplat())
    return arith::ConstantOp::create(builder, loc,
                                     cast<TypedAttr>(elements.getSplatValue<Attribute>()));
  SmallVector<Value> position;
  for (int64_t dim = 0; dim < getRank(tensor); ++dim)
    position.push_back(arith::ConstantIndexOp::create(builder, loc, 0));
  return builder.createOrFold<tensor::ExtractOp>(loc, tensor, position);
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

namespace {
/// A size as a constant times values.
class Product {
public:
  void multiply(OpFoldResult size) {
    if (std::optional<int64_t> known = getConstantIntValue(size)) {
      constant *= *known;
      return;
    }
    Value value = cast<Value>(size);
    if (auto product = value.getDefiningOp<arith::MulIOp>()) {
      multiply(product.getLhs());
      multiply(product.getRhs());
      return;
    }
    factors.push_back(value);
  }

  bool operator==(const Product &other) const {
    if (constant != other.constant || factors.size() != other.factors.size())
      return false;
    SmallVector<Value> left(other.factors);
    for (Value factor : factors) {
      auto match = llvm::find_if(left, [&](Value value) { return haveSameSize(factor, value); });
      if (match == left.end())
        return false;
      left.erase(match);
    }
    return true;
  }

private:
  int64_t constant = 1;
  SmallVector<Value> factors;
};
} // namespace

/// How the dimensions `fine` are merged into the fewer `coarse`, if they are.
static std::optional<SmallVector<ReassociationIndices>>
getReassociation(ArrayRef<OpFoldResult> fine, ArrayRef<OpFoldResult> coarse) {
  SmallVector<ReassociationIndices> groups;
  size_t next = 0;
  for (OpFoldResult size : coarse) {
    Product wanted, merged;
    wanted.multiply(size);
    ReassociationIndices &group = groups.emplace_back();
    do {
      if (next == fine.size())
        return std::nullopt;
      merged.multiply(fine[next]);
      group.push_back(next++);
    } while (!(merged == wanted));
  }
  for (; next < fine.size(); ++next) {
    if (getConstantIntValue(fine[next]) != 1)
      return std::nullopt;
    if (!groups.empty())
      groups.back().push_back(next);
  }
  return groups;
}

/// `source` with the sizes that are known to be static in its type.
static Value refineType(OpBuilder &builder, Location loc, Value source,
                        ArrayRef<OpFoldResult> sizes) {
  return castTo(builder, loc, source,
                RankedTensorType::get(getShape(sizes), getElementType(source)));
}

static Value createViewUnchecked(OpBuilder &builder, Location loc, Value source,
                                 ArrayRef<OpFoldResult> sizes) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  return plan::ReshapeOp::create(builder, loc, RankedTensorType::get(shape, getElementType(source)),
                                 source, dynamic);
}

Value lower::createView(OpBuilder &builder, Location loc, Value source,
                        ArrayRef<OpFoldResult> sizes) {
  if (haveSameSizes(getDims(builder, loc, source), sizes))
    return refineType(builder, loc, source, sizes);
  return createViewUnchecked(builder, loc, source, sizes);
}

Value lower::createReshape(OpBuilder &builder, Location loc, Value source,
                           ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> from = getDims(builder, loc, source);
  source = refineType(builder, loc, source, from);
  if (haveSameSizes(from, sizes))
    return source;
  auto type = RankedTensorType::get(getShape(sizes), getElementType(source));
  if (sizes.size() < from.size()) {
    if (std::optional<SmallVector<ReassociationIndices>> groups = getReassociation(from, sizes))
      return tensor::CollapseShapeOp::create(builder, loc, type, source, *groups);
  } else if (sizes.size() > from.size()) {
    if (std::optional<SmallVector<ReassociationIndices>> groups = getReassociation(sizes, from))
      return tensor::ExpandShapeOp::create(builder, loc, type, source, *groups, sizes);
  }
  return createViewUnchecked(builder, loc, source, sizes);
}

/// Groups of dimensions such that each has at most one that is not in `unit`.
static SmallVector<ReassociationIndices> groupUnitDims(int64_t rank, ArrayRef<int64_t> unit) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices pending;
  for (int64_t dim = 0; dim < rank; ++dim) {
    pending.push_back(dim);
    if (llvm::is_contained(unit, dim))
      continue;
    groups.push_back(pending);
    pending.clear();
  }
  if (!groups.empty())
    llvm::append_range(groups.back(), pending);
  return groups;
}

Value lower::dropUnitDims(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> dims) {
  if (dims.empty())
    return source;
  // The dimensions may be 1 without the type telling.
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<int64_t> shape(type.getShape()), kept;
  for (int64_t dim : dims)
    shape[dim] = 1;
  source = castTo(builder, loc, source, type.clone(shape));
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!llvm::is_contained(dims, dim))
      kept.push_back(shape[dim]);
  return tensor::CollapseShapeOp::create(builder, loc, type.clone(kept), source,
                                         groupUnitDims(type.getRank(), dims));
}

Value lower::addUnitDims(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> dims) {
  if (dims.empty())
    return source;
  SmallVector<OpFoldResult> from = getDims(builder, loc, source), sizes;
  source = refineType(builder, loc, source, from);
  int64_t rank = from.size() + dims.size();
  for (int64_t dim = 0, next = 0; dim < rank; ++dim)
    sizes.push_back(llvm::is_contained(dims, dim) ? OpFoldResult(builder.getIndexAttr(1))
                                                  : from[next++]);
  auto type = RankedTensorType::get(getShape(sizes), getElementType(source));
  return tensor::ExpandShapeOp::create(builder, loc, type, source, groupUnitDims(rank, dims),
                                       sizes);
}

Value lower::createTranspose(OpBuilder &builder, Location loc, Value source,
                             ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return source;
  SmallVector<OpFoldResult> from = getDims(builder, loc, source), sizes;
  source = refineType(builder, loc, source, from);
  for (int64_t dim : permutation)
    sizes.push_back(from[dim]);
  Value empty = createEmpty(builder, loc, sizes, getElementType(source));
  return linalg::TransposeOp::create(builder, loc, source, empty, permutation).getResult()[0];
}
