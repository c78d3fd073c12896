// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One numpy array: the .npy format, versions 1 to 3.
//
// Strings are numpy's fixed-width <U (UTF-32) arrays. bf16, the 8-bit floats and the narrow types
// have no numpy type: they are stored as raw bits, |V2 or |V1 with one element a byte, so reading
// them needs to be told what they are.
#ifndef TENON_TOOLS_TENSORS_NPY_H
#define TENON_TOOLS_TENSORS_NPY_H

#include "tools/tensors/Tensor.h"

#include <optional>

namespace tenon::cli {

/// Parses `file`, the content of a .npy file, into `tensor`. `expected` is what the model wants, if
/// known: it tells raw bits apart. An array of another, well-defined type is returned as it is;
/// whether that will do is for the caller to say. Copies the data; Fortran order becomes row-major.
/// Errors: not .npy, truncated, Python objects, big-endian, raw bits of unknown type.
Status parseNpy(std::string_view file, std::optional<ElementType> expected, Tensor &tensor);

/// The content of a .npy file.
std::string formatNpy(const Tensor &tensor);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENSORS_NPY_H
