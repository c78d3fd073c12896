// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer as a library: models in memory, who owns weights, and that no damage to a model is
// worse than an error.

#include "lib/import/Import.h"

#include "dialects/onnx/Onnx.h"
#include "lib/import/TensorData.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tenon;
using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

namespace {

class ImportTest : public ::testing::Test {
protected:
  ImportTest()
      : handler(&context,
                [this](Diagnostic &diagnostic) { messages.push_back(diagnostic.str()); }) {}

  FailureOr<OwningOpRef<ModuleOp>> import(llvm::StringRef bytes) {
    messages.clear();
    weights = WeightTable();
    return importModel(llvm::MemoryBufferRef(bytes, "model"), "model", ImportOptions(), context,
                       weights);
  }

  MLIRContext context;
  std::vector<std::string> messages;
  ScopedDiagnosticHandler handler;
  WeightTable weights;
};

void setType(::onnx::ValueInfoProto &value, const char *name,
             std::initializer_list<int64_t> shape) {
  value.set_name(name);
  auto *tensor = value.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(TensorProto::FLOAT);
  for (int64_t dim : shape)
    tensor->mutable_shape()->add_dim()->set_dim_value(dim);
}

NodeProto &addNode(::onnx::GraphProto &graph, const char *op,
                   std::initializer_list<const char *> inputs,
                   std::initializer_list<const char *> outputs) {
  NodeProto &node = *graph.add_node();
  node.set_op_type(op);
  for (const char *input : inputs)
    node.add_input(input);
  for (const char *output : outputs)
    node.add_output(output);
  return node;
}

/// A model of an old opset with a weight, a small tensor, attributes of several kinds, an If and a
/// function.
ModelProto makeModel() {
  ModelProto model;
  model.set_ir_version(8);
  for (const char *domain : {"", "local"}) {
    model.add_opset_import()->set_domain(domain);
    model.mutable_opset_import()->rbegin()->set_version(domain[0] ? 1 : 12);
  }
  auto &graph = *model.mutable_graph();
  graph.set_name("g");
  setType(*graph.add_input(), "x", {2, 300});
  setType(*graph.add_output(), "y", {2, 300});

  TensorProto &weight = *graph.add_initializer();
  weight.set_name("w");
  weight.set_data_type(TensorProto::FLOAT);
  weight.add_dims(300);
  for (int i = 0; i < 300; ++i)
    weight.add_float_data(static_cast<float>(i));
  TensorProto &flag = *graph.add_initializer();
  flag.set_name("flag");
  flag.set_data_type(TensorProto::BOOL);
  flag.set_raw_data(std::string(1, '\1'));

  addNode(graph, "Add", {"x", "w"}, {"a"});
  NodeProto &choose = addNode(graph, "If", {"flag"}, {"b"});
  for (const char *name : {"then_branch", "else_branch"}) {
    AttributeProto &branch = *choose.add_attribute();
    branch.set_name(name);
    branch.set_type(AttributeProto::GRAPH);
    branch.mutable_g()->set_name(name);
    std::string output = std::string(name) + "_out";
    NodeProto &softmax = addNode(*branch.mutable_g(), "Softmax", {"a"}, {output.c_str()});
    AttributeProto &axis = *softmax.add_attribute();
    axis.set_name("axis");
    axis.set_type(AttributeProto::INT);
    axis.set_i(1);
    setType(*branch.mutable_g()->add_output(), output.c_str(), {2, 300});
  }
  addNode(graph, "Double", {"b"}, {"y"}).set_domain("local");

  auto &function = *model.add_functions();
  function.set_name("Double");
  function.set_domain("local");
  function.add_input("p");
  function.add_output("q");
  function.add_opset_import()->set_version(12);
  NodeProto &add = *function.add_node();
  add.set_op_type("Add");
  add.add_input("p");
  add.add_input("p");
  add.add_output("q");
  return model;
}

TEST_F(ImportTest, ImportsFromMemory) {
  auto module = import(makeModel().SerializeAsString());
  ASSERT_TRUE(succeeded(module)) << llvm::join(messages, "\n");
  EXPECT_TRUE(messages.empty());
  auto bytes = weights.find("w");
  ASSERT_TRUE(bytes.has_value());
  ASSERT_EQ(bytes->size(), 1200u);
  float last;
  std::memcpy(&last, bytes->data() + 1196, 4);
  EXPECT_EQ(last, 299.0f);
}

TEST_F(ImportTest, DropsUnusedWeights) {
  ModelProto model = makeModel();
  TensorProto unused = model.graph().initializer(0);
  unused.set_name("unused");
  *model.mutable_graph()->add_initializer() = unused;
  ASSERT_TRUE(succeeded(import(model.SerializeAsString()))) << llvm::join(messages, "\n");
  EXPECT_TRUE(weights.find("w").has_value());
  EXPECT_FALSE(weights.find("unused").has_value());
}

TEST_F(ImportTest, MemoryHasNoExternalData) {
  ModelProto model = makeModel();
  TensorProto &weight = *model.mutable_graph()->mutable_initializer(0);
  weight.clear_float_data();
  weight.set_data_location(TensorProto::EXTERNAL);
  auto *location = weight.add_external_data();
  location->set_key("location");
  location->set_value("weights.bin");
  EXPECT_TRUE(failed(import(model.SerializeAsString())));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages[0].find("the model has no folder"), std::string::npos) << messages[0];
}

