// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See DetachWeights.h. A failure is reported and the walk goes on, so that all ill-formed tensors
// are told at once.

#include "lib/import/DetachWeights.h"

#include "lib/import/Prepare.h"
#include "lib/import/TensorData.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace tenon::import {

/// Up to this size a tensor is a constant in the IR.
static constexpr uint64_t kMaxConstantBytes = 1024;

/// A sparse tensor may be made dense up to this size.
static constexpr uint64_t kMaxDenseBytes = uint64_t(1) << 32;

static ArrayRef<int64_t> getDims(const proto::TensorProto &tensor) {
  return {tensor.dims().data(), static_cast<size_t>(tensor.dims_size())};
}

static bool isConstant(const proto::NodeProto &node) {
  return node.domain().empty() && node.op_type() == "Constant";
}

/// Renames the uses of a value in `graph`, which defines it, and in its subgraphs.
static void renameUses(proto::GraphProto &graph, const std::string &from, const std::string &to) {
  walkNodes(graph, [&](proto::NodeProto &node) {
    for (std::string &input : *node.mutable_input())
      if (input == from)
        input = to;
  });
}

void WeightDetacher::fail(StringRef tensorName, const std::string &message) {
  diagnostics.errorInTensor(tensorName) << message;
  hasFailed = true;
}

std::string WeightDetacher::makeUnique(const std::string &name, llvm::StringSet<> &names) {
  std::string unique = name;
  for (unsigned i = 0; !names.insert(unique).second; ++i)
    unique = name + "_" + std::to_string(i);
  return unique;
}

//===----------------------------------------------------------------------===//
// Checks and normal form
//===----------------------------------------------------------------------===//

bool WeightDetacher::check(proto::TensorProto &tensor) {
  std::string problem = checkTensor(tensor);
  if (!problem.empty()) {
    fail(tensor.name(), problem);
    return false;
  }
  return true;
}

/// Copies the data of a checked tensor into the model, if it lies in another file.
void WeightDetacher::load(proto::TensorProto &tensor) {
  if (tensor.data_location() != proto::TensorProto::EXTERNAL)
    return;
  ExternalData::Slice slice;
  std::string problem;
  uint64_t size = *getByteSize(tensor.data_type(), *getElementCount(getDims(tensor)));
  if (!files.find(tensor, size, slice, problem))
    return fail(tensor.name(), problem);
  tensor.set_raw_data(slice.bytes.data(), slice.bytes.size());
  tensor.clear_external_data();
  tensor.clear_data_location();
}

/// Checks and loads the tensors in the attributes of a node.
void WeightDetacher::checkAttributes(proto::NodeProto &node) {
  auto visit = [&](proto::TensorProto &tensor) {
    if (tensor.name().empty())
      tensor.set_name(node.name());
    if (check(tensor))
      load(tensor);
  };
  for (proto::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_t())
      visit(*attribute.mutable_t());
    for (proto::TensorProto &tensor : *attribute.mutable_tensors())
      visit(tensor);
  }
}

bool WeightDetacher::densify(proto::SparseTensorProto &sparse, proto::TensorProto &dense) {
  proto::TensorProto &values = *sparse.mutable_values(), &indices = *sparse.mutable_indices();
  auto reject = [&](const std::string &message) {
    fail(values.name(), "sparse tensor: " + message);
    return false;
  };
  ArrayRef<int64_t> dims{sparse.dims().data(), static_cast<size_t>(sparse.dims_size())};
  std::optional<uint64_t> count = getElementCount(dims);
  unsigned bits = getElementBits(values.data_type());
  if (!count || bits < 8 || bits % 8)
    return reject("impossible dimensions or element type");
  std::optional<uint64_t> size = getByteSize(values.data_type(), *count);
  if (!size || *size > kMaxDenseBytes)
    return reject("it would take more than 4 GiB as a dense tensor");
  if (!check(values) || !check(indices))
    return false;
  if (values.data_location() == proto::TensorProto::EXTERNAL ||
      indices.data_location() == proto::TensorProto::EXTERNAL)
    return reject("external data is not supported");
  uint64_t entries = *getElementCount(getDims(values));
  bool isLinear = indices.dims_size() == 1;
  if (indices.data_type() != proto::TensorProto::INT64 ||
      (indices.dims_size() != 1 && indices.dims_size() != 2) ||
      static_cast<uint64_t>(indices.dims(0)) != entries ||
      (!isLinear && indices.dims(1) != sparse.dims_size()))
    return reject("expected int64 indices, one or one per dimension for each of its " +
                  std::to_string(entries) + " values");

  std::string bytes(*size, '\0'), from = takeBytes(values), at = takeBytes(indices);
  auto index = [&](uint64_t i) {
    int64_t value;
    std::memcpy(&value, at.data() + i * sizeof(value), sizeof(value));
    return value;
  };
  for (uint64_t entry = 0; entry < entries; ++entry) {
    int64_t position = 0;
    if (isLinear) {
      position = index(entry);
    } else {
      for (auto [axis, dim] : llvm::enumerate(dims)) {
        int64_t coordinate = index(entry * dims.size() + axis);
        if (coordinate < 0 || coordinate >= dim)
          return reject("an index is out of range");
        position = position * dim + coordinate;
      }
    }
    if (position < 0 || static_cast<uint64_t>(position) >= *count)
      return reject("an index is out of range");
    std::memcpy(bytes.data() + position * (bits / 8), from.data() + entry * (bits / 8), bits / 8);
  }
  dense.set_name(values.name());
  dense.set_data_type(values.data_type());
  dense.mutable_dims()->Assign(dims.begin(), dims.end());
  dense.set_raw_data(std::move(bytes));
  return true;
}

