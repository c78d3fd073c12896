// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon/Profile.h"

#include "tools/tenon/LoadedModel.h"
#include "tools/tenon/Statistics.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

Expected<std::vector<KernelTime>> profileKernels(StringRef path, unsigned threads,
                                                 ArrayRef<NamedValue> inputs, size_t runs) {
  struct Counter {
    size_t launches = 0;
    double milliseconds = 0;
    std::vector<double> samples;
  };
  MapVector<StringRef, Counter> counters;
  StringMap<char> names;
  Expected<LoadedModel> model =
      LoadedModel::load(path, threads, [&](StringRef kernel, int64_t nanoseconds) {
        Counter &counter = counters[names.try_emplace(kernel).first->getKey()];
        ++counter.launches;
        counter.milliseconds += static_cast<double>(nanoseconds) * 1e-6;
      });
  if (!model)
    return model.takeError();
  Expected<LoadedModel::Repetition> repetition = model->prepare(inputs);
  if (!repetition)
    return repetition.takeError();
  for (size_t run = 0; run < runs; ++run) {
    for (auto &[name, counter] : counters)
      counter.launches = counter.milliseconds = 0;
    if (Expected<double> time = repetition->time(); !time)
      return time.takeError();
    for (auto &[name, counter] : counters)
      counter.samples.push_back(counter.milliseconds);
  }

  std::vector<KernelTime> kernels;
  tenon_model_info info;
  tenon_model_get_info(model->handle(), &info);
  for (int32_t i = 0; i < info.kernel_count; ++i) {
    tenon_kernel_info kernel;
    if (tenon_model_kernel(model->handle(), i, &kernel, nullptr) != TENON_OK)
      continue;
    auto found = counters.find(kernel.name);
    if (found == counters.end() || found->second.launches == 0)
      continue;
    Counter &counter = found->second;
    Statistics statistics(std::move(counter.samples));
    KernelTime &time = kernels.emplace_back();
    time.name = kernel.name;
    time.launches = counter.launches;
    time.milliseconds = statistics.median();
    time.best = statistics.min();
    time.flops = kernel.flops;
    for (int32_t node = 0; node < kernel.node_count; ++node)
      time.nodes.push_back(tenon_model_kernel_node(model->handle(), i, node));
  }
  sort(kernels,
       [](const KernelTime &a, const KernelTime &b) { return a.milliseconds > b.milliseconds; });
  return kernels;
}

void printProfile(ArrayRef<KernelTime> kernels) {
  double total = 0;
  for (const KernelTime &kernel : kernels)
    total += kernel.milliseconds;
  outs() << "      ms      best  share  launches  Gflop/s  kernel\n";
  for (const KernelTime &kernel : kernels) {
    std::string rate = kernel.flops > 0 ? formatv("{0:f1}", kernel.gigaflopsPerSecond()).str() : "";
    outs() << formatv("{0,8:f3}  {1,8:f3} {2,5:f1}% {3,9} {4,8}  {5}{6}\n", kernel.milliseconds,
                      kernel.best, 100 * kernel.milliseconds / total, kernel.launches, rate,
                      kernel.name, kernel.nodes.empty() ? "" : " (" + kernel.nodes.front() + ")");
  }
  outs() << formatv("{0,8:f3} in all kernels\n", total);
}

json::Array toJson(ArrayRef<KernelTime> kernels) {
  json::Array array;
  for (const KernelTime &kernel : kernels)
    array.push_back(json::Object{{"name", kernel.name},
                                 {"launches", static_cast<int64_t>(kernel.launches)},
                                 {"median_ms", kernel.milliseconds},
                                 {"min_ms", kernel.best},
                                 {"flops", kernel.flops},
                                 {"nodes", json::Array(kernel.nodes)}});
  return array;
}

} // namespace tenon::cli
