// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface: runtimes, models, runs. Checks what callers can get wrong and translates; the
// work is in Runtime, Model and Interpreter.

#include "lib/artifact/Format.h"
#include "lib/runtime/Error.h"
#include "lib/runtime/Handles.h"
#include "lib/runtime/ValueRun.h"

#include <cstring>
#include <functional>
#include <new>
#include <pthread.h>

using namespace tenon;
using namespace tenon::runtime;

static_assert(TENON_MAX_RANK == artifact::maxRank);
static_assert(TENON_FLOAT6E3M2 == static_cast<int>(artifact::ElementType::Float6E3M2));

namespace {

Status missing(const char *what) {
  return {StatusCode::InvalidArgument, std::string(what) + " is NULL"};
}

Status outOfMemory() { return {StatusCode::OutOfMemory, "out of memory"}; }

Status checkRunArguments(const tenon_model *model, const void *inputs, int32_t inputCount,
                         const void *outputs, int32_t outputCount) {
  if (!model)
    return missing("the model");
  if (inputCount < 0 || outputCount < 0)
    return {StatusCode::InvalidArgument, "the number of inputs or outputs is negative"};
  if ((inputCount > 0 && !inputs) || (outputCount > 0 && !outputs))
    return missing("the array of inputs or of outputs");
  return {};
}

Status finishLoading(tenon_runtime *runtime, std::unique_ptr<artifact::Artifact> artifact,
                     tenon_model **model, Model::Purpose purpose = Model::Purpose::Run) {
  std::unique_ptr<tenon_model> loaded(new (std::nothrow) tenon_model);
  if (!loaded)
    return outOfMemory();
  TENON_RETURN_IF_ERROR(Model::load(runtime->runtime, std::move(artifact), purpose, loaded->model));
  *model = loaded.release();
  return {};
}

Status loadFile(tenon_runtime *runtime, const char *path, tenon_model **model,
                Model::Purpose purpose) {
  if (!runtime || !path || !model)
    return missing(!runtime ? "the runtime" : !path ? "the path" : "the place for the model");
  std::unique_ptr<artifact::Artifact> artifact;
  TENON_RETURN_IF_ERROR(artifact::Artifact::openFile(path, artifact));
  return finishLoading(runtime, std::move(artifact), model, purpose)
      .withContext("'" + std::string(path) + "'");
}

Status loadMemory(tenon_runtime *runtime, const void *data, size_t size, const char *weightFolder,
                  tenon_model **model) {
  if (!runtime || !data || !model)
    return missing(!runtime ? "the runtime" : !data ? "the data" : "the place for the model");
  std::unique_ptr<artifact::Artifact> artifact;
  TENON_RETURN_IF_ERROR(artifact::Artifact::openMemory(
      {static_cast<const std::byte *>(data), size}, weightFolder ? weightFolder : ".", artifact));
  return finishLoading(runtime, std::move(artifact), model);
}

} // namespace

/// One asynchronous run. The model is held, so that its handle may be released meanwhile.
struct tenon_execution {
  std::shared_ptr<Model> model;
  std::function<Status(tenon_execution &)> run;
  std::atomic<bool> cancelled{false};
  pthread_t thread = {};
  bool joined = false;
  Status status;
};

/// Runs `run` on a thread of its own.
static Status start(tenon_model *model, std::function<Status(tenon_execution &)> run,
                    tenon_execution **execution) {
  std::unique_ptr<tenon_execution> started(new (std::nothrow) tenon_execution);
  if (!started)
    return outOfMemory();
  started->model = model->model;
  started->run = std::move(run);
  auto main = [](void *argument) -> void * {
    auto *execution = static_cast<tenon_execution *>(argument);
    execution->status = execution->run(*execution);
    return nullptr;
  };
  if (pthread_create(&started->thread, nullptr, main, started.get()) != 0)
    return {StatusCode::OutOfMemory, "the system has no thread left for the execution"};
  *execution = started.release();
  return {};
}

