// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Elements.cpp - small tensors, element by element -------------------===//

#include "lib/simplify/Elements.h"

#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {
namespace {

/// Whether `value` cannot be negative: sizes, and sums, products and quotients of them.
bool isNonNegative(Value value) {
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return !constant.getValue().isNegative();
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<plan::DimOp, tensor::DimOp>(op))
    return true;
  return isa_and_nonnull<arith::AddIOp, arith::MulIOp, arith::DivSIOp, arith::MinSIOp>(op) &&
         llvm::all_of(op->getOperands(), isNonNegative);
}

class Evaluation {
public:
  Evaluation(llvm::function_ref<Known(Value)> lookup, OpBuilder &builder, Location location)
      : lookup(lookup), builder(builder), location(location) {}

  Known evaluate(Operation &op) {
    using arith::CmpFPredicate;
    using arith::CmpIPredicate;
    return llvm::TypeSwitch<Operation *, Known>(&op)
        .Case<onnx::AddOp>([&](auto) { return binary<arith::AddIOp, arith::AddFOp>(op); })
        .Case<onnx::SubOp>([&](auto) { return binary<arith::SubIOp, arith::SubFOp>(op); })
        .Case<onnx::MulOp>([&](auto) { return binary<arith::MulIOp, arith::MulFOp>(op); })
        .Case<onnx::MinOp>([&](auto) { return binary<arith::MinSIOp, arith::MinimumFOp>(op); })
        .Case<onnx::MaxOp>([&](auto) { return binary<arith::MaxSIOp, arith::MaximumFOp>(op); })
        .Case<onnx::DivOp>([&](auto) { return divide(op); })
        .Case([&](onnx::ModOp mod) { return modulo(mod); })
        .Case<onnx::NegOp>([&](auto) {
          return elementwise(op, [&](ArrayRef<Value> v) -> Value {
            return v[0].getType().isIndex()
                       ? builder.createOrFold<arith::SubIOp>(
                             location, arith::ConstantIndexOp::create(builder, location, 0), v[0])
                       : builder.createOrFold<arith::NegFOp>(location, v[0]);
          });
        })
        .Case<onnx::FloorOp>([&](auto) { return unaryFloat<math::FloorOp>(op); })
        .Case<onnx::CeilOp>([&](auto) { return unaryFloat<math::CeilOp>(op); })
        .Case<onnx::EqualOp>(
            [&](auto) { return compare(op, CmpIPredicate::eq, CmpFPredicate::OEQ); })
        .Case<onnx::LessOp>(
            [&](auto) { return compare(op, CmpIPredicate::slt, CmpFPredicate::OLT); })
        .Case<onnx::LessOrEqualOp>(
            [&](auto) { return compare(op, CmpIPredicate::sle, CmpFPredicate::OLE); })
        .Case<onnx::GreaterOp>(
            [&](auto) { return compare(op, CmpIPredicate::sgt, CmpFPredicate::OGT); })
        .Case<onnx::GreaterOrEqualOp>(
            [&](auto) { return compare(op, CmpIPredicate::sge, CmpFPredicate::OGE); })
        .Case<onnx::AndOp>([&](auto) { return binary<arith::AndIOp, arith::AddFOp>(op); })
        .Case<onnx::OrOp>([&](auto) { return binary<arith::OrIOp, arith::AddFOp>(op); })
        .Case<onnx::NotOp>([&](auto) {
          return elementwise(op, [&](ArrayRef<Value> v) -> Value {
            Value yes = arith::ConstantOp::create(builder, location, builder.getBoolAttr(true));
            return builder.createOrFold<arith::XOrIOp>(location, v[0], yes);
          });
        })
        .Case<onnx::WhereOp>([&](auto) {
          return elementwise(op, [&](ArrayRef<Value> v) {
            return builder.createOrFold<arith::SelectOp>(location, v[0], v[1], v[2]);
          });
        })
        .Default([](Operation *) { return std::nullopt; });
  }

private:
  /// Applies `payload` to broadcast elements.
  Known elementwise(Operation &op, llvm::function_ref<Value(ArrayRef<Value>)> payload) {
    SmallVector<Elements> operands;
    SmallVector<int64_t> shape;
    for (Value operand : op.getOperands()) {
      Known data = lookup(operand);
      if (!data)
        return std::nullopt;
      operands.push_back(*data);
      if (data->shape.size() > shape.size())
        shape.insert(shape.begin(), data->shape.size() - shape.size(), 1);
      for (auto [size, other] : llvm::zip(llvm::reverse(shape), llvm::reverse(data->shape))) {
        if (size != other && size != 1 && other != 1)
          return std::nullopt;
        size = size == 1 ? other : size;
      }
    }
    int64_t count = ShapedType::getNumElements(shape);
    if (count > Elements::most)
      return std::nullopt;
    Elements result{shape, {}};
    for (int64_t element = 0; element < count; ++element) {
      SmallVector<Value> arguments;
      for (Elements &operand : operands) {
        int64_t position = 0, stride = 1, rest = element;
        for (size_t back = 1; back <= shape.size(); ++back) {
          int64_t coordinate = rest % shape[shape.size() - back];
          rest /= shape[shape.size() - back];
          if (back > operand.shape.size())
            continue;
          int64_t size = operand.shape[operand.shape.size() - back];
          position += (size == 1 ? 0 : coordinate) * stride;
          stride *= size;
        }
        arguments.push_back(operand.values[position]);
      }
      Value value = payload(arguments);
      if (!value)
        return std::nullopt;
      result.values.push_back(value);
    }
    return result;
  }

