// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that read or write at positions found in a tensor: the Gather and Scatter families,
// ReverseSequence.
//
// ONNX calls a position out of range an error. Here it is limited to the range, so that no kernel
// reads or writes outside of its tensors, at the price of two instructions. Scatters are sequential
// loops, since positions may repeat.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

/// An element of a tensor of positions as an index within [0, size).
static Value getPosition(ImplicitLocOpBuilder &builder, Value element, Value size) {
  Value position = builder.createOrFold<arith::IndexCastOp>(builder.getIndexType(), element);
  Value zero = arith::ConstantIndexOp::create(builder, 0),
        one = arith::ConstantIndexOp::create(builder, 1);
  Value isNegative = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, position, zero);
  position = arith::SelectOp::create(builder, isNegative,
                                     arith::AddIOp::create(builder, position, size), position);
  Value last = builder.createOrFold<arith::SubIOp>(size, one);
  return arith::MaxSIOp::create(builder, arith::MinSIOp::create(builder, position, last), zero);
}

namespace {

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

struct GatherLowering : OpConversionPattern<onnx::GatherOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::GatherOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData(), indices = adaptor.getIndices();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(data));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, data);

    // One known position is a slice.
    if (std::optional<SmallVector<int64_t>> known = getConstantIntegers(indices);
        known && known->size() == 1) {
      IndexBuilder index(rewriter, loc);
      int64_t position = known->front();
      if (std::optional<int64_t> size = getConstantIntValue(from[*axis]);
          size && (position < -*size || position >= *size))
        return refuse(rewriter, op, "index is out of range");
      SmallVector<OpFoldResult> offsets(from.size(), index.constant(0)),
          strides(from.size(), index.constant(1));
      SmallVector<OpFoldResult> sizes(from);
      offsets[*axis] = position < 0 ? index.add(from[*axis], index.constant(position))
                                    : index.constant(position);
      sizes[*axis] = index.constant(1);
      Value result = tensor::ExtractSliceOp::create(rewriter, loc, data, offsets, sizes, strides);
      if (getRank(indices) == 0)
        result = dropUnitDims(rewriter, loc, result, *axis);
      else
        result =
            addUnitDims(rewriter, loc, result,
                        llvm::to_vector(llvm::seq<int64_t>(*axis, *axis + getRank(indices) - 1)));
      rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
      return success();
    }

    int64_t indexRank = getRank(indices), rank = type.getRank();
    SmallVector<OpFoldResult> sizes(ArrayRef(from).take_front(*axis));
    llvm::append_range(sizes, getDims(rewriter, loc, indices));
    llvm::append_range(sizes, ArrayRef(from).drop_front(*axis + 1));
    sizes = refineSizes(rewriter, sizes, type);
    MLIRContext *context = rewriter.getContext();
    SmallVector<AffineExpr> read;
    for (int64_t dim = *axis; dim < *axis + indexRank; ++dim)
      read.push_back(getAffineDimExpr(dim, context));
    Value size = IndexBuilder(rewriter, loc).value(from[*axis]);
    auto readElement = [&](OpBuilder &inner, Location loc, ValueRange elements) {
      ImplicitLocOpBuilder body(loc, inner);
      SmallVector<Value> position;
      for (int64_t dim = 0; dim < *axis; ++dim)
        position.push_back(linalg::IndexOp::create(body, dim));
      position.push_back(getPosition(body, elements[0], size));
      for (int64_t dim = *axis + indexRank; dim < rank; ++dim)
        position.push_back(linalg::IndexOp::create(body, dim));
      linalg::YieldOp::create(body, tensor::ExtractOp::create(body, data, position).getResult());
    };
    Value empty = createEmpty(rewriter, loc, sizes, type.getElementType());
    SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, read, context),
                                   AffineMap::getMultiDimIdentityMap(rank, context)};
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    Value result = linalg::GenericOp::create(rewriter, loc, empty.getType(), indices, empty, maps,
                                             iterators, readElement)
                       .getResult(0);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

struct GatherElementsLowering : OpConversionPattern<onnx::GatherElementsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::GatherElementsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(data));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Value size = IndexBuilder(rewriter, loc).value(getDim(rewriter, loc, data, *axis));
    rewriter.replaceOp(
        op, createElementwise(rewriter, loc, adaptor.getIndices(), type,
                              [&](ImplicitLocOpBuilder &body, ValueRange elements) -> Value {
                                SmallVector<Value> position;
                                for (int64_t dim = 0; dim < type.getRank(); ++dim)
                                  position.push_back(
                                      dim == *axis
                                          ? getPosition(body, elements[0], size)
                                          : linalg::IndexOp::create(body, dim).getResult());
                                return tensor::ExtractOp::create(body, data, position);
                              }));
    return success();
  }
};

