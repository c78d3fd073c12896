// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Broadcasting before opset 7: the second operand has the dimensions of the first from `axis` on,
// and only where the attribute `broadcast` says so. Said as it has been said since: dimensions of 1
// are added behind.
//
// The library's converter does the same, but asks all sizes to be known, of which only the ranks
// matter. It leaves operators of domains that it does not know alone; so these have such a domain
// while it works. Nothing but their types has changed since.

#include "lib/import/OnnxLibrary.h"
#include "lib/import/Prepare.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::import {

static constexpr char hiddenDomain[] = "tenon.converted";

namespace {

/// The ranks of a graph's values, as far as the library can infer them.
class Ranks {
public:
  explicit Ranks(const proto::ModelProto &model) {
    proto::ModelProto annotated = model;
    (void)library::inferShapes(annotated);
    const proto::GraphProto &graph = annotated.graph();
    for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
      for (const proto::ValueInfoProto &value : *values)
        if (value.type().tensor_type().has_shape())
          ranks[value.name()] = value.type().tensor_type().shape().dim_size();
    for (const proto::TensorProto &tensor : graph.initializer())
      ranks[tensor.name()] = tensor.dims_size();
  }
  std::optional<int64_t> find(const std::string &name) const {
    auto known = ranks.find(name);
    return known == ranks.end() ? std::nullopt : std::optional(known->second);
  }

private:
  llvm::StringMap<int64_t> ranks;
};

} // namespace

/// Where the second operand of `node` stands in the first, counted from the front; nothing where it
/// is aligned with the end as it is today.
static FailureOr<std::optional<int64_t>> positionOf(proto::NodeProto &node, const Ranks &ranks) {
  std::optional<int64_t> first = ranks.find(node.input(0)), second = ranks.find(node.input(1));
  if (!first || !second)
    return failure();
  // A slope for each channel.
  if (node.op_type() == "PRelu")
    return *second == 1 && *first > 2 ? std::optional<int64_t>(1) : std::nullopt;
  for (const proto::AttributeProto &attribute : node.attribute())
    if (attribute.name() == "axis") {
      int64_t axis = attribute.i() < 0 ? attribute.i() + *first : attribute.i();
      return axis + *second == *first ? std::nullopt : std::optional(axis);
    }
  return std::optional<int64_t>();
}

void hideOldBroadcasts(proto::ModelProto &model) {
  auto isOld = [](const proto::OperatorSetIdProto &import) {
    return import.domain().empty() && import.version() < 7;
  };
  if (llvm::none_of(model.opset_import(), isOld))
    return;
  Ranks ranks(model);
  proto::GraphProto &graph = *model.mutable_graph();
  google::protobuf::RepeatedPtrField<proto::NodeProto> nodes;
  nodes.Swap(graph.mutable_node());
  for (proto::NodeProto &node : nodes) {
    bool broadcasts = llvm::StringSwitch<bool>(node.op_type())
                          .Cases({"Add", "Sub", "Mul", "Div", "And", "Or", "Xor"}, true)
                          .Cases({"Equal", "Greater", "Less", "Pow", "PRelu", "Gemm"}, true)
                          .Default(false);
    FailureOr<std::optional<int64_t>> position = std::optional<int64_t>();
    if (broadcasts && node.domain().empty() && node.op_type() != "Gemm")
      position = positionOf(node, ranks);
    if (!broadcasts || !node.domain().empty() || failed(position)) {
      graph.add_node()->Swap(&node);
      continue;
    }
    if (*position) {
      int64_t first = *ranks.find(node.input(0)), second = *ranks.find(node.input(1));
      proto::NodeProto &added = *graph.add_node();
      added.set_op_type("Unsqueeze");
      added.set_name(node.name());
      added.add_input(node.input(1));
      added.add_output(node.output(0) + ".aligned");
      proto::AttributeProto &axes = *added.add_attribute();
      axes.set_name("axes");
      axes.set_type(proto::AttributeProto::INTS);
      for (int64_t axis = second; axis < first - **position; ++axis)
        axes.add_ints(axis);
      node.set_input(1, added.output(0));
    }
    keepIf(*node.mutable_attribute(), [](const proto::AttributeProto &attribute) {
      return !llvm::is_contained({"axis", "broadcast", "consumed_inputs"}, attribute.name());
    });
    node.set_domain(hiddenDomain);
    graph.add_node()->Swap(&node);
  }
  proto::OperatorSetIdProto &import = *model.add_opset_import();
  import.set_domain(hiddenDomain);
  import.set_version(1);
}

void showOldBroadcasts(proto::ModelProto &model) {
  for (proto::NodeProto &node : *model.mutable_graph()->mutable_node())
    if (node.domain() == hiddenDomain)
      node.clear_domain();
  keepIf(*model.mutable_opset_import(),
         [](const proto::OperatorSetIdProto &import) { return import.domain() != hiddenDomain; });
}

} // namespace tenon::import
