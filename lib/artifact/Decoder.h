// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the flatbuffer's bytes to a Module.

#ifndef TENON_LIB_ARTIFACT_DECODER_H
#define TENON_LIB_ARTIFACT_DECODER_H

#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"

#include <cstddef>
#include <span>

namespace tenon::artifact {

/// Decodes bytes that may be anything. The result is well-formed as data but not yet verified.
/// Memory used is bounded by a small multiple of the buffer's size, also for hostile buffers in
/// which many references share one object.
Status decodeModule(std::span<const std::byte> bytes, Module &module);

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_DECODER_H