extern "C" {

uint32_t tenon_runtime_version(void) { return artifact::runtimeVersion; }

void tenon_runtime_options_init(tenon_runtime_options *options) {
  std::memset(options, 0, sizeof(*options));
  options->struct_size = sizeof(*options);
}

tenon_status tenon_runtime_create(const tenon_runtime_options *given, tenon_runtime **runtime,
                                  tenon_error *error) {
  if (!runtime)
    return report(missing("the place for the runtime"), error);
  tenon_runtime_options options;
  tenon_runtime_options_init(&options);
  if (given) {
    // A caller compiled against an older header knows fewer members.
    if (given->struct_size == 0 || given->struct_size > sizeof(options))
      return report({StatusCode::InvalidArgument,
                     "the options' struct_size is not one of this runtime; call "
                     "tenon_runtime_options_init first"},
                    error);
    std::memcpy(&options, given, given->struct_size);
  }
  std::unique_ptr<tenon_runtime> created(new (std::nothrow) tenon_runtime);
  if (!created)
    return report(outOfMemory(), error);
  Status status = Runtime::create(options, created->runtime);
  if (status.ok())
    *runtime = created.release();
  return report(status, error);
}

void tenon_runtime_release(tenon_runtime *runtime) { delete runtime; }

tenon_status tenon_model_load_file(tenon_runtime *runtime, const char *path, tenon_model **model,
                                   tenon_error *error) {
  return report(loadFile(runtime, path, model, Model::Purpose::Run), error);
}

tenon_status tenon_model_inspect_file(tenon_runtime *runtime, const char *path, tenon_model **model,
                                      tenon_error *error) {
  return report(loadFile(runtime, path, model, Model::Purpose::Inspect), error);
}

tenon_status tenon_model_load_memory(tenon_runtime *runtime, const void *data, size_t size,
                                     const char *weight_folder, tenon_model **model,
                                     tenon_error *error) {
  return report(loadMemory(runtime, data, size, weight_folder, model), error);
}

void tenon_model_release(tenon_model *model) { delete model; }

void tenon_model_trim(tenon_model *model) { model->model->trim(); }

tenon_status tenon_run(tenon_model *model, const tenon_tensor *inputs, int32_t input_count,
                       tenon_tensor *outputs, int32_t output_count, tenon_error *error) {
  Status status = checkRunArguments(model, inputs, input_count, outputs, output_count);
  if (status.ok())
    status = model->model->run({{inputs, static_cast<size_t>(input_count)},
                                {outputs, static_cast<size_t>(output_count)},
                                {},
                                {}},
                               nullptr);
  return report(status, error);
}

tenon_status tenon_run_async(tenon_model *model, const tenon_tensor *inputs, int32_t input_count,
                             tenon_tensor *outputs, int32_t output_count,
                             tenon_execution **execution, tenon_error *error) {
  Status status = checkRunArguments(model, inputs, input_count, outputs, output_count);
  if (status.ok() && !execution)
    status = missing("the place for the execution");
  if (!status.ok())
    return report(status, error);
  RunArguments arguments = {{inputs, static_cast<size_t>(input_count)},
                            {outputs, static_cast<size_t>(output_count)},
                            {},
                            {}};
  auto run = [arguments](tenon_execution &execution) {
    return execution.model->run(arguments, &execution.cancelled);
  };
  return report(start(model, run, execution), error);
}

tenon_status tenon_run_values(tenon_model *model, const tenon_value *const *inputs,
                              int32_t input_count, tenon_value **outputs, int32_t output_count,
                              tenon_error *error) {
  Status status = checkRunArguments(model, inputs, input_count, outputs, output_count);
  ValueRun run;
  if (status.ok())
    status = run.prepare(*model->model, {inputs, static_cast<size_t>(input_count)},
                         static_cast<size_t>(output_count));
  if (status.ok())
    status = run.run(*model->model, {outputs, static_cast<size_t>(output_count)}, nullptr);
  return report(status, error);
}

tenon_status tenon_run_values_async(tenon_model *model, const tenon_value *const *inputs,
                                    int32_t input_count, tenon_value **outputs,
                                    int32_t output_count, tenon_execution **execution,
                                    tenon_error *error) {
  Status status = checkRunArguments(model, inputs, input_count, outputs, output_count);
  if (status.ok() && !execution)
    status = missing("the place for the execution");
  auto run = std::make_shared<ValueRun>();
  if (status.ok())
    status = run->prepare(*model->model, {inputs, static_cast<size_t>(input_count)},
                          static_cast<size_t>(output_count));
  if (!status.ok())
    return report(status, error);
  std::span<tenon_value *> places(outputs, static_cast<size_t>(output_count));
  auto main = [run, places](tenon_execution &execution) {
    return run->run(*execution.model, places, &execution.cancelled);
  };
  return report(start(model, main, execution), error);
}

tenon_status tenon_execution_wait(tenon_execution *execution, tenon_error *error) {
  if (!execution)
    return report(missing("the execution"), error);
  if (!execution->joined)
    pthread_join(execution->thread, nullptr);
  execution->joined = true;
  return report(execution->status, error);
}

void tenon_execution_cancel(tenon_execution *execution) {
  execution->cancelled.store(true, std::memory_order_relaxed);
}

void tenon_execution_release(tenon_execution *execution) {
  if (!execution)
    return;
  (void)tenon_execution_wait(execution, nullptr);
  delete execution;
}

void tenon_tensor_release(tenon_runtime *runtime, tenon_tensor *tensor) {
  if (!tensor || !tensor->data)
    return;
  runtime->runtime->release(tensor->data, tensor->byte_size);
  tensor->data = nullptr;
  tensor->byte_size = 0;
}

} // extern "C"
