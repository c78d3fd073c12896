// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Evaluator.cpp ------------------------------------------------------===//

#include "lib/driver/Evaluator.h"

#include "lib/driver/Pipeline.h"
#include "lib/driver/Registration.h"
#include "lib/simplify/EvaluateConstants.h"
#include "targets/cpu/Target.h"

#include "tenon/runtime.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

using namespace mlir;

namespace tenon {
namespace {

/// Releases a C object of the runtime when it goes.
template <typename T, void (*release)(T *)>
struct Releaser {
  void operator()(T *object) const { release(object); }
};
using RuntimeHandle =
    std::unique_ptr<tenon_runtime, Releaser<tenon_runtime, tenon_runtime_release>>;
using ModelHandle = std::unique_ptr<tenon_model, Releaser<tenon_model, tenon_model_release>>;

class Evaluator : public ConstantEvaluator {
public:
  explicit Evaluator(const WeightTable &weights) : weights(weights) {}

  FailureOr<std::vector<std::vector<std::string>>>
  evaluate(ModuleOp module, ArrayRef<StringRef> functions) override {
    // The file format holds one program; so far nobody asks for more functions than one.
    if (functions.size() != 1)
      return module.emitError("can evaluate one function at a time");
    SmallString<128> path;
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("tenon-constants", "tenon", path))
      return module.emitError("cannot create a temporary file: ") << error.message();
    llvm::FileRemover remover(path);
    if (failed(compile(module, path.str().str())))
      return failure();
    std::vector<std::string> results;
    if (failed(execute(module, path.str().str(), results)))
      return failure();
    return std::vector<std::vector<std::string>>{std::move(results)};
  }

private:
  LogicalResult compile(ModuleOp module, const std::string &path) {
    std::unique_ptr<Target> target = cpu::createTarget(cpu::getBaselineChip());
    // A copy, since the pipeline may add to it; the bytes are shared.
    WeightTable table = weights;
    Pipeline::Options options;
    options.optimize = false;
    Pipeline pipeline(module, table, *target, options);
    artifact::Writer writer;
    if (failed(pipeline.simplify(/*evaluator=*/nullptr)) || failed(pipeline.lower()) ||
        failed(pipeline.fuse()) || failed(pipeline.place()) || failed(pipeline.codegen()) ||
        failed(pipeline.schedule()) || failed(pipeline.emit(writer)))
      return failure();
    if (Status status = writer.write(path); !status.ok())
      return module.emitError(status.message());
    return success();
  }

  LogicalResult execute(ModuleOp module, const std::string &path,
                        std::vector<std::string> &results) {
    tenon_error error;
    tenon_runtime *runtime = nullptr;
    tenon_model *model = nullptr;
    if (tenon_runtime_create(nullptr, &runtime, &error) != TENON_OK)
      return module.emitError(error.message);
    RuntimeHandle runtimeHandle(runtime);
    if (tenon_model_load_file(runtime, path.c_str(), &model, &error) != TENON_OK)
      return module.emitError(error.message);
    ModelHandle modelHandle(model);

    int32_t count = tenon_model_output_count(model);
    std::vector<tenon_tensor> outputs(count);
    // The tensors point into the strings, whose short ones move with the vector.
    results.reserve(count);
    for (int32_t i = 0; i < count; ++i) {
      tenon_value_info info;
      if (tenon_model_output(model, i, &info, &error) != TENON_OK)
        return module.emitError(error.message);
      int64_t elements = 1, sizes[TENON_MAX_RANK] = {};
      for (int32_t dim = 0; dim < info.rank; ++dim)
        elements *= sizes[dim] = info.dims[dim].min;
      std::string &bytes = results.emplace_back(tenon_element_bytes(info.element, elements), '\0');
      outputs[i] = tenon_tensor_make(bytes.data(), bytes.size(), info.element, info.rank, sizes);
    }
    if (tenon_run(model, nullptr, 0, outputs.data(), count, &error) != TENON_OK)
      return module.emitError(error.message);
    return success();
  }

  const WeightTable &weights;
};

/// Not in lib/simplify/Passes.td, since only the driver can supply the evaluator.
struct EvaluateConstants : PassWrapper<EvaluateConstants, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(EvaluateConstants)

  StringRef getArgument() const override { return "evaluate-constants"; }
  StringRef getDescription() const override {
    return "compute what depends on constants alone by compiling and running it";
  }
  // The evaluator runs every phase in this context, where no dialect can be loaded while passes
  // run.
  void getDependentDialects(DialectRegistry &registry) const override {
    registerDialects(registry);
  }

  void runOnOperation() override {
    WeightTable weights;
    std::unique_ptr<ConstantEvaluator> evaluator = createEvaluator(weights);
    if (failed(evaluateConstants(getOperation(), weights, *evaluator)))
      return signalPassFailure();
    materializeWeights(getOperation(), weights);
  }
};

} // namespace

std::unique_ptr<Pass> createEvaluateConstantsPass() {
  return std::make_unique<EvaluateConstants>();
}

std::unique_ptr<ConstantEvaluator> createEvaluator(const WeightTable &weights) {
  return std::make_unique<Evaluator>(weights);
}

} // namespace tenon
