// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the body of an operator in other operators, for one node: its attributes and the types of
// its operands are known, so that the body has no cases. Values are the names of tensors; operands
// and results have the names "input0", "output0" and so on until the inliner replaces them.

#ifndef TENON_LIB_IMPORT_BODYBUILDER_H
#define TENON_LIB_IMPORT_BODYBUILDER_H

#include "mlir/Support/LLVM.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringMap.h"

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tenon::import {

namespace proto = ::onnx;

/// What is known about the operands of a node, by name: types, and tensors that are constant.
struct KnownValues {
  llvm::StringMap<proto::TypeProto> types;
  llvm::StringMap<proto::TensorProto> constants;
  /// Gives the bytes of a weight another element type and shape, without copying them: the name of
  /// the value, or nothing where `name` is no weight. Not set where there are no weights.
  std::function<std::optional<std::string>(llvm::StringRef name, int32_t elementType,
                                           const std::vector<int64_t> &shape)>
      reinterpret;
};

class BodyBuilder {
public:
  using Value = std::string;

  /// An attribute of an operator in the body.
  struct Attribute {
    template <typename T>
      requires(std::is_integral_v<T> || std::is_enum_v<T>)
    Attribute(const char *name, T value) : name(name), value(static_cast<int64_t>(value)) {}
    Attribute(const char *name, double value) : name(name), value(static_cast<float>(value)) {}
    Attribute(const char *name, std::string value) : name(name), value(std::move(value)) {}
    Attribute(const char *name, std::vector<int64_t> value) : name(name), value(std::move(value)) {}
    Attribute(const char *name, std::vector<std::string> value)
        : name(name), value(std::move(value)) {}
    Attribute(const char *name, proto::GraphProto value) : name(name), value(std::move(value)) {}

    const char *name;
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<std::string>,
                 proto::GraphProto>
        value;
  };

  /// `node` must outlive the builder and have all of its default attributes.
  BodyBuilder(const proto::NodeProto &node, const KnownValues &known);

  //--- the node ---------------------------------------------------------------------------------

  int getInputCount() const { return node.input_size(); }
  bool hasInput(int index) const {
    return index >= 0 && index < node.input_size() && !node.input(index).empty();
  }
  bool hasOutput(int index) const {
    return index >= 0 && index < node.output_size() && !node.output(index).empty();
  }
  static Value getInput(int index) { return "input" + std::to_string(index); }
  /// TensorProto::DataType; UNDEFINED where it is not known.
  int32_t getElementType(int index) const;
  /// The sizes of an operand, -1 for those that are not known; nothing where its rank is not.
  std::optional<std::vector<int64_t>> getShape(int index) const;
  /// The only element of an operand that is a constant integer or truth value.
  std::optional<int64_t> getConstantInteger(int index) const;

  int64_t getInteger(llvm::StringRef name, int64_t preset = 0) const;
  double getNumber(llvm::StringRef name, double preset = 0) const;
  std::string getText(llvm::StringRef name) const;
  std::vector<int64_t> getIntegers(llvm::StringRef name) const;
  std::vector<double> getNumbers(llvm::StringRef name) const;
  std::vector<std::string> getTexts(llvm::StringRef name) const;
  std::optional<proto::TensorProto> getTensor(llvm::StringRef name) const;
  bool hasAttribute(llvm::StringRef name) const { return find(name) != nullptr; }

  //--- the body ---------------------------------------------------------------------------------

  /// The first result of an operator.
  Value add(const char *operation, std::vector<Value> operands,
            std::vector<Attribute> attributes = {});
  /// The position of each string of a tensor in `keys`, the first of equals; their number where it
  /// is none of them. What the numbers are is a host function's business.
  Value findStrings(Value strings, const std::vector<std::string> &keys);
  /// All results of an operator with `count` of them.
  std::vector<Value> addMany(int count, const char *operation, std::vector<Value> operands,
                             std::vector<Attribute> attributes = {});
  Value cast(Value value, int32_t elementType);
  /// A scalar, or a vector.
  Value scalar(double value, int32_t elementType);
  Value integer(int64_t value);
  Value integers(std::vector<int64_t> values);
  Value strings(const std::vector<std::string> &values);
  Value constant(const proto::TensorProto &tensor);
  /// A tensor of `shape`.
  Value tensor(std::vector<double> values, std::vector<int64_t> shape, int32_t elementType);

  /// The size of a dimension, a vector of one element.
  Value sizeOf(Value value, int64_t dim);
  /// [0, 1, ... count - 1], of int64; `count` is a scalar or a vector of one element.
  Value countTo(Value count);

  //--- movement, along constant axes ------------------------------------------------------------

  /// 0 is a size as it is, -1 what is left.
  Value reshape(Value value, std::vector<int64_t> shape);
  Value transpose(Value value, std::vector<int64_t> permutation);
  Value unsqueeze(Value value, std::vector<int64_t> axes);
  Value squeeze(Value value, std::vector<int64_t> axes);
  /// Elements `start` to `end` (excluded) along one axis.
  Value slice(Value value, int64_t axis, int64_t start, int64_t end);
  Value concat(std::vector<Value> values, int64_t axis);
  /// Parts of the given sizes along an axis.
  std::vector<Value> split(Value value, int64_t axis, std::vector<int64_t> sizes);

  /// The bytes of an operand that is a weight, as a tensor of another type and shape; empty where
  /// it is none.
  Value reinterpretInput(int index, int32_t elementType, const std::vector<int64_t> &shape);

  /// A subgraph, whose inputs get names. What is added until it ends goes into it.
  std::vector<Value> beginGraph(int inputCount);
  proto::GraphProto endGraph(std::vector<Value> outputs);

  void setOutput(int index, Value value);
  proto::FunctionProto take();

  /// Says why the node has no body: the end of a sentence that names it.
  std::nullopt_t refuse(std::string why) {
    reason = std::move(why);
    return std::nullopt;
  }
  const std::string &getReason() const { return reason; }
  /// Values that the body reads besides the operands of the node, after those.
  const std::vector<std::string> &getExtraInputs() const { return extraInputs; }

private:
  const proto::AttributeProto *find(llvm::StringRef name) const;
  Value makeName() { return "value" + std::to_string(counter++); }
  proto::NodeProto &addNode(const char *operation);

  const proto::NodeProto &node;
  const KnownValues &known;
  proto::FunctionProto body;
  std::vector<proto::GraphProto> graphs; ///< those that are being written, innermost last
  std::vector<std::string> extraInputs;
  std::string reason;
  unsigned counter = 0;
};

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_BODYBUILDER_H
