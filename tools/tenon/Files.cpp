// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/tenon/Files.h"
#include "lib/artifact/AtomicFile.h"
#include "tools/tenon/Npz.h"
#include "tools/tensors/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace tenon::cli {

static std::string inFolder(StringRef folder, const Twine &name) {
  SmallString<128> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

static std::string numbered(StringRef folder, StringRef prefix, size_t position, StringRef ending) {
  return inFolder(folder, prefix + "_" + Twine(position) + ending);
}

static Expected<std::unique_ptr<MemoryBuffer>> readFile(const std::string &path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(buffer.getError(), "cannot read '%s': %s", path.c_str(),
                             buffer.getError().message().c_str());
  return std::move(*buffer);
}

static Expected<std::vector<NamedValue>> readMessages(StringRef folder, ArrayRef<Port> ports,
                                                      StringRef prefix) {
  std::vector<NamedValue> values;
  for (auto [i, port] : enumerate(ports)) {
    std::string path = numbered(folder, prefix, i, ".pb");
    auto file = readFile(path);
    if (!file)
      return file.takeError();
    Expected<Value> value = parseOnnxValue((*file)->getBuffer(), port.form());
    if (!value)
      return createStringError("cannot read '%s' as %s '%s' (%s): %s", path.c_str(),
                               prefix.str().c_str(), port.name.c_str(), describe(port).c_str(),
                               toString(value.takeError()).c_str());
    values.push_back({port.name, std::move(*value)});
  }
  return values;
}

static Expected<std::vector<NamedValue>> readArrays(StringRef folder, ArrayRef<Port> ports,
                                                    StringRef prefix) {
  // Names go first, since an input may be called input_1 and be another one than the second.
  bool byName =
      !sys::fs::exists(numbered(folder, prefix, 0, ".npy")) || all_of(ports, [&](const Port &port) {
        return sys::fs::exists(inFolder(folder, port.name + ".npy"));
      });
  std::vector<NamedValue> values;
  for (auto [i, port] : enumerate(ports)) {
    std::string path =
        byName ? inFolder(folder, port.name + ".npy") : numbered(folder, prefix, i, ".npy");
    auto file = readFile(path);
    if (!file)
      return file.takeError();
    Tensor tensor;
    if (Status status = parseNpy((*file)->getBuffer(), port.element, tensor); !status.ok())
      return createStringError("cannot read '%s': %s", path.c_str(), status.message().c_str());
    values.push_back({port.name, Value::ofTensor(std::move(tensor))});
  }
  return values;
}

/// Names and element types; shapes are the runtime's to check, which knows how dimensions hang
/// together.
static Error check(StringRef path, ArrayRef<NamedValue> values, ArrayRef<Port> ports,
                   StringRef prefix) {
  SmallVector<std::string> missing, unknown;
  for (const Port &port : ports)
    if (!findValue(values, port.name))
      missing.push_back("'" + port.name + "'");
  for (const NamedValue &value : values)
    if (!findPort(ports, value.name))
      unknown.push_back("'" + value.name + "'");
  // An archive may hold more than the model takes (labels beside images); it is suspicious only
  // when something is missing.
  if (!missing.empty())
    return createStringError("'%s' has no %s %s%s; the model's %ss are %s", path.str().c_str(),
                             prefix.str().c_str(), join(missing, ", ").c_str(),
                             unknown.empty() ? ""
                                             : (" (it has " + join(unknown, ", ") + ")").c_str(),
                             prefix.str().c_str(), portNames(ports).c_str());
  for (const NamedValue &named : values) {
    const Port *port = findPort(ports, named.name);
    if (port && named.value.kind == Value::Kind::tensor && named.value.tensor.type != port->element)
      return createStringError("%s '%s' is %s; the model expects %s", prefix.str().c_str(),
                               named.name.c_str(), describe(named.value.tensor).c_str(),
                               describe(*port).c_str());
  }
  return Error::success();
}

Expected<std::vector<NamedValue>> readValues(StringRef path, ArrayRef<Port> ports,
                                             StringRef prefix) {
  Expected<std::vector<NamedValue>> values = std::vector<NamedValue>();
  if (sys::fs::is_directory(path)) {
    bool messages = sys::fs::exists(numbered(path, prefix, 0, ".pb"));
    values = messages ? readMessages(path, ports, prefix) : readArrays(path, ports, prefix);
  } else if (!sys::fs::exists(path)) {
    return createStringError("cannot read '%s': no such file or folder", path.str().c_str());
  } else {
    values = readNpz(path, [&](StringRef name) -> std::optional<ElementType> {
      const Port *port = findPort(ports, name);
      return port ? std::optional(port->element) : std::nullopt;
    });
  }
  if (!values)
    return values.takeError();
  if (Error error = check(path, *values, ports, prefix))
    return error;
  erase_if(*values, [&](const NamedValue &named) { return !findPort(ports, named.name); });
  return values;
}

/// Writes all files or none. The folder is made if it is missing.
static Error writeNumbered(StringRef folder, StringRef prefix, StringRef ending, size_t count,
                           function_ref<std::string(size_t position)> content) {
  if (std::error_code failed = sys::fs::create_directories(folder))
    return createStringError(failed, "cannot make the folder '%s': %s", folder.str().c_str(),
                             failed.message().c_str());
  std::vector<std::unique_ptr<artifact::AtomicFile>> files;
  for (size_t i = 0; i < count; ++i) {
    std::string bytes = content(i);
    auto &file = files.emplace_back(std::make_unique<artifact::AtomicFile>());
    Status status = file->open(numbered(folder, prefix, i, ending));
    if (status.ok())
      status = file->write(0, std::as_bytes(std::span(bytes)));
    if (status.ok())
      status = file->flush();
    if (!status.ok())
      return createStringError(status.message());
  }
  for (auto &file : files)
    if (Status status = file->commit(); !status.ok())
      return createStringError(status.message());
  return Error::success();
}

Error writeOutputs(StringRef path, ArrayRef<Port> ports, ArrayRef<NamedValue> values) {
  if (path.ends_with(".npz"))
    return writeNpz(path, values);
  return writeNumbered(path, "output", ".pb", ports.size(), [&](size_t i) {
    return formatOnnxValue(ports[i].name, *findValue(values, ports[i].name), ports[i].form());
  });
}

Error writeArrays(StringRef folder, ArrayRef<Port> ports, ArrayRef<NamedValue> values,
                  StringRef prefix) {
  for (const Port &port : ports)
    if (findValue(values, port.name)->kind != Value::Kind::tensor)
      return createStringError("%s '%s' is no tensor, and numpy has no file for it",
                               prefix.str().c_str(), port.name.c_str());
  return writeNumbered(folder, prefix, ".npy", ports.size(), [&](size_t i) {
    return formatNpy(findValue(values, ports[i].name)->tensor);
  });
}

} // namespace tenon::cli
