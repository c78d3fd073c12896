// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions are exact: a source that f32 does not hold (integers of 32 and 64 bits) reaches
// narrower floats through f64, from which a single rounding leads (lib/codegen/NarrowFloats.h).

#include "lib/lower/ElementTypes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

bool lower::isPacked(Type onnxElement) {
  return onnxElement.isIntOrFloat() && !onnxElement.isInteger(1) &&
         onnxElement.getIntOrFloatBitWidth() < 8;
}

Type lower::getStorageType(Type onnxElement) {
  MLIRContext *context = onnxElement.getContext();
  if (onnxElement.isIndex() || onnxElement.isInteger(1))
    return onnxElement;
  if (auto complex = dyn_cast<ComplexType>(onnxElement))
    return IntegerType::get(context, 2 * complex.getElementType().getIntOrFloatBitWidth());
  if (isPacked(onnxElement))
    return IntegerType::get(context, 8);
  if (auto integer = dyn_cast<IntegerType>(onnxElement))
    return llvm::is_contained({8u, 16u, 32u, 64u}, integer.getWidth())
               ? IntegerType::get(context, integer.getWidth())
               : Type();
  return isa<FloatType>(onnxElement) && onnxElement.getIntOrFloatBitWidth() <= 64 ? onnxElement
                                                                                  : Type();
}

bool lower::computesWithComplex(Operation *op) {
  if (llvm::none_of(op->getOperandTypes(), [](Type type) {
        auto tensor = dyn_cast<ShapedType>(type);
        return tensor && isa<ComplexType>(tensor.getElementType());
      }))
    return false;
  auto reduces = [](StringRef reduction) { return reduction != "none"; };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<onnx::Col2ImOp, onnx::GridSampleOp, onnx::ResizeOp>([](auto) { return true; })
      .Case<onnx::ScatterElementsOp, onnx::ScatterNDOp>(
          [&](auto scatter) { return reduces(scatter.getReduction()); })
      .Default([](Operation *) { return false; });
}

DenseElementsAttr lower::getStorageElements(DenseElementsAttr elements) {
  Type from = elements.getElementType(), to = getStorageType(from);
  if (from == to)
    return elements;
  if (isPacked(from)) {
    auto hold = [&](const APInt &value) {
      return !from.isUnsignedInteger() ? value.sext(8) : value.zext(8);
    };
    if (isa<FloatType>(from))
      return elements.mapValues(to,
                                [&](const APFloat &value) { return hold(value.bitcastToAPInt()); });
    return elements.mapValues(to, hold);
  }
  if (isa<ComplexType>(from))
    return DenseElementsAttr::getFromRawBuffer(elements.getType().clone(to), elements.getRawData());
  return elements.bitcast(to);
}

/// The type in which an element is computed with.
static Type getArithmeticType(Type onnxElement) {
  if (isa<FloatType>(onnxElement))
    return onnxElement;
  return IntegerType::get(onnxElement.getContext(), onnxElement.getIntOrFloatBitWidth());
}

/// From how an element is held to its arithmetic type; integers below a byte may stay extended.
static Value decode(ImplicitLocOpBuilder &builder, Value element, Type onnxElement) {
  if (!isPacked(onnxElement) || !isa<FloatType>(onnxElement))
    return element;
  Type code = builder.getIntegerType(onnxElement.getIntOrFloatBitWidth());
  return arith::BitcastOp::create(builder, onnxElement,
                                  arith::TruncIOp::create(builder, code, element).getResult());
}