  template <typename IntegerOp, typename FloatOp>
  Known binary(Operation &op) {
    return elementwise(op, [&](ArrayRef<Value> v) -> Value {
      Value result = v.front();
      for (Value next : v.drop_front())
        result = result.getType().isF32() ? builder.createOrFold<FloatOp>(location, result, next)
                                          : builder.createOrFold<IntegerOp>(location, result, next);
      return result;
    });
  }

  Known compare(Operation &op, arith::CmpIPredicate integers, arith::CmpFPredicate floats) {
    return elementwise(op, [&](ArrayRef<Value> v) -> Value {
      if (v[0].getType().isF32())
        return builder.createOrFold<arith::CmpFOp>(location, floats, v[0], v[1]);
      // Sizes are never the -1 that exporters compare them with.
      APInt constant;
      if (integers == arith::CmpIPredicate::eq && isNonNegative(v[0]) &&
          matchPattern(v[1], m_ConstantInt(&constant)) && constant.isNegative())
        return arith::ConstantOp::create(builder, location, builder.getBoolAttr(false));
      return builder.createOrFold<arith::CmpIOp>(location, integers, v[0], v[1]);
    });
  }

  /// Integer division by zero is left to run as it is written.
  Known divide(Operation &op) {
    return elementwise(op, [&](ArrayRef<Value> v) -> Value {
      if (v[0].getType().isF32())
        return builder.createOrFold<arith::DivFOp>(location, v[0], v[1]);
      APInt divisor;
      if (!matchPattern(v[1], m_ConstantInt(&divisor)) || divisor.isZero())
        return {};
      return builder.createOrFold<arith::DivSIOp>(location, v[0], v[1]);
    });
  }

  /// The sign of the divisor, as Python's %; C's where `fmod` is set.
  Known modulo(onnx::ModOp op) {
    return elementwise(*op, [&](ArrayRef<Value> v) -> Value {
      APInt divisor;
      if (!v[0].getType().isIndex() || !matchPattern(v[1], m_ConstantInt(&divisor)) ||
          !divisor.isStrictlyPositive())
        return {};
      if (!op.getFmod() && !isNonNegative(v[0]))
        return {};
      return builder.createOrFold<arith::RemSIOp>(location, v[0], v[1]);
    });
  }

  template <typename FloatOp>
  Known unaryFloat(Operation &op) {
    return elementwise(op, [&](ArrayRef<Value> v) -> Value {
      return v[0].getType().isF32() ? builder.createOrFold<FloatOp>(location, v[0]) : Value();
    });
  }

  llvm::function_ref<Known(Value)> lookup;
  OpBuilder &builder;
  Location location;
};

} // namespace

Known evaluateElementwise(Operation &op, llvm::function_ref<Known(Value)> lookup,
                          OpBuilder &builder, Location location) {
  return Evaluation(lookup, builder, location).evaluate(op);
}

} // namespace tenon
