/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Modules of libtenon_host: shared libraries that hold what comes from other projects (regular
 * expressions, letter case, images), so that a model which decodes no images loads no image
 * library. A module lies beside libtenon_host and exports one function, which gives its table; the
 * table begins with the version. Both are of one release.
 */
#ifndef TENON_LIB_HOST_MODULES_MODULE_H
#define TENON_LIB_HOST_MODULES_MODULE_H

#define TENON_MODULE_VERSION 1
#define TENON_MODULE_ENTRY tenon_module_get_table
#define TENON_MODULE_ENTRY_NAME "tenon_module_get_table"

#if defined(__GNUC__)
#define TENON_MODULE_EXPORT __attribute__((visibility("default")))
#else
#define TENON_MODULE_EXPORT
#endif

#endif /* TENON_LIB_HOST_MODULES_MODULE_H */
