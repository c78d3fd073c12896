// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer's one door to the algorithms of the ONNX library: checker, inliner, version
// converter, shape inference, schema registry. The library throws exceptions and speaks in its own
// words; behind this header neither happens. It is implemented in the only file of the importer
// that is compiled with exceptions, and needs no MLIR. Simplification asks it for types again.
//
// All functions may be called from several threads at once on different models.

#ifndef TENON_LIB_IMPORT_ONNXLIBRARY_H
#define TENON_LIB_IMPORT_ONNXLIBRARY_H

#include "onnx/onnx_pb.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tenon::library {

namespace proto = ::onnx;

/// What the library objects to, in our style (lower case, no full stop), and the node it names, if
/// it names one.
struct Complaint {
  std::string message;
  std::string nodeName;
  std::string opType;
};

/// Nothing if all is well.
using Outcome = std::optional<Complaint>;

/// Checks the structure of `model`: SSA form, operators, their attributes and the number of their
/// operands. Tensors with external data are not understood; replace them first.
Outcome checkModel(const proto::ModelProto &model);

/// Replaces all calls of the model's own functions by their bodies and drops the functions.
/// Functions must not be recursive. A body written for another opset is converted to the model's.
Outcome inlineFunctions(proto::ModelProto &model);

/// Converts the operators of the default domain to getNewestVersion("").
/// Known gaps of the library's converter: it drops functions, sparse tensors (fails), node metadata
/// and device annotations, and copies all initializers.
Outcome convertToNewestVersion(proto::ModelProto &model);

/// Infers the types and shapes of all values, following small integer tensors through shape
/// arithmetic; adds them as value_info to the graph and its subgraphs. `model` may be half
/// annotated after a complaint. Operators that the library infers through their function body get
/// their default attributes, without which some of the bodies are ill-formed.
Outcome inferShapes(proto::ModelProto &model);

/// What is known about an operand when the types of an operator's results are inferred.
struct Operand {
  std::optional<proto::TypeProto> type;            ///< unknown if not set
  std::optional<proto::TensorProto> data;          ///< of a constant
  std::optional<proto::TensorShapeProto> elements; ///< of a tensor of sizes; unset ones are unknown
};

/// Infers the types of the outputs of one operator as version `version` of its domain has it.
/// `node` names every input and output that is present, each by a name of its own; absent ones have
/// an empty name, and none at the end is absent. `operands` has an entry for each input, and
/// `results` gets one for each output, whose value is not set where nothing is known. Subgraphs are
/// not supported. `node` may get the default values of its attributes.
Outcome inferResultTypes(proto::NodeProto &node, int version, std::vector<Operand> &operands,
                         std::vector<proto::TypeProto> &results);

/// An operator that the library does not know, in what it says of its own ones.
struct OperatorDefinition {
  struct Parameter {
    std::string name;
    std::string type; ///< one of `types`, or "tensor(float)" and the like
    bool isOptional = false, isVariadic = false;
  };
  struct Attribute {
    proto::AttributeProto preset; ///< with a name and a type, and a value if there is a default
    bool isRequired = false, hasDefault = false;
  };
  std::string domain, name;
  std::vector<Parameter> inputs, outputs;
  std::vector<Attribute> attributes;
  std::map<std::string, std::vector<std::string>> types; ///< what each type parameter may be
  /// Writes the body in other operators, through which the types of its results are inferred;
  /// inputs and outputs of `node` are named after `operands`. Nothing if it has none.
  std::function<std::optional<proto::FunctionProto>(const proto::NodeProto &node,
                                                    const std::vector<Operand> &operands)>
      writeBody;
};

/// Makes operators known to the library: its checker checks their nodes, its inference infers their
/// types. All are of version 1 of their domain. To be called once, before anything asks for them.
void registerOperators(const std::vector<OperatorDefinition> &definitions);

/// Adds the attributes that `node` leaves out and its operator has a default for.
void setDefaultAttributes(proto::NodeProto &node, int version);

/// The body in other operators that the standard gives for `node`, of version `version` of its
/// domain. Attributes that the body refers to are still to be bound to those of `node`, which gets
/// the default values that it leaves out. `inputTypes` has an entry for each input, not set where
/// the type is not known. Nothing if there is no body, or none for these types.
std::optional<proto::FunctionProto>
getFunctionBody(proto::NodeProto &node, int version,
                const std::vector<proto::TypeProto> &inputTypes);

/// The newest opset of `domain` that the library knows; nothing if it does not know the domain.
std::optional<int> getNewestVersion(const std::string &domain);

/// The newest version of the file format that the library knows.
int getNewestFormatVersion();

/// What the importer must know of an operator's schema.
struct Signature {
  struct Parameter {
    bool isOptional, isVariadic;
  };
  std::vector<Parameter> inputs, outputs;
  std::vector<std::string>
      graphAttributes; ///< ordered by name, as the regions of the onnx dialect's op
};

/// The signature of an operator in version `version` of its domain; nothing if it has no such
/// operator.
std::optional<Signature> getSignature(const std::string &domain, const std::string &name,
                                      int version);

} // namespace tenon::library

#endif // TENON_LIB_IMPORT_ONNXLIBRARY_H
