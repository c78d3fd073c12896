// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NarrowFloats.cpp - conversions of floats of 16 and 8 bits -----------===//
//
// One formula for all formats. Exponents are rebiased by a multiplication, and
// subnormal results rounded by the addition of a number whose last place is theirs:
// both let the processor's own arithmetic handle what would be special cases.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/NarrowFloats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;

namespace tenon {

namespace {

/// A float of fewer than 32 bits: sign, exponent, mantissa.
struct Format {
  int64_t width, mantissaBits, bias;
  /// What the largest exponent means.
  enum class Special {
    Ieee,         // infinity, or NaN with a mantissa
    OnlyNaN,      // a number, but NaN where the mantissa is all ones ("fn")
    NegativeZero, // a number; the code of -0 is NaN ("fnuz")
  } special;

  int64_t signBit() const { return int64_t(1) << (width - 1); }
  int64_t infinity() const {
    return ((int64_t(1) << (width - 1 - mantissaBits)) - 1) << mantissaBits;
  }
  int64_t nan() const {
    return special == Special::Ieee      ? infinity() | (int64_t(1) << (mantissaBits - 1))
           : special == Special::OnlyNaN ? signBit() - 1
                                         : signBit();
  }
  int64_t largestFinite() const {
    return special == Special::Ieee      ? infinity() - 1
           : special == Special::OnlyNaN ? signBit() - 2
                                         : signBit() - 1;
  }
  int64_t overflow() const { return special == Special::Ieee ? infinity() : nan(); }
};

std::optional<Format> formatOf(Type type, bool nativeF16) {
  using Special = Format::Special;
  return llvm::TypeSwitch<Type, std::optional<Format>>(getElementTypeOrSelf(type))
      .Case<Float16Type>([&](Type) {
        return nativeF16 ? std::nullopt : std::optional(Format{16, 10, 15, Special::Ieee});
      })
      .Case<Float8E5M2Type>([](Type) { return Format{8, 2, 15, Special::Ieee}; })
      .Case<Float8E4M3FNType>([](Type) { return Format{8, 3, 7, Special::OnlyNaN}; })
      .Case<Float8E4M3FNUZType>([](Type) { return Format{8, 3, 8, Special::NegativeZero}; })
      .Case<Float8E5M2FNUZType>([](Type) { return Format{8, 2, 16, Special::NegativeZero}; })
      .Default([](Type) { return std::nullopt; });
}

/// Arithmetic on 32-bit words, as integers and as floats, of the shape of one value.
class Words {
public:
  Words(OpBuilder &builder, Location loc, Type shape) : builder(builder), loc(loc), shape(shape) {}

