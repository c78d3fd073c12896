// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the bodies of ai.onnx.ml's operators share. They compute in float whatever they are given.

#ifndef TENON_LIB_IMPORT_LEARNEDMODELS_H
#define TENON_LIB_IMPORT_LEARNEDMODELS_H

#include "lib/import/BodyBuilder.h"

namespace tenon::import {

/// Whether it is an element type that these operators compute with.
bool isNumeric(int32_t elementType);

BodyBuilder::Value makeVector(BodyBuilder &body, std::vector<double> values, int32_t elementType);

/// The first operand as a matrix of floats with one row per sample.
BodyBuilder::Value makeSamples(BodyBuilder &body);

/// The labels of a classifier's classes, strings or integers.
class ClassLabels {
public:
  /// `integers` is the attribute that has them if they are no strings.
  ClassLabels(BodyBuilder &body, const char *integers);

  /// 0 where the node has none.
  int64_t count() const {
    return static_cast<int64_t>(texts.empty() ? integers.size() : texts.size());
  }
  /// The labels of classes that are chosen by number.
  BodyBuilder::Value choose(BodyBuilder::Value chosen) const;

private:
  BodyBuilder &body;
  std::vector<int64_t> integers;
  std::vector<std::string> texts;
};

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_LEARNEDMODELS_H
