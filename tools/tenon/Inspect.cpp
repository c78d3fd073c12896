// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tenon inspect: what is in a compiled file. Everything shown comes through the runtime's
// interface.
#include "tools/tenon/Command.h"
#include "tools/tenon/LoadedModel.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon::cli {

namespace {
struct ReleasePlan {
  void operator()(tenon_memory_plan *plan) const { tenon_memory_plan_release(plan); }
};
using MemoryPlan = std::unique_ptr<tenon_memory_plan, ReleasePlan>;

struct Kernel {
  std::string name;
  double flops;
  int launches;
  std::vector<std::string> nodes;
};
} // namespace

/// The plan for the smallest sizes, or those that --dim gives.
static Expected<MemoryPlan> planMemory(const LoadedModel &model, const RandomOptions &options) {
  Expected<std::vector<NamedValue>> inputs = drawInputs(model.signature().inputs, options);
  if (!inputs)
    return inputs.takeError();
  Expected<std::vector<tenon_tensor>> tensors = tensorsInOrder(model.signature().inputs, *inputs);
  if (!tensors)
    return tensors.takeError();
  tenon_memory_plan *plan = nullptr;
  tenon_error error;
  if (tenon_model_plan_memory(model.handle(), tensors->data(),
                              static_cast<int32_t>(tensors->size()), &plan, &error) != TENON_OK)
    return createStringError(error.message);
  return MemoryPlan(plan);
}

static std::vector<Kernel> kernelsOf(const tenon_model *model, int32_t count) {
  std::vector<Kernel> kernels;
  for (int32_t i = 0; i < count; ++i) {
    tenon_kernel_info info;
    if (tenon_model_kernel(model, i, &info, nullptr) != TENON_OK)
      continue;
    Kernel &kernel = kernels.emplace_back(Kernel{info.name, info.flops, info.launch_count, {}});
    for (int32_t node = 0; node < info.node_count; ++node)
      kernel.nodes.push_back(tenon_model_kernel_node(model, i, node));
  }
  return kernels;
}

static json::Array toJson(ArrayRef<Port> ports) {
  json::Array array;
  for (const Port &port : ports) {
    json::Array shape;
    for (const Dimension &dimension : port.dimensions) {
      if (dimension.size)
        shape.push_back(*dimension.size);
      else if (dimension.name.empty())
        shape.push_back(nullptr);
      else
        shape.push_back(dimension.name);
    }
    json::Object object{
        {"name", port.name}, {"element", elementName(port.element)}, {"shape", std::move(shape)}};
    if (port.inPlaceInput)
      object["in_place_input"] = *port.inPlaceInput;
    array.push_back(std::move(object));
  }
  return array;
}

/// The bounds of every named dimension.
static std::vector<Dimension> namedDimensions(const Signature &signature) {
  std::vector<Dimension> named;
  for (ArrayRef<Port> ports : {ArrayRef(signature.inputs), ArrayRef(signature.outputs)})
    for (const Port &port : ports)
      for (const Dimension &dimension : port.dimensions)
        if (!dimension.name.empty() &&
            none_of(named, [&](const Dimension &d) { return d.name == dimension.name; }))
          named.push_back(dimension);
  return named;
}

static std::string bounds(const Dimension &dimension) {
  std::string text = std::to_string(dimension.min) + " to ";
  text += dimension.max == std::numeric_limits<int64_t>::max() ? "any size"
                                                               : std::to_string(dimension.max);
  if (dimension.multiple > 1)
    text += ", multiples of " + std::to_string(dimension.multiple);
  return text;
}

static std::string bytes(int64_t count) {
  if (count < 1 << 20)
    return formatv("{0:f1} KiB", static_cast<double>(count) / 1024);
  return formatv("{0:f1} MiB", static_cast<double>(count) / (1 << 20));
}

static std::string hash(const tenon_model_info &info) {
  return formatv("{0:x-16}{1:x-16}", info.model_hash[1], info.model_hash[0]);
}

static void printText(const LoadedModel &model, const tenon_model_info &info,
                      ArrayRef<Kernel> kernels, const tenon_memory_plan *plan, StringRef noPlan,
                      bool allKernels) {
  const Signature &signature = model.signature();
  auto text = [](const char *string) { return string && *string ? string : "none"; };
  for (const Port &port : signature.inputs)
    outs() << "input    " << port.name << ": " << describe(port) << '\n';
  for (const Port &port : signature.outputs)
    outs() << "output   " << port.name << ": " << describe(port)
           << (port.inPlaceInput
                   ? ", may take the memory of " + signature.inputs[*port.inPlaceInput].name
                   : "")
           << '\n';
  for (const Dimension &dimension : namedDimensions(signature))
    outs() << "size     " << dimension.name << ": " << bounds(dimension) << '\n';
  outs() << "target   " << text(info.device) << ", " << text(info.triple) << ", " << text(info.cpu)
         << '\n'
         << "file     " << bytes(info.file_bytes) << ": " << info.weight_count << " weights "
         << bytes(info.weight_bytes) << ", machine code " << bytes(info.kernel_bytes) << '\n'
         << "program  " << info.instruction_count << " instructions, " << info.kernel_count
         << " kernels\n";
  if (plan)
    outs() << "memory   " << bytes(tenon_memory_plan_bytes(plan))
           << " for intermediate results of one run (at least "
           << bytes(tenon_memory_plan_lower_bound(plan)) << "), "
           << tenon_memory_plan_region_count(plan) << " regions\n";
  else
    outs() << "memory   depends on sizes to be given with --dim (" << noPlan << ")\n";
  outs() << "made by  " << text(info.producer) << ", options: " << text(info.options) << '\n'
         << "from     " << text(info.model_name) << ", hash " << hash(info) << '\n';
  if (!allKernels)
    return;
  for (const Kernel &kernel : kernels) {
    outs() << "kernel   " << kernel.name << ": " << kernel.launches
           << (kernel.launches == 1 ? " launch" : " launches");
    if (kernel.flops > 0)
      outs() << formatv(", {0:f2} Mflop", kernel.flops / 1e6);
    outs() << '\n';
    for (const std::string &node : kernel.nodes)
      outs() << "           " << node << '\n';
  }
}

