// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/host/modules/Text.h"

#include "lib/host/modules/Module.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <re2/re2.h>
#include <unicode/ucasemap.h>

namespace {

void report(const std::string &reason, char *problem) {
  size_t size = std::min<size_t>(reason.size(), 255);
  std::memcpy(problem, reason.data(), size);
  problem[size] = '\0';
}

tenon_pattern *compile(const char *pattern, size_t size, char *problem) {
  RE2::Options options;
  options.set_log_errors(false);
  auto *compiled = new RE2(re2::StringPiece(pattern, size), options);
  if (compiled->ok())
    return reinterpret_cast<tenon_pattern *>(compiled);
  report(compiled->error(), problem);
  delete compiled;
  return nullptr;
}

int matches(const tenon_pattern *pattern, const char *text, size_t size) {
  return RE2::FullMatch(re2::StringPiece(text, size), *reinterpret_cast<const RE2 *>(pattern));
}

tenon_case_map *openCaseMap(const char *locale, size_t size, char *problem) {
  UErrorCode error = U_ZERO_ERROR;
  UCaseMap *map = ucasemap_open(std::string(locale, size).c_str(), U_FOLD_CASE_DEFAULT, &error);
  if (U_SUCCESS(error))
    return reinterpret_cast<tenon_case_map *>(map);
  report(u_errorName(error), problem);
  return nullptr;
}

int64_t changeCase(const tenon_case_map *map, tenon_letter_case letterCase, const char *text,
                   size_t size, char *changed, size_t capacity) {
  if (size > INT32_MAX)
    return -1;
  auto convert = letterCase == TENON_LETTER_LOWER   ? ucasemap_utf8ToLower
                 : letterCase == TENON_LETTER_UPPER ? ucasemap_utf8ToUpper
                                                    : ucasemap_utf8FoldCase;
  UErrorCode error = U_ZERO_ERROR;
  int32_t needed = convert(reinterpret_cast<const UCaseMap *>(map), changed,
                           static_cast<int32_t>(std::min<size_t>(capacity, INT32_MAX)), text,
                           static_cast<int32_t>(size), &error);
  return U_SUCCESS(error) || error == U_BUFFER_OVERFLOW_ERROR ? needed : -1;
}

} // namespace

extern "C" TENON_MODULE_EXPORT const void *TENON_MODULE_ENTRY() {
  static const tenon_text_module table = {
      .version = TENON_MODULE_VERSION,
      .compile = compile,
      .release_pattern = [](tenon_pattern *pattern) { delete reinterpret_cast<RE2 *>(pattern); },
      .matches = matches,
      .open_case_map = openCaseMap,
      .release_case_map =
          [](tenon_case_map *map) { ucasemap_close(reinterpret_cast<UCaseMap *>(map)); },
      .change_case = changeCase,
  };
  return &table;
}
