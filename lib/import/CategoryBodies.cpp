// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators of ai.onnx.ml that map categories: LabelEncoder, CategoryMapper, OneHotEncoder.
//
// A mapping has two halves: the position of each element among the keys, and the value at that
// position, what is not known being one position more. Numbers are compared with all keys; strings
// are looked up by the one form of LabelEncoder that stays whole, which is a host function. So are
// strings as values, as in any Gather of strings.

#include "lib/import/FunctionBodies.h"
#include "lib/import/LearnedModels.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <numeric>

namespace tenon::import {

using Value = BodyBuilder::Value;
using Body = std::optional<proto::FunctionProto>;
static constexpr int32_t kFloat = proto::TensorProto::FLOAT;
static constexpr int32_t kInteger = proto::TensorProto::INT64;
static constexpr int32_t kString = proto::TensorProto::STRING;

namespace {

/// Keys, or values, of a mapping.
struct Elements {
  int32_t type = proto::TensorProto::UNDEFINED;
  std::vector<std::string> texts; ///< where they are strings
  Value vector;                   ///< else
  bool haveNan = false;

  bool exist() const { return type != proto::TensorProto::UNDEFINED; }
  bool areStrings() const { return type == kString; }
};

} // namespace

/// Of the attributes PREFIX_strings, PREFIX_int64s, PREFIX_floats and PREFIX_tensor.
static Elements readElements(BodyBuilder &body, const std::string &prefix) {
  Elements read;
  if (std::string name = prefix + "_strings"; body.hasAttribute(name)) {
    read.type = kString;
    read.texts = body.getTexts(name);
  } else if (name = prefix + "_int64s"; body.hasAttribute(name)) {
    read.type = kInteger;
    read.vector = body.integers(body.getIntegers(name));
  } else if (name = prefix + "_floats"; body.hasAttribute(name)) {
    read.type = kFloat;
    std::vector<double> numbers = body.getNumbers(name);
    read.haveNan = llvm::any_of(numbers, [](double number) { return std::isnan(number); });
    read.vector = makeVector(body, std::move(numbers), kFloat);
  } else if (std::optional<proto::TensorProto> tensor = body.getTensor(prefix + "_tensor")) {
    read.type = tensor->data_type();
    if (read.areStrings())
      read.texts.assign(tensor->string_data().begin(), tensor->string_data().end());
    else
      read.vector = body.constant(*tensor);
    // Their bytes are not looked at: a comparison too much does no harm.
    read.haveNan = read.type == kFloat || read.type == proto::TensorProto::DOUBLE;
  }
  return read;
}

/// For each element of `input`: whether each of `keys` is equal to it, in one more dimension. One
/// NaN is as good as another.
static Value compareWithAll(BodyBuilder &body, Value input, const Elements &keys) {
  Value each = body.add("Unsqueeze", {input, body.integers({-1})});
  Value isEqual = body.add("Equal", {each, keys.vector});
  if (!keys.haveNan)
    return isEqual;
  Value areNan = body.add("And", {body.add("IsNaN", {each}), body.add("IsNaN", {keys.vector})});
  return body.add("Or", {isEqual, areNan});
}

/// The values of elements by their keys, the first of equal ones; else `otherwise`, a scalar
/// (or text, where values are strings).
static Value mapElements(BodyBuilder &body, Value input, const Elements &keys,
                         const Elements &values, Value otherwise, const std::string &otherText) {
  Value position, isKnown;
  if (keys.areStrings()) {
    position = body.findStrings(input, keys.texts);
  } else {
    Value isEqual = body.cast(compareWithAll(body, input, keys), proto::TensorProto::INT32);
    position = body.add("ArgMax", {isEqual}, {{"axis", -1}, {"keepdims", 0}});
    isKnown = body.cast(body.add("ReduceMax", {isEqual, body.integers({-1})}, {{"keepdims", 0}}),
                        proto::TensorProto::BOOL);
  }
  if (values.areStrings()) {
    std::vector<std::string> texts = values.texts;
    if (!isKnown.empty())
      position =
          body.add("Where", {isKnown, position, body.integer(static_cast<int64_t>(texts.size()))});
    texts.push_back(otherText);
    return body.add("Gather", {body.strings(texts), position}, {{"axis", 0}});
  }
  if (!isKnown.empty())
    return body.add("Where", {isKnown, body.add("Gather", {values.vector, position}, {{"axis", 0}}),
                              otherwise});
  Value all =
      body.add("Concat", {values.vector, body.add("Reshape", {otherwise, body.integers({1})})},
               {{"axis", 0}});
  return body.add("Gather", {all, position}, {{"axis", 0}});
}

static Body writeLabelEncoder(BodyBuilder &body) {
  // Looked up by the host function as it is.
  if (body.hasAttribute("keys_strings") && body.hasAttribute("values_int64s"))
    return std::nullopt;
  int32_t type = body.getElementType(0);
  Elements keys = readElements(body, "keys"), values = readElements(body, "values");
  auto isKind = [](const Elements &elements) {
    return elements.areStrings() || isNumeric(elements.type) ||
           elements.type == proto::TensorProto::INT16;
  };
  if (!isKind(keys) || !isKind(values) || keys.type != type)
    return std::nullopt;
  Value otherwise;
  std::string otherText = body.getText("default_string");
  std::optional<proto::TensorProto> preset = body.getTensor("default_tensor");
  if (preset && preset->data_type() == kString && preset->string_data_size() == 1)
    otherText = preset->string_data(0);
  else if (preset)
    otherwise = body.add("Squeeze", {body.constant(*preset)});
  else if (values.type == kInteger)
    otherwise = body.integer(body.getInteger("default_int64", -1));
  else
    otherwise =
        body.scalar(body.getNumber("default_float"), values.areStrings() ? kFloat : values.type);
  body.setOutput(0, mapElements(body, body.getInput(0), keys, values, otherwise, otherText));
  return body.take();
}

/// From strings to integers or the other way round, as the input is.
static Body writeCategoryMapper(BodyBuilder &body) {
  Elements strings = readElements(body, "cats"), integers;
  integers.type = kInteger;
  integers.vector = body.integers(body.getIntegers("cats_int64s"));
  if (!strings.areStrings() || strings.texts.size() != body.getIntegers("cats_int64s").size())
    return std::nullopt;
  bool areStrings = body.getElementType(0) == kString;
  body.setOutput(0, mapElements(body, body.getInput(0), areStrings ? strings : integers,
                                areStrings ? integers : strings,
                                body.integer(body.getInteger("default_int64")),
                                body.getText("default_string")));
  return body.take();
}

static Body writeOneHotEncoder(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  Elements categories = readElements(body, "cats");
  if (!categories.exist())
    return std::nullopt;
  Value input = body.getInput(0);
  if (categories.areStrings() != (type == kString))
    return std::nullopt;
  if (categories.areStrings()) {
    input = body.findStrings(input, categories.texts);
    std::vector<int64_t> positions(categories.texts.size());
    std::iota(positions.begin(), positions.end(), 0);
    categories = {kInteger, {}, body.integers(std::move(positions))};
  } else if (!isNumeric(type)) {
    return std::nullopt;
  } else {
    input = body.cast(input, kInteger);
  }
  body.setOutput(0, body.cast(compareWithAll(body, input, categories), kFloat));
  return body.take();
}

BodyFunction findCategoryBody(llvm::StringRef domain, llvm::StringRef name) {
  if (domain != "ai.onnx.ml")
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("CategoryMapper", writeCategoryMapper)
      .Case("LabelEncoder", writeLabelEncoder)
      .Case("OneHotEncoder", writeOneHotEncoder)
      .Default(nullptr);
}

} // namespace tenon::import
