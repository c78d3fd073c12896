// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ContribOperators.h. Turns the rows of the table into what the ONNX library registers.

#include "lib/import/contrib/ContribOperators.h"

#include "lib/import/OnnxLibrary.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <mutex>

using namespace mlir;

namespace tenon::import {

static SmallVector<StringRef> splitWords(StringRef text, char separator = ' ') {
  SmallVector<StringRef> words;
  text.split(words, separator, /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  return words;
}

/// "name:T?"
static library::OperatorDefinition::Parameter
readParameter(StringRef text, const library::OperatorDefinition &definition) {
  library::OperatorDefinition::Parameter parameter;
  parameter.isOptional = text.consume_back("?");
  parameter.isVariadic = text.consume_back("*");
  auto [name, type] = text.split(':');
  parameter.name = name.str();
  parameter.type = definition.types.count(type.str()) ? type.str() : ("tensor(" + type + ")").str();
  return parameter;
}

/// "name:float=1.0"
static library::OperatorDefinition::Attribute readAttribute(StringRef text) {
  library::OperatorDefinition::Attribute attribute;
  attribute.isRequired = text.consume_back("!");
  auto [declaration, preset] = text.split('=');
  auto [name, type] = declaration.split(':');
  attribute.hasDefault = text.contains('=');
  attribute.preset.set_name(name.str());
  attribute.preset.set_type(llvm::StringSwitch<proto::AttributeProto::AttributeType>(type)
                                .Case("int", proto::AttributeProto::INT)
                                .Case("ints", proto::AttributeProto::INTS)
                                .Case("float", proto::AttributeProto::FLOAT)
                                .Case("floats", proto::AttributeProto::FLOATS)
                                .Case("string", proto::AttributeProto::STRING)
                                .Case("strings", proto::AttributeProto::STRINGS)
                                .Default(proto::AttributeProto::UNDEFINED));
  int64_t integer = 0;
  double number = 0;
  if (type == "int" && !preset.getAsInteger(10, integer))
    attribute.preset.set_i(integer);
  else if (type == "float" && !preset.getAsDouble(number))
    attribute.preset.set_f(static_cast<float>(number));
  else if (type == "string")
    attribute.preset.set_s(preset.str());
  return attribute;
}

static std::optional<proto::FunctionProto>
writeBody(BodyFunction write, const proto::NodeProto &node,
          const std::vector<library::Operand> &operands) {
  KnownValues known;
  for (auto [name, operand] : llvm::zip_equal(node.input(), operands)) {
    if (operand.type)
      known.types[name] = *operand.type;
    if (operand.data)
      known.constants[name] = *operand.data;
  }
  BodyBuilder builder(node, known);
  return write(builder);
}

static library::OperatorDefinition define(const ContribOperator &row) {
  library::OperatorDefinition definition;
  definition.domain = kContribDomain;
  definition.name = row.name;
  for (StringRef word : splitWords(row.types)) {
    auto [name, allowed] = word.split('=');
    for (StringRef type : splitWords(allowed, ','))
      definition.types[name.str()].push_back(("tensor(" + type + ")").str());
  }
  for (StringRef word : splitWords(row.inputs))
    definition.inputs.push_back(readParameter(word, definition));
  for (StringRef word : splitWords(row.outputs))
    definition.outputs.push_back(readParameter(word, definition));
  for (StringRef word : splitWords(row.attributes))
    definition.attributes.push_back(readAttribute(word));
  definition.writeBody = [write = row.writeBody](const proto::NodeProto &node,
                                                 const std::vector<library::Operand> &operands) {
    return writeBody(write, node, operands);
  };
  return definition;
}

const ContribOperator *findContribOperator(StringRef name) {
  ArrayRef<ContribOperator> rows = getContribOperators();
  auto found = llvm::find_if(rows, [&](const ContribOperator &row) { return row.name == name; });
  return found == rows.end() ? nullptr : found;
}

void registerContribOperators() {
  // The library's registry is one for the whole process.
  static std::once_flag isRegistered;
  std::call_once(isRegistered, [] {
    std::vector<library::OperatorDefinition> definitions;
    for (const ContribOperator &row : getContribOperators())
      definitions.push_back(define(row));
    library::registerOperators(definitions);
  });
}

} // namespace tenon::import
