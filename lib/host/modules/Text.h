/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The border between libtenon_host and the module that has RE2 (regular expressions) and ICU
 * (letter case): a table of C functions. See Module.h.
 *
 * What is compiled or opened may be used by several threads at once. No text ends with a zero.
 */
#ifndef TENON_LIB_HOST_MODULES_TEXT_H
#define TENON_LIB_HOST_MODULES_TEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_pattern tenon_pattern;
typedef struct tenon_case_map tenon_case_map;

typedef enum tenon_letter_case {
  TENON_LETTER_LOWER,
  TENON_LETTER_UPPER,
  TENON_LETTER_FOLDED /* for comparing: equal where only the case differs */
} tenon_letter_case;

typedef struct tenon_text_module {
  uint32_t version; /* TENON_MODULE_VERSION */

  /* NULL where the pattern is no regular expression; `problem`, of 256 bytes, then says why. */
  tenon_pattern *(*compile)(const char *pattern, size_t size, char *problem);
  void (*release_pattern)(tenon_pattern *pattern);
  /* Whether all of the text matches. */
  int (*matches)(const tenon_pattern *pattern, const char *text, size_t size);

  /* The letter case of a locale's language; the locale is named as POSIX or ICU does ("en_US"). */
  tenon_case_map *(*open_case_map)(const char *locale, size_t size, char *problem);
  void (*release_case_map)(tenon_case_map *map);
  /* Bytes of the changed text, of which no more than `capacity` are written; -1 for an error. */
  int64_t (*change_case)(const tenon_case_map *map, tenon_letter_case letter_case, const char *text,
                         size_t size, char *changed, size_t capacity);
} tenon_text_module;

#ifdef __cplusplus
}
#endif

#endif /* TENON_LIB_HOST_MODULES_TEXT_H */
