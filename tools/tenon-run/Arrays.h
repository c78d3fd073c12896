// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's inputs and outputs as a folder of numpy arrays.
#ifndef TENON_TOOLS_TENON_RUN_ARRAYS_H
#define TENON_TOOLS_TENON_RUN_ARRAYS_H

#include "tenon/runtime.hpp"
#include "tools/tensors/Tensor.h"

namespace tenon::cli {

/// Reads NAME.npy for every input of `model`; where these are not there, input_<i>.npy in the order
/// of the graph. Shapes are the runtime's to check, which knows how dimensions hang together.
Status readInputs(const std::string &folder, const Model &model, std::vector<Tensor> &inputs);

/// Writes output_<i>.npy into `folder`, which is made if it is missing: all files, or none.
Status writeOutputs(const std::string &folder, const std::vector<tenon_tensor> &outputs);

/// "2x3xf32"
std::string describe(const tenon_tensor &tensor);

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_RUN_ARRAYS_H