static void printAsJson(const LoadedModel &model, const tenon_model_info &info,
                        ArrayRef<Kernel> kernels, const tenon_memory_plan *plan) {
  auto text = [](const char *string) { return StringRef(string ? string : ""); };
  json::Object dimensions;
  for (const Dimension &dimension : namedDimensions(model.signature())) {
    json::Object entry{{"min", dimension.min}, {"multiple", dimension.multiple}};
    entry["max"] = dimension.max == std::numeric_limits<int64_t>::max()
                       ? json::Value(nullptr)
                       : json::Value(dimension.max);
    dimensions[dimension.name] = std::move(entry);
  }
  json::Array kernelList;
  for (const Kernel &kernel : kernels)
    kernelList.push_back(json::Object{{"name", kernel.name},
                                      {"flops", kernel.flops},
                                      {"launches", kernel.launches},
                                      {"nodes", json::Array(kernel.nodes)}});
  json::Object answer{
      {"inputs", toJson(model.signature().inputs)},
      {"outputs", toJson(model.signature().outputs)},
      {"dimensions", std::move(dimensions)},
      {"targets", json::Array{json::Object{{"device", text(info.device)},
                                           {"triple", text(info.triple)},
                                           {"cpu", text(info.cpu)},
                                           {"features", text(info.features)}}}},
      {"file_bytes", info.file_bytes},
      {"weight_bytes", info.weight_bytes},
      {"weights", info.weight_count},
      {"kernel_bytes", info.kernel_bytes},
      {"instructions", info.instruction_count},
      {"kernels", std::move(kernelList)},
      {"provenance", json::Object{{"producer", text(info.producer)},
                                  {"options", text(info.options)},
                                  {"model", text(info.model_name)},
                                  {"model_hash", hash(info)}}},
  };
  if (plan) {
    json::Array regions;
    for (int32_t i = 0; i < tenon_memory_plan_region_count(plan); ++i) {
      tenon_memory_region region;
      if (tenon_memory_plan_region(plan, i, &region, nullptr) == TENON_OK)
        regions.push_back(json::Object{{"offset", region.offset},
                                       {"size", region.size},
                                       {"first", region.first_instruction},
                                       {"last", region.last_instruction}});
    }
    answer["memory"] = json::Object{{"bytes", tenon_memory_plan_bytes(plan)},
                                    {"lower_bound", tenon_memory_plan_lower_bound(plan)},
                                    {"regions", std::move(regions)}};
  }
  printJson(std::move(answer));
}

static int inspect(const opt::InputArgList &arguments) {
  std::vector<std::string> files = arguments.getAllArgValues(OPT_INPUT);
  if (files.size() != 1)
    return failUsage(inspectCommand, "expected one compiled model");
  Expected<RandomOptions> sizes = randomOptions(arguments);
  if (!sizes)
    return failUsage(inspectCommand, toString(sizes.takeError()));
  Expected<LoadedModel> model = LoadedModel::inspect(files.front());
  if (!model)
    return fail(model.takeError());
  tenon_error error;
  if (arguments.hasArg(OPT_check) && tenon_model_check_weights(model->handle(), &error) != TENON_OK)
    return fail(error.message);
  tenon_model_info info;
  tenon_model_get_info(model->handle(), &info);
  Expected<MemoryPlan> plan = planMemory(*model, *sizes);
  std::string noPlan;
  if (!plan) {
    // A wrong --dim is the user's; sizes that do not go together are only a plan that cannot be
    // shown.
    if (!sizes->sizes.empty())
      return fail(plan.takeError());
    noPlan = toString(plan.takeError());
  }
  const tenon_memory_plan *memory = plan ? plan->get() : nullptr;
  std::vector<Kernel> kernels = kernelsOf(model->handle(), info.kernel_count);
  if (arguments.hasArg(OPT_json))
    printAsJson(*model, info, kernels, memory);
  else
    printText(*model, info, kernels, memory, noPlan, arguments.hasArg(OPT_all_kernels));
  return done;
}

const Command inspectCommand = {
    "inspect",
    "Shows what is in a compiled model: signature, target, kernels, sizes, memory, origin.",
    "M.tenon [options]",
    "  tenon inspect model.tenon --kernels\n"
    "  tenon inspect model.tenon --dim batch=8 --json\n",
    InspectVis,
    inspect,
};

} // namespace tenon::cli
