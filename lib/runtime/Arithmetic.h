// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the program's Arithmetic instruction computes.

#ifndef TENON_LIB_RUNTIME_ARITHMETIC_H
#define TENON_LIB_RUNTIME_ARITHMETIC_H

#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"

#include <cstdint>

namespace tenon::runtime {

/// Total but for division by zero: what overflows is the largest number, or the smallest. A size
/// that is too large must not become one that looks right. False for a division by zero.
inline bool evaluate(artifact::ArithmeticKind kind, int64_t lhs, int64_t rhs, bool condition,
                     int64_t &result) {
  using enum artifact::ArithmeticKind;
  switch (kind) {
  case Add:
    if (__builtin_add_overflow(lhs, rhs, &result))
      result = lhs < 0 ? INT64_MIN : INT64_MAX;
    return true;
  case Subtract:
    if (__builtin_sub_overflow(lhs, rhs, &result))
      result = lhs < 0 ? INT64_MIN : INT64_MAX;
    return true;
  case Multiply:
    if (__builtin_mul_overflow(lhs, rhs, &result))
      result = (lhs < 0) != (rhs < 0) ? INT64_MIN : INT64_MAX;
    return true;
  case FloorDivide:
  case CeilDivide:
  case FloorModulo: {
    if (rhs == 0)
      return false;
    if (rhs == -1) { // the smallest number has no opposite, and would trap
      result = kind == FloorModulo ? 0 : lhs == INT64_MIN ? INT64_MAX : -lhs;
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
