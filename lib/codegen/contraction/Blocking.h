// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Blocking.h - register tile and cache blocks of a kernel ---*- C++ -*-===//
//
// Every choice that the generator makes by arithmetic rather than by need. All
// functions here are pure: equal kernels on equal chips are blocked equally.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CONTRACTION_BLOCKING_H
#define TENON_LIB_CODEGEN_CONTRACTION_BLOCKING_H

#include "lib/codegen/contraction/ContractionSpec.h"
#include "lib/target/ChipDescription.h"

namespace tenon::contraction {

struct Blocking {
  int64_t lanes = 0;      ///< Elements of a vector register.
  int64_t vectors = 0;    ///< Vectors across the register tile.
  int64_t rows = 0;       ///< Rows of the register tile.
  int64_t unroll = 0;     ///< Steps of the reduction in one turn of the innermost loop.
  int64_t rowBlock = 0;   ///< Rows of a group: a multiple of `rows`.
  int64_t panelBlock = 0; ///< Panels (of `columns()` columns each) of a group.
  bool packRhs =
      false; ///< The right-hand side is packed at run time, panel by panel, into scratch memory.
  int64_t depthBlock = 0; ///< Steps of the reduction packed at a time; then partial sums wait in
                          ///< scratch memory. 0: all.
  /// Finished tiles go through scratch memory, so that the epilogue is code for one row and not for
  /// all.
  bool stageTiles = false;
  bool cheapMasks = false; ///< Masked loads and stores cost what others do.
  bool gatherRows = false; ///< A convolution's windows are gathered into rows before they are
                           ///< multiplied (im2row).
  /// Row counts of the tiles for leftover rows, ascending. Exactly one, and exact, where the number
  /// of rows is static; otherwise the smallest that is enough is taken and repeats the last row.
  llvm::SmallVector<int64_t, 4> tails;
  bool exactTails = true;

  int64_t columns() const { return vectors * lanes; }
};

/// Bytes of the scratch memory that a group may take from its thread's stack for each of its
/// purposes: gathered rows or a packed panel, partial sums, a row of zeros.
inline constexpr int64_t scratchBytes = 128 << 10;

/// Chooses a blocking, or says why there is none that works. Obeys the kernel's `strategy`.
mlir::FailureOr<Blocking> chooseBlocking(const ContractionSpec &spec, const ChipDescription &chip,
                                         std::string &reason);

/// The number of vectors across the register tile that suits the kernel best, were its right-hand
/// side packed.
int64_t chooseVectors(const ContractionSpec &spec, const ChipDescription &chip);

} // namespace tenon::contraction

#endif // TENON_LIB_CODEGEN_CONTRACTION_BLOCKING_H
