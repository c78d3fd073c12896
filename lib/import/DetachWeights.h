// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes the weights out of a model before the ONNX library works on it. Its converter and its shape
// inference copy what they see, so a weight becomes an input of the main graph, which keeps its
// type and shape and costs nothing; wherever it was (an initializer of the graph or of a subgraph,
// a Constant), its users refer to that input now. Tensors of at most 1 KiB stay, with their data
// inside, because shape inference computes with them.
//
// On the way every tensor of the model is checked, sparse ones are made dense, and all forms of
// Constant become `value`.

#ifndef TENON_LIB_IMPORT_DETACHWEIGHTS_H
#define TENON_LIB_IMPORT_DETACHWEIGHTS_H

#include "lib/import/Diagnostics.h"
#include "lib/import/ExternalData.h"
#include "lib/weights/WeightTable.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace tenon::import {

namespace proto = ::onnx;

/// What stands behind an input of the main graph that is none of the model's.
struct DetachedTensor {
  mlir::RankedTensorType type;
  std::string symbol;            ///< of the weight, in the WeightTable
  mlir::DenseElementsAttr splat; ///< or the value, if all elements are equal
};
using DetachedTensors = llvm::StringMap<DetachedTensor>;

class WeightDetacher {
public:
  /// `reserved` are names that no weight's symbol may take.
  WeightDetacher(mlir::MLIRContext &context, ExternalData &files, WeightTable &weights,
                 llvm::StringSet<> reserved, Diagnostics &diagnostics)
      : context(context), files(files), weights(weights), symbols(std::move(reserved)),
        diagnostics(diagnostics) {}

  /// Detaches all weights of `model`, whose values must have unique names. To be called again after
  /// functions were inlined. Reports all ill-formed tensors.
  mlir::LogicalResult run(proto::ModelProto &model);

  const DetachedTensors &getDetached() const { return detached; }

  /// The bytes of the weight `name` as a weight of another element type and shape, which must take
  /// as many bytes: the name of the new input, or nothing where there is no such weight. The bytes
  /// are shared. Element types narrower than a byte lie in it from the least significant bit up.
  std::optional<std::string> reinterpret(proto::ModelProto &model, llvm::StringRef name,
                                         int32_t elementType, llvm::ArrayRef<int64_t> shape);

private:
  void detachFromGraph(proto::GraphProto &graph);
  void detach(proto::GraphProto &graph, proto::TensorProto &tensor, const std::string &name);
  bool shouldDetach(const proto::TensorProto &tensor);
  bool check(proto::TensorProto &tensor);
  void load(proto::TensorProto &tensor);
  DetachedTensor &addInput(const std::string &name, const proto::TensorProto &tensor);
  bool densify(proto::SparseTensorProto &sparse, proto::TensorProto &dense);
  bool normalizeConstant(proto::NodeProto &node);
  void checkAttributes(proto::NodeProto &node);
  std::string makeUnique(const std::string &name, llvm::StringSet<> &names);
  void fail(llvm::StringRef tensorName, const std::string &message);

  mlir::MLIRContext &context;
  ExternalData &files;
  WeightTable &weights;
  llvm::StringSet<> symbols;
  Diagnostics &diagnostics;

  proto::GraphProto *mainGraph = nullptr;
  llvm::StringSet<> valueNames; ///< all names of values, in all scopes
  DetachedTensors detached;
  bool hasFailed = false;
};

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_DETACHWEIGHTS_H
