// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints the generated half of the onnx dialect from the ONNX library's schema registry, at build
// time:
//   generate_ops OnnxGenerated.td OnnxOpTable.inc
// The .td has one definition per operator of the standard domains, in its newest version; the table
// has one TENON_ONNX_OP(operation name, domain, name, since version) line for each, ordered by
// operation name.
//
// Invariant: the output depends on the registry's contents only, not on its (hashed) order.
// Constant is the one operator left out: Onnx.td has it by hand, because all its forms become one
// attribute.

#include "onnx/defs/schema.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using onnx::AttributeProto;
using onnx::OpSchema;

namespace {

[[noreturn]] void fail(const std::string &message) {
  std::fprintf(stderr, "generate_ops: %s\n", message.c_str());
  std::exit(1);
}

/// How a domain appears in the dialect: in operation names and in C++ class names.
struct Domain {
  const char *domain, *mnemonicPrefix, *classPrefix;
};
constexpr Domain kDomains[] = {
    {"", "", ""},
    {"ai.onnx.ml", "ml.", "ML"},
    {"ai.onnx.preview", "preview.", "Preview"},
    {"ai.onnx.preview.training", "preview.training.", "PreviewTraining"},
    {"ai.onnx.training", "training.", "Training"},
};

const Domain &getDomain(const OpSchema &schema) {
  for (const Domain &domain : kDomains)
    if (schema.domain() == domain.domain)
      return domain;
  fail("operator " + schema.Name() + " of unknown domain '" + schema.domain() +
       "': extend kDomains");
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + "\"";
}

/// Text as a TableGen code literal, in which only the terminator needs care.
std::string codeLiteral(std::string text) {
  for (size_t at = 0; (at = text.find("}]", at)) != std::string::npos;)
    text.insert(at + 1, " ");
  return "[{" + text + "}]";
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// The masks of Onnx_Value, in its order; see onnx::ElementKind for the bits.
using TypeSet = std::array<uint32_t, 6>;
enum { Tensors, Sequences, Optionals, OptionalSequences, Maps, MapSequences };

void addType(const onnx::TypeProto &type, TypeSet &set) {
  using onnx::TypeProto;
  switch (type.value_case()) {
  case TypeProto::kTensorType:
    set[Tensors] |= 1u << type.tensor_type().elem_type();
    return;
  case TypeProto::kMapType:
    set[Maps] |= 1u << type.map_type().key_type();
    return;
  case TypeProto::kSequenceType: {
    const TypeProto &element = type.sequence_type().elem_type();
    if (element.value_case() == TypeProto::kTensorType)
      set[Sequences] |= 1u << element.tensor_type().elem_type();
    else if (element.value_case() == TypeProto::kMapType)
      set[MapSequences] |= 1u << element.map_type().key_type();
    else
      break;
    return;
  }
  case TypeProto::kOptionalType: {
    const TypeProto &element = type.optional_type().elem_type();
    if (element.value_case() == TypeProto::kTensorType)
      set[Optionals] |= 1u << element.tensor_type().elem_type();
    else if (element.value_case() == TypeProto::kSequenceType)
      set[OptionalSequences] |= 1u << element.sequence_type().elem_type().tensor_type().elem_type();
    else
      break;
    return;
  }
  case TypeProto::kSparseTensorType:
    return; // Only attributes have these, and the importer makes them dense.
  default:
    break;
  }
  fail("a formal parameter has a kind of type that Onnx_Value cannot express");
}

/// Gives every distinct type set a definition of its own: Onnx_Value0, Onnx_Value1, …
class TypeSets {
public:
  std::string getName(const OpSchema::FormalParameter &parameter) {
    TypeSet set{};
    std::set<std::string> names;
    for (const std::string *type : parameter.GetTypes()) {
      addType(onnx::Utils::DataTypeUtils::ToTypeProto(type), set);
      names.insert(*type);
    }
    auto [it, isNew] = indices.try_emplace(set, indices.size());
    std::string name = "Onnx_Value" + std::to_string(it->second);
    if (isNew) {
      definitions << "def " << name << " : Onnx_Value<";
      for (uint32_t mask : set)
        definitions << mask << ", ";
      // A long list helps nobody: the verifier's message shows the offending type next to it.
      std::string text;
      size_t count = 0;
      for (const std::string &type : names)
        if (++count <= 8)
          text += (text.empty() ? "" : ", ") + type;
      if (count > 8)
        text += " and " + std::to_string(count - 8) + " more";
      definitions << quoted(text) << ">;\n";
    }
    return name;
  }
  std::string getDefinitions() const { return definitions.str(); }

private:
  std::map<TypeSet, size_t> indices;
  std::ostringstream definitions;
};

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const char *getConstraint(AttributeProto::AttributeType type) {
  switch (type) {
  case AttributeProto::INT:
    return "Onnx_IntAttr";
  case AttributeProto::INTS:
    return "DenseI64ArrayAttr";
  case AttributeProto::FLOAT:
    return "Onnx_FloatAttr";
  case AttributeProto::FLOATS:
    return "DenseF32ArrayAttr";
  case AttributeProto::STRING:
    return "StrAttr";
  case AttributeProto::STRINGS:
    return "StrArrayAttr";
  case AttributeProto::TENSOR:
    return "ElementsAttr";
  case AttributeProto::TYPE_PROTO:
    return "TypeAttr";
  default:
    fail("an attribute of a kind that no operator had so far: extend getConstraint");
  }
}

std::string printFloat(float value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.9g", value);
  std::string text = buffer;
  if (text.find_first_not_of("-0123456789") == std::string::npos)
    text += ".0";
  return text + "f";
}

template <typename Range, typename Print>
std::string braced(const Range &range, Print print) {
  std::string text = "{";
  for (const auto &value : range)
    text += (text.size() > 1 ? ", " : "") + print(value);
  return text + "}";
}

/// The schema's default as a C++ expression, if it has one.
std::optional<std::string> getDefault(const AttributeProto &value) {
  switch (value.type()) {
  case AttributeProto::INT:
    return std::to_string(value.i());
  case AttributeProto::FLOAT:
    return printFloat(value.f());
  case AttributeProto::STRING:
    return quoted(value.s());
  case AttributeProto::INTS:
    return braced(value.ints(), [](int64_t i) { return std::to_string(i); });
  case AttributeProto::FLOATS:
    return braced(value.floats(), printFloat);
  case AttributeProto::STRINGS:
    return braced(value.strings(), quoted);
  default:
    return std::nullopt;
  }
}

std::string printAttribute(const OpSchema::Attribute &attribute) {
  std::string constraint = getConstraint(attribute.type);
  if (!attribute.required) {
    if (std::optional<std::string> value = getDefault(attribute.default_value))
      constraint = "DefaultValuedOptionalAttr<" + constraint + ", " + quoted(*value) + ">";
    else
      constraint = "OptionalAttr<" + constraint + ">";
  }
  return constraint + ":$" + attribute.name;
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

bool isGraph(const OpSchema::Attribute &attribute) {
  return attribute.type == AttributeProto::GRAPH;
}

/// Attributes in the order of their names, since the registry keeps them hashed.
std::vector<const OpSchema::Attribute *> getAttributes(const OpSchema &schema) {
  std::vector<const OpSchema::Attribute *> attributes;
  for (const auto &[name, attribute] : schema.attributes())
    attributes.push_back(&attribute);
  std::sort(attributes.begin(), attributes.end(),
            [](auto *a, auto *b) { return a->name < b->name; });
  return attributes;
}

/// Whether two executions with the same operands may differ. The registry calls operators with
/// subgraphs, and those whose function body has some (AffineGrid), nondeterministic too; they are
/// only as random as what they contain.
bool isRandom(const OpSchema &schema) {
  if (schema.GetNodeDeterminism() != OpSchema::NodeDeterminism::NonDeterministic)
    return false;
  for (const auto &[name, attribute] : schema.attributes())
    if (isGraph(attribute))
      return false;
  if (!schema.HasFunction())
    return true;
  for (const onnx::NodeProto &node : schema.GetFunction()->node()) {
    const OpSchema *inner = onnx::OpSchemaRegistry::Schema(node.op_type(), node.domain());
    if (!inner || isRandom(*inner))
      return true;
  }
  return false;
}

std::string printParameter(const OpSchema::FormalParameter &parameter, TypeSets &types) {
  std::string type = types.getName(parameter);
  if (parameter.GetOption() == OpSchema::Optional)
    type = "Onnx_OrNone<" + type + ">";
  // The operands of a heterogeneous variadic parameter (those of If, Loop, Scan) may be absent one
  // by one.
  if (parameter.GetOption() == OpSchema::Variadic)
    type = "Variadic<" + (parameter.GetIsHomogeneous() ? type : "Onnx_OrNone<" + type + ">") + ">";
  return type;
}

/// A trait for each type variable that binds several parameters, or a homogeneous variadic one.
std::vector<std::string> getTypeTraits(const OpSchema &schema) {
  std::map<std::string, std::pair<std::vector<std::string>, bool>> parametersOf;
  auto collect = [&](const std::vector<OpSchema::FormalParameter> &parameters) {
    for (const OpSchema::FormalParameter &parameter : parameters) {
      bool isVariadic = parameter.GetOption() == OpSchema::Variadic;
      if (!schema.typeConstraintMap().count(parameter.GetTypeStr()) ||
          (isVariadic && !parameter.GetIsHomogeneous()))
        continue;
      auto &[names, hasVariadic] = parametersOf[parameter.GetTypeStr()];
      names.push_back(parameter.GetName());
      hasVariadic |= isVariadic;
    }
  };
  collect(schema.inputs());
  collect(schema.outputs());

  std::vector<std::string> traits;
  for (const auto &[variable, parameters] : parametersOf) {
    const auto &[names, hasVariadic] = parameters;
    if (names.size() < 2 && !hasVariadic)
      continue;
    std::string list;
    for (const std::string &name : names)
      list += (list.empty() ? "" : ", ") + quoted(name);
    traits.push_back("Onnx_SameType<" + quoted(variable) + ", [" + list + "]>");
  }
  return traits;
}

std::string getMnemonic(const OpSchema &schema) {
  return getDomain(schema).mnemonicPrefix + schema.Name();
}

void printOp(std::ostream &os, const OpSchema &schema, TypeSets &types) {
  std::vector<std::string> arguments, results, regions;
  for (const OpSchema::FormalParameter &parameter : schema.inputs())
    arguments.push_back(printParameter(parameter, types) + ":$" + parameter.GetName());
  for (const OpSchema::Attribute *attribute : getAttributes(schema)) {
    if (isGraph(*attribute))
      regions.push_back("Onnx_GraphRegion:$" + attribute->name);
    else
      arguments.push_back(printAttribute(*attribute));
  }
  for (const OpSchema::FormalParameter &parameter : schema.outputs()) {
    std::string type = printParameter(parameter, types);
    // A fresh value each time: never merged with another one's, yet removable when unused.
    if (isRandom(schema))
      type = "Res<" + type + ", \"a fresh value\", [MemAlloc]>";
    results.push_back(type + ":$" + parameter.GetName());
  }

  std::vector<std::string> traits = getTypeTraits(schema);
  if (!regions.empty())
    traits.push_back("RecursiveMemoryEffects");
  else if (!isRandom(schema))
    traits.push_back("Pure");
  // These have control flow of their own, whose subgraphs must match their operands; Onnx.cpp
  // verifies that.
  bool hasVerifier = schema.domain().empty() &&
                     (schema.Name() == "If" || schema.Name() == "Loop" || schema.Name() == "Scan");

  auto printList = [&](const char *field, const char *kind, const std::vector<std::string> &items) {
    if (items.empty())
      return;
    os << "  let " << field << " = (" << kind;
    for (size_t i = 0; i < items.size(); ++i)
      os << (i ? ",\n    " : " ") << items[i];
    os << ");\n";
  };

  os << "\ndef Onnx_" << getDomain(schema).classPrefix << schema.Name() << "Op : Onnx_Op<"
     << quoted(getMnemonic(schema)) << ", [";
  for (size_t i = 0; i < traits.size(); ++i)
    os << (i ? ", " : "") << traits[i];
  os << "], " << regions.size() << "> {\n";
  os << "  let summary = "
     << quoted((schema.domain().empty() ? "ai.onnx" : schema.domain()) + " " + schema.Name() +
               ", since version " + std::to_string(schema.SinceVersion()) +
               (schema.Deprecated() ? " (deprecated)" : ""))
     << ";\n";
  if (schema.doc())
    os << "  let description = " << codeLiteral(schema.doc()) << ";\n";
  printList("arguments", "ins", arguments);
  printList("results", "outs", results);
  printList("regions", "region", regions);
  if (hasVerifier)
    os << "  let hasRegionVerifier = 1;\n";
  os << "}\n";
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3)
    fail("usage: generate_ops OnnxGenerated.td OnnxOpTable.inc");

  std::vector<OpSchema> schemas;
  for (OpSchema &schema : onnx::OpSchemaRegistry::get_all_schemas())
    if (!(schema.domain().empty() && schema.Name() == "Constant"))
      schemas.push_back(std::move(schema));
  std::sort(schemas.begin(), schemas.end(),
            [](const OpSchema &a, const OpSchema &b) { return getMnemonic(a) < getMnemonic(b); });

  TypeSets types;
  std::ostringstream ops;
  for (const OpSchema &schema : schemas)
    printOp(ops, schema, types);

  std::ofstream td(argv[1]);
  td << "// Printed by generate_ops from the ONNX library's schemas. Do not edit.\n\n"
     << types.getDefinitions() << ops.str();

  std::ofstream table(argv[2]);
  for (const OpSchema &schema : schemas)
    table << "TENON_ONNX_OP(" << quoted("onnx." + getMnemonic(schema)) << ", "
          << quoted(schema.domain()) << ", " << quoted(schema.Name()) << ", "
          << schema.SinceVersion() << ")\n";

  td.close();
  table.close();
  if (!td || !table)
    fail("cannot write the output files");
}
