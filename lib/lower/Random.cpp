// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers: RandomUniform, RandomNormal and their -Like forms.
//
// The generator is Philox4x32-10 (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011): a block cipher of a counter. The counter is the
// position of the element, so that every element is computed alone and the numbers depend neither
// on the number of threads nor on how loops are tiled. The key is the node's seed, or its name
// where it has none: a model gives the same numbers in each run, and two nodes different ones.

#include "lib/lower/Elementwise.h"
#include "lib/lower/Patterns.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/xxhash.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

//===----------------------------------------------------------------------===//
// Philox
//===----------------------------------------------------------------------===//

/// Words of 32 bits, each in an i64, since that is the width that they are multiplied in.
using Words = std::array<Value, 4>;

class Philox {
public:
  Philox(ImplicitLocOpBuilder &body, uint64_t key)
      : body(body), mask(constant(0xFFFFFFFF)), keyLow(key & 0xFFFFFFFF), keyHigh(key >> 32) {}

  /// Four random words for a counter of 64 bits.
  Words generate(Value counter) {
    Words words{low(counter), high(counter), constant(0), constant(0)};
    uint32_t first = keyLow, second = keyHigh;
    for (int round = 0; round < 10; ++round, first += 0x9E3779B9, second += 0xBB67AE85) {
      Value left = arith::MulIOp::create(body, words[0], constant(0xD2511F53)),
            right = arith::MulIOp::create(body, words[2], constant(0xCD9E8D57));
      words = {exclusiveOr(exclusiveOr(high(right), words[1]), constant(first)), low(right),
               exclusiveOr(exclusiveOr(high(left), words[3]), constant(second)), low(left)};
    }
    return words;
  }

  /// A float in [0, 1) of `type`, f32 or f64, from words `first` and `first + 1`; every value is a
  /// multiple of the same power of two.
  Value toUnit(const Words &words, unsigned first, FloatType type) {
    Value bits = words[first];
    unsigned width = 32;
    if (type.isF64()) {
      bits = arith::OrIOp::create(body, arith::ShLIOp::create(body, words[first + 1], constant(32)),
                                  bits);
      width = 64;
    }
    unsigned precision = type.getFPMantissaWidth();
    bits = arith::ShRUIOp::create(body, bits, constant(width - precision));
    Value number = arith::SIToFPOp::create(body, type, bits);
    return arith::MulFOp::create(
        body, number,
        createScalar(body, body.getLoc(), type, std::ldexp(1.0, -static_cast<int>(precision))));
  }

private:
  Value constant(uint64_t value) {
    return createIntegerScalar(body, body.getLoc(), body.getI64Type(), static_cast<int64_t>(value));
  }
  Value low(Value x) { return arith::AndIOp::create(body, x, mask); }
  Value high(Value x) { return arith::ShRUIOp::create(body, x, constant(32)); }
  Value exclusiveOr(Value a, Value b) { return arith::XOrIOp::create(body, a, b); }

  ImplicitLocOpBuilder &body;
  Value mask;
  uint32_t keyLow, keyHigh;
};

template <typename Op>
uint64_t getKey(Op op) {
  if (std::optional<float> seed = op.getSeed())
    return llvm::bit_cast<uint32_t>(*seed);
  std::string name;
  // Not where the model's file is: a copy of it gives the same numbers.
  op.getLoc()->walk([&](Location nested) {
    if (auto node = dyn_cast<NameLoc>(nested))
      name += node.getName().strref();
    return WalkResult::advance();
  });
  return llvm::xxh3_64bits(name);
}

//===----------------------------------------------------------------------===//
// Distributions
//===----------------------------------------------------------------------===//

/// A number of a distribution, computed in `type`, f32 or f64.
using Distribution =
    llvm::function_ref<Value(Scalar &scalar, Philox &philox, const Words &words, FloatType type)>;

/// A tensor of random numbers.
Value createRandom(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
                   FloatType element, uint64_t key, Distribution distribution) {
  auto wide = cast<FloatType>(getAccumulatorType(element));
  return createFromPositions(
      builder, loc, sizes, element, [&](ImplicitLocOpBuilder &body, ArrayRef<Value> position) {
        IndexBuilder index(body, loc);
        OpFoldResult counter = index.constant(0);
        for (auto [here, size] : llvm::zip_equal(position, sizes))
          counter = index.add(index.multiply(counter, size), here);
        Philox philox(body, key);
        Words words = philox.generate(
            arith::IndexCastOp::create(body, body.getI64Type(), index.value(counter)));
        Scalar scalar(body, /*op=*/nullptr, false);
        return convertScalar(body, distribution(scalar, philox, words, wide), element, false,
                             false);
      });
}

/// Replaces `op` by random numbers in the shape of its operand, or the one that it is given.
template <typename Op>
LogicalResult replaceByRandom(const OpConversionPattern<Op> &pattern, Op op,
                              typename Op::Adaptor adaptor, ConversionPatternRewriter &rewriter,
                              Distribution distribution) {
  auto type =
      pattern.getTypeConverter()->template convertType<RankedTensorType>(op.getOutput().getType());
  auto element = dyn_cast<FloatType>(type.getElementType());
  if (!element)
    return refuse(rewriter, op, "random numbers of a type that is no float are not supported");
  SmallVector<OpFoldResult> sizes;
  if constexpr (Op::template hasTrait<OpTrait::ZeroOperands>())
    sizes = getAsIndexOpFoldResult(op.getContext(), type.getShape());
  else
    sizes = refineSizes(rewriter, getDims(rewriter, op.getLoc(), adaptor.getInput()), type);
  Value result = createRandom(rewriter, op.getLoc(), sizes, element, getKey(op), distribution);
  rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), result, type));
  return success();
}

/// RandomUniform and RandomUniformLike.
template <typename Op>
struct UniformLowering : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    double low = op.getLow(), high = op.getHigh();
    return replaceByRandom(*this, op, adaptor, rewriter,
                           [&](Scalar &scalar, Philox &philox, const Words &words, FloatType type) {
                             return scalar.affine(philox.toUnit(words, 0, type), high - low, low);
                           });
  }
};

/// RandomNormal and RandomNormalLike, by the transform of G. E. P. Box and M. E. Muller (1958).
template <typename Op>
struct NormalLowering : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    double mean = op.getMean(), deviation = op.getScale();
    return replaceByRandom(
        *this, op, adaptor, rewriter,
        [&](Scalar &scalar, Philox &philox, const Words &words, FloatType type) {
          // In (0, 1], so that the logarithm is finite.
          Value chance = scalar.affine(philox.toUnit(words, 0, type), -1, 1);
          Value angle = scalar.affine(philox.toUnit(words, 2, type), 2 * M_PI, 0);
          Value radius = math::SqrtOp::create(
              scalar.builder, scalar.affine(math::LogOp::create(scalar.builder, chance), -2, 0));
          Value normal = scalar.multiply(radius, math::CosOp::create(scalar.builder, angle));
          return scalar.affine(normal, deviation, mean);
        });
  }
};

} // namespace

void lower::populateRandomPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<UniformLowering<onnx::RandomUniformOp>, UniformLowering<onnx::RandomUniformLikeOp>,
               NormalLowering<onnx::RandomNormalOp>, NormalLowering<onnx::RandomNormalLikeOp>>(
      converter, patterns.getContext());
}