/// Gives a Constant its `value`, whatever form it has.
bool WeightDetacher::normalizeConstant(proto::NodeProto &node) {
  if (node.attribute_size() != 1 || node.output_size() != 1)
    return true; // The checker says what is wrong.
  proto::AttributeProto &attribute = *node.mutable_attribute(0);
  proto::TensorProto value;
  value.set_name(node.output(0));
  if (attribute.name() == "value" && attribute.has_t()) {
    attribute.mutable_t()->set_name(node.output(0));
    return true;
  }
  if (attribute.name() == "sparse_value" && attribute.has_sparse_tensor()) {
    attribute.mutable_sparse_tensor()->mutable_values()->set_name(node.output(0));
    if (!densify(*attribute.mutable_sparse_tensor(), value))
      return false;
  } else if (attribute.name() == "value_float") {
    value.set_data_type(proto::TensorProto::FLOAT);
    value.add_float_data(attribute.f());
  } else if (attribute.name() == "value_int") {
    value.set_data_type(proto::TensorProto::INT64);
    value.add_int64_data(attribute.i());
  } else if (attribute.name() == "value_string") {
    value.set_data_type(proto::TensorProto::STRING);
    value.add_string_data(attribute.s());
  } else if (attribute.name() == "value_floats") {
    value.set_data_type(proto::TensorProto::FLOAT);
    value.add_dims(attribute.floats_size());
    *value.mutable_float_data() = std::move(*attribute.mutable_floats());
  } else if (attribute.name() == "value_ints") {
    value.set_data_type(proto::TensorProto::INT64);
    value.add_dims(attribute.ints_size());
    *value.mutable_int64_data() = std::move(*attribute.mutable_ints());
  } else if (attribute.name() == "value_strings") {
    value.set_data_type(proto::TensorProto::STRING);
    value.add_dims(attribute.strings_size());
    *value.mutable_string_data() = std::move(*attribute.mutable_strings());
  } else {
    return true;
  }
  attribute.Clear();
  attribute.set_name("value");
  attribute.set_type(proto::AttributeProto::TENSOR);
  *attribute.mutable_t() = std::move(value);
  return true;
}

//===----------------------------------------------------------------------===//
// Detaching
//===----------------------------------------------------------------------===//

bool WeightDetacher::shouldDetach(const proto::TensorProto &tensor) {
  if (tensor.data_type() == proto::TensorProto::STRING)
    return false;
  return *getByteSize(tensor.data_type(), *getElementCount(getDims(tensor))) > kMaxConstantBytes;
}

/// Adds an input of the main graph with the type of `tensor`, and what stands behind it.
DetachedTensor &WeightDetacher::addInput(const std::string &name,
                                         const proto::TensorProto &tensor) {
  proto::ValueInfoProto &input = *mainGraph->add_input();
  input.set_name(name);
  proto::TypeProto::Tensor &type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(tensor.data_type());
  type.mutable_shape();
  for (int64_t dim : tensor.dims())
    type.mutable_shape()->add_dim()->set_dim_value(dim);
  DetachedTensor &entry = detached[name];
  entry.type = getTensorType(tensor, &context);
  return entry;
}

std::optional<std::string> WeightDetacher::reinterpret(proto::ModelProto &model, StringRef name,
                                                       int32_t elementType,
                                                       ArrayRef<int64_t> shape) {
  auto found = detached.find(name);
  if (found == detached.end() || found->getValue().symbol.empty())
    return std::nullopt;
  std::string symbol = found->getValue().symbol;
  std::optional<uint64_t> count = getElementCount(shape);
  std::optional<uint64_t> size = count ? getByteSize(elementType, *count) : std::nullopt;
  std::optional<ArrayRef<char>> bytes = weights.find(symbol);
  if (!size || !bytes || bytes->size() != *size)
    return std::nullopt;
  mainGraph = model.mutable_graph();
  proto::TensorProto tensor;
  tensor.set_data_type(elementType);
  tensor.mutable_dims()->Assign(shape.begin(), shape.end());
  std::string inputName = makeUnique((name + ".packed").str(), valueNames);
  DetachedTensor &entry = addInput(inputName, tensor);
  entry.symbol = makeUnique(symbol + ".packed", symbols);
  weights.addAlias(entry.symbol, symbol);
  return inputName;
}

