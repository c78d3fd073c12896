// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products: MatMul, Gemm, MatMulInteger.
//
// A product of two matrices is a linalg.matmul, one with further dimensions a linalg.generic
// contraction over all of them: rows that come from several dimensions are as good as one to the
// code generator, and what follows keeps the shape of the product. Sums of f16 and bf16 are kept in
// f32. The bias is an elementwise operation after the product.

#include "lib/lower/Lowering.h"
#include "lib/lower/Patterns.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

/// A zero-filled tensor of sums for products of `elementType`.
static Value createAccumulator(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                               Type elementType) {
  return createFilled(builder, loc, sizes, builder.getZeroAttr(getAccumulatorType(elementType)));
}

/// [m, k] x [k, n], either transposed.
static Value createMatmul(OpBuilder &builder, Location loc, Value a, Value b,
                          bool isTransposedA = false, bool isTransposedB = false) {
  SmallVector<OpFoldResult> sizes = {getDim(builder, loc, a, isTransposedA ? 1 : 0),
                                     getDim(builder, loc, b, isTransposedB ? 0 : 1)};
  Value init = createAccumulator(builder, loc, sizes, getElementType(a));
  if (!isTransposedA && !isTransposedB)
    return linalg::MatmulOp::create(builder, loc, init.getType(), ValueRange{a, b}, init)
        .getResult(0);
  AffineExpr m, n, k;
  bindDims(builder.getContext(), m, n, k);
  auto map = [&](AffineExpr row, AffineExpr column, bool isTransposed) {
    SmallVector<AffineExpr, 2> results = {row, column};
    if (isTransposed)
      std::swap(results[0], results[1]);
    return AffineMap::get(3, 0, results, builder.getContext());
  };
  SmallVector<AffineMap> maps = {map(m, k, isTransposedA), map(k, n, isTransposedB),
                                 map(m, n, false)};
  auto matmul = linalg::MatmulOp::create(builder, loc, init.getType(), ValueRange{a, b}, init);
  matmul.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
  return matmul.getResult(0);
}

/// Terms of a sum may be added in any order, and a product be added without being rounded first.
static constexpr arith::FastMathFlags reorder =
    arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;

namespace {

//===----------------------------------------------------------------------===//
// Products with batches
//===----------------------------------------------------------------------===//

/// One product of two operands of rank 2 at least, whose leading dimensions are broadcast.
class BatchedProduct {
public:
  /// Computes one term from the elements of the two operands, to be added to a sum of type
  /// `accumulator`.
  using Term =
      llvm::function_ref<Value(ImplicitLocOpBuilder &builder, Value a, Value b, Type accumulator)>;

  BatchedProduct(OpBuilder &builder, Location loc, Value a, Value b)
      : builder(builder), loc(loc), index(builder, loc), a(a), b(b),
        sizesA(getDims(builder, loc, a)), sizesB(getDims(builder, loc, b)) {}

  /// A product of matrices is a linalg.matmul; with more dimensions it is one linalg.generic over
  /// all of them, so that what follows (a bias, an activation, a residual) has the shape of the
  /// product itself and can join it.
  Value create() {
    if (sizesA.size() == 2 && sizesB.size() == 2)
      return createMatmul(builder, loc, a, b);
    return createGeneric(getAccumulatorType(getElementType(a)), [](ImplicitLocOpBuilder &body,
                                                                   Value x, Value y, Type type) {
      x = convertScalar(body, x, type, false, false);
      y = convertScalar(body, y, type, false, false);
      return isa<FloatType>(type) ? arith::MulFOp::create(body, x, y, reorder).getResult()
                                  : arith::MulIOp::create(body, x, y).getResult();
    });
  }

