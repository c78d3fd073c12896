// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model, run through the runtime's C interface as any program of a user's would.
#ifndef TENON_TOOLS_TENON_LOADEDMODEL_H
#define TENON_TOOLS_TENON_LOADEDMODEL_H

#include "tenon/runtime.h"
#include "tools/tenon/Signature.h"
#include <functional>
#include <memory>

namespace tenon::cli {

class LoadedModel {
public:
  /// Told the name of every kernel that has run, and its nanoseconds.
  using LaunchFunction = std::function<void(llvm::StringRef, int64_t)>;

  static llvm::Expected<LoadedModel> load(llvm::StringRef path, unsigned threads,
                                          LaunchFunction onLaunch = nullptr);
  /// Opens a model to look at, whatever machine it was compiled for. It cannot run.
  static llvm::Expected<LoadedModel> inspect(llvm::StringRef path);

  const Signature &signature() const { return ports; }
  tenon_model *handle() const { return model.get(); }

  /// Runs once. `inputs` has a value for every input of the signature.
  llvm::Expected<std::vector<NamedValue>> run(llvm::ArrayRef<NamedValue> inputs) const;

  /// Runs once, output memory included, and keeps that memory for timed runs with these inputs,
  /// which must outlive it.
  class Repetition {
  public:
    /// One more run; its milliseconds.
    llvm::Expected<double> time();

  private:
    friend class LoadedModel;
    const LoadedModel *owner = nullptr;
    std::vector<tenon_tensor> inputs, outputs;
    std::vector<std::vector<uint8_t>> memory;
  };
  llvm::Expected<Repetition> prepare(llvm::ArrayRef<NamedValue> inputs) const;

private:
  struct Release {
    void operator()(tenon_runtime *runtime) const { tenon_runtime_release(runtime); }
    void operator()(tenon_model *model) const { tenon_model_release(model); }
  };
  LoadedModel() = default;
  using OpenFunction = decltype(tenon_model_load_file);
  static llvm::Expected<LoadedModel> open(llvm::StringRef path, unsigned threads,
                                          OpenFunction *open, LaunchFunction onLaunch);
  /// A run of a model with other values than tensors of numbers.
  llvm::Expected<std::vector<NamedValue>> runValues(llvm::ArrayRef<NamedValue> inputs) const;
  llvm::Error runInto(std::vector<tenon_tensor> &inputs, std::vector<tenon_tensor> &outputs) const;

  std::unique_ptr<LaunchFunction> onLaunch; // where the runtime finds it, wherever this moves
  std::unique_ptr<tenon_runtime, Release> runtime;
  std::unique_ptr<tenon_model, Release> model;
  Signature ports;
};

/// The tensors of `inputs` in the order of `ports`, pointing into their memory. Errors: values that
/// are no tensors.
llvm::Expected<std::vector<tenon_tensor>> tensorsInOrder(llvm::ArrayRef<Port> ports,
                                                         llvm::ArrayRef<NamedValue> inputs);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_LOADEDMODEL_H