/// The length of the last dimension of a tensor of positions, or failure.
FailureOr<int64_t> getPositionLength(Value indices) {
  auto type = cast<RankedTensorType>(indices.getType());
  if (type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return failure();
  return type.getShape().back();
}

struct GatherNDLowering : OpConversionPattern<onnx::GatherNDOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::GatherNDOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData(), indices = adaptor.getIndices();
    FailureOr<int64_t> length = getPositionLength(indices);
    int64_t batch = op.getBatchDims();
    if (failed(length))
      return refuse(rewriter, op,
                    "indices whose last dimension is not known are not supported yet");
    if (batch + *length > getRank(data) || batch >= getRank(indices))
      return refuse(rewriter, op, "indices have more elements than the data has dimensions");
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    SmallVector<OpFoldResult> from = getDims(rewriter, loc, data),
                              sizes = getDims(rewriter, loc, indices);
    sizes.pop_back();
    int64_t outer = sizes.size();
    llvm::append_range(sizes, ArrayRef(from).drop_front(batch + *length));
    SmallVector<Value> limits;
    for (OpFoldResult size : from)
      limits.push_back(IndexBuilder(rewriter, loc).value(size));
    Value result = createFromPositions(
        rewriter, loc, refineSizes(rewriter, sizes, type), type.getElementType(),
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
          SmallVector<Value> source(position.take_front(batch)), where(position.take_front(outer));
          where.push_back({});
          for (int64_t i = 0; i < *length; ++i) {
            where.back() = arith::ConstantIndexOp::create(body, i);
            source.push_back(getPosition(body, tensor::ExtractOp::create(body, indices, where),
                                         limits[batch + i]));
          }
          llvm::append_range(source, position.drop_front(outer));
          return tensor::ExtractOp::create(body, data, source);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// Loops over all positions in `sizes`, in order, that hand on one tensor.
Value createSequentialLoops(
    OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Value init,
    llvm::function_ref<Value(ImplicitLocOpBuilder &, ArrayRef<Value>, Value)> step) {
  IndexBuilder index(builder, loc);
  SmallVector<Value> zeros, limits, ones;
  for (OpFoldResult size : sizes) {
    zeros.push_back(index.value(index.constant(0)));
    limits.push_back(index.value(size));
    ones.push_back(index.value(index.constant(1)));
  }
  scf::LoopNest nest =
      scf::buildLoopNest(builder, loc, zeros, limits, ones, init,
                         [&](OpBuilder &inner, Location loc, ValueRange position,
                             ValueRange state) -> scf::ValueVector {
                           ImplicitLocOpBuilder body(loc, inner);
                           return {step(body, SmallVector<Value>(position), state.front())};
                         });
  return nest.results.front();
}

/// Whether an operator combines with what is there in a way that is known.
bool isKnownReduction(StringRef reduction) {
  return llvm::is_contained({"none", "add", "mul", "max", "min"}, reduction);
}

Value combine(Scalar &scalar, StringRef reduction, Value old, Value update) {
  bool isBool = update.getType().isInteger(1);
  if (reduction == "add")
    return isBool ? arith::OrIOp::create(scalar.builder, old, update).getResult()
                  : scalar.add(old, update);
  if (reduction == "mul")
    return isBool ? arith::AndIOp::create(scalar.builder, old, update).getResult()
                  : scalar.multiply(old, update);
  if (reduction == "max")
    return scalar.maximum(old, update);
  if (reduction == "min")
    return scalar.minimum(old, update);
  return update;
}

/// Writes `update`, combined with what is there, at `position` of `tensor`.
Value writeElement(ImplicitLocOpBuilder &body, StringRef reduction, bool isUnsigned, Value tensor,
                   ValueRange position, Value update) {
  if (reduction != "none") {
    Scalar scalar(body, /*op=*/nullptr, isUnsigned);
    update = combine(scalar, reduction, tensor::ExtractOp::create(body, tensor, position), update);
  }
  return tensor::InsertOp::create(body, update, tensor, position);
}

template <typename Op>
struct ScatterElementsLowering : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData(), indices = adaptor.getIndices(), updates = adaptor.getUpdates();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(data));
    if (failed(axis))
      return refuse(rewriter, op, "axis is out of range");
    StringRef reduction = "none";
    if constexpr (std::is_same_v<Op, onnx::ScatterElementsOp>)
      reduction = op.getReduction();
    if (!isKnownReduction(reduction))
      return refuse(rewriter, op,
                    [&](Diagnostic &d) { d << "unknown reduction '" << reduction << "'"; });
    Value size = IndexBuilder(rewriter, loc).value(getDim(rewriter, loc, data, *axis));
    bool isUnsignedData = isUnsigned(op.getData().getType());
    Value result = createSequentialLoops(
        rewriter, loc, getDims(rewriter, loc, indices), data,
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position, Value state) {
          SmallVector<Value> target(position);
          target[*axis] =
              getPosition(body, tensor::ExtractOp::create(body, indices, position), size);
          Value update = tensor::ExtractOp::create(body, updates, position);
          return writeElement(body, reduction, isUnsignedData, state, target, update);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result,
                                  this->getTypeConverter()->convertType(op.getOutput().getType())));
    return success();
  }
};

