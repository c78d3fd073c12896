// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/lower/Patterns.h"

void tenon::lower::populateEinsumPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &) {}