static Value encode(ImplicitLocOpBuilder &builder, Value element, Type onnxElement) {
  if (!isPacked(onnxElement))
    return element;
  Type byte = builder.getI8Type();
  if (isa<FloatType>(onnxElement)) {
    Type code = builder.getIntegerType(onnxElement.getIntOrFloatBitWidth());
    element = arith::BitcastOp::create(builder, code, element);
  }
  return !isUnsigned(onnxElement) ? arith::ExtSIOp::create(builder, byte, element).getResult()
                                  : arith::ExtUIOp::create(builder, byte, element).getResult();
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// The nearest type of f32 and f64 that holds all numbers of a type, if one does.
static Type getExactFloat(OpBuilder &builder, Type from) {
  unsigned width = from.getIntOrFloatBitWidth();
  return width == 64 || (width == 32 && isa<IntegerType>(from)) ? Type(builder.getF64Type())
                                                                : builder.getF32Type();
}

Value lower::elementToFloat(ImplicitLocOpBuilder &builder, Value element, Type from, Type to) {
  return convertScalar(builder, decode(builder, element, from), to, isUnsigned(from),
                       /*toUnsigned=*/false);
}

/// The largest finite number of an 8-bit float limits what is rounded; NaN stays.
static Value saturate(ImplicitLocOpBuilder &builder, Value value, FloatType to) {
  double largest = APFloat::getLargest(to.getFloatSemantics()).convertToDouble();
  auto limit = [&](arith::CmpFPredicate predicate, double bound) {
    Value limit = createScalar(builder, builder.getLoc(), value.getType(), bound);
    Value beyond = arith::CmpFOp::create(builder, predicate, value, limit);
    value = arith::SelectOp::create(builder, beyond, limit, value);
  };
  limit(arith::CmpFPredicate::OGT, largest);
  limit(arith::CmpFPredicate::OLT, -largest);
  return value;
}

/// The exponent of the magnitude of an f32 as a code of f8E8M0FNU, whose smallest number, 2^-127,
/// is subnormal in f32.
static Value toExponent(ImplicitLocOpBuilder &builder, Value value, CastMode mode) {
  using Predicate = arith::CmpIPredicate;
  constexpr int64_t infinity = 0x7f800000, smallest = 0x00400000, nan = 255, largest = 254;
  Type word = builder.getI32Type();
  auto constant = [&](int64_t number) {
    return createIntegerScalar(builder, builder.getLoc(), word, number);
  };
  auto replace = [&](Predicate predicate, Value number, int64_t bound, int64_t result,
                     Value otherwise) -> Value {
    Value condition = arith::CmpIOp::create(builder, predicate, number, constant(bound));
    return arith::SelectOp::create(builder, condition, constant(result), otherwise);
  };
  Value magnitude = arith::AndIOp::create(
      builder, arith::BitcastOp::create(builder, word, value).getResult(), constant(0x7fffffff));
  // What is added before the mantissa is dropped, and from where on a subnormal is rounded to
  // 2^-126.
  int64_t addend = 0, next = 0x00800000;
  if (mode.round == CastMode::Round::Up)
    addend = 0x007fffff, next = smallest + 1;
  else if (mode.round == CastMode::Round::Nearest)
    addend = smallest, next = 0x00600000;
  Value rounded = arith::AddIOp::create(builder, magnitude, constant(addend));
  Value code = arith::ShRUIOp::create(builder, rounded, constant(23));
  code = replace(Predicate::ult, magnitude, next, 0, code);
  code = replace(Predicate::uge, code, nan, mode.saturate ? largest : nan, code);
  if (!mode.saturate)
    code = replace(Predicate::ult, magnitude, smallest, nan, code);
  code = replace(Predicate::ugt, magnitude, infinity, nan, code);
  Value byte = arith::TruncIOp::create(builder, builder.getI8Type(), code);
  return arith::BitcastOp::create(builder, Float8E8M0FNUType::get(builder.getContext()), byte);
}

Value lower::castElement(ImplicitLocOpBuilder &builder, Value element, Type from, Type to,
                         CastMode mode) {
  if (from == to && !isa<Float8E5M2Type>(to))
    return element;
  if (isa<Float8E8M0FNUType>(to))
    return toExponent(builder, elementToFloat(builder, element, from, builder.getF32Type()), mode);
  auto toFloat = dyn_cast<FloatType>(to);
  if (toFloat && toFloat.getWidth() < 32) {
    Type middle = getExactFloat(builder, from);
    Value value = elementToFloat(builder, element, from, middle);
    if (toFloat.getWidth() == 8 && mode.saturate)
      value = saturate(builder, value, toFloat);
    return encode(builder, convertScalar(builder, value, to, false, false), to);
  }
  Value result = convertScalar(builder, decode(builder, element, from), getArithmeticType(to),
                               isUnsigned(from), isUnsigned(to));
  return encode(builder, result, to);
}
