// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pipeline.h - the phases in order --------------------------*- C++ -*-===//
//
// What each phase does to a module, apart from files, reports and dumps, so that
// a whole compilation and the evaluation of constants are the same pipeline.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DRIVER_PIPELINE_H
#define TENON_LIB_DRIVER_PIPELINE_H

#include "lib/artifact/Writer.h"
#include "lib/target/Target.h"
#include "lib/weights/WeightTable.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace tenon {

class Pipeline {
public:
  struct Options {
    bool optimize = true;
    bool verifyEach = false;
    TargetOptions target;
  };

  /// `weights` gains what constants evaluate to. All must outlive the pipeline.
  Pipeline(mlir::ModuleOp module, WeightTable &weights, const Target &target, Options options)
      : module(module), weights(weights), target(target), options(std::move(options)) {}

  /// `evaluator` may be null: constants are then computed when the model runs.
  mlir::LogicalResult simplify(ConstantEvaluator *evaluator);
  mlir::LogicalResult lower();
  mlir::LogicalResult layout();
  mlir::LogicalResult fuse();
  mlir::LogicalResult place();
  mlir::LogicalResult pack();
  mlir::LogicalResult codegen();
  mlir::LogicalResult schedule();
  /// Fills `writer`; the file is the caller's to write.
  mlir::LogicalResult emit(artifact::Writer &writer);

  /// After codegen: the code and why kernels were declined, in the order of the module's kernels.
  const TargetImage &getImage() const { return image; }

private:
  mlir::LogicalResult run(llvm::function_ref<void(mlir::OpPassManager &)> build);

  mlir::ModuleOp module;
  WeightTable &weights;
  const Target &target;
  Options options;
  TargetImage image;
  llvm::StringMap<uint64_t> entries;
};

} // namespace tenon

#endif // TENON_LIB_DRIVER_PIPELINE_H