  Type typed(Type element) {
    if (auto vector = dyn_cast<VectorType>(shape))
      return vector.clone(element);
    return element;
  }
  Value word(int64_t value) {
    return constant(builder.getI32IntegerAttr(static_cast<int32_t>(value)));
  }
  Value power(int64_t exponent) {
    return constant(builder.getF32FloatAttr(std::ldexp(1.0f, exponent)));
  }
  Value bits(Value value) {
    return arith::BitcastOp::create(builder, loc, typed(builder.getI32Type()), value);
  }
  Value asFloat(Value value) {
    return arith::BitcastOp::create(builder, loc, typed(builder.getF32Type()), value);
  }
  template <typename Op>
  Value make(Value a, Value b) {
    return Op::create(builder, loc, a, b);
  }
  Value compare(arith::CmpIPredicate predicate, Value a, int64_t b) {
    return arith::CmpIOp::create(builder, loc, predicate, a, word(b));
  }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(builder, loc, condition, a, b);
  }

private:
  Value constant(TypedAttr scalar) {
    if (auto vector = dyn_cast<VectorType>(typed(scalar.getType())))
      return arith::ConstantOp::create(builder, loc,
                                       DenseElementsAttr::get(vector, Attribute(scalar)));
    return arith::ConstantOp::create(builder, loc, scalar);
  }
  OpBuilder &builder;
  Location loc;
  Type shape;
};

using P = arith::CmpIPredicate;

Value extend(OpBuilder &builder, Location loc, Value value, const Format &format) {
  Words w(builder, loc, value.getType());
  Type narrow = w.typed(builder.getIntegerType(format.width));
  Value code =
      arith::ExtUIOp::create(builder, loc, w.typed(builder.getI32Type()),
                             arith::BitcastOp::create(builder, loc, narrow, value).getResult());
  Value magnitude = w.make<arith::AndIOp>(code, w.word(format.signBit() - 1));
  Value sign = w.make<arith::ShLIOp>(w.make<arith::AndIOp>(code, w.word(format.signBit())),
                                     w.word(32 - format.width));
  // As if the exponent had f32's bias, then times the power that makes up for it.
  Value shifted = w.make<arith::ShLIOp>(magnitude, w.word(23 - format.mantissaBits));
  Value result = w.bits(w.make<arith::MulFOp>(w.asFloat(shifted), w.power(127 - format.bias)));
  constexpr int64_t infinity = 0x7f800000, nan = 0x7fc00000;
  switch (format.special) {
  case Format::Special::Ieee:
    result = w.select(w.compare(P::uge, magnitude, format.infinity()),
                      w.make<arith::OrIOp>(shifted, w.word(infinity)), result);
    break;
  case Format::Special::OnlyNaN:
    result = w.select(w.compare(P::eq, magnitude, format.nan()), w.word(nan), result);
    break;
  case Format::Special::NegativeZero:
    result = w.select(w.compare(P::eq, code, format.nan()), w.word(nan), result);
    break;
  }
  return w.asFloat(w.make<arith::OrIOp>(result, sign));
}

Value truncate(OpBuilder &builder, Location loc, Value value, Type type, const Format &format) {
  Words w(builder, loc, value.getType());
  Value all = w.bits(value);
  Value a = w.make<arith::AndIOp>(all, w.word(0x7fffffff));
  int64_t dropped = 23 - format.mantissaBits;
  // Rebias, and add what makes the bits dropped carry where they are more than half, or half of an
  // odd number.
  Value odd = w.make<arith::AndIOp>(w.make<arith::ShRUIOp>(a, w.word(dropped)), w.word(1));
  int64_t bias = -((127 - format.bias) << 23) + (int64_t(1) << (dropped - 1)) - 1;
  Value normal = w.make<arith::ShRUIOp>(
      w.make<arith::AddIOp>(w.make<arith::AddIOp>(a, w.word(bias)), odd), w.word(dropped));
  Value magic = w.power(1 - format.bias - format.mantissaBits + 23);
  Value subnormal =
      w.make<arith::SubIOp>(w.bits(w.make<arith::AddFOp>(w.asFloat(a), magic)), w.bits(magic));
  Value small = w.compare(P::ult, a, (127 + 1 - format.bias) << 23);
  Value code = w.select(small, subnormal, normal);
  code = w.select(w.compare(P::ugt, code, format.largestFinite()), w.word(format.overflow()), code);
  code = w.select(w.compare(P::ugt, a, 0x7f800000), w.word(format.nan()), code);
  Value sign = w.make<arith::AndIOp>(w.make<arith::ShRUIOp>(all, w.word(32 - format.width)),
                                     w.word(format.signBit()));
  Value result = w.make<arith::OrIOp>(code, sign);
  if (format.special == Format::Special::NegativeZero)
    result = w.select(w.compare(P::eq, code, 0), w.word(0), result);
  Value narrow =
      arith::TruncIOp::create(builder, loc, w.typed(builder.getIntegerType(format.width)), result);
  return arith::BitcastOp::create(builder, loc, type, narrow);
}

struct Extend : OpRewritePattern<arith::ExtFOp> {
  Extend(MLIRContext *context, bool nativeF16) : OpRewritePattern(context), nativeF16(nativeF16) {}
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    std::optional<Format> format = formatOf(op.getIn().getType(), nativeF16);
    if (!format)
      return failure();
    Value wide = extend(rewriter, op.getLoc(), op.getIn(), *format);
    Type element = getElementTypeOrSelf(op.getType());
    if (element.isF32())
      rewriter.replaceOp(op, wide);
    else if (element.isF64())
      rewriter.replaceOpWithNewOp<arith::ExtFOp>(op, op.getType(), wide);
    else
      rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), wide);
    return success();
  }
  bool nativeF16;
};

struct Truncate : OpRewritePattern<arith::TruncFOp> {
  Truncate(MLIRContext *context, bool nativeF16)
      : OpRewritePattern(context), nativeF16(nativeF16) {}
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    std::optional<Format> format = formatOf(op.getType(), nativeF16);
    if (!format)
      return failure();
    Value value = op.getIn();
    Type element = getElementTypeOrSelf(value.getType());
    if (!element.isF32()) {
      Type single = rewriter.getF32Type();
      if (auto vector = dyn_cast<VectorType>(value.getType()))
        single = vector.clone(single);
      value = element.isF64()
                  ? arith::TruncFOp::create(rewriter, op.getLoc(), single, value).getResult()
                  : arith::ExtFOp::create(rewriter, op.getLoc(), single, value).getResult();
    }
    rewriter.replaceOp(op, truncate(rewriter, op.getLoc(), value, op.getType(), *format));
    return success();
  }
  bool nativeF16;
};

} // namespace

void populateNarrowFloatPatterns(RewritePatternSet &patterns, bool nativeF16) {
  patterns.add<Extend, Truncate>(patterns.getContext(), nativeF16);
}

} // namespace tenon
