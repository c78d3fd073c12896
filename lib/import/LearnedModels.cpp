// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/import/LearnedModels.h"

#include "llvm/ADT/STLExtras.h"

namespace tenon::import {

using Value = BodyBuilder::Value;

bool isNumeric(int32_t elementType) {
  using Type = proto::TensorProto;
  return llvm::is_contained({Type::FLOAT, Type::DOUBLE, Type::INT32, Type::INT64},
                            static_cast<proto::TensorProto::DataType>(elementType));
}

Value makeVector(BodyBuilder &body, std::vector<double> values, int32_t elementType) {
  auto size = static_cast<int64_t>(values.size());
  return body.tensor(std::move(values), {size}, elementType);
}

Value makeSamples(BodyBuilder &body) {
  Value input = body.cast(body.getInput(0), proto::TensorProto::FLOAT);
  if (std::optional<std::vector<int64_t>> shape = body.getShape(0); shape && shape->size() == 1)
    return body.add("Unsqueeze", {input, body.integers({0})});
  return input;
}

ClassLabels::ClassLabels(BodyBuilder &body, const char *integers)
    : body(body), integers(body.getIntegers(integers)),
      texts(body.getTexts("classlabels_strings")) {}

Value ClassLabels::choose(Value chosen) const {
  Value labels = texts.empty() ? body.integers(integers) : body.strings(texts);
  return body.add("Gather", {labels, std::move(chosen)}, {{"axis", 0}});
}

} // namespace tenon::import
