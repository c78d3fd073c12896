// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a Module to the flatbuffer's bytes.

#ifndef TENON_LIB_ARTIFACT_SERIALIZER_H
#define TENON_LIB_ARTIFACT_SERIALIZER_H

#include "lib/artifact/Program.h"

#include <cstddef>
#include <span>
#include <vector>

namespace tenon::artifact {

/// The module as a flatbuffer. The same module gives the same bytes.
std::vector<std::byte> serializeModule(const Module &module);

/// Overwrites the sections and weightChunkHashes of a buffer that serializeModule() made from a
/// module with as many of them: their places and hashes are known only when the buffer's size is.
void patchModule(std::span<std::byte> buffer, const Module &module);

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_SERIALIZER_H
