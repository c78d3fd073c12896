// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What elimination with partial pivoting is made of, in ONNX operators: for Det and Inverse, which
// scan over the columns of many matrices at once.

#ifndef TENON_LIB_IMPORT_ELIMINATION_H
#define TENON_LIB_IMPORT_ELIMINATION_H

#include "lib/import/BodyBuilder.h"

namespace tenon::import {

/// The square matrices in the last two of `rank` dimensions of a tensor, one after the other.
struct MatrixBatch {
  BodyBuilder::Value size;     ///< of a matrix: [1]
  BodyBuilder::Value batch;    ///< the dimensions before: [rank - 2]
  BodyBuilder::Value count;    ///< their product: [1]
  BodyBuilder::Value shape;    ///< count, size, size
  BodyBuilder::Value matrices; ///< of that shape
};
MatrixBatch flattenMatrices(BodyBuilder &body, const BodyBuilder::Value &input, int64_t rank);

/// Element `column` of dimension `axis`.
BodyBuilder::Value pick(BodyBuilder &body, const BodyBuilder::Value &from,
                        const BodyBuilder::Value &column, int64_t axis);

/// Matrices ([batch, size, columns], elements of `type`) whose row `column` has changed places with
/// the one, not above it, that has the largest element in that column.
struct Pivoted {
  BodyBuilder::Value rows;     ///< the numbers of the rows: [size]
  BodyBuilder::Value chosen;   ///< the row that came to `column`: [batch, 1]
  BodyBuilder::Value matrices; ///< [batch, size, columns]
};
Pivoted exchangePivot(BodyBuilder &body, int32_t type, const BodyBuilder::Value &matrices,
                      const BodyBuilder::Value &column);

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_ELIMINATION_H
