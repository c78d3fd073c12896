// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What happens to a model before the ONNX library sees it, and after it: checks that the library
// lacks, one spelling for what ONNX lets be spelled in several ways, and memory of what the
// library's converter drops.

#ifndef TENON_LIB_IMPORT_PREPARE_H
#define TENON_LIB_IMPORT_PREPARE_H

#include "lib/import/Diagnostics.h"
#include "lib/import/Import.h"
#include "onnx/onnx_pb.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

namespace tenon::import {

namespace proto = ::onnx;

/// Keeps the elements of a repeated field for which `keep` holds, in order.
template <typename Field, typename Keep>
void keepIf(Field &field, Keep keep) {
  int kept = 0;
  for (int i = 0; i < field.size(); ++i)
    if (keep(field[i]))
      field.SwapElements(kept++, i);
  field.DeleteSubrange(kept, field.size() - kept);
}

/// Calls `visit` on every node of `graph` and of its subgraphs, outer nodes first.
void walkNodes(proto::GraphProto &graph, llvm::function_ref<void(proto::NodeProto &)> visit);

/// Calls `visit` on `graph` and its subgraphs, outer graphs first.
void walkGraphs(proto::GraphProto &graph, llvm::function_ref<void(proto::GraphProto &)> visit);

/// Checks versions, domains, operators and that functions are not recursive. Reports all unknown
/// operators at once.
mlir::LogicalResult checkVersions(const proto::ModelProto &model, Diagnostics &diagnostics);

/// Rewrites operators that the library's version converter cannot convert rightly. To be called
/// before anything else.
void adaptOperators(proto::ModelProto &model);

/// Spells broadcasting of before opset 7 as it is spelled since, and hides the operators from the
/// library's converter until they are shown again (OldBroadcasts.cpp).
void hideOldBroadcasts(proto::ModelProto &model);
void showOldBroadcasts(proto::ModelProto &model);

/// Lets sizes that are data and feed a Resize have as many elements as it has axes: where that is
/// not known, the library takes them for none and objects. True if there was such a Resize.
bool nameResizeLengths(proto::ModelProto &model);

/// Gives a Resize that was an Upsample, or a Resize of opset 10, the meaning it had then:
/// coordinates were scaled and rounded down. The library's converter leaves it to the defaults,
/// which are others now.
void restoreResize(proto::NodeProto &node);

/// Spells the model in one way: newest file format, "" for the default domain, negative dimensions
/// as unknown ones, no inputs that have an initializer, a name for each node ("Conv_12" for the
/// unnamed).
void normalize(proto::ModelProto &model);

/// Gives each value a name of its own: values of different subgraphs may share one in ONNX, but the
/// library's shape inference confuses them, and its version converter makes such names. normalize()
/// does this too.
void makeNamesUnique(proto::ModelProto &model);

/// Applies the user's fixed dimensions, so that shape inference sees them. Fails on a name that no
/// input has.
mlir::LogicalResult fixDimensions(proto::ModelProto &model, const ImportOptions &options,
                                  Diagnostics &diagnostics);

/// Remembers what the version converter drops from each node, by the names of its outputs, and what
/// it gets wrong.
class NodeAnnotations {
public:
  /// `version` is the opset of the default domain that `model` uses.
  NodeAnnotations(proto::ModelProto &model, int64_t version);

  /// Gives it back to the nodes that make the same values; names the nodes that the converter made
  /// after the node they belong to.
  void reattach(proto::ModelProto &model) const;

private:
  struct Annotation {
    std::string name;
    google::protobuf::RepeatedPtrField<proto::StringStringEntryProto> metadata;
    google::protobuf::RepeatedPtrField<proto::NodeDeviceConfigurationProto> devices;
  };
  void reattach(proto::GraphProto &graph) const;
  const Annotation *find(const proto::NodeProto &node) const;

  int64_t version;
  llvm::StringMap<Annotation> byOutput;
  /// Those of the operators that the converter replaces by another one, whose output then has
  /// another name.
  llvm::StringMap<Annotation> byFirstInput;
};

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_PREPARE_H
