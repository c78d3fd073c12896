// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ScalarEmitter.cpp --------------------------------------------------===//

#include "lib/schedule/ScalarEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

uint32_t ScalarEmitter::newRegister(bool late) {
  lateRegisters.push_back(late);
  return program.registerCount++;
}

uint32_t ScalarEmitter::constant(int64_t value) {
  auto [entry, isNew] = constants.try_emplace(value, 0);
  if (isNew) {
    entry->second = newRegister(/*late=*/false);
    append(artifact::Constant{entry->second, value}, /*late=*/false);
  }
  return entry->second;
}

uint32_t ScalarEmitter::arithmetic(artifact::ArithmeticKind kind, uint32_t lhs, uint32_t rhs,
                                   uint32_t condition) {
  bool late = isLate(lhs) || isLate(rhs) || (condition != artifact::none && isLate(condition));
  // Dividing by zero is an error, which a branch that is not taken must not make.
  using Kind = artifact::ArithmeticKind;
  bool divides = kind == Kind::FloorDivide || kind == Kind::CeilDivide || kind == Kind::FloorModulo;
  late |= divides && nesting > 0 && !isNonZeroConstant(rhs);
  uint32_t result = newRegister(late);
  append(artifact::Arithmetic{kind, result, lhs, rhs, condition}, late);
  return result;
}

bool ScalarEmitter::isNonZeroConstant(uint32_t reg) const {
  return llvm::any_of(constants,
                      [&](auto entry) { return entry.second == reg && entry.first != 0; });
}

/// Division that rounds towards zero, of which the runtime has only the other two kinds.
uint32_t ScalarEmitter::truncatingDivide(uint32_t lhs, uint32_t rhs) {
  using Kind = artifact::ArithmeticKind;
  uint32_t zero = constant(0);
  uint32_t floored = arithmetic(Kind::FloorDivide, lhs, rhs),
           raised = arithmetic(Kind::CeilDivide, lhs, rhs);
  return arithmetic(Kind::Select, raised, floored, arithmetic(Kind::Less, floored, zero));
}

SmallVector<uint32_t> ScalarEmitter::registersOf(ValueRange values) {
  return llvm::map_to_vector(values, [&](Value value) { return registers.lookup(value); });
}

static std::optional<artifact::ArithmeticKind> directKind(Operation &op) {
  using Kind = artifact::ArithmeticKind;
  return llvm::TypeSwitch<Operation *, std::optional<Kind>>(&op)
      .Case<arith::AddIOp>([](auto) { return Kind::Add; })
      .Case<arith::SubIOp>([](auto) { return Kind::Subtract; })
      .Case<arith::MulIOp>([](auto) { return Kind::Multiply; })
      .Case<arith::FloorDivSIOp, arith::DivUIOp>([](auto) { return Kind::FloorDivide; })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>([](auto) { return Kind::CeilDivide; })
      .Case<arith::RemUIOp>([](auto) { return Kind::FloorModulo; })
      .Case<arith::MinSIOp, arith::MinUIOp>([](auto) { return Kind::Minimum; })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([](auto) { return Kind::Maximum; })
      .Case<arith::AndIOp>([](auto) { return Kind::And; })
      .Case<arith::OrIOp>([](auto) { return Kind::Or; })
      .Default([](auto) { return std::nullopt; });
}

LogicalResult ScalarEmitter::emitScalar(Operation &op) {
  using Kind = artifact::ArithmeticKind;
  SmallVector<uint32_t> operands = registersOf(op.getOperands());
  uint32_t &result = registers[op.getResult(0)];
  APInt value;
  if (matchPattern(&op, m_ConstantInt(&value))) {
    result = constant(op.getResult(0).getType().isInteger(1) ? value.getZExtValue()
                                                             : value.getSExtValue());
    return success();
  }
  // And, Or are of truth values; elsewhere they would be something else.
  if (isa<arith::AndIOp, arith::OrIOp>(op) && !op.getResult(0).getType().isInteger(1))
    return op.emitError("cannot be part of a size");
  if (auto kind = directKind(op)) {
    result = arithmetic(*kind, operands[0], operands[1]);
    return success();
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtUIOp, arith::ExtSIOp>(
          [&](auto cast) {
            // Truth values are 0 and 1, whatever they are widened to; sign extension makes -1 of 1.
            if (isa<arith::ExtSIOp>(op) && op.getOperand(0).getType().isInteger(1))
              result = arithmetic(Kind::Subtract, constant(0), operands[0]);
            else
              result = operands[0];
            return success();
          })
      .Case([&](arith::DivSIOp) {
        result = truncatingDivide(operands[0], operands[1]);
        return success();
      })
      .Case([&](arith::RemSIOp) {
        uint32_t quotient = truncatingDivide(operands[0], operands[1]);
        result = arithmetic(Kind::Subtract, operands[0],
                            arithmetic(Kind::Multiply, quotient, operands[1]));
        return success();
      })
      .Case([&](arith::XOrIOp) -> LogicalResult {
        if (!op.getResult(0).getType().isInteger(1))
          return op.emitError("cannot be part of a size");
        result = arithmetic(Kind::NotEqual, operands[0], operands[1]);
        return success();
      })
      .Case([&](arith::SelectOp) {
        result = arithmetic(Kind::Select, operands[1], operands[2], operands[0]);
        return success();
      })
      .Case([&](arith::CmpIOp compare) {
        using Predicate = arith::CmpIPredicate;
        switch (compare.getPredicate()) {
        case Predicate::eq:
          result = arithmetic(Kind::Equal, operands[0], operands[1]);
          break;
        case Predicate::ne:
          result = arithmetic(Kind::NotEqual, operands[0], operands[1]);
          break;
        case Predicate::slt:
        case Predicate::ult:
          result = arithmetic(Kind::Less, operands[0], operands[1]);
          break;
        case Predicate::sle:
        case Predicate::ule:
          result = arithmetic(Kind::LessEqual, operands[0], operands[1]);
          break;
        case Predicate::sgt:
        case Predicate::ugt:
          result = arithmetic(Kind::Less, operands[1], operands[0]);
          break;
        case Predicate::sge:
        case Predicate::uge:
          result = arithmetic(Kind::LessEqual, operands[1], operands[0]);
          break;
        }
        return success();
      })
      .Default([](Operation *other) { return other->emitError("cannot be part of a size"); });
}

void ScalarEmitter::moveOne(uint32_t to, uint32_t from) {
  append(artifact::Arithmetic{artifact::ArithmeticKind::Add, to, from, constant(0), artifact::none},
         /*late=*/true);
}

void ScalarEmitter::move(ArrayRef<uint32_t> to, SmallVector<uint32_t> from) {
  for (auto [i, source] : llvm::enumerate(from))
    if (llvm::is_contained(to.take_front(i), source)) {
      uint32_t saved = newRegister(/*late=*/true);
      moveOne(saved, source);
      source = saved;
    }
  for (auto [target, source] : llvm::zip_equal(to, from))
    if (target != source)
      moveOne(target, source);
}

SmallVector<uint32_t> ScalarEmitter::newLateRegisters(ValueRange values) {
  SmallVector<uint32_t> made;
  for (Value value : values)
    made.push_back(registers[value] = newRegister(/*late=*/true));
  return made;
}

} // namespace tenon
