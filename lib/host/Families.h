// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The families of host functions, one source file each, and the table of all of them.

#ifndef TENON_LIB_HOST_FAMILIES_H
#define TENON_LIB_HOST_FAMILIES_H

#include "lib/host/Function.h"

namespace tenon::host {

std::vector<Entry> imageFunctions();
std::vector<Entry> mapFunctions();
std::vector<Entry> nonMaxSuppressionFunctions();
std::vector<Entry> normalizationFunctions();
std::vector<Entry> numeralFunctions();
std::vector<Entry> optionalFunctions();
std::vector<Entry> regexFunctions();
std::vector<Entry> sequenceFunctions();
std::vector<Entry> stringFunctions();
std::vector<Entry> tfidfFunctions();
std::vector<Entry> uniqueFunctions();

/// All functions, in no order that means anything.
const std::vector<Entry> &functions();

} // namespace tenon::host

#endif // TENON_LIB_HOST_FAMILIES_H
