// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the program's Arithmetic instruction computes.

#ifndef TENON_LIB_RUNTIME_ARITHMETIC_H
#define TENON_LIB_RUNTIME_ARITHMETIC_H

#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"

namespace tenon::runtime {

/// Total but for division by zero: overflow wraps around. False for a division by zero.
inline bool evaluate(artifact::ArithmeticKind kind, int64_t lhs, int64_t rhs, bool condition,
                     int64_t &result) {
  using enum artifact::ArithmeticKind;
  auto wrap = [](uint64_t value) { return static_cast<int64_t>(value); };
  uint64_t a = static_cast<uint64_t>(lhs), b = static_cast<uint64_t>(rhs);
  switch (kind) {
  case Add:
    result = wrap(a + b);
    return true;
  case Subtract:
    result = wrap(a - b);
    return true;
  case Multiply:
    result = wrap(a * b);
    return true;
  case FloorDivide:
  case CeilDivide:
  case FloorModulo: {
    if (rhs == 0)
      return false;
    if (rhs == -1) { // the smallest number has no opposite: wrap instead of trapping
      result = kind == FloorModulo ? 0 : wrap(0 - a);
      return true;
    }
    int64_t quotient = lhs / rhs, rest = lhs % rhs;
    bool negative = (rest < 0) != (rhs < 0);
    if (kind == FloorModulo)
      result = rest != 0 && negative ? rest + rhs : rest;
    else if (kind == FloorDivide)
      result = quotient - (rest != 0 && negative);
    else
      result = quotient + (rest != 0 && !negative);
    return true;
  }
  case Minimum:
    result = lhs < rhs ? lhs : rhs;
    return true;
  case Maximum:
    result = lhs > rhs ? lhs : rhs;
    return true;
  case Equal:
    result = lhs == rhs;
    return true;
  case NotEqual:
    result = lhs != rhs;
    return true;
  case Less:
    result = lhs < rhs;
    return true;
  case LessEqual:
    result = lhs <= rhs;
    return true;
  case And:
    result = lhs != 0 && rhs != 0;
    return true;
  case Or:
    result = lhs != 0 || rhs != 0;
    return true;
  case Select:
    result = condition ? lhs : rhs;
    return true;
  }
  return false; // the verifier knows the kinds
}

/// Carries out an Arithmetic instruction on registers.
inline Status execute(const artifact::Arithmetic &op, int64_t *registers) {
  bool condition = op.kind == artifact::ArithmeticKind::Select && registers[op.condition] != 0;
  if (evaluate(op.kind, registers[op.lhs], registers[op.rhs], condition, registers[op.result]))
    return {};
  return {StatusCode::CheckFailed, "division by zero in the model's computation of sizes"};
}

/// The failure of a Check instruction, if its condition does not hold.
Status execute(const artifact::Check &op, const int64_t *registers);

} // namespace tenon::runtime

#endif // TENON_LIB_RUNTIME_ARITHMETIC_H