struct ScatterNDLowering : OpConversionPattern<onnx::ScatterNDOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ScatterNDOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value data = adaptor.getData(), indices = adaptor.getIndices(), updates = adaptor.getUpdates();
    FailureOr<int64_t> length = getPositionLength(indices);
    if (failed(length))
      return refuse(rewriter, op,
                    "indices whose last dimension is not known are not supported yet");
    int64_t outer = getRank(indices) - 1;
    if (*length > getRank(data) || getRank(updates) != outer + getRank(data) - *length)
      return refuse(rewriter, op, "updates do not have the rank that data and indices ask for");
    StringRef reduction = op.getReduction();
    if (!isKnownReduction(reduction))
      return refuse(rewriter, op,
                    [&](Diagnostic &d) { d << "unknown reduction '" << reduction << "'"; });
    SmallVector<Value> limits;
    for (OpFoldResult size : getDims(rewriter, loc, data))
      limits.push_back(IndexBuilder(rewriter, loc).value(size));
    bool isUnsignedData = isUnsigned(op.getData().getType());
    Value result = createSequentialLoops(
        rewriter, loc, getDims(rewriter, loc, updates), data,
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position, Value state) {
          SmallVector<Value> where(position.take_front(outer)), target;
          where.push_back({});
          for (int64_t i = 0; i < *length; ++i) {
            where.back() = arith::ConstantIndexOp::create(body, i);
            target.push_back(
                getPosition(body, tensor::ExtractOp::create(body, indices, where), limits[i]));
          }
          llvm::append_range(target, position.drop_front(outer));
          Value update = tensor::ExtractOp::create(body, updates, position);
          return writeElement(body, reduction, isUnsignedData, state, target, update);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result,
                                  getTypeConverter()->convertType(op.getOutput().getType())));
    return success();
  }
};

struct TensorScatterLowering : OpConversionPattern<onnx::TensorScatterOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::TensorScatterOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value cache = adaptor.getPastCache(), update = adaptor.getUpdate();
    FailureOr<int64_t> axis = normalizeAxis(op.getAxis(), getRank(cache));
    if (failed(axis) || *axis == 0)
      return refuse(rewriter, op, "axis is out of range");
    bool isCircular = op.getMode() == "circular";
    if (!isCircular && op.getMode() != "linear")
      return refuse(rewriter, op,
                    [&](Diagnostic &d) { d << "unknown mode '" << op.getMode() << "'"; });
    Value starts = onnx::isAbsent(op.getWriteIndices()) ? Value() : adaptor.getWriteIndices();
    Value limit = IndexBuilder(rewriter, loc).value(getDim(rewriter, loc, cache, *axis));
    Value result = createSequentialLoops(
        rewriter, loc, getDims(rewriter, loc, update), cache,
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position, Value state) -> Value {
          SmallVector<Value> target(position);
          if (starts) {
            Value start = tensor::ExtractOp::create(body, starts, position.front());
            start = arith::IndexCastOp::create(body, body.getIndexType(), start);
            target[*axis] = arith::AddIOp::create(body, start, target[*axis]);
          }
          if (isCircular)
            target[*axis] = arith::RemSIOp::create(body, target[*axis], limit);
          target[*axis] = getPosition(body, target[*axis], limit);
          return tensor::InsertOp::create(
              body, tensor::ExtractOp::create(body, update, position).getResult(), state, target);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result,
                                  getTypeConverter()->convertType(op.getPresentCache().getType())));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// ReverseSequence
//===----------------------------------------------------------------------===//

struct ReverseSequenceLowering : OpConversionPattern<onnx::ReverseSequenceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ReverseSequenceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getInput(), lengths = adaptor.getSequenceLens();
    FailureOr<int64_t> batch = normalizeAxis(op.getBatchAxis(), getRank(input));
    FailureOr<int64_t> time = normalizeAxis(op.getTimeAxis(), getRank(input));
    if (failed(batch) || failed(time))
      return refuse(rewriter, op, "axis is out of range");
    IndexBuilder index(rewriter, loc);
    SmallVector<OpFoldResult> sizes = getDims(rewriter, loc, input);
    Value last = index.value(index.subtract(sizes[*time], index.constant(1)));
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    Value result = createFromPositions(
        rewriter, loc, refineSizes(rewriter, sizes, type), type.getElementType(),
        [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) -> Value {
          IndexBuilder index(body, loc);
          Value length = tensor::ExtractOp::create(body, lengths, position[*batch]);
          length = arith::IndexCastOp::create(body, body.getIndexType(), length);
          OpFoldResult mirrored =
              index.subtract(index.subtract(length, index.constant(1)), position[*time]);
          OpFoldResult source = index.select(arith::CmpIPredicate::slt, position[*time], length,
                                             mirrored, position[*time]);
          source = index.maximum(index.minimum(source, last), index.constant(0));
          SmallVector<Value> where(position);
          where[*time] = index.value(source);
          return tensor::ExtractOp::create(body, input, where);
        });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

} // namespace

void lower::populateIndexingPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<GatherLowering, GatherElementsLowering, GatherNDLowering,
               ScatterElementsLowering<onnx::ScatterElementsOp>,
               ScatterElementsLowering<onnx::ScatterOp>, ScatterNDLowering, TensorScatterLowering,
               ReverseSequenceLowering>(converter, patterns.getContext());
}
