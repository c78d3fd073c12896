// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Explain.h - what becomes of each node ---------------------*- C++ -*-===//
//
// What a compilation would make of a model, node by node, without making machine
// code. There is no table of what is supported: the phases of the compilation run
// up to the kernels, and what they made, or why they refused, is read from them.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DRIVER_EXPLAIN_H
#define TENON_LIB_DRIVER_EXPLAIN_H

#include "lib/driver/Driver.h"

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

/// One node of the model, or of a function or subgraph of it.
struct ExplainedNode {
  enum class Fate {
    Kernel,      ///< computed by kernels
    Host,        ///< computed by a function of the host library
    ControlFlow, ///< decides what runs
    View,        ///< another way to look at the same bytes
    Sizes,       ///< scalars of the program: shape arithmetic, what is read back
    Folded,      ///< part of other operations, computed when compiling, or not needed
    Refused,     ///< cannot be compiled: `reasons` say why and what to do
    Unknown      ///< the compilation ended before it could be seen
  };
  std::string name;      ///< as in messages; unnamed nodes have the name they get there
  std::string operation; ///< "Conv", "com.microsoft.Gelu"
  Fate fate = Fate::Unknown;
  std::vector<std::string> kernels; ///< that compute it, for Fate::Kernel
  std::vector<std::string> reasons; ///< messages about it, for Fate::Refused
};

/// "kernel", "host", "control-flow", ...
llvm::StringRef fateName(ExplainedNode::Fate fate);

struct Explanation {
  std::vector<ExplainedNode> nodes; ///< in the model's order, outer graphs first
};

/// Says what compiling would do. Succeeds if compiling would, as far as the model and the target
/// are concerned: files that cannot be written are another matter. `options.output` is not looked
/// at. On failure `explanation` holds what was found until then, and `failure` what else is wrong.
mlir::LogicalResult explain(const CompileOptions &options, Explanation &explanation,
                            CompileFailure &failure);

/// Fills in the fates of nodes from a module whose kernels are formed.
void findFates(mlir::ModuleOp module, Explanation &explanation);

} // namespace tenon

#endif // TENON_LIB_DRIVER_EXPLAIN_H
