// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Our own table of conversions, for what the library's version converter lacks or gets wrong. Each rewrites a node into
// operators that the converter brings to the newest opset as it should.

#include "lib/import/Prepare.h"

using namespace mlir;

namespace tenon::import {

/// ONNX Runtime has a few operators of its own in the default domain, and its tools write them. They belong with its
/// other ones.
static void moveRuntimeOperator(proto::NodeProto &node, proto::ModelProto &model) {
  node.set_domain("com.microsoft");
  if (llvm::none_of(model.opset_import(), [](const auto &import) { return import.domain() == "com.microsoft"; })) {
    proto::OperatorSetIdProto &import = *model.add_opset_import();
    import.set_domain("com.microsoft");
    import.set_version(1);
  }
}

/// Scan of opset 8 runs over the elements of a batch, the first dimension of all its operands. The library's converter
/// drops that dimension. Here it becomes a Scan over the batch around a Scan over the elements; to survive the
/// converter, both are spelled as in opset 8, with an empty first operand. (One that has sequence lengths there is
/// refused by the converter.)
static void nestBatchedScan(proto::NodeProto &node) {
  if (node.input_size() < 2 || !node.input(0).empty() || node.output_size() == 0)
    return;
  proto::NodeProto inner = node;
  proto::GraphProto batch;
  batch.set_name(node.name() + ".batch");
  for (int i = 1; i < node.input_size(); ++i) {
    std::string name = node.output(0) + ".batch_input_" + std::to_string(i);
    inner.set_input(i, name);
    batch.add_input()->set_name(name);
  }
  for (int i = 0; i < node.output_size(); ++i) {
    std::string name = node.output(0) + ".batch_output_" + std::to_string(i);
    inner.set_output(i, name);
    batch.add_output()->set_name(name);
  }
  *batch.add_node() = std::move(inner);

  keepIf(*node.mutable_attribute(), [](const proto::AttributeProto &attribute) {
    return attribute.name() == "body" || attribute.name() == "num_scan_inputs";
  });
  for (proto::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.name() == "body")
      *attribute.mutable_g() = batch;
    else
      attribute.set_i(node.input_size() - 1);
  }
}

void adaptOperators(proto::ModelProto &model) {
  int64_t version = 1;
  for (const proto::OperatorSetIdProto &import : model.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx")
      version = import.version();
  walkNodes(*model.mutable_graph(), [&](proto::NodeProto &node) {
    if (!node.domain().empty() && node.domain() != "ai.onnx")
      return;
    if (node.op_type() == "SimplifiedLayerNormalization")
      moveRuntimeOperator(node, model);
  });
  if (version != 8)
    return;
  // Inner graphs first, since an adapted node holds a Scan that must not be adapted again.
  auto visit = [](auto &self, proto::GraphProto &graph) -> void {
    for (proto::NodeProto &node : *graph.mutable_node()) {
      for (proto::AttributeProto &attribute : *node.mutable_attribute())
        if (attribute.has_g())
          self(self, *attribute.mutable_g());
      if (node.op_type() == "Scan" && (node.domain().empty() || node.domain() == "ai.onnx"))
        nestBatchedScan(node);
    }
  };
  visit(visit, *model.mutable_graph());
}

} // namespace tenon::import
