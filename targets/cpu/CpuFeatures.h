// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which instruction set extensions this processor and its operating system offer. The only place of
// the runtime that differs between processors, besides the image loader's relocation number.

#ifndef TENON_TARGETS_CPU_CPUFEATURES_H
#define TENON_TARGETS_CPU_CPUFEATURES_H

#include "lib/artifact/Status.h"

#include <string_view>

namespace tenon::cpu {

/// Whether this machine has all of `features`, spelled as LLVM spells them: "+avx2,+fma". A name
/// with a minus or none is ignored: it says what the code does without. The message of a failure
/// lists all that are missing. Also asks the operating system for the state that some features need
/// (the tile registers of AMX).
Status requireCpuFeatures(std::string_view features);

/// "x86_64" or "aarch64": the first part of the triples that run here.
const char *hostArchitecture();

} // namespace tenon::cpu

#endif // TENON_TARGETS_CPU_CPUFEATURES_H
