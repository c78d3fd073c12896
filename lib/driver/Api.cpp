// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Api.cpp - include/tenon/compiler.h ---------------------------------===//
//
// The compiler's C interface: checks what the caller passed, and translates to and from Driver.h.
// No exception and no LLVM type leaves it.
//
//===----------------------------------------------------------------------===//

#include "tenon/compiler.h"

#include "lib/artifact/Format.h"
#include "lib/driver/Driver.h"

#include <cstring>
#include <limits>

using namespace tenon;

namespace {

constexpr int64_t unbounded = std::numeric_limits<int64_t>::max();

/// Says what is wrong with the caller's arguments, or translates them.
std::optional<std::string> translate(const tenon_compile_options &given, CompileOptions &options) {
  if (given.target)
    options.target = given.target;
  if (given.dim_count < 0 || (given.dim_count > 0 && !given.dims))
    return "the options' dims do not fit their dim_count";
  for (const tenon_compile_dim &dim : llvm::ArrayRef(given.dims, given.dim_count)) {
    if (!dim.name || !*dim.name)
      return "a dimension of the options has no name";
    if (dim.min < 0 || dim.max < dim.min)
      return "the bounds " + std::to_string(dim.min) + ".." + std::to_string(dim.max) +
             " of dimension '" + dim.name + "' are no range of sizes";
    options.dims.push_back(
        {dim.name, dim.min, dim.max == unbounded ? std::nullopt : std::optional(dim.max)});
  }
  if (given.level != 0 && given.level != 2)
    return "the options' level is " + std::to_string(given.level) + "; expected 0 or 2";
  if (given.threads < 0)
    return "the options' threads are " + std::to_string(given.threads) + "; expected 0 or more";
  options.optLevel = given.level;
  options.threads = given.threads;
  if (given.cache_directory)
    options.cacheDirectory = given.cache_directory;
  if (given.reproducer)
    options.reproducer = given.reproducer;
  if (given.phase)
    options.onPhase = [given](llvm::StringRef phase, unsigned index, unsigned count) {
      given.phase(given.user, phase.str().c_str(), static_cast<int32_t>(index),
                  static_cast<int32_t>(count));
    };
  return std::nullopt;
}

} // namespace

uint32_t tenon_compiler_version(void) { return artifact::runtimeVersion; }

void tenon_compile_options_init(tenon_compile_options *options) {
  std::memset(options, 0, sizeof(*options));
  options->struct_size = sizeof(*options);
  options->target = "cpu";
  options->level = 2;
}

tenon_compile_status tenon_compile(const char *model, const char *output,
                                   const tenon_compile_options *given,
                                   tenon_compile_report *report) {
  tenon_compile_options settings;
  tenon_compile_options_init(&settings);
  // Without a sound struct_size the callback cannot be trusted either, so nothing is told.
  if (given) {
    if (given->struct_size == 0 || given->struct_size > sizeof(settings))
      return TENON_COMPILE_INVALID_ARGUMENT;
    std::memcpy(&settings, given, given->struct_size);
  }
  auto tell = [&](const std::string &message) {
    if (settings.message)
      settings.message(settings.user, message.c_str());
  };
  CompileOptions options;
  std::optional<std::string> problem;
  if (!model || !*model || !output || !*output)
    problem = "the names of the model and the output are needed";
  else if (report && report->struct_size != sizeof(*report))
    problem = "the report's struct_size is not one of this compiler";
  else
    problem = translate(settings, options);
  if (problem) {
    tell(*problem);
    return TENON_COMPILE_INVALID_ARGUMENT;
  }
  options.input = model;
  options.output = output;

  CompileReport done;
  CompileFailure failure;
  if (failed(compile(options, done, failure))) {
    for (const CompileFailure::Message &message : failure.messages)
      tell(message.text);
    return failure.bug ? TENON_COMPILE_BUG : TENON_COMPILE_FAILED;
  }
  if (report) {
    report->node_count = done.nodes;
    report->weight_bytes = done.weightBytes;
    report->artifact_bytes = done.artifactBytes;
    report->kernel_count = static_cast<int32_t>(done.kernels.size());
    report->peak_bytes = 0;
    report->seconds = 0;
    for (const CompileReport::Phase &phase : done.phases) {
      report->peak_bytes = std::max(report->peak_bytes, phase.peakBytes);
      report->seconds += phase.seconds;
    }
  }
  return TENON_COMPILE_OK;
}
