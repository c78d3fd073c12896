// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ScalarEmitter.h - index values as registers ---------------*- C++ -*-===//
//
// The scalars of an rt.program as registers of the artifact's program. What follows
// from the inputs' shapes alone is computed in the prologue wherever it stands; what
// is `late` follows from data, or from an iteration before, and is computed in the
// body where it stands.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_SCHEDULE_SCALAREMITTER_H
#define TENON_LIB_SCHEDULE_SCALAREMITTER_H

#include "lib/artifact/Program.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

#include <map>

namespace tenon {

class ScalarEmitter {
protected:
  /// Emits one operation of arith on index values or truth values.
  mlir::LogicalResult emitScalar(mlir::Operation &op);

  /// A fresh register; `late` where it depends on data.
  uint32_t newRegister(bool late);
  llvm::SmallVector<uint32_t> newLateRegisters(mlir::ValueRange values);
  bool isLate(uint32_t reg) const { return lateRegisters[reg]; }
  uint32_t constant(int64_t value);
  uint32_t arithmetic(artifact::ArithmeticKind kind, uint32_t lhs, uint32_t rhs,
                      uint32_t condition = artifact::none);
  llvm::SmallVector<uint32_t> registersOf(mlir::ValueRange values);

  /// Moves all at once in the body: no register is read after it was written.
  void move(llvm::ArrayRef<uint32_t> to, llvm::SmallVector<uint32_t> from);

  void append(artifact::Operation operation, bool late) {
    (late ? program.body : program.prologue).emplace_back(std::move(operation));
  }
  /// The index of the body's next instruction.
  uint32_t here() const { return program.body.size(); }

  artifact::Program program;
  llvm::DenseMap<mlir::Value, uint32_t> registers;
  unsigned nesting = 0; ///< branches and loops around the next instruction

private:
  bool isNonZeroConstant(uint32_t reg) const;
  uint32_t truncatingDivide(uint32_t lhs, uint32_t rhs);
  void moveOne(uint32_t to, uint32_t from);

  std::vector<bool> lateRegisters;
  /// (Not a DenseMap, whose keys exclude two integers.)
  std::map<int64_t, uint32_t> constants;
};

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_SCALAREMITTER_H