  /// One linalg.generic in the loops [batch..., row, column, sum].
  Value createGeneric(Type accumulator, Term term) {
    SmallVector<OpFoldResult> sizes = resultSizes();
    int64_t rank = sizes.size(), loops = rank + 1;
    MLIRContext *context = builder.getContext();
    // Dimensions in the order [batch..., row, column, sum].
    SmallVector<AffineExpr> row, column, result;
    auto addBatch = [&](Value &operand, ArrayRef<OpFoldResult> own,
                        SmallVector<AffineExpr> &positions) {
      SmallVector<int64_t> unit;
      int64_t batchRank = own.size() - 2, offset = rank - static_cast<int64_t>(own.size());
      for (int64_t dim = 0; dim < batchRank; ++dim) {
        if (getConstantIntValue(own[dim]) == 1 && getConstantIntValue(sizes[dim + offset]) != 1)
          unit.push_back(dim);
        else
          positions.push_back(getAffineDimExpr(dim + offset, context));
      }
      // Where the run decides whether a batch is broadcast, it is repeated first.
      bool isAmbiguous = false;
      for (int64_t dim = 0; dim < batchRank; ++dim)
        isAmbiguous |=
            getConstantIntValue(own[dim]) != 1 && !haveSameSize(own[dim], sizes[dim + offset]);
      if (isAmbiguous) {
        SmallVector<OpFoldResult> repeated(ArrayRef(sizes).drop_back(2));
        llvm::append_range(repeated, own.take_back(2));
        operand = broadcastTo(builder, loc, operand, repeated);
        positions.clear();
        for (int64_t dim = 0; dim < rank - 2; ++dim)
          positions.push_back(getAffineDimExpr(dim, context));
        return;
      }
      operand = dropUnitDims(builder, loc, operand, unit);
    };
    Value left = a, right = b;
    addBatch(left, sizesA, row);
    addBatch(right, sizesB, column);
    AffineExpr m = getAffineDimExpr(rank - 2, context), n = getAffineDimExpr(rank - 1, context),
               k = getAffineDimExpr(rank, context);
    row.append({m, k});
    column.append({k, n});
    for (int64_t dim = 0; dim < rank; ++dim)
      result.push_back(getAffineDimExpr(dim, context));
    SmallVector<AffineMap> maps = {AffineMap::get(loops, 0, row, context),
                                   AffineMap::get(loops, 0, column, context),
                                   AffineMap::get(loops, 0, result, context)};
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    Value init = createFilled(builder, loc, sizes, builder.getZeroAttr(accumulator));
    auto addTerm = [&](OpBuilder &inner, Location loc, ValueRange elements) {
      ImplicitLocOpBuilder body(loc, inner);
      Value value = term(body, elements[0], elements[1], accumulator);
      Value sum = isa<FloatType>(accumulator)
                      ? arith::AddFOp::create(body, elements[2], value, reorder).getResult()
                      : arith::AddIOp::create(body, elements[2], value).getResult();
      linalg::YieldOp::create(body, sum);
    };
    return linalg::GenericOp::create(builder, loc, init.getType(), ValueRange{left, right}, init,
                                     maps, iterators, addTerm)
        .getResult(0);
  }

  SmallVector<OpFoldResult> resultSizes() {
    SmallVector<OpFoldResult> sizes = getBroadcastSizes(
        builder, loc, {SmallVector<OpFoldResult>(batchA()), SmallVector<OpFoldResult>(batchB())});
    sizes.append({rowsA(), sizesB.back()});
    return sizes;
  }

private:
  ArrayRef<OpFoldResult> batchA() const { return ArrayRef(sizesA).drop_back(2); }
  ArrayRef<OpFoldResult> batchB() const { return ArrayRef(sizesB).drop_back(2); }
  OpFoldResult rowsA() const { return sizesA.end()[-2]; }

  OpBuilder &builder;
  Location loc;
  IndexBuilder index;
  Value a, b;
  SmallVector<OpFoldResult> sizesA, sizesB;
};

/// Makes vectors matrices for `compute`, and drops from its result the dimensions that were added.
Value withMatrices(OpBuilder &builder, Location loc, Value a, Value b,
                   llvm::function_ref<Value(Value a, Value b)> compute) {
  bool isVectorA = getRank(a) == 1, isVectorB = getRank(b) == 1;
  if (isVectorA)
    a = addUnitDims(builder, loc, a, {0});
  if (isVectorB)
    b = addUnitDims(builder, loc, b, {1});
  Value product = compute(a, b);
  int64_t rank = getRank(product);
  SmallVector<int64_t> added;
  if (isVectorA)
    added.push_back(rank - 2);
  if (isVectorB)
    added.push_back(rank - 1);
  return dropUnitDims(builder, loc, product, added);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

struct MatMulLowering : OpConversionPattern<onnx::MatMulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::MatMulOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (getRank(adaptor.getA()) == 0 || getRank(adaptor.getB()) == 0)
      return refuse(rewriter, op, "operands must have at least one dimension");
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    Location loc = op.getLoc();
    Value result =
        withMatrices(rewriter, loc, adaptor.getA(), adaptor.getB(), [&](Value a, Value b) {
          return BatchedProduct(rewriter, loc, a, b).create();
        });
    result = convertElements(rewriter, loc, result, resultType.getElementType());
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }
};

