// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NarrowFloats.cpp - conversions of floats of 16 to 4 bits -------------===//
//
// One formula for all formats. Exponents are rebiased by a multiplication, and
// subnormal results rounded by the addition of a number whose last place is theirs:
// both let the processor's own arithmetic handle what would be special cases.
// From f64 it works on words of 64 bits: by way of f32 a value would be rounded twice.
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

/// A float: sign, exponent, mantissa.
struct Format {
  int64_t width, mantissaBits, bias;
  /// What the largest exponent means.
  enum class Special {
    Ieee,         // infinity, or NaN with a mantissa
    OnlyNaN,      // a number, but NaN where the mantissa is all ones ("fn")
    NegativeZero, // a number; the code of -0 is NaN ("fnuz")
    Number,       // a number; the largest stands for what is larger, -0 for NaN
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
  int64_t overflow() const {
    return special == Special::Ieee     ? infinity()
           : special == Special::Number ? largestFinite()
                                        : nan();
  }
};

constexpr Format f32Format{32, 23, 127, Format::Special::Ieee},
    f64Format{64, 52, 1023, Format::Special::Ieee};

std::optional<Format> formatOf(Type type) {
  using Special = Format::Special;
  return llvm::TypeSwitch<Type, std::optional<Format>>(getElementTypeOrSelf(type))
      .Case<Float16Type>([](Type) { return Format{16, 10, 15, Special::Ieee}; })
      .Case<BFloat16Type>([](Type) { return Format{16, 7, 127, Special::Ieee}; })
      .Case<Float8E5M2Type>([](Type) { return Format{8, 2, 15, Special::Ieee}; })
      .Case<Float8E4M3FNType>([](Type) { return Format{8, 3, 7, Special::OnlyNaN}; })
      .Case<Float8E4M3FNUZType>([](Type) { return Format{8, 3, 8, Special::NegativeZero}; })
      .Case<Float8E5M2FNUZType>([](Type) { return Format{8, 2, 16, Special::NegativeZero}; })
      .Case<Float4E2M1FNType>([](Type) { return Format{4, 1, 1, Special::Number}; })
      .Default([](Type) { return std::nullopt; });
}

/// Arithmetic on words of the width of `format` (f32Format or f64Format), as integers and as
/// floats, of the shape of one value.
class Words {
public:
  Words(OpBuilder &builder, Location loc, Type shape, const Format &format)
      : builder(builder), loc(loc), shape(shape), integer(builder.getIntegerType(format.width)),
        real(format.width == 64 ? Type(builder.getF64Type()) : builder.getF32Type()) {}

  Type typed(Type element) {
    if (auto vector = dyn_cast<VectorType>(shape))
      return vector.clone(element);
    return element;
  }
  Value word(int64_t value) { return constant(builder.getIntegerAttr(integer, value)); }
  Value power(int64_t exponent) {
    return constant(builder.getFloatAttr(real, std::ldexp(1.0, exponent)));
  }
  Value bits(Value value) { return arith::BitcastOp::create(builder, loc, typed(integer), value); }
  Value asFloat(Value value) { return arith::BitcastOp::create(builder, loc, typed(real), value); }
  Value extend(Value value) { return arith::ExtUIOp::create(builder, loc, typed(integer), value); }
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
  Type shape, integer, real;
};

using P = arith::CmpIPredicate;

/// The code of a narrow float as a word.
Value codeOf(OpBuilder &builder, Location loc, Words &w, Value value, int64_t width) {
  Type narrow = w.typed(builder.getIntegerType(width));
  return w.extend(arith::BitcastOp::create(builder, loc, narrow, value));
}

/// A power of two, or NaN: the code is the exponent of an f32, in which the smallest is subnormal.
Value extendExponent(OpBuilder &builder, Location loc, Value value) {
  Words w(builder, loc, value.getType(), f32Format);
  Value code = codeOf(builder, loc, w, value, 8);
  Value result = w.make<arith::ShLIOp>(code, w.word(23));
  result = w.select(w.compare(P::eq, code, 0), w.word(0x00400000), result);
  return w.asFloat(w.select(w.compare(P::eq, code, 255), w.word(0x7fc00000), result));
}

Value extend(OpBuilder &builder, Location loc, Value value, const Format &format) {
  Words w(builder, loc, value.getType(), f32Format);
  Value code = codeOf(builder, loc, w, value, format.width);
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
  case Format::Special::Number:
    break;
  }
  return w.asFloat(w.make<arith::OrIOp>(result, sign));
}

