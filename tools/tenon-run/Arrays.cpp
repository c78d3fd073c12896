// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon-run/Arrays.h"

#include "lib/artifact/AtomicFile.h"
#include "lib/artifact/MappedFile.h"
#include "tools/tensors/Npy.h"

#include <filesystem>
#include <memory>

namespace tenon::cli {

namespace files = std::filesystem;

static std::string inFolder(const std::string &folder, const std::string &name) {
  return (files::path(folder) / (name + ".npy")).string();
}

static bool exists(const std::string &path) {
  std::error_code failed;
  return files::exists(path, failed);
}

static Status readArray(const std::string &path, const tenon_value_info &input, Tensor &tensor) {
  artifact::MappedFile file;
  TENON_RETURN_IF_ERROR(file.open(path));
  auto expected = static_cast<ElementType>(input.element);
  std::string_view content(reinterpret_cast<const char *>(file.bytes().data()),
                           file.bytes().size());
  TENON_RETURN_IF_ERROR(parseNpy(content, expected, tensor).withContext("'" + path + "'"));
  if (tensor.type != expected)
    return {StatusCode::InvalidArgument, "'" + path + "' holds " + describe(tensor) + ", input '" +
                                             input.name + "' expects elements of type " +
                                             elementName(expected)};
  if (tensor.shape.size() > TENON_MAX_RANK)
    return {StatusCode::InvalidArgument,
            "'" + path + "' has " + std::to_string(tensor.shape.size()) + " dimensions; at most " +
                std::to_string(TENON_MAX_RANK) + " are supported"};
  return {};
}

Status readInputs(const std::string &folder, const Model &model, std::vector<Tensor> &inputs) {
  // Names go first, since an input may be called input_1 and be another one than the second.
  bool named = true;
  for (size_t i = 0; i < model.inputCount(); ++i)
    named = named && exists(inFolder(folder, model.input(i).name));
  named = named || !exists(inFolder(folder, "input_0"));
  inputs.resize(model.inputCount());
  for (size_t i = 0; i < inputs.size(); ++i) {
    tenon_value_info info = model.input(i);
    std::string name = named ? info.name : "input_" + std::to_string(i);
    TENON_RETURN_IF_ERROR(readArray(inFolder(folder, name), info, inputs[i]));
  }
  return {};
}

static Tensor copyOf(const tenon_tensor &source) {
  Tensor tensor;
  tensor.type = static_cast<ElementType>(source.element);
  tensor.shape.assign(source.dims, source.dims + source.rank);
  const auto *data = static_cast<const uint8_t *>(source.data);
  tensor.bytes.assign(data, data + packedSize(tensor.type, tensor.elementCount()));
  return tensor;
}

Status writeOutputs(const std::string &folder, const std::vector<tenon_tensor> &outputs) {
  std::error_code failed;
  files::create_directories(folder, failed);
  if (failed)
    return {StatusCode::InputOutput,
            "cannot make the folder '" + folder + "': " + failed.message()};
  std::vector<std::unique_ptr<artifact::AtomicFile>> written;
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::string content = formatNpy(copyOf(outputs[i]));
    auto &file = written.emplace_back(std::make_unique<artifact::AtomicFile>());
    TENON_RETURN_IF_ERROR(file->open(inFolder(folder, "output_" + std::to_string(i))));
    TENON_RETURN_IF_ERROR(file->write(0, std::as_bytes(std::span(content))));
    TENON_RETURN_IF_ERROR(file->flush());
  }
  for (auto &file : written)
    TENON_RETURN_IF_ERROR(file->commit());
  return {};
}

std::string describe(const tenon_tensor &tensor) {
  Tensor shaped;
  shaped.type = static_cast<ElementType>(tensor.element);
  shaped.shape.assign(tensor.dims, tensor.dims + tensor.rank);
  return describe(shaped);
}

} // namespace tenon::cli
