// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The zip container is libzip's work, which also writes to a temporary and renames it when all went
// well.
#include "tools/tenon/Npz.h"
#include "tools/tensors/Npy.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include <algorithm>
#include <cstring>
#include <memory>
#include <zip.h>

using namespace llvm;

namespace tenon::cli {

namespace {
struct Discard {
  void operator()(zip_t *archive) const { zip_discard(archive); }
  void operator()(zip_file_t *file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Entry = std::unique_ptr<zip_file_t, Discard>;
} // namespace

static Expected<Archive> openArchive(StringRef path, int flags) {
  int code = 0;
  Archive archive(zip_open(path.str().c_str(), flags, &code));
  if (archive)
    return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  return createStringError("cannot open '%s': %s", path.str().c_str(), reason.c_str());
}

static Expected<std::string> readEntry(zip_t *archive, zip_uint64_t index) {
  zip_stat_t stat;
  if (zip_stat_index(archive, index, 0, &stat) || !(stat.valid & ZIP_STAT_SIZE))
    return createStringError(zip_strerror(archive));
  Entry entry(zip_fopen_index(archive, index, 0));
  if (!entry)
    return createStringError(zip_strerror(archive));
  // The size in the directory may be a lie: grow with what is really there.
  std::string content;
  size_t step = std::clamp<uint64_t>(stat.size + 1, 1, 1 << 24);
  for (;;) {
    size_t at = content.size();
    content.resize(at + step);
    zip_int64_t read = zip_fread(entry.get(), content.data() + at, step);
    if (read < 0)
      return createStringError(zip_file_strerror(entry.get()));
    content.resize(at + read);
    if (read == 0)
      return content;
  }
}

/// "a#3#len" -> "a": the model's name that a key belongs to.
static StringRef baseName(StringRef key) {
  for (;;) {
    auto [rest, last] = key.rsplit('#');
    bool ours = last == "none" || last == "len" || last == "keys" || last == "values" ||
                (!last.empty() && all_of(last, isDigit));
    if (rest.size() == key.size() || !ours)
      return key;
    key = rest;
  }
}

/// Puts the value `name` together from the keys it is spread over; nothing when there is no such
/// value.
static Expected<std::optional<Value>> gather(StringMap<Tensor> &arrays, const std::string &name) {
  if (arrays.count(name + "#none"))
    return Value();
  auto keys = arrays.find(name + "#keys"), mapped = arrays.find(name + "#values");
  if (keys != arrays.end() && mapped != arrays.end())
    return Value::ofMap(std::move(keys->second), std::move(mapped->second));
  auto length = arrays.find(name + "#len");
  if (length != arrays.end()) {
    if (length->second.type != ElementType::i64 || length->second.elementCount() != 1)
      return createStringError("'%s#len' is %s; expected one i64", name.c_str(),
                               describe(length->second).c_str());
    int64_t count = static_cast<int64_t>(elementAsDouble(length->second, 0));
    std::vector<Value> elements;
    for (int64_t i = 0; i < count; ++i) {
      std::string key = name + "#" + std::to_string(i);
      Expected<std::optional<Value>> element = gather(arrays, key);
      if (!element)
        return element.takeError();
      if (!*element)
        return createStringError("'%s' is missing from a sequence of %lld elements", key.c_str(),
                                 static_cast<long long>(count));
      elements.push_back(std::move(**element));
    }
    return Value::ofSequence(std::move(elements));
  }
  auto array = arrays.find(name);
  if (array == arrays.end())
    return std::nullopt;
  return Value::ofTensor(std::move(array->second));
}

Expected<std::vector<NamedValue>> readNpz(StringRef path, ExpectedType expected) {
  Expected<Archive> archive = openArchive(path, ZIP_RDONLY);
  if (!archive)
    return archive.takeError();
  StringMap<Tensor> arrays;
  SmallVector<std::string> names;
  for (zip_int64_t i = 0, count = zip_get_num_entries(archive->get(), 0); i < count; ++i) {
    StringRef key = zip_get_name(archive->get(), i, ZIP_FL_ENC_RAW);
    if (!key.consume_back(".npy"))
      continue;
    StringRef name = baseName(key);
    Expected<std::string> content = readEntry(archive->get(), i);
    if (!content)
      return createStringError("cannot read '%s' in '%s': %s", key.str().c_str(),
                               path.str().c_str(), toString(content.takeError()).c_str());
    if (Status status = parseNpy(*content, expected(name), arrays[key]); !status.ok())
      return createStringError("cannot read '%s' in '%s': %s", key.str().c_str(),
                               path.str().c_str(), status.message().c_str());
    if (!is_contained(names, name))
      names.push_back(name.str());
  }
  std::vector<NamedValue> values;
  for (const std::string &name : names) {
    Expected<std::optional<Value>> value = gather(arrays, name);
    if (!value)
      return createStringError("in '%s': %s", path.str().c_str(),
                               toString(value.takeError()).c_str());
    if (*value)
      values.push_back({name, std::move(**value)});
  }
  return values;
}

static Tensor scalar(int64_t number) {
  Tensor tensor;
  tensor.type = ElementType::i64;
  tensor.bytes.resize(sizeof number);
  std::memcpy(tensor.bytes.data(), &number, sizeof number);
  return tensor;
}

/// Spreads a value over (key, array) pairs.
static void scatter(const std::string &name, const Value &value,
                    std::vector<std::pair<std::string, std::string>> &entries) {
  switch (value.kind) {
  case Value::Kind::none:
    entries.emplace_back(name + "#none", formatNpy(scalar(1)));
    return;
  case Value::Kind::tensor:
    entries.emplace_back(name, formatNpy(value.tensor));
    return;
  case Value::Kind::sequence:
    entries.emplace_back(name + "#len", formatNpy(scalar(value.elements.size())));
    for (size_t i = 0; i < value.elements.size(); ++i)
      scatter(name + "#" + std::to_string(i), value.elements[i], entries);
    return;
  case Value::Kind::map:
    entries.emplace_back(name + "#keys", formatNpy(value.elements[0].tensor));
    entries.emplace_back(name + "#values", formatNpy(value.elements[1].tensor));
    return;
  }
}

Error writeNpz(StringRef path, ArrayRef<NamedValue> values) {
  // libzip reads the buffers when the archive is closed, so they live until then.
  std::vector<std::pair<std::string, std::string>> entries;
  for (const NamedValue &named : values)
    scatter(named.name, named.value, entries);
  Expected<Archive> archive = openArchive(path, ZIP_CREATE | ZIP_TRUNCATE);
  if (!archive)
    return archive.takeError();
  auto failure = [&] {
    return createStringError("cannot write '%s': %s", path.str().c_str(),
                             zip_strerror(archive->get()));
  };
  for (const auto &[key, content] : entries) {
    zip_source_t *source =
        zip_source_buffer(archive->get(), content.data(), content.size(), /*freep=*/0);
    zip_int64_t index =
        source ? zip_file_add(archive->get(), (key + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8)
               : -1;
    if (index < 0) {
      if (source)
        zip_source_free(source);
      return failure();
    }
    // Stored, and with a fixed date: the same values give the same file.
    zip_set_file_compression(archive->get(), index, ZIP_CM_STORE, 0);
    zip_file_set_mtime(archive->get(), index, /*1 January 1980*/ 315532800, 0);
  }
  if (zip_close(archive->get()))
    return failure();
  archive->release();
  return Error::success();
}

} // namespace tenon::cli