Value truncate(OpBuilder &builder, Location loc, Value value, Type type, const Format &format) {
  const Format &from = getElementTypeOrSelf(value.getType()).isF64() ? f64Format : f32Format;
  Words w(builder, loc, value.getType(), from);
  Value all = w.bits(value);
  Value a = w.make<arith::AndIOp>(all, w.word(~(int64_t(-1) << (from.width - 1))));
  int64_t dropped = from.mantissaBits - format.mantissaBits, biases = from.bias - format.bias;
  // Rebias, and add what makes the bits dropped carry where they are more than half, or half of an
  // odd number.
  Value odd = w.make<arith::AndIOp>(w.make<arith::ShRUIOp>(a, w.word(dropped)), w.word(1));
  int64_t bias = -(biases << from.mantissaBits) + (int64_t(1) << (dropped - 1)) - 1;
  Value normal = w.make<arith::ShRUIOp>(
      w.make<arith::AddIOp>(w.make<arith::AddIOp>(a, w.word(bias)), odd), w.word(dropped));
  Value magic = w.power(1 - format.bias - format.mantissaBits + from.mantissaBits);
  Value subnormal =
      w.make<arith::SubIOp>(w.bits(w.make<arith::AddFOp>(w.asFloat(a), magic)), w.bits(magic));
  Value small = w.compare(P::ult, a, (biases + 1) << from.mantissaBits);
  Value code = w.select(small, subnormal, normal);
  code = w.select(w.compare(P::ugt, code, format.largestFinite()), w.word(format.overflow()), code);
  Value sign = w.make<arith::AndIOp>(w.make<arith::ShRUIOp>(all, w.word(from.width - format.width)),
                                     w.word(format.signBit()));
  // The only NaN may be the code of -0, whatever the sign was.
  code = w.select(w.compare(P::ugt, a, from.infinity()), w.word(format.nan()), code);
  Value result = w.make<arith::OrIOp>(code, sign);
  if (format.special == Format::Special::NegativeZero)
    result = w.select(w.compare(P::eq, code, 0), w.word(0), result);
  Value narrow =
      arith::TruncIOp::create(builder, loc, w.typed(builder.getIntegerType(format.width)), result);
  return arith::BitcastOp::create(builder, loc, type, narrow);
}

/// f32, or a vector of it, in the shape of `type`.
Type inF32(Type type) {
  Type single = Float32Type::get(type.getContext());
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.clone(single) : single;
}

struct Extend : OpRewritePattern<arith::ExtFOp> {
  Extend(MLIRContext *context, bool nativeF16) : OpRewritePattern(context), nativeF16(nativeF16) {}
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn().getType());
    Type element = getElementTypeOrSelf(op.getType());
    // A bf16 is the upper half of an f32: that needs no formula, but to reach f64 it is a step.
    if ((from.isBF16() && !element.isF64()) || (from.isF16() && nativeF16))
      return failure();
    Value wide;
    if (from.isBF16())
      wide = arith::ExtFOp::create(rewriter, op.getLoc(), inF32(op.getIn().getType()), op.getIn());
    else if (isa<Float8E8M0FNUType>(from))
      wide = extendExponent(rewriter, op.getLoc(), op.getIn());
    else if (std::optional<Format> format = formatOf(from))
      wide = extend(rewriter, op.getLoc(), op.getIn(), *format);
    else
      return failure();
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
    Value value = op.getIn();
    Type from = getElementTypeOrSelf(value.getType()), to = getElementTypeOrSelf(op.getType());
    std::optional<Format> format = formatOf(to);
    if (!format || (!from.isF64() && (to.isBF16() || (to.isF16() && nativeF16))))
      return failure();
    if (!from.isF32() && !from.isF64())
      value = arith::ExtFOp::create(rewriter, op.getLoc(), inF32(value.getType()), value);
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
