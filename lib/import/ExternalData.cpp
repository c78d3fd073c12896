// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ExternalData.h.

#include "lib/import/ExternalData.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace tenon::import {

std::shared_ptr<MemoryBuffer> ExternalData::open(StringRef location, std::string &error) {
  if (auto known = files.find(location); known != files.end())
    return known->second;
  std::string quoted = ("external data '" + location + "'").str();
  if (directory.empty()) {
    error = quoted +
            " cannot be found, since the model has no folder: give the folder of its external data";
    return nullptr;
  }
  // A name with a zero byte would mean another file to the operating system than to the checks
  // here.
  if (location.empty() || location.contains('\0') || sys::path::is_absolute(location) ||
      is_contained(make_range(sys::path::begin(location), sys::path::end(location)), "..")) {
    error = quoted + " is outside the model's folder: it must be a relative path without '..'";
    return nullptr;
  }
  SmallString<256> path(directory), realPath, realDirectory;
  sys::path::append(path, location);
  if (std::error_code failure = sys::fs::real_path(path, realPath)) {
    error = quoted + " cannot be opened: " + path.str().str() + ": " + failure.message();
    return nullptr;
  }
  if (std::error_code failure = sys::fs::real_path(directory, realDirectory)) {
    error =
        "the folder of the external data cannot be opened: " + directory + ": " + failure.message();
    return nullptr;
  }
  StringRef inside = realPath;
  if (!inside.consume_front(realDirectory) ||
      !(realDirectory.ends_with("/") || inside.starts_with("/"))) {
    error = quoted + " is outside the model's folder: " + path.str().str() + " links to " +
            realPath.str().str();
    return nullptr;
  }
  if (!sys::fs::is_regular_file(realPath)) {
    error = quoted + " is not a file: " + path.str().str();
    return nullptr;
  }
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFile(realPath, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file) {
    error = quoted + " cannot be opened: " + path.str().str() + ": " + file.getError().message();
    return nullptr;
  }
  return files[location] = std::move(*file);
}

bool ExternalData::find(const ::onnx::TensorProto &tensor, uint64_t expectedSize, Slice &slice,
                        std::string &error) {
  StringRef location;
  uint64_t offset = 0, length = expectedSize;
  for (const ::onnx::StringStringEntryProto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    if (key == "location")
      location = value;
    if ((key == "offset" && value.getAsInteger(10, offset)) ||
        (key == "length" && value.getAsInteger(10, length))) {
      error =
          ("external data has the " + key + " '" + value + "', expected a number of bytes").str();
      return false;
    }
  }
  slice.file = open(location, error);
  if (!slice.file)
    return false;
  if (length != expectedSize) {
    error = "external data has the length " + std::to_string(length) + ", expected " +
            std::to_string(expectedSize) + " bytes for its type and dimensions";
    return false;
  }
  StringRef contents = slice.file->getBuffer();
  if (offset > contents.size() || expectedSize > contents.size() - offset) {
    error = "external data is out of range: " + std::to_string(expectedSize) + " bytes at offset " +
            std::to_string(offset) + " of '" + location.str() + "', which has " +
            std::to_string(contents.size()) + " bytes";
    return false;
  }
  slice.bytes = {contents.data() + offset, static_cast<size_t>(expectedSize)};
  return true;
}

} // namespace tenon::import