TEST_F(ImportTest, WeightMayHaveTheNameOfADimension) {
  ModelProto model = makeModel();
  auto &graph = *model.mutable_graph();
  graph.mutable_initializer(0)->set_name("batch");
  graph.mutable_node(0)->set_input(1, "batch");
  for (auto *value : {graph.mutable_input(0), graph.mutable_output(0)})
    value->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param(
        "batch");
  for (AttributeProto &branch : *graph.mutable_node(1)->mutable_attribute())
    branch.mutable_g()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  auto module = import(model.SerializeAsString());
  ASSERT_TRUE(succeeded(module)) << llvm::join(messages, "\n");
  EXPECT_FALSE(weights.find("batch").has_value());
  EXPECT_TRUE(weights.find("batch_0").has_value());
}

/// A failed import says why; a successful one is a valid module.
#define EXPECT_ORDERLY(BYTES)                                                                      \
  do {                                                                                             \
    auto module = import(BYTES);                                                                   \
    if (succeeded(module))                                                                         \
      EXPECT_TRUE(succeeded(verify(module->get())));                                               \
    else                                                                                           \
      EXPECT_FALSE(messages.empty());                                                              \
  } while (false)

TEST_F(ImportTest, SurvivesTruncationAtEveryByte) {
  std::string bytes = makeModel().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_ORDERLY(llvm::StringRef(bytes).take_front(size));
}

TEST_F(ImportTest, SurvivesEveryBitFlipOutsideTheWeight) {
  std::string bytes = makeModel().SerializeAsString();
  size_t weight = bytes.find(std::string("\0\0\x80\x3f\0\0\0\x40", 8)), end = weight + 4 * 298;
  ASSERT_NE(weight, std::string::npos);
  for (size_t at = 0; at < bytes.size(); ++at) {
    if (at >= weight && at < end)
      continue;
    for (unsigned bit = 0; bit < 8; ++bit) {
      bytes[at] ^= static_cast<char>(1 << bit);
      EXPECT_ORDERLY(bytes);
      bytes[at] ^= static_cast<char>(1 << bit);
    }
  }
}

TEST(OnnxDialect, KnowsEveryStandardOperatorOnce) {
  llvm::ArrayRef<tenon::onnx::OpIdentity> ops = tenon::onnx::getStandardOps();
  // All of ai.onnx but Constant, which is an op of its own, and all of ai.onnx.ml.
  EXPECT_EQ(llvm::count_if(ops, [](const auto &op) { return op.domain.empty(); }), 202);
  EXPECT_EQ(llvm::count_if(ops, [](const auto &op) { return op.domain == "ai.onnx.ml"; }), 19);
  EXPECT_TRUE(llvm::is_sorted(
      ops, [](const auto &a, const auto &b) { return a.operationName < b.operationName; }));
  MLIRContext context;
  context.loadDialect<tenon::onnx::OnnxDialect>();
  for (const tenon::onnx::OpIdentity &op : ops) {
    auto name = RegisteredOperationName::lookup(op.operationName, &context);
    ASSERT_TRUE(name.has_value()) << op.operationName.str();
    EXPECT_EQ(tenon::onnx::getIdentity(*name), &op);
  }
  EXPECT_EQ(tenon::onnx::getIdentity(OperationName("func.func", &context)), nullptr);
}

TEST(OnnxDialect, ElementKindsAndTypesCorrespond) {
  MLIRContext context;
  context.loadDialect<tenon::onnx::OnnxDialect>();
  for (unsigned i = 1; i < tenon::onnx::kElementKindCount; ++i) {
    auto kind = static_cast<tenon::onnx::ElementKind>(i);
    Type type = tenon::onnx::getElementType(&context, kind);
    ASSERT_TRUE(type) << i;
    EXPECT_EQ(tenon::onnx::getElementKind(type), kind) << i;
  }
}

TEST(TensorData, CountsElements) {
  EXPECT_EQ(import::getElementCount({}), 1u);
  EXPECT_EQ(import::getElementCount({2, 0, 3}), 0u);
  EXPECT_EQ(import::getElementCount({2, -1}), std::nullopt);
  // A zero does not excuse an overflow.
  EXPECT_EQ(import::getElementCount({int64_t(1) << 40, int64_t(1) << 40, 0}), std::nullopt);
  EXPECT_EQ(import::getByteSize(TensorProto::INT4, 3), 2u);
  EXPECT_EQ(import::getByteSize(TensorProto::FLOAT6E2M3, 3), 3u);
  EXPECT_EQ(import::getByteSize(TensorProto::DOUBLE, uint64_t(1) << 61), std::nullopt);
}

TEST(TensorData, PacksNarrowTypes) {
  TensorProto tensor;
  tensor.set_data_type(TensorProto::FLOAT6E2M3);
  tensor.add_dims(3);
  for (int value : {0b000001, 0b100000, 0b111111})
    tensor.add_int32_data(value);
  ASSERT_EQ(import::checkTensor(tensor), "");
  EXPECT_EQ(import::takeBytes(tensor), std::string("\x01\xf8\x03", 3));
}

} // namespace