struct GemmLowering : OpConversionPattern<onnx::GemmOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::GemmOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    if (getRank(adaptor.getA()) != 2 || getRank(adaptor.getB()) != 2)
      return refuse(rewriter, op, "A and B must have two dimensions");
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    Type element = resultType.getElementType();
    Value product =
        createMatmul(rewriter, loc, adaptor.getA(), adaptor.getB(), op.getTransA(), op.getTransB());
    double alpha = op.getAlpha(), beta = op.getBeta();
    SmallVector<Value> inputs = {product};
    if (!onnx::isAbsent(adaptor.getC()) && beta != 0)
      inputs.push_back(adaptor.getC());
    if (inputs.size() == 1 && alpha == 1 && getElementType(product) == element) {
      rewriter.replaceOp(op, castTo(rewriter, loc, product, resultType));
      return success();
    }
    auto scale = [](ImplicitLocOpBuilder &builder, Value value, double factor) -> Value {
      if (factor == 1)
        return value;
      Type type = value.getType();
      if (isa<FloatType>(type))
        return arith::MulFOp::create(builder, value,
                                     createScalar(builder, builder.getLoc(), type, factor));
      // Factors are floats even where elements are integers.
      Value wide = convertScalar(builder, value, builder.getF64Type(), false, false);
      wide = arith::MulFOp::create(builder, wide,
                                   createScalar(builder, builder.getLoc(), wide.getType(), factor));
      return convertScalar(builder, wide, type, false, false);
    };
    Value result = createElementwise(
        rewriter, loc, inputs, resultType,
        [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
          Value sum = scale(builder, elements[0], alpha);
          if (elements.size() == 2) {
            Value bias = scale(
                builder, convertScalar(builder, elements[1], sum.getType(), false, false), beta);
            sum = isa<FloatType>(sum.getType())
                      ? arith::AddFOp::create(builder, sum, bias).getResult()
                      : arith::AddIOp::create(builder, sum, bias).getResult();
          }
          return convertScalar(builder, sum, element, false, false);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct MatMulIntegerLowering : OpConversionPattern<onnx::MatMulIntegerOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::MatMulIntegerOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (getRank(adaptor.getA()) == 0 || getRank(adaptor.getB()) == 0)
      return refuse(rewriter, op, "operands must have at least one dimension");
    Location loc = op.getLoc();
    auto resultType = getTypeConverter()->convertType<RankedTensorType>(op.getY().getType());
    // Minus its zero point, which is one for all, one for each row of A or one for each column of
    // B.
    auto widen = [&](Value operand, Value zeroPoint, bool isUnsignedOperand, bool isRows) {
      SmallVector<Value> inputs = {operand};
      auto type = cast<RankedTensorType>(operand.getType());
      if (!onnx::isAbsent(zeroPoint)) {
        int64_t rank = getRank(zeroPoint);
        if (isRows && rank == 1 && getRank(operand) > 1 &&
            cast<RankedTensorType>(zeroPoint.getType()).getDimSize(0) != 1)
          zeroPoint = addUnitDims(rewriter, loc, zeroPoint, {1});
        inputs.push_back(zeroPoint);
      }
      Type wide = resultType.getElementType();
      return createElementwise(
          rewriter, loc, inputs, type.clone(wide),
          [&](ImplicitLocOpBuilder &builder, ValueRange elements) -> Value {
            Value value = convertScalar(builder, elements[0], wide, isUnsignedOperand, false);
            if (elements.size() == 1)
              return value;
            Value zero = convertScalar(builder, elements[1], wide, isUnsignedOperand, false);
            return arith::SubIOp::create(builder, value, zero);
          });
    };
    Value a = widen(adaptor.getA(), adaptor.getAZeroPoint(), isUnsigned(op.getA().getType()),
                    /*isRows=*/true);
    Value b = widen(adaptor.getB(), adaptor.getBZeroPoint(), isUnsigned(op.getB().getType()),
                    /*isRows=*/false);
    Value result = withMatrices(rewriter, loc, a, b, [&](Value a, Value b) {
      return BatchedProduct(rewriter, loc, a, b).create();
    });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, resultType));
    return success();
  }
};

} // namespace

void lower::populateContractionPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<MatMulLowering, GemmLowering, MatMulIntegerLowering>(converter,
                                                                    patterns.getContext());
}
