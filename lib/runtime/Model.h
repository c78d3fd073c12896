// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loaded model: the artifact, the program chosen for this machine, its kernels, the plans of the
// shapes seen lately, and working memory for as many runs as there were at once.

#ifndef TENON_LIB_RUNTIME_MODEL_H
#define TENON_LIB_RUNTIME_MODEL_H

#include "lib/artifact/Reader.h"
#include "lib/runtime/Runtime.h"
#include "lib/runtime/ShapePlan.h"
#include "lib/runtime/Value.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace tenon::runtime {

class Model;

/// Part of a device's memory.
struct Region {
  std::byte *data = nullptr; ///< null: the slot has no memory yet
  int64_t size = 0;
};

/// What a run is given and gives. Inputs and outputs that are objects have an entry in both lists
/// of their side: of inputs, tensors of strings have their shape in the first one.
struct RunArguments {
  std::span<const tenon_tensor> inputs;
  std::span<tenon_tensor> outputs;
  std::span<const ValueReference> objectInputs; ///< empty: the caller has tensors only
  std::span<ValueReference> objectOutputs;
};

/// The working memory of one run. Belongs to one run at a time and is kept for the next.
class RunContext {
public:
  explicit RunContext(const Model &model);
  ~RunContext();
  RunContext(const RunContext &) = delete;
  RunContext &operator=(const RunContext &) = delete;

  /// Creates the queues; to be called once.
  Status open();
  /// Makes the arenas at least as large as the plan needs and puts the temporaries' regions there.
  Status prepare(const ShapePlan &plan);
  /// Gives an allocated slot at least `bytes`; with `keep`, what it holds stays.
  Status allocateLate(uint32_t slot, int64_t bytes, bool keep);
  /// Exchanges what two slots that are alike hold.
  void swap(uint32_t first, uint32_t second);
  /// Lets go of all values that the run has put into objects.
  void clearObjects();

  ShapeBinding binding;
  std::vector<int64_t> registers;
  std::vector<Region> regions;         ///< per slot; views' are not used
  std::vector<ValueReference> objects; ///< per slot
  std::vector<void *> launchBuffers;   ///< as many as any launch needs
  std::vector<int64_t> launchSizes;
  std::vector<Region> outputs;              ///< per output; data null: not shaped yet
  std::vector<bool> ownsOutput;             ///< per output: allocated by this run
  std::vector<tenon_device_queue *> queues; ///< per device

private:
  struct Block {
    void *memory = nullptr;
    int64_t size = 0;
  };
  Status grow(Block &block, int64_t bytes, const OpenDevice &device);

  const Model &model_;
  std::vector<Block> arenas_; ///< per device
  std::vector<Block> late_;   ///< per slot
};

/// Thread safe.
class Model {
public:
  enum class Purpose { Run, Inspect };

  /// To run: chooses the first program that this machine can run and loads its kernels. To inspect:
  /// takes the first program and loads nothing.
  static Status load(std::shared_ptr<Runtime> runtime, std::unique_ptr<artifact::Artifact> artifact,
                     Purpose purpose, std::shared_ptr<Model> &model);
  ~Model();

  /// See tenon_run and tenon_run_values. `cancelled` may be null.
  Status run(const RunArguments &arguments, const std::atomic<bool> *cancelled);

  /// The plan for inputs of these shapes; computed unless a run had them lately. `binding` receives
  /// what the inputs bind.
  Status plan(std::span<const tenon_tensor> inputs, ShapeBinding &binding,
              std::shared_ptr<const ShapePlan> &plan);

  /// Frees idle working memory and remembered plans.
  void trim();

  Runtime &runtime() const { return *runtime_; }
  const artifact::Artifact &artifact() const { return *artifact_; }
  const artifact::Module &module() const { return artifact_->module(); }
  const artifact::Program &program() const { return *program_; }
  const OpenDevice &device(uint32_t index) const { return devices_[index]; }
  tenon_device_kernel *kernel(uint32_t index) const { return kernels_[index]; }
  const tenon_host_interface &host() const { return *host_; }
  /// The host function of a HostCall, by the instruction's index in the body.
  const tenon_host_function *hostFunction(size_t index) const { return hostFunctions_[index]; }
  const ValueReference &constant(uint32_t index) const { return constants_[index]; }
  /// The runtime as host functions know it.
  tenon_runtime *runtimeHandle() const { return handle_.get(); }

private:
  Model(std::shared_ptr<Runtime> runtime, std::unique_ptr<artifact::Artifact> artifact);

  /// The values of the module's constants.
  Status loadConstants();
  Status loadHostFunctions(const artifact::Program &program);
  Status loadProgram(const artifact::Program &program);
  void unloadProgram();
  Status acquire(std::unique_ptr<RunContext> &context);
  void giveBack(std::unique_ptr<RunContext> context);

  /// Combinations of input shapes that are remembered.
  static constexpr size_t planCapacity = 32;

  std::shared_ptr<Runtime> runtime_;
  std::unique_ptr<artifact::Artifact> artifact_;
  const artifact::Program *program_ = nullptr;
  std::vector<OpenDevice> devices_; ///< per device of the program; none: for inspection only
  std::vector<std::pair<OpenDevice, tenon_device_module *>> modules_;
  std::vector<tenon_device_kernel *> kernels_; ///< per kernel of the program
  std::unique_ptr<tenon_runtime> handle_;
  std::vector<ValueReference> constants_; ///< per constant of the module
  const tenon_host_interface *host_ = nullptr;
  std::vector<tenon_host_function *> hostFunctions_; ///< per instruction of the body; none: empty
  ShapePlanCache plans_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RunContext>> idle_;
};

} // namespace tenon::runtime

#endif // TENON_LIB_RUNTIME_MODEL_H