/// Makes the value `name` of `graph`, with the elements of `tensor`, an input of the main graph.
void WeightDetacher::detach(proto::GraphProto &graph, proto::TensorProto &tensor,
                            const std::string &name) {
  // An output of the graph must be made by a node of it, under its own name.
  bool isOutput =
      llvm::any_of(graph.output(), [&](const auto &output) { return output.name() == name; });
  std::string inputName = name;
  if (isOutput) {
    inputName = makeUnique(name, valueNames);
    renameUses(graph, name, inputName);
    proto::NodeProto &identity = *graph.add_node();
    identity.set_op_type("Identity");
    identity.set_name(name);
    identity.add_input(inputName);
    identity.add_output(name);
  }

  DetachedTensor &entry = addInput(inputName, tensor);
  uint64_t count = *getElementCount(getDims(tensor));
  ExternalData::Slice slice;
  std::string bytes, problem;
  bool isExternal = tensor.data_location() == proto::TensorProto::EXTERNAL;
  if (isExternal) {
    if (!files.find(tensor, *getByteSize(tensor.data_type(), count), slice, problem))
      return fail(tensor.name(), problem);
    // Bools must be 0 or 1, which nothing but a look at each guarantees.
    if (tensor.data_type() == proto::TensorProto::BOOL) {
      load(tensor);
      isExternal = false;
    }
  }
  if (!isExternal) {
    bytes = takeBytes(tensor);
    slice.bytes = bytes;
  }
  if (isSplat(slice.bytes, tensor.data_type(), count)) {
    entry.splat = makeElements(entry.type, tensor.data_type(), slice.bytes, /*splat=*/true);
    return;
  }
  entry.symbol = makeUnique(name, symbols);
  if (isExternal)
    weights.addSlice(entry.symbol, slice.file, slice.bytes);
  else
    weights.addOwned(entry.symbol, std::move(bytes));
}

void WeightDetacher::detachFromGraph(proto::GraphProto &graph) {
  for (proto::SparseTensorProto &sparse : *graph.mutable_sparse_initializer()) {
    proto::TensorProto dense;
    if (densify(sparse, dense))
      *graph.add_initializer() = std::move(dense);
  }
  graph.clear_sparse_initializer();

  keepIf(*graph.mutable_initializer(), [&](proto::TensorProto &tensor) {
    if (!check(tensor))
      return true;
    if (!shouldDetach(tensor)) {
      load(tensor);
      return true;
    }
    detach(graph, tensor, tensor.name());
    return false;
  });

  // detach() adds nodes at the end, which need no visit.
  int nodeCount = graph.node_size();
  std::vector<bool> isDetached(nodeCount);
  for (int i = 0; i < nodeCount; ++i) {
    proto::NodeProto &node = *graph.mutable_node(i);
    for (proto::AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        detachFromGraph(*attribute.mutable_g());
    if (!isConstant(node)) {
      checkAttributes(node);
      continue;
    }
    if (!normalizeConstant(node) || node.attribute_size() != 1 || node.output_size() != 1 ||
        !node.attribute(0).has_t())
      continue; // Reported already, or the checker's to report.
    proto::TensorProto &value = *node.mutable_attribute(0)->mutable_t();
    if (!check(value))
      continue;
    isDetached[i] = shouldDetach(value);
    if (isDetached[i])
      detach(graph, value, node.output(0));
    else
      load(value);
  }
  int index = 0;
  keepIf(*graph.mutable_node(), [&](proto::NodeProto &) {
    int i = index++;
    return i >= nodeCount || !isDetached[i];
  });
}

LogicalResult WeightDetacher::run(proto::ModelProto &model) {
  mainGraph = model.mutable_graph();
  walkGraphs(*mainGraph, [&](proto::GraphProto &graph) {
    for (const proto::ValueInfoProto &input : graph.input())
      valueNames.insert(input.name());
    for (const proto::TensorProto &tensor : graph.initializer())
      valueNames.insert(tensor.name());
    for (const proto::NodeProto &node : graph.node())
      for (const std::string &output : node.output())
        valueNames.insert(output);
  });
  detachFromGraph(*mainGraph);

  // Tensors inside functions stay until the functions are inlined; but what lies in other files
  // must be here by then.
  for (proto::FunctionProto &function : *model.mutable_functions())
    for (proto::NodeProto &node : *function.mutable_node()) {
      checkAttributes(node);
      for (proto::AttributeProto &attribute : *node.mutable_attribute())
        if (attribute.has_g())
          walkNodes(*attribute.mutable_g(),
                    [&](proto::NodeProto &inner) { checkAttributes(inner); });
    }
  return failure(hasFailed);
}

} // namespace tenon::import
